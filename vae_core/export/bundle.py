"""Everything of a run in one zip file."""

import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vae_core import checkpoints, models
from vae_core.cards import command
from vae_core.data import load, sets
from vae_core.data.images import DataError
from vae_core.export.history import history_csv
from vae_core.export.model_card import model_card
from vae_core.export.report import html_report
from vae_core.export.run_notebook import run_notebook
from vae_core.export.run_report import FINISHED, RunReport, versions
from vae_core.export.script import has_script, repeat_script
from vae_core.export.tensorboard import FILE_NAME, event_file
from vae_core.models import family

REPORT, HISTORY, CONFIG, MARKS, SCRIPT = "report.html", checkpoints.HISTORY, "config.json", "marks.json", "repeat.py"
MODEL_CARD, NOTEBOOK = "model_card.md", "repeat.ipynb"
_NO_DATE = (1980, 1, 1, 0, 0, 0)  # the first a zip can hold: the same story gives the same bytes


def bundle(story: RunReport, model_tensors: dict[str, Tensor] | None = None, weights_step: int | None = None) -> bytes:
    """A zip file, its parts always in this order: report, curves, settings, marks, script and notebook if any,
    TensorBoard events, model card.

    Args:
        model_tensors: `state_dict` of the model. Given, the unpacked zip is a checkpoint, too:
            model.safetensors and card.json are added, and `checkpoints.load` accepts the folder.
        weights_step: after which update they were kept, for the card: a run may have gone on since.
    Raises:
        RuntimeError: the tensors belong to a model of other settings.
    """
    files: dict[str, bytes] = {
        REPORT: html_report(story, title(story)).encode(),
        HISTORY: history_csv(story).encode(),
        CONFIG: _json(story.config.to_dict()),
        MARKS: _json([mark.to_dict() for mark in story.marks]),
        **_repeated(story),
        FILE_NAME: event_file(story),
        MODEL_CARD: model_card(card_of(story)).encode(),
    }
    if model_tensors is not None:
        kept = {} if weights_step is None else {"weights_step": weights_step}
        files |= _checkpoint(story, model_tensors, card_of(story) | kept)
    return zip_files(files)


def _repeated(story: RunReport) -> dict[str, bytes]:
    """What repeats the run, if anything can."""
    if not has_script(story.config):
        return {}
    return {SCRIPT: repeat_script(story).encode(), NOTEBOOK: run_notebook(story, title(story)).encode()}


def title(story: RunReport) -> str:
    """A name for the run, such as "MNIST, VAE (mlp, 2 latents), seed 0"."""
    c = story.config
    kind, latents = family(c.model), "latent" if c.latent_dim == 1 else "latents"
    size = f"{c.codebook_size} codes" if kind.has.code_map else f"{c.latent_dim} {latents}"
    return f"{sets.name_of(c.dataset)}, {kind.title} ({c.net}, {size}), seed {c.seed}"


def card_of(story: RunReport) -> dict[str, Any]:
    """What is to be known of the model, as cards.make_card has it, and the changes made by hand."""
    config = story.config
    return {
        "name": title(story),
        "config": config.to_dict(),
        "data": _data(config.dataset),
        "command": command(config),
        "marks": [mark.to_dict() for mark in story.marks],
        "steps": story.steps,
        "finished": story.status == FINISHED,
        "test": story.final,
        "seed": config.seed,
        "device": story.device,
        "versions": versions(),
    }


def _data(name: str) -> dict[str, str | int]:
    """The images of the run; of those that are not here any more the name alone."""
    try:
        return sets.describe(load(name, torch.device("cpu")))
    except DataError:
        return {"name": name}


def _checkpoint(story: RunReport, tensors: dict[str, Tensor], card: dict[str, Any]) -> dict[str, bytes]:
    """model.safetensors and card.json, written by the one function that writes checkpoints."""
    model = models.build(story.config)
    model.load_state_dict(tensors)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoints.save(folder, model, card, [])
        return {name: (folder / name).read_bytes() for name in (checkpoints.WEIGHTS, checkpoints.CARD)}


def zip_files(files: dict[str, bytes]) -> bytes:
    """The same files in the same order give the same bytes."""
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _NO_DATE)
            entry.external_attr = 0o644 << 16  # readable when unpacked on a Unix
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return result.getvalue()


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
