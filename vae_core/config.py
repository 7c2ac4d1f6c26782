"""What a run is: one frozen record of settings, saved as JSON beside the weights."""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

from vae_core import datasets, families

PROTOCOLS = ("grey", "dynamic", "static", "threshold")
NETS = ("mlp", "conv")
ACTIVATIONS = ("relu", "elu", "tanh")
LIKELIHOODS = ("bernoulli", "gaussian", "gaussian-learned", "gaussian-per-pixel")
DEVICES = ("auto", "cpu", "cuda", "mps")
FROZEN = ("none", "encoder", "decoder")
NAMES = {  # terms that are spoken of by another name than their own
    "nll": "reconstruction",
    "kl": "KL",
    "iw": "−L_K",
    "index_code": "index-code information",
    "dimension_kl": "dimension-wise KL",
}
LETTERS = {"nll": "alpha", "kl": "beta"}  # terms whose weights have names of their own
OF_FAMILIES = ("samples", "corruption", "codebook_size")  # read only by families that name them in SETTINGS

MOST_LAYERS, WIDEST = 4, 2048  # hidden layers of the mlp, units of one
SIGMA_FLOOR = 0.01  # a sigma that learns never falls below this, see losses.gaussian_nll


class ConfigError(ValueError):
    """A setting that cannot be used; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides a run. The same config and seed give the same curve.

    Attributes:
        dataset: name of the image set (datasets.py): "mnist", "circles", one's own, ...; or of points of the plane.
        protocol: how pixels become data: "grey" (values in [0, 1] as they are), "dynamic" (a Bernoulli
            draw with the grey value as its probability, redrawn each time), "static" (drawn so once and for all),
            "threshold" (1 where x > 0.5).
        model: model family, by the name of its file (families.py): "vae", "ae", the plain autoencoder, ...
        net: architecture of encoder and decoder.
        widths: of the mlp's hidden layers, from the image to the code: "400-200"; the decoder has them the other way
            round. conv has layers of its own.
        activation: after each of these layers: "relu", "elu" or "tanh".
        latent_dim: D, number of latent dimensions; of a family with a code map, of each vector of its codebook.
        codebook_size: K, how many vectors a codebook has.
        likelihood: p(x given z): "bernoulli", "gaussian" (sigma fixed), "gaussian-learned" (one sigma for all pixels),
            "gaussian-per-pixel" (the decoder gives each pixel of each image a mean and a sigma).
        sigma: the fixed sigma of the Gaussian likelihood, or the value from which one that learns starts.
        alpha: weight of the reconstruction term, >= 0.
        beta: weight of the KL term, >= 0.
        weights: of a family's other terms, "codebook=1, commitment=0.5"; who is not named has the family's own weight.
        samples: K of the importance-weighted bound that a family minimises.
        corruption: standard deviation of the noise on the images that a denoising family sees, in units of x.
        warmup_steps: beta rises linearly from 0 to its value over so many steps; 0 switches this off.
        warmup_cycles: the run is cut into so many equal parts, and beta rises anew in each; 0 or 1: it rises once.
        free_bits: lambda: the KL of each latent dimension, mean over the batch, is minimised no further than to so
            many nats (Kingma 2016); 0 switches this off. What is reported is the KL itself.
        learning_rate: of Adam.
        frozen: the half that keeps its weights while the other one learns: "encoder", "decoder" or "none".
        batch_size: images in a step.
        epochs: passes over the training images; the last batch of each holds what is left of them.
        steps: in all, whatever `epochs` says; 0: as many as the epochs take.
        seed: of the four generators (init, batch order, training noise, evaluation noise).
        device: "auto" takes CUDA, then MPS, then the CPU.
    """

    dataset: str = "mnist"
    protocol: str = "grey"
    model: str = "vae"
    net: str = "mlp"
    widths: str = "400-200"
    activation: str = "relu"
    latent_dim: int = 2
    codebook_size: int = 64
    likelihood: str = "bernoulli"
    sigma: float = 0.1
    alpha: float = 1.0
    beta: float = 1.0
    weights: str = ""
    samples: int = 5
    corruption: float = 0.5
    warmup_steps: int = 0
    warmup_cycles: int = 0
    free_bits: float = 0.0
    learning_rate: float = 2e-3
    frozen: str = "none"
    batch_size: int = 256
    epochs: int = 5
    steps: int = 0
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            _require(
                getattr(self, name) in allowed,
                f"{name} {getattr(self, name)!r} is unknown: choose {spoken(allowed)}.",
            )
        for name, (low, high) in _WHOLE_NUMBERS.items():
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool)
            _require(
                whole and low <= value <= high,
                f"{name} is {value!r}: give a whole number from {low} to {high}.",
            )
        for name, (least, most) in _NUMBERS.items():
            _require(
                _within(getattr(self, name), least, most),
                f"{name} is {getattr(self, name)!r}: give a number from {least:g} to {most:g}.",
            )
        if not isinstance(self.model, str) or families.find(self.model) is None:
            raise ConfigError(f"model {self.model!r} is unknown: choose {spoken(families.names())}.")
        perhaps_gone = datasets.is_upload(self.dataset) or datasets.is_points(self.dataset)
        if datasets.find(self.dataset) is None and not perhaps_gone:
            raise ConfigError(f"dataset {self.dataset!r} is unknown: choose {spoken(datasets.names())}.")
        _require(isinstance(self.weights, str), f"weights is {self.weights!r}: give text, such as 'codebook=0.5'.")
        own_weights(self.weights)
        layer_widths(self.widths)

    @property
    def live(self) -> "LiveSettings":
        """Those settings that may change while it runs."""
        return LiveSettings(**{name: getattr(self, name) for name in CHANGEABLE})

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The config that `to_dict` wrote.

        Raises:
            ConfigError: an unknown name, or a value out of range.
        """
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(values) - known)
        _require(not unknown, f"The config has unknown settings ({', '.join(unknown)}): remove them.")
        return cls(**values)

    def with_(self, **changes: Any) -> Self:
        return replace(self, **changes)


_CHOICES = {
    "protocol": PROTOCOLS,
    "net": NETS,
    "activation": ACTIVATIONS,
    "likelihood": LIKELIHOODS,
    "device": DEVICES,
    "frozen": FROZEN,
}
_WHOLE_NUMBERS = {
    "latent_dim": (1, 256),
    "samples": (1, 64),
    "codebook_size": (2, 256),
    "warmup_steps": (0, 1_000_000),
    "warmup_cycles": (0, 1_000),
    "batch_size": (1, 60_000),
    "epochs": (1, 1_000),
    "steps": (0, 10_000_000),
    "seed": (0, 2**31 - 1),
}
_NUMBERS = {
    "sigma": (SIGMA_FLOOR, 10.0),
    "alpha": (0.0, 1e6),
    "beta": (0.0, 1e6),
    "corruption": (0.0, 10.0),
    "free_bits": (0.0, 100.0),
    "learning_rate": (1e-8, 1e3),
}


@dataclass(frozen=True)
class LiveSettings:
    """What a running run takes at its next step; as in RunConfig."""

    alpha: float = 1.0
    beta: float = 1.0
    weights: str = ""
    learning_rate: float = 2e-3
    frozen: str = "none"

    @property
    def own_weights(self) -> dict[str, float]:
        """Of those terms that are named in `weights`."""
        return own_weights(self.weights)

    def weights_of(self, terms: Mapping[str, float]) -> dict[str, float]:
        """The weight of each term.

        Args:
            terms: their names, each with its weight where nothing is set.
        """
        named = {"nll": self.alpha, "kl": self.beta} | self.own_weights
        return {term: named.get(term, weight) for term, weight in terms.items()}

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def changed(self, values: dict[str, Any], config: RunConfig) -> "LiveSettings":
        """These settings with other values, held to the same rules as those of a new run.

        Args:
            config: of the run.
        Raises:
            ConfigError: with a sentence that says what to give instead.
        """
        unknown = sorted(set(values) - set(CHANGEABLE))
        _require(not unknown, f"{', '.join(unknown)} cannot change during a run: start a new one.")
        return config.with_(**self.to_dict() | values).live


CHANGEABLE = tuple(f.name for f in fields(LiveSettings))


def term_name(term: str) -> str:
    """What a term of a loss is called in a sentence: "reconstruction", "total correlation"."""
    return NAMES.get(term, term.replace("_", " "))


def own_weights(text: str) -> dict[str, float]:
    """Weights by the names of their terms.

    Args:
        text: "codebook=1, commitment=0.5".
    Raises:
        ConfigError: it is written otherwise, or a weight is out of range.
    """
    found: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        term, _, number = part.partition("=")
        try:
            found[term.strip()] = float(number)
        except ValueError:
            raise ConfigError(f"weights {part!r} cannot be read: write term=weight, such as codebook=0.5.") from None
        _require(term.strip() not in LETTERS, f"weights {part!r}: that weight is {LETTERS.get(term.strip())}.")
        _require(
            _within(found[term.strip()], *_NUMBERS["alpha"]),
            f"weights {part!r}: give a number from {_NUMBERS['alpha'][0]:g} to {_NUMBERS['alpha'][1]:g}.",
        )
    return found


def layer_widths(text: str) -> tuple[int, ...]:
    """Widths of the mlp's hidden layers, from the image to the code.

    Args:
        text: "400-200".
    Raises:
        ConfigError: it is written otherwise, or there are too many layers, or one is too wide.
    """
    fits = isinstance(text, str) and re.fullmatch(r"[1-9]\d{0,3}(-[1-9]\d{0,3})*", text, re.ASCII) is not None
    found = tuple(int(width) for width in text.split("-")) if fits else ()
    _require(
        0 < len(found) <= MOST_LAYERS and max(found) <= WIDEST,
        f"widths is {text!r}: give 1 to {MOST_LAYERS} whole numbers from 1 to {WIDEST}, such as '400-200'.",
    )
    return found


def _within(value: Any, low: float, high: float) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and math.isfinite(value) and low <= value <= high


def spoken(names: tuple[str, ...]) -> str:
    """ "a, b or c"."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]


def _require(ok: bool, message: str) -> None:
    if not ok:
        raise ConfigError(message)
