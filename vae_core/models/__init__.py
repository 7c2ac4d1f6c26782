"""Model families, one file each, found by name when they are asked for (families.py)."""

import functools
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from vae_core import datasets, families, rng
from vae_core.config import LETTERS, NAMES, OF_FAMILIES, ConfigError, LiveSettings, RunConfig, spoken
from vae_core.models.base import POINT, SHAPE, TAKEN, Family

ALL_OFF, KL_ALONE = "all terms are off", "the KL alone, and the encoder frozen"  # reasons why nothing learns


def family(name: str) -> type[Family]:
    """The class of a family.

    Raises:
        ConfigError: there is none of this name, or its file cannot be loaded.
    """
    if (found := families.find(name)) is None:
        raise ConfigError(f"The family {name} is not here any more: put its file back.")
    try:
        return _class_in(*found)
    except Exception as error:  # noqa: BLE001 - whatever is wrong in somebody's own file
        raise ConfigError(
            f"The family {name} cannot be loaded ({type(error).__name__}: {error}): mend its file."
        ) from None


def build(config: RunConfig, shape: tuple[int, ...] | None = None) -> Family:
    """A freshly initialised model on the CPU: the same config and seed give the same weights everywhere.

    Args:
        config: its model, net, latent_dim, likelihood, sigma and seed are used.
        shape: of an image; that of the config's data where it is left out.
    Raises:
        ConfigError: settings that this family cannot use.
    """
    check(config)
    shape = shape or (POINT if datasets.is_points(config.dataset) else SHAPE)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(rng.stream_seed(config.seed, "init"))
        return family(config.model).from_config(config, shape)


def check(config: RunConfig) -> None:
    """Hold the weights of a config to the terms of its family, and its settings to those that the family reads.

    Raises:
        ConfigError: a weight of a term that the family has not, or nothing to minimise, or a setting of others.
    """
    kind = family(config.model)
    terms = kind.TERMS
    for name in OF_FAMILIES:
        if name not in kind.SETTINGS and getattr(config, name) != getattr(RunConfig, name):
            raise ConfigError(f"The model {config.model} has no {name}: leave it at {getattr(RunConfig, name)}.")
    if config.free_bits and not ("kl" in terms and kind.has.posterior == "gaussian"):
        raise ConfigError(f"The model {config.model} has no KL of Gaussian dimensions: set free_bits to 0.")
    for name, value in kind.FIXED.items():
        if getattr(config, name) != value:
            raise ConfigError(f"The model {config.model} has no other {name} than {value}: set {name} to {value}.")
    for term, letter in LETTERS.items():
        if term not in terms and getattr(config, letter) not in (0, getattr(RunConfig, letter)):
            raise ConfigError(f"The model {config.model} has no {NAMES[term]} term: set {letter} to 0.")
    if unknown := sorted(set(config.live.own_weights) - set(terms)):
        raise ConfigError(f"The model {config.model} has no term {unknown[0]!r}: it has {spoken(tuple(terms))}.")
    nothing = idle(config.live, terms)
    if nothing == ALL_OFF:
        names = " and ".join(LETTERS.get(term, term) for term in terms)
        raise ConfigError(f"The weights of {names} are 0, so there is nothing to minimise: give one a positive weight.")
    if nothing == KL_ALONE:
        raise ConfigError("The KL alone trains the encoder, which is frozen, so nothing is left that learns: thaw it.")


def idle(settings: LiveSettings, terms: Mapping[str, float]) -> str | None:
    """Why training would change nothing: ALL_OFF, KL_ALONE (it trains the encoder, which is frozen), or None.

    Args:
        terms: of the family, each with its own weight.
    """
    weights = settings.weights_of(terms)
    if not any(weights.values()):
        return ALL_OFF
    alone = not any(weight for term, weight in weights.items() if term != "kl")
    return KL_ALONE if alone and settings.frozen == "encoder" else None


def change(settings: LiveSettings, changes: dict[str, Any], config: RunConfig) -> LiveSettings:
    """The settings of a running run with other values.

    Args:
        changes: by name. config: of the run.
    Raises:
        ConfigError: a value that cannot be used.
    """
    changed = settings.changed(changes, config)
    for term, letter in LETTERS.items():
        if term not in family(config.model).TERMS and getattr(changed, letter) != getattr(settings, letter):
            raise ConfigError(f"The model {config.model} has no {NAMES[term]} term, so {letter} stays as it is.")
    check(config.with_(**changed.to_dict()))
    return changed


@functools.cache
def _class_in(module: str, path: Path) -> type[Family]:
    """The family that a file holds: the one class that is defined there."""
    if module.startswith("vae_core."):
        found = importlib.import_module(module)
    else:  # a family of somebody's own; under its name, so that its source can be shown
        spec = importlib.util.spec_from_file_location(module, path)
        assert spec is not None and spec.loader is not None
        sys.modules[module] = found = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(found)
    kinds = [kind for kind in vars(found).values() if isinstance(kind, type) and kind.__module__ == module]
    if len(found_here := [kind for kind in kinds if issubclass(kind, Family)]) != 1:
        raise TypeError(f"it holds {len(found_here)} families, and should hold one")
    kind = found_here[0]
    if unfit := [term for term in kind.TERMS if not term.isidentifier() or term in TAKEN]:
        raise TypeError(f"its term {unfit[0]!r} has the name of another figure or is no identifier")
    return kind
