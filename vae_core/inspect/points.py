"""What a run on points of the plane looks like at one moment: everything exact, by its own model in float64."""

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vae_core import rng
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.evaluate import evaluate, evaluating_pieces
from vae_core.exact.points import Exact, bound, decode_sheet, log_evidence, log_evidence_map
from vae_core.inspect.snapshot import Snapshot, SnapshotTaker
from vae_core.models.base import EXACT, POINT, Family
from vae_core.pieces import Pieces, finish, in_pieces

MAP_SIDE = 80  # cells of the map of log p(x)
SAMPLES = 300  # drawn from the model
SHOWN = 600  # training points drawn on the map at most


class PointsTaker:
    """Takes snapshots of one run on points; as inspect.snapshot.SnapshotTaker does of one on images."""

    def __init__(self, config: RunConfig, images: Images) -> None:
        self.config, self.images = config, images

    def take(self, model: Family, step: int, measured: bool = False) -> Snapshot:
        """A snapshot of the model; the model is left as it was. Metrics of images are not measured."""
        return finish(self.take_pieces(model, step, measured))

    def take_pieces(self, model: Family, step: int, measured: bool = False) -> Pieces[Snapshot]:
        """The same in pieces, between which the model must not change.

        Arrays of `points`, float32: train (n, 2) and test (N, 2), points; samples (300, 2), draws of x from the model;
        and where it is exact (Family.is_exact): log_p, elbo, gap (N, 1) nats, mu and std (N, D) of the test points; map
        (80, 80) of log p(x), see log_evidence_map; weight0, bias0, ... of the decoder's layers.
        """
        seed = rng.stream_seed(self.config.seed, "eval")
        result = yield from evaluate.pieces(model, self.images.x_test, self.config.protocol, seed)
        exact, arrays = (yield from self._exact(model)) if model.is_exact(self.config) else ({}, {})
        pictures, floats = np.zeros((0, 28, 28), np.uint8), np.zeros((0, 2), np.float32)
        no_dims = np.zeros(0, np.float32)
        return Snapshot(
            step=step,
            terms=result.terms,
            bound=model.has.bound,
            kl_dims=no_dims if result.kl_dims is None else result.kl_dims.numpy(),
            active=no_dims.astype(bool) if result.active is None else result.active.numpy(),
            mean_std=result.mean_std,
            scales=result.scales,
            mu=floats,
            xy=floats,
            labels=np.zeros(0, np.uint8),
            explained=0.0,
            originals=pictures,
            reconstructions=pictures,
            prior_draws=pictures,
            grid=pictures[None, :0],
            exact=exact,
            points={name: _float32(array) for name, array in (self._seen(model) | arrays).items()},
        )

    @torch.no_grad()
    def _seen(self, model: Any) -> dict[str, Tensor]:
        """The points, and draws from the model with the fixed evaluation noise."""
        found = {"train": self.images.x_train[:SHOWN], "test": self.images.x_test}
        if not model.has.prior:
            return found
        generator = rng.generator(self.images.x_test.device, self.config.seed, "eval")
        z, eps = (
            torch.randn(SAMPLES, dims, generator=generator, device=self.images.x_test.device)
            for dims in (self.config.latent_dim, 2)
        )
        mean = model.generate(z)
        return found | {"samples": mean + torch.as_tensor(model.sigma_of(mean)) * eps}

    def _exact(self, model: Family) -> Pieces[tuple[dict[str, float], dict[str, Tensor]]]:
        """On the CPU, in float64, with a copy of the model: log p(x) is exact for the very weights that train."""
        twin = copy.deepcopy(model).cpu().double()
        x = self.images.x_test.cpu().double()
        found, picture, sigma = yield from evaluating_pieces(twin, _compute(twin, x))
        numbers = found.means | {"error": max(found.error, found.residual), "sigma": sigma}
        columns = {name: getattr(found, name)[:, None] for name in ("log_p", "elbo", "gap")}
        return numbers, {**columns, "mu": found.mu, "std": found.std, "map": picture, **_layers(model)}


@in_pieces
def exact_figures(model: Family, images: Images, config: RunConfig) -> Pieces[dict[str, Any]]:
    """What a card says besides evaluate.final_metrics of a model of points, means over the test points in nats.

    Returns:
        {} of images; else "protocol", and where they can be computed exact_elbo, exact_log_p and exact_error.
    """
    if images.shape != POINT:
        return {}
    figures: dict[str, Any] = {"protocol": "points"}
    if model.is_exact(config):
        numbers, _ = yield from PointsTaker(config, images)._exact(model)
        figures |= {name: numbers[name] for name in EXACT} | {"exact_error": numbers["error"]}
    return figures


def _compute(model: Any, x: Tensor) -> Pieces[tuple[Exact, Tensor, float]]:
    sheet = yield from decode_sheet.pieces(model, x)
    log_p, error = yield from log_evidence.pieces(sheet, x)
    found = yield from bound.pieces(model, x, log_p, error)
    picture = yield from log_evidence_map.pieces(sheet, MAP_SIDE)
    return found, picture, sheet.sigma


def _layers(model: Family) -> dict[str, Tensor]:
    """The decoder's layers, so that whoever looks can decode any z; (out, in) and (out, 1)."""
    layers = [layer for layer in model.get_submodule("decoder").modules() if isinstance(layer, torch.nn.Linear)]
    weights = {f"weight{i}": layer.weight for i, layer in enumerate(layers)}
    return weights | {f"bias{i}": layer.bias[:, None] for i, layer in enumerate(layers)}


def _float32(array: Tensor) -> np.ndarray:
    return np.ascontiguousarray(array.detach().cpu().numpy(), dtype=np.float32)


def taker_of(config: RunConfig, images: Images) -> SnapshotTaker | PointsTaker:
    """Who takes the snapshots of a run on these images, or points."""
    return PointsTaker(config, images) if images.shape == POINT else SnapshotTaker(config, images)
