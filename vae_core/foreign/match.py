"""Which of our models a state dict belongs to: by the names of its tensors, else by their shapes and their order.

    mlp     784 → h1 → … → hk → code → hk → … → h1 → 784, k from 1 to 4: net "mlp", widths "h1-…-hk"
    conv    the tensors of our own convolutional networks, under whatever names

The code comes from one layer of 2 D outputs (mu, then log_var), from two layers of D outputs each, or, of a plain
autoencoder, from one of D. What two ways of reading would explain equally well is refused.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Any

import torch
from torch import Tensor, nn

from vae_core import models
from vae_core.config import MOST_LAYERS, ConfigError, RunConfig
from vae_core.foreign.read import ForeignError, Row, natural

PIXELS = 784
_ENCODER = re.compile(r"(^|[._])(enc|inference|recognition)", re.IGNORECASE)
_DECODER = re.compile(r"(^|[._])(dec|gen)", re.IGNORECASE)
_SECOND = re.compile(r"var|sigma|std|scale|(^|[._])lv", re.IGNORECASE)
_FIRST = re.compile(r"mu|mean|(^|[._])loc", re.IGNORECASE)
_LOG_STD = re.compile(r"log_?(sigma|std)", re.IGNORECASE)
_OPTIONAL = "num_batches_tracked"
_MOST_READINGS = 2_000  # layers of one size could be read in a million ways; those in order come first

Modules = dict[str, dict[str, Tensor]]  # the tensors of each layer, by the layer's name


@dataclass(frozen=True)
class Matched:
    """A state dict of ours, the settings of its model, and how it came about, in sentences."""

    tensors: dict[str, Tensor]
    config: RunConfig
    said: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """One way to read Linear layers as an autoencoder: their places in the file's order."""

    encoder: tuple[int, ...]
    heads: tuple[int, ...]  # two: mu and log_var; one: both, or the code of a plain autoencoder
    decoder: tuple[int, ...]

    @property
    def all(self) -> tuple[int, ...]:
        return (*self.encoder, *self.heads, *self.decoder)


def match(name: str, tensors: dict[str, Tensor], given: dict[str, Any]) -> Matched:
    """Find the model that has these tensors.

    Args:
        name: of the file, for messages. tensors: float32, by name.
        given: of RunConfig: activation, likelihood, sigma, device.
    Raises:
        ForeignError: none has them, or more than one reading is possible.
    """
    tensors = dict(tensors)
    if tensors.get("raw_sigma", torch.empty(1)).dim() == 0:  # of ours, the one sigma that was learned
        given = given | {"likelihood": "gaussian-learned"}
        said = ["The file holds a learned sigma."]
        sigma = {"raw_sigma": tensors.pop("raw_sigma")}
    else:
        said, sigma = [], {}
        if given["likelihood"] == "gaussian-learned":
            raise ForeignError(f"{name} holds no learned sigma (raw_sigma): choose another likelihood.")
    modules = dict(sorted(_modules(tensors).items(), key=lambda item: bool(_DECODER.search(item[0]))))
    conv = any(tensor.dim() == 4 for tensor in tensors.values())
    try:
        found = _conv(name, modules, given) if conv else _mlp(name, modules, given)
    except ConfigError as error:
        raise ForeignError(f"{name} is beyond what is built here: {error}") from None
    return Matched(found.tensors | sigma, found.config, (*said, *found.said, *_assumed(found.config)))


def _assumed(config: RunConfig) -> Iterator[str]:
    """What no state dict says."""
    if config.net == "mlp":
        yield f"Between its layers {config.activation} is computed, as was asked for: a state dict does not say it."
    yield "The decoder's last layer is taken to give logits: a Sigmoid after it has no parameters."
    sigma = f", sigma {config.sigma:g}" if config.likelihood == "gaussian" else ""
    yield f"Its likelihood is taken to be {config.likelihood}{sigma}."


def _modules(tensors: dict[str, Tensor]) -> Modules:
    found: Modules = {}
    for key, tensor in tensors.items():
        path, _, last = key.rpartition(".")
        found.setdefault(path, {})[last] = tensor
    return found


# ---- mlp


