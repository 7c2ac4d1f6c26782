"""What a run looks like at one moment: numpy only, so it travels between processes as it is."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vae_core import rng
from vae_core.config import RunConfig
from vae_core.data import Images, prepare
from vae_core.evaluate import evaluate, evaluating
from vae_core.inspect.latent_gradients import SAMPLES, latent_gradients
from vae_core.latent import Plane, map_plane, quantile_grid
from vae_core.metrics import codes
from vae_core.metrics.measure import measure
from vae_core.models.base import Family, labels_in_turn
from vae_core.pieces import Pieces, finish
from vae_core.trainer import Trainer

MAP_IMAGES = 5_000
PRIOR_DRAWS = 40
GRID = 12
GRID_LABEL = 0  # of the grid, where pictures are drawn for a label
SIGMA_WHITE = 0.5  # the sigma that is drawn white: no values between 0 and 1 have a larger standard deviation
DIGITS = tuple("0123456789")  # names that say no more than the numbers
NO_CLASS = 255  # the label of an image whose set has no classes
SURE = 1e-6  # a copy's pixel is no nearer to 0 and 1, where its logit would be infinite


def _none() -> np.ndarray:
    return np.zeros((0, 2), np.float32)


def _no_images() -> np.ndarray:
    return np.zeros((0, 28, 28), np.uint8)


@dataclass(frozen=True)
class Snapshot:
    """Test figures and pictures after `step` updates. All noise is the fixed evaluation noise.

    What the model's family has not is empty or None.

    Attributes:
        step: number of updates made.
        terms: of the loss, means over the 5,000 map images, nats per image, one sample of z each.
        bound: whether their sum is −ELBO.
        kl_dims: (D,) nats. active: (D,) bool. mean_std: posterior std, mean over images and dimensions.
        scales: of the pixels by name, in units of x: sigma of a Gaussian likelihood and the root mean square error.
        mu: (5000, D) float32. xy: (5000, 2) the same codes in the plane of the map. labels: (5000,) uint8,
            NO_CLASS where the images have none. class_names: of the classes, where these are more than numbers.
        explained: share of the variance of mu in that plane.
        originals, reconstructions: (10, 28, 28) uint8, one image a class, and where these are fewer others; from a
            sample of z.
        inputs: (10, 28, 28) uint8, what the encoder saw of these; (0, 28, 28) where it saw the originals.
        code_maps: (10, rows, columns) uint8 of the ten images, numbers of vectors of the codebook; (0, 28, 28) without.
        usage: of the codebook on the map images, by name (codebook.usage).
        sigmas: (10, 28, 28) uint8, of the same samples, SIGMA_WHITE as 255; (0, 28, 28) where pixels share one sigma.
        prior_draws: (40, 28, 28) uint8, the decoder's mean at fixed draws z ~ N(0, I).
        grid: (12, 12, 28, 28) uint8, the decoder's mean at prior quantiles, rows from high to low z₂, columns
            from low to high z₁; (0, 0, 28, 28) unless there are two latents.
        basis: (D, 2) axes of the map.
        ten_mu, ten_log_var, ten_pull_mu, ten_pull_log_var: (10, D) the ten images close up (latent_gradients.py).
        spread, outside: of mu, see metrics.codes; None in frames from before they were kept.
        nll_copy, nll_mean_image: the reconstruction that a decoder would have which gives back each image, and one
            which gives the mean image for all; nats per image, with the sigma in force.
        metrics: figures of the whole test set (metrics) where they were asked for, JSON-ready.
        exact: means over points of the plane, by name, nats, and how exact they are; points: their arrays, by name (see
            inspect/points.py). Of images both are empty.
    """

    step: int
    terms: dict[str, float]
    bound: bool
    kl_dims: np.ndarray
    active: np.ndarray
    mean_std: float | None
    mu: np.ndarray
    xy: np.ndarray
    labels: np.ndarray
    explained: float
    originals: np.ndarray
    reconstructions: np.ndarray
    prior_draws: np.ndarray
    grid: np.ndarray
    basis: np.ndarray = field(default_factory=_none)
    ten_mu: np.ndarray = field(default_factory=_none)
    ten_log_var: np.ndarray = field(default_factory=_none)
    ten_pull_mu: np.ndarray = field(default_factory=_none)
    ten_pull_log_var: np.ndarray = field(default_factory=_none)
    sigmas: np.ndarray = field(default_factory=_no_images)
    inputs: np.ndarray = field(default_factory=_no_images)
    code_maps: np.ndarray = field(default_factory=_no_images)
    usage: dict[str, float] = field(default_factory=dict)
    scales: dict[str, float] = field(default_factory=dict)
    spread: float | None = None
    outside: float | None = None
    nll_copy: float | None = None
    nll_mean_image: float | None = None
    metrics: dict[str, Any] | None = None
    class_names: tuple[str, ...] = ()
    exact: dict[str, float] = field(default_factory=dict)
    points: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def sigma(self) -> float | None:
        """Of a Gaussian likelihood, root mean square over pixels and images."""
        return self.scales.get("sigma")

    @property
    def neg_elbo(self) -> float | None:
        """Where that is a bound on −log p(x); nats per image."""
        return sum(self.terms.values()) if self.bound else None

    @property
    def nbytes(self) -> int:
        arrays = [*vars(self).values(), *self.points.values()]
        return sum(v.nbytes for v in arrays if isinstance(v, np.ndarray))


def map_numbers(images: Images) -> Tensor:
    """(5000,) which of the test images are on every map, in its order.

    A random subset: the second half of MNIST's test split was written by other people than the first.
    """
    return torch.randperm(len(images.x_test), generator=torch.Generator().manual_seed(0))[:MAP_IMAGES]


def map_images(images: Images) -> tuple[Tensor, np.ndarray]:
    """The test images of every map: (5000, 1, 28, 28) uint8 and (5000,) uint8 labels, NO_CLASS where there are none."""
    chosen = map_numbers(images)
    labels = images.y_test.cpu()[chosen].numpy().astype(np.uint8)
    labels = labels if images.classes else np.full_like(labels, NO_CLASS)
    return images.x_test[chosen.to(images.x_test.device)], labels


def ten_images(images: Images) -> Tensor:
    """(10,) which test images are shown: one of each class, and where these are fewer the first others."""
    chosen = images.one_per_class()
    others = [i for i in range(min(20, len(images.x_test))) if i not in chosen.tolist()]
    return torch.cat([chosen, chosen.new_tensor(others)])[:10]


class SnapshotTaker:
    """Takes snapshots of one run: knows its fixed images, noise and prior draws, and the plane of its map."""

    def __init__(self, config: RunConfig, images: Images) -> None:
        self.config = config
        device = images.x_test.device
        self.pixels, self.labels = map_images(images)
        self.class_names = () if images.class_names == DIGITS else images.class_names
        chosen = ten_images(images)
        self.ten, self.ten_labels = images.x_test[chosen], images.y_test[chosen]  # (10, 1, 28, 28) uint8, (10,)
        self._draws: tuple[Tensor, Tensor, Tensor] | None = None
        self.grid = quantile_grid(GRID).to(device)  # (144, 2)
        self.plane: Plane | None = None
        self._ends: tuple[float | None, dict[str, float]] | None = None  # sigma, and what it makes of both ends

    def take(self, model: Family, step: int, measured: bool = False) -> Snapshot:
        """A snapshot of the model; the model is left as it was.

        Args:
            measured: with the metrics, which take longer.
        """
        return finish(self.take_pieces(model, step, measured))

    def take_pieces(self, model: Family, step: int, measured: bool = False) -> Pieces[Snapshot]:
        """The same in pieces, between which the model must not change."""
        seed = rng.stream_seed(self.config.seed, "eval")
        result = yield from evaluate.pieces(model, self.pixels, self.config.protocol, seed, labels=self._told())
        metrics = (yield from self._measure(model)) if measured and model.has.codes else None
        rebuilds = model.has.codes and "nll" in model.TERMS
        pictures = self._pictures(model)
        one_sigma = not len(pictures["sigmas"])  # else it is not known what sigmas other pictures would have
        ends = (yield from self._find_ends(model, result.scales.get("sigma"))) if rebuilds and one_sigma else {}
        more = self._map(result.mu) | pictures | (self._close(model) if rebuilds else {}) | ends
        nothing = np.zeros(0, np.float32)
        return Snapshot(
            step=step,
            terms=result.terms,
            bound=model.has.bound,
            kl_dims=nothing if result.kl_dims is None else result.kl_dims.numpy(),
            active=nothing.astype(bool) if result.active is None else result.active.numpy(),
            mean_std=result.mean_std,
            scales=result.scales,
            usage=result.usage,
            labels=self.labels,
            metrics=metrics,
            class_names=self.class_names,
            **more,
        )

    def look(self, model: Family, step: int) -> Snapshot:
        """The pictures and the map alone: without figures it takes a tenth of the time."""
        mu = None
        if model.has.codes:
            with evaluating(model):
                parts = zip(self.pixels.split(1_000), self._told().split(1_000), strict=True)
                mu = torch.cat([model.given(y).encode(self._prepared(part))[0] for part, y in parts])
        nothing, flags = np.zeros(0, np.float32), np.zeros(0, bool)
        shown = self._map(mu) | self._pictures(model) | {"labels": self.labels, "class_names": self.class_names}
        return Snapshot(step, {}, model.has.bound, nothing, flags, None, **shown)

    def _told(self) -> Tensor:
        """(5000,) int64 labels of the map's images, for a family that is told them."""
        return torch.from_numpy(self.labels).long().to(self.pixels.device)

    def _map(self, mu: Tensor | None) -> dict[str, Any]:
        """Where the images lie, and in which plane that is shown."""
        if mu is None:
            return {"mu": _none(), "xy": _none(), "explained": 0.0}
        self.plane = plane = map_plane(mu, self.plane)
        xy, basis = plane.project(mu).cpu().numpy(), plane.basis.numpy()
        exact = mu.cpu().double()
        spread = {"spread": codes.spread(exact), "outside": codes.share_outside(exact)}
        return {"mu": mu.cpu().numpy(), "xy": xy, "explained": plane.explained, "basis": basis, **spread}

    def _find_ends(self, model: Family, sigma: float | None) -> Pieces[dict[str, float]]:
        """Between which the reconstruction of a decoder lies that has learned anything; anew when sigma has changed."""
        if self._ends is None or self._ends[0] != sigma:
            generator, sums = self._noise(self.pixels.device), torch.zeros(2, dtype=torch.float64)
            mean = self.pixels.float().mean(0, keepdim=True) / 255  # (1, 1, 28, 28)
            for part in self.pixels.split(1_000):
                x = prepare(part, self.config.protocol, generator)
                with torch.no_grad():
                    nlls = [model.nll(x_hat.logit(SURE).expand_as(x), x).sum() for x_hat in (x, mean)]
                sums += torch.stack(nlls).cpu()
                yield
            copy, mean_image = (sums / len(self.pixels)).tolist()
            self._ends = sigma, {"nll_copy": copy, "nll_mean_image": mean_image}
        return self._ends[1]

    def draws(self, model: Family) -> tuple[Tensor, Tensor, Tensor]:
        """The fixed noise: z (40, D) of the prior draws, eps of the ten images, and (SAMPLES, 10, D) of their codes.

        Where pictures are drawn for a label, each ten of the z are one and the same: a row shows it under ten labels.
        """
        if self._draws is None:
            device = self.ten.device
            generator, ten, dims = self._noise(device), len(self.ten), (self.config.latent_dim,)
            shapes = ((PRIOR_DRAWS, *dims), (ten, *model.noise_shape()), (SAMPLES, ten, *dims))
            z, eps, close_eps = (torch.randn(shape, generator=generator, device=device) for shape in shapes)
            z = z[: PRIOR_DRAWS // 10].repeat_interleave(10, 0) if model.has.labels else z
            self._draws = z, eps, close_eps
        return self._draws

    def _pictures(self, model: Family) -> dict[str, Any]:
        z, eps, _ = self.draws(model)
        with evaluating(model):
            x = self._prepared(self.ten)
            out = model.given(self.ten_labels)(x, eps)
            logits, codes = out.logits, x[:0, 0] if out.codes is None else out.codes
            x_hat, sigma = model.mean_image(logits), model.sigma_image(logits)
            drawn = model.given(labels_in_turn(len(z), z)).generate(z) if model.has.codes else x[:0]
            plane = model.has.codes and model.latent_dim == 2
            grid = model.mean_image(model.given(GRID_LABEL).decode(self.grid)) if plane else x[:0]
        side = GRID if plane else 0
        return {
            "originals": to_uint8(x),
            "reconstructions": to_uint8(x_hat),
            "inputs": to_uint8(x[:0] if out.seen is None else out.seen),
            "sigmas": to_uint8(x_hat[:0] if sigma is None else (sigma / SIGMA_WHITE).clamp(max=1)),
            "code_maps": codes.to(torch.uint8).cpu().numpy(),
            "prior_draws": to_uint8(drawn),
            "grid": to_uint8(grid).reshape(side, side, *x.shape[2:]),
        }

    def _close(self, model: Family) -> dict[str, Any]:
        close = latent_gradients(model.given(self.ten_labels), self._prepared(self.ten), self.draws(model)[2])
        return {f"ten_{name}": values for name, values in vars(close).items()}

    def _measure(self, model: Family) -> Pieces[dict[str, Any]]:
        labels = None if NO_CLASS in self.labels else torch.from_numpy(self.labels)
        metrics = yield from measure.pieces(model, self.pixels, labels, self.config.protocol, self.config.seed)
        return metrics.to_dict()

    def _prepared(self, pixels: Tensor) -> Tensor:
        return prepare(pixels, self.config.protocol, self._noise(pixels.device))

    def _noise(self, device: torch.device) -> torch.Generator:
        return rng.generator(device, self.config.seed, "eval")


def take_snapshot(trainer: Trainer, measured: bool = False) -> Snapshot:
    """What a run looks like now, on a map of its own; training is not disturbed.

    Args:
        measured: with the metrics, which take longer.
    """
    return SnapshotTaker(trainer.config, trainer.images).take(trainer.model, trainer.step_count, measured)


def to_uint8(x: Tensor) -> np.ndarray:
    """(B, 1, 28, 28) in [0, 1] to (B, 28, 28) uint8."""
    return (x.squeeze(1) * 255).round().to(torch.uint8).cpu().numpy()
