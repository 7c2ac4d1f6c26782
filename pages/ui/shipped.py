"""What ships and is loaded once per server: the test images, the trained models and the finished runs."""

import functools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from pages.ui.once import computed_once
from pages.ui.words import counted, sigma_words
from vae_core import checkpoints
from vae_core.cards import check_figures, read_whole_card
from vae_core.checkpoints import CARD, WEIGHTS, Checkpoint, CheckpointError
from vae_core.config import RunConfig
from vae_core.data import Images, load, prepare
from vae_core.data.sets import name_of
from vae_core.inspect.snapshot import map_images
from vae_core.metrics.draws import draw_quality, thinned
from vae_core.metrics.measure import DRAWS
from vae_core.models import family
from vae_core.models.base import Family
from vae_core.runs import registry
from vae_core.runs.log import logger
from vae_core.runs.run_record import RunRecord
from vae_core.runs.storage import RECORD, StorageError

CHECKPOINTS = Path(__file__).resolve().parents[2] / "checkpoints"
PLANE = "mnist-vae-mlp-2"  # two latents: everything about it can be drawn
ARMS = ("arm-full", "arm-no-kl", "arm-no-reconstruction", "arm-plain-autoencoder", "arm-beta-32")  # the page's order
ARMS_FOLDER, DOSE_FOLDER, SEEDS_FOLDER = "arms", "dose", "seeds"


@functools.cache
def checkpoint(name: str) -> Checkpoint:
    """A shipped model, on the CPU, in evaluation mode. Shared by all visitors: never change it.

    Raises:
        CheckpointError: there is none of this name among `cards`.
    """
    if name not in cards():
        raise CheckpointError(missing(name))
    return replace(checkpoints.load(CHECKPOINTS / name), card=cards()[name])


def missing(name: str) -> str:
    """What a page says where a shipped model was left out."""
    return f"The model {name} cannot be read: restore the folder checkpoints/{name} and start the server again."


def shipped_run() -> str:
    """The id of the finished run that everybody may watch before they have one of their own.

    It is the main model's or, while that one is damaged, an arm of the ablation.
    """
    if _register(CHECKPOINTS / PLANE):
        return PLANE
    return next(iter([*shipped_arms(), *shipped_dose()]), PLANE)


def shipped_arms() -> list[str]:
    """Ids of the finished arms of the ablation, in the page's order; a damaged one is left out."""
    return _registered([CHECKPOINTS / ARMS_FOLDER / name for name in ARMS])


def shipped_dose() -> list[str]:
    """Ids of the finished runs that differ in beta alone, from the smallest to the largest; damaged ones left out."""
    found = _registered(sorted(path.parent for path in CHECKPOINTS.glob(f"{DOSE_FOLDER}/*/{RECORD}")))
    return sorted(found, key=_beta)


@functools.cache
def dose_seeds() -> list[dict[str, Any]]:
    """Cards of the same trainings as `shipped_dose` with other seeds; a damaged one is left out. Never change them."""
    found = []
    for path in sorted((CHECKPOINTS / DOSE_FOLDER / SEEDS_FOLDER).glob("*.json")):
        try:
            found.append(read_whole_card(path))
        except CheckpointError as error:
            _say(path, f"The card {path.name} is left out: {error}")
    return found


def register_all() -> None:
    """Every shipped run can be opened by its id from now on; damaged ones are left out with a line on stderr."""
    _registered([path.parent for path in sorted(CHECKPOINTS.rglob(RECORD))])


def images() -> Images:
    """MNIST on the CPU."""
    return load("mnist", torch.device("cpu"))


def elbo_query(number: int, model: str) -> dict[str, str]:
    """A test image in a model, as the ELBO page's address has it: its class, and its place within that."""
    digit = int(images().y_test[number])
    place = int((images().of_class(digit) == number).nonzero())
    return {"model": model, "digit": str(digit), "image": str(place), "pixels": "grey"}


def encode_query(number: int, model: str) -> dict[str, str]:
    """A test image in a model, as the explorer's address has it: pages/explorer/encoded.py."""
    return {"model": model, "way": "encode", "encode": json.dumps({"number": number}, separators=(",", ":"))}


@computed_once(None)
def real_images(protocol: str) -> dict[str, Any]:
    """What the figures of draws come to for as many training images in their place; half a second, once a server.

    Args:
        protocol: how the pixels are compared: "grey" or, in black and white, "threshold".
    Returns:
        "says": what these images are. "figures": by the keys of metrics.definitions.
    """
    pixels, drawn = (
        prepare(part, protocol, torch.Generator())
        for part in (map_images(images())[0], thinned(images().x_train, DRAWS))
    )
    found = draw_quality(drawn, pixels)
    figures = {"draw_fidelity": found.fidelity, "draw_coverage": found.coverage, "draw_gap": found.gap}
    return {
        "says": f"{DRAWS} training images in the place of draws: what real images score.",
        "figures": figures | {"variety": found.variety},
    }