def _mlp(name: str, modules: Modules, given: dict[str, Any]) -> Matched:
    paths = list(modules)
    layers = [modules[path] for path in paths]
    if not all(_is_linear(layer) for layer in layers):
        raise _unlike(name, modules, "it has layers that are neither Linear nor those of our conv")
    channels = 2 if any(len(layer["weight"]) == 2 * PIXELS for layer in layers) else 1
    shapes = [(layer["weight"].shape[1], len(layer["weight"])) for layer in layers]
    readings = _preferred(paths, list(islice(readings_of(shapes, channels), _MOST_READINGS)))
    if not readings:
        raise _unlike(name, modules, "its layers are no encoder 784 → … → code with a decoder that mirrors it")
    if len(readings) > 1:
        first, second = (" → ".join(paths[i] for i in reading.all) for reading in readings[:2])
        raise _unlike(name, modules, f"its layers can be read in more than one way ({first}, or {second})")
    reading = readings[0]
    code = shapes[reading.decoder[0]][0]
    plain = len(reading.heads) == 1 and shapes[reading.heads[0]][1] == code
    config = RunConfig(
        model="ae" if plain else "vae",
        net="mlp",
        widths="-".join(str(shapes[i][1]) for i in reading.encoder),
        latent_dim=code,
        **given | ({"likelihood": "gaussian-per-pixel"} if channels == 2 else {}),
    )
    head, said = _head([(paths[i], layers[i]) for i in reading.heads], plain)
    ordered = [*(layers[i] for i in reading.encoder), head, *(layers[i] for i in reading.decoder)]
    places = [path for path, part in models.build(config).named_modules() if isinstance(part, nn.Linear)]
    tensors = {
        f"{place}.{part}": tensor
        for place, layer in zip(places, ordered, strict=True)
        for part, tensor in _with_bias(layer).items()
    }
    how = f"{', '.join(paths[i] for i in reading.all)} are an mlp of {config.widths} hidden units, {code} latents."
    return Matched(tensors, config, (how, *said))


def _is_linear(layer: dict[str, Tensor]) -> bool:
    if not {"weight"} <= set(layer) <= {"weight", "bias"}:
        return False
    weight = layer["weight"]
    return weight.dim() == 2 and len(weight) > 0 and layer.get("bias", weight[:, 0]).shape == weight.shape[:1]


def _with_bias(layer: dict[str, Tensor]) -> dict[str, Tensor]:
    return {"weight": layer["weight"], "bias": layer.get("bias", torch.zeros(len(layer["weight"])))}


