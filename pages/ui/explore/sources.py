"""What the explorer can open: the models that ship, a visitor's own files, and their runs that have kept a state."""

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path

from pages.ui import shipped
from pages.ui.explore.opened import OpenedModel, shelf
from pages.ui.map_pictures import MapPictures, are_here, pictures_of
from vae_core.checkpoints import WEIGHTS
from vae_core.config import RunConfig
from vae_core.digits import with_error
from vae_core.families import is_bug
from vae_core.models import family
from vae_core.models.base import Family
from vae_core.models.parts.coder import Coder
from vae_core.models.vq import VQ
from vae_core.runs import registry
from vae_core.runs.run_record import RunRecord
from vae_core.runs.storage import state_file, steps_in

LABELS = tuple(map(str, range(10)))
_LABEL = "~"  # between the name of a model and the label that it is told
_GREY = " Trained on binarised draws of the pixels; what is encoded here are the grey images, their mean."


@dataclass(frozen=True)
class Source:
    """A model that can be explored, and where its weights lie.

    Attributes:
        name: in the address: the folder of a shipped model, or the id of a run or of an opened file.
        title: for the menu. caption: how it was trained, and the figures of its card.
        config: of its training. step: updates made; None where a file does not say it.
        path: safetensors file; may vanish, as states are thinned out. prefix: of the model's tensors in it.
        stamp: time at which the file was written: after a reset the same run has another state of the same step.
        label: that a family which has.labels is told, until the browser gives it another.
    """

    name: str
    title: str
    caption: str
    config: RunConfig
    step: int | None
    path: Path
    prefix: str = ""
    stamp: int = 0
    label: int = 0

    @property
    def address(self) -> str:
        """Its name, with the label where there is one: "NAME~3", see `find`."""
        return f"{self.name}{_LABEL}{self.label}" if self.family.has.labels else self.name

    @property
    def family(self) -> type[Family]:
        return family(self.config.model)

    @property
    def pictures(self) -> MapPictures:
        """The images beside it.

        Raises:
            DataError: they are not here any more, or too few for a map.
        """
        return pictures_of(self.config.dataset)

    @property
    def is_run(self) -> bool:
        """Whether its weights are those of a step, and others may follow."""
        return bool(self.prefix)


def listed(visitor: str) -> list[Source]:
    """The shipped models, the main one first and plain autoencoders last, then what is the visitor's, newest first."""
    own = (_of_run(run) for run in registry.shared().of(visitor))
    opened = [_of_file(model) for model in shelf().of(visitor)]
    return [*(_of_checkpoint(name) for name in _models()), *opened, *(source for source in own if source is not None)]


def find(name: str) -> Source | None:
    """The model of a name in the address; also what is another visitor's, as its id cannot be guessed."""
    name, _, label = name.partition(_LABEL)
    if name in _models():
        found: Source | None = _of_checkpoint(name)
    elif (model := shelf().find(name)) is not None:
        found = _of_file(model)
    else:
        run = registry.shared().get(name)
        found = _of_run(run) if run is not None else None
    if found is None or not label:
        return found
    return replace(found, label=int(label)) if found.family.has.labels and label in LABELS else None


def twin_of(source: Source) -> str | None:
    """Name of the shipped plain autoencoder of the same images, network and latents; none for an autoencoder itself."""
    if not source.family.has.posterior:
        return None
    config = source.config
    layers = ("widths", "activation") if config.net == "mlp" else ()
    wanted = {name: getattr(config, name) for name in ("dataset", "net", "latent_dim", *layers)}
    found = {name: family(card["config"]["model"]).has for name, card in shipped.cards().items()}
    plain = [name for name, has in found.items() if has.codes and not has.posterior]
    return next((name for name in plain if wanted.items() <= shipped.cards()[name]["config"].items()), None)


def explorable(config: RunConfig) -> bool:
    """Whether the explorer can show a model of these settings: beside it are the images that it was trained on."""
    return runs_in_browser(config) and are_here(config.dataset)


def _models() -> list[str]:
    """Names of the shipped models that can be explored."""
    return [name for name, card in shipped.cards().items() if explorable(RunConfig.from_dict(card["config"]))]


def runs_in_browser(config: RunConfig) -> bool:
    """Whether it is made of the networks that the browser knows; the bug lab's models are for no result."""
    return issubclass(family(config.model), (Coder, VQ)) and not is_bug(config.model)


def _of_checkpoint(name: str) -> Source:
    card, path = shipped.cards()[name], shipped.CHECKPOINTS / name / WEIGHTS
    config = RunConfig.from_dict(card["config"])
    return Source(name, shipped.model_title(config), _trained(card, config), config, card["steps"], path)


def _of_file(model: OpenedModel) -> Source:
    return Source(model.name, model.title, model.caption, model.config, None, model.path)


def _of_run(run: RunRecord) -> Source | None:
    """The last kept state of a run; None where there is none, or no model to explore."""
    found = _last_state(run.states_folder) if explorable(run.config) else None
    if found is None:
        return None
    step, path, stamp = found
    title = f"{_name(run)}: {shipped.model_title(run.config)}"  # no step: a menu whose entries change loses its choice
    grey = _GREY if run.config.protocol == "dynamic" else ""
    caption = f"A run of {run.total_steps:,} steps, seed {run.config.seed}, with the last weights that it keeps.{grey}"
    return Source(run.run_id, title, caption, run.config, step, path, "model.", stamp)


def _last_state(folder: Path) -> tuple[int, Path, int] | None:
    """Step, file and time of the last state; while a run trains, a file may go as a newer one comes."""
    for _ in range(3):
        for step in reversed(steps_in(folder)):
            path = state_file(folder, step)
            with contextlib.suppress(OSError):
                return step, path, path.stat().st_mtime_ns
    return None


def _name(run: RunRecord) -> str:
    """ "Run 2", counted as on the Live training page, or the name of an arm."""
    if run.arm is not None:
        return run.arm.name
    own = registry.shared().of(run.visitor)
    return f"Run {len(own) - own.index(run)}" if run in own else "Run"


def _trained(card: dict, config: RunConfig) -> str:
    """ "100 epochs, seed 0. −ELBO 138.9 ± 0.4 nats per image (grey test images, K = 1)."."""
    test = card["test"]
    bound = family(config.model).has_elbo()
    name = "neg_elbo" if bound else "nll"
    figure = with_error(test[name], test.get("errors", {}).get(name))
    named, samples = ("−ELBO", f", K = {test['samples']}") if bound else ("Reconstruction", "")
    named += " given the label" if family(config.model).has.labels else ""
    where = f"{test['images']:,} {test['protocol']} test images{samples}"
    length = f"{config.steps:,} steps" if config.steps else f"{config.epochs} epochs"
    return f"{length}, seed {config.seed}. {named} {figure} nats per image ({where})."