@functools.cache
def cards() -> dict[str, dict[str, Any]]:
    """Cards of the shipped models by name, the main one first, those without a posterior last. Never change them.

    A run without its model is none; one whose card or weights cannot be used is left out with a line on stderr.
    """
    found = {folder.name: card for folder in _model_folders() if (card := _card(folder)) is not None}
    order = sorted(found, key=lambda name: (name != PLANE, *_rank(found[name]), name))
    return {name: found[name] for name in order}


def most_latents() -> str | None:
    """Name of the shipped Bernoulli model with a Gaussian posterior over the most latents: more than can be drawn."""
    found = {
        name: card["config"]["latent_dim"]
        for name, card in cards().items()
        if _has_plain_elbo(card) and card["config"]["likelihood"] == "bernoulli"
    }
    deepest = max(found, key=lambda name: found[name], default=None)
    return deepest if deepest is not None and found[deepest] > 2 else None


def planes() -> list[str]:
    """Names of the shipped models whose ELBO is over two latents and needs no label, the main one first."""
    return [name for name, card in cards().items() if card["config"]["latent_dim"] == 2 and _has_plain_elbo(card)]


def _rank(card: dict[str, Any]) -> tuple[bool, bool]:
    """VAEs come first, and what has no posterior last."""
    return _family(card).has.posterior is None, not _has_plain_elbo(card)


def _has_plain_elbo(card: dict[str, Any]) -> bool:
    """Whether a model's loss is −ELBO in two terms, of MNIST's images alone: then all of the ELBO page holds of it."""
    kind = _family(card)
    return kind.is_elbo() and not kind.has.labels and card["config"]["dataset"] == "mnist"


def title_of(name: str) -> str:
    """`model_title` of a shipped model; of another name that name itself, as a widget may still hold it."""
    return model_title(RunConfig.from_dict(cards()[name]["config"])) if name in cards() else name


def model_title(config: RunConfig) -> str:
    """What a model is called on every page: "VAE, mlp, 2 latents, beta 4", or "VAE, mlp 300-300 elu, …"."""
    latents = counted(config.latent_dim, "latent")
    layers = ("widths", "activation") if config.net == "mlp" else ()
    unusual = [getattr(config, name) for name in layers if getattr(config, name) != getattr(RunConfig, name)]
    kind = family(config.model)
    parts = [kind.title, " ".join([config.net, *unusual]), latents]
    if kind.has.code_map:
        parts.append(f"{config.codebook_size} codes")
    if "samples" in kind.SETTINGS:
        parts.append(f"K = {config.samples}")
    if config.likelihood != "bernoulli":
        parts.append(f"Gaussian, {sigma_words(config.likelihood, config.sigma)}")
    if "kl" in kind.TERMS and config.beta != 1:
        parts.append(f"beta {config.beta:g}")
    if config.dataset != RunConfig.dataset:
        parts.append(name_of(config.dataset))
    return ", ".join(parts)


def _family(card: dict[str, Any]) -> type[Family]:
    return family(card["config"]["model"])


def _model_folders() -> list[Path]:
    """Where a model lies or should lie, whichever of its files is there; the main one in any case."""
    files = [path for name in (CARD, WEIGHTS) for path in CHECKPOINTS.glob(f"*/{name}")]
    return sorted({CHECKPOINTS / PLANE, *(path.parent for path in files)})


def _card(folder: Path) -> dict[str, Any] | None:
    try:
        card = read_whole_card(folder / CARD)
        if "kept" in card and not (folder / WEIGHTS).exists():  # a run by itself, see vae_core.runs.command_line
            return None
        checkpoints.load(folder)
        return card
    except CheckpointError as error:
        _say(folder, f"The model {folder.name} is left out: {error}")
        return None


def _registered(folders: list[Path]) -> list[str]:
    """Ids of the runs in these folders, read where the registry does not know them yet."""
    return [folder.name for folder in folders if _register(folder)]


def _register(folder: Path) -> bool:
    if registry.shared().get(folder.name) is not None:
        return True
    try:
        run = RunRecord.load(folder)
        if run.final is not None:
            check_figures(run.final, run.config.model, folder / RECORD)
        registry.shared().add_shipped(folder)
    except StorageError as error:
        _say(folder, str(error))
        return False
    except CheckpointError as error:
        _say(folder, f"The run {folder.name} is left out: {error}")
        return False
    return True


@functools.cache
def _say(folder: Path, text: str) -> None:
    """One line in the log, once for a folder: a damaged run is tried again with every visit to its page."""
    logger.warning(text)


def _beta(run_id: str) -> float:
    run = registry.shared().get(run_id)
    return run.config.beta if run else 0.0