def readings_of(shapes: list[tuple[int, int]], channels: int = 1) -> Iterator[Reading]:
    """Every way to read all of these layers as an encoder, its code and a decoder that mirrors the encoder.

    Args:
        shapes: inputs and outputs of each. channels: of the decoder's output, for each pixel.
    """
    heads = 1 if len(shapes) % 2 == 0 else 2
    hidden = (len(shapes) - heads - 1) // 2
    if not 0 < hidden <= MOST_LAYERS:
        return
    for encoder in _stacks(shapes, PIXELS, hidden, ()):
        widths = [shapes[i][1] for i in encoder]
        rest = [i for i in range(len(shapes)) if i not in encoder]
        ends = [i for i in rest if shapes[i][0] == widths[-1]]
        pairs = [(i, j) for i in ends for j in ends if i < j and shapes[i][1] == shapes[j][1]]
        for chosen in pairs if heads == 2 else [(i,) for i in ends]:
            outs = shapes[chosen[0]][1]
            codes = [outs] if heads == 2 else [outs, *([outs // 2] if outs % 2 == 0 else [])]
            for code in codes:
                wanted = [code, *widths[::-1], channels * PIXELS]
                for decoder in _stacks(shapes, code, hidden + 1, (*encoder, *chosen)):
                    if [shapes[i][1] for i in decoder] == wanted[1:]:
                        yield Reading(encoder, chosen, decoder)


def _stacks(shapes: list[tuple[int, int]], inputs: int, count: int, used: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """So many unused layers of which each takes what the one before gives, the first `inputs` numbers."""
    if not count:
        yield ()
        return
    for i in range(len(shapes)):
        if i not in used and shapes[i][0] == inputs:
            for rest in _stacks(shapes, shapes[i][1], count - 1, (*used, i)):
                yield (i, *rest)


def _preferred(paths: list[str], readings: list[Reading]) -> list[Reading]:
    """Of several readings those that the names speak for, then those in the order of the file."""

    def named(reading: Reading) -> bool:
        front, back = (*reading.encoder, *reading.heads), reading.decoder
        return not any(_DECODER.search(paths[i]) for i in front) and not any(_ENCODER.search(paths[i]) for i in back)

    def in_order(reading: Reading) -> bool:
        halves = [*reading.encoder, *reading.heads], [*reading.decoder]
        return all(half == sorted(half) for half in halves)

    def encoder_first(reading: Reading) -> bool:
        return reading.encoder[0] < reading.decoder[0]

    for fits in (named, in_order, encoder_first):
        readings = [reading for reading in readings if fits(reading)] or readings
    return readings


# ---- the code


def _role(name: str) -> int:
    """-1 of mu and 1 of log_var, where the name of a head says it."""
    return 1 if _SECOND.search(name) else -1 if _FIRST.search(name) else 0


def _head(heads: list[tuple[str, dict[str, Tensor]]], plain: bool) -> tuple[dict[str, Tensor], list[str]]:
    """The one layer of 2 D outputs that our encoders end with, and what is to be said of it."""
    if len(heads) == 1:
        layer = _with_bias(heads[0][1])
        if not plain:
            return layer, [f"The first half of what {heads[0][0]} gives is taken as mu, the second as log_var."]
        return {part: torch.cat([t, torch.zeros_like(t)]) for part, t in layer.items()}, [
            f"{heads[0][0]} gives the code alone, so it is a plain autoencoder."
        ]
    (mean, first), (spread, second) = sorted(heads, key=lambda head: (_role(head[0]), natural(head[0])))
    log_std = bool(_LOG_STD.search(spread))
    parts = (_with_bias(first), _with_bias(second))
    joined = {part: torch.cat([parts[0][part], parts[1][part] * (2 if log_std else 1)]) for part in parts[0]}
    what = "log std (twice that is log_var)" if log_std else "log_var"
    return joined, [f"{mean} is taken to give mu, {spread} to give {what}."]


# ---- conv


def _conv(name: str, modules: Modules, given: dict[str, Any]) -> Matched:
    """Our own convolutional networks, layer by layer in their order."""
    latents = [len(m["weight"]) for m in modules.values() if _shape(m)[1:] == (256, 3, 3)]
    outputs = [_shape(m)[1] for m in modules.values() if _shape(m)[:1] == (64,) and _shape(m)[2:] == (4, 4)]
    settings = given | {"net": "conv", "latent_dim": latents[0] if latents else RunConfig.latent_dim}
    if outputs == [2]:
        settings["likelihood"] = "gaussian-per-pixel"
    expected = _modules(models.build(RunConfig(**settings)).state_dict())
    heads = [(path, m) for path, m in modules.items() if _shape(m)[1:] == (32, 4, 4)]
    plain = len(heads) == 1 and [len(heads[0][1]["weight"])] == latents
    head, said = _head(heads, plain) if 0 < len(heads) < 3 else ({}, [])
    found: Modules = {}
    for path, module in modules.items():
        if path not in [other for other, _ in heads[1:]]:
            found[path] = head if head and path == heads[0][0] else module
    fits = len(found) == len(expected) and all(
        _shapes(ours) == _shapes(theirs) for ours, theirs in zip(expected.values(), found.values(), strict=True)
    )
    if not fits:
        raise _unlike(name, modules, "its layers are not those of our convolutional networks", expected)
    tensors = {
        f"{place}.{part}": theirs.get(part, tensor)
        for (place, ours), theirs in zip(expected.items(), found.values(), strict=True)
        for part, tensor in ours.items()
    }
    config = RunConfig(**settings | {"model": "ae" if plain else "vae"})
    return Matched(tensors, config, (f"Its tensors are our convolutional networks of {latents[0]} latents.", *said))


def _shape(module: dict[str, Tensor]) -> tuple[int, ...]:
    return tuple(module["weight"].shape) if "weight" in module else ()


def _shapes(module: dict[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {part: tuple(tensor.shape) for part, tensor in module.items() if part != _OPTIONAL}


# ---- what does not fit


_MLP: tuple[tuple[str, str], ...] = (
    ("encoder, first layer", "(h1, 784)"),
    ("…, up to 4 hidden layers", "(hk, …)"),
    ("mu and log_var, or one of 2 D", "(D, hk)"),
    ("decoder, the same the other way round", "(hk, D)"),
    ("decoder, last layer", "(784, h1)"),
)


def _unlike(name: str, modules: Modules, why: str, expected: Modules | None = None) -> ForeignError:
    wanted = _MLP if expected is None else _named(expected)
    rows = tuple((*ours, *theirs) for ours, theirs in zip_longest(wanted, _named(modules), fillvalue=("", "")))
    return ForeignError(f"{name} is no model that we know: {why}.", tuple(_row(row) for row in rows))


def _named(modules: Modules) -> list[tuple[str, str]]:
    return [
        (f"{path}.{part}".removeprefix("."), str(tuple(tensor.shape)))
        for path, module in modules.items()
        for part, tensor in module.items()
        if part != _OPTIONAL
    ]


def _row(row: tuple[str, ...]) -> Row:
    first, second, third, fourth = row
    return first, second, third, fourth
