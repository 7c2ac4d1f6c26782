"""Models that visitors have opened from files: kept as their uploads are, few of each, and not too much in all.

    DATA/opened/opened-<22 letters>/model.safetensors, about.json, owner-<24 digits>

Nobody can guess such a name. They survive the server; the oldest give way to newer ones.
"""

import json
import os
import re
import secrets
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file

from pages.ui import shipped
from pages.ui.map_pictures import are_here, images_of
from pages.ui.once import computed_once
from pages.ui.words import plain
from vae_core import datasets
from vae_core.config import ConfigError, RunConfig
from vae_core.data.images import DataError
from vae_core.digits import with_error
from vae_core.evaluate import Evaluation, evaluate_test
from vae_core.foreign import ForeignError, Opened
from vae_core.runs.log import logger
from vae_core.runs.storage import entries, folder_of, forget, size

MOST_MB = 25  # of a file: a training checkpoint of our networks, with all that Adam keeps, has 10
MOST_OF_ONE = 4  # models of one visitor; the oldest goes
MOST_BYTES = 1_000_000_000  # of all visitors' models; the oldest goes
_FILE, _ABOUT, _OWNER = "model.safetensors", "about.json", "owner-"
_UNFINISHED, _WRITING_NS = ".unfinished-", 3600 * 10**9  # another server of the same folder may be writing it
_NAME = re.compile(r"opened-[A-Za-z0-9_-]{22}")
_one_at_a_time = threading.Lock()  # 10,000 images in a large model take seconds


@dataclass(frozen=True)
class OpenedModel:
    """A model from a file.

    Attributes:
        name: in the address; it cannot be guessed. owner: whose it is, as a hash. title: name of its file.
        caption: its figures, and what is assumed of it. path: its tensors.
    """

    name: str
    owner: str
    title: str
    caption: str
    config: RunConfig
    path: Path


class Shelf:
    """The opened models of all visitors."""

    def __init__(self, folder: Path) -> None:
        """
        Args:
            folder: where they lie; those that are there already are taken over.
        """
        self._folder = folder
        self._guard = threading.Lock()
        _sweep(folder)
        found = sorted((path for path in entries(folder) if _NAME.fullmatch(path.name)), key=_age)
        read = [model for path in found if (model := _read(path)) is not None]
        self._models = {model.name: model for model in read}  # the oldest first

    def of(self, visitor: str) -> list[OpenedModel]:
        """Those of one visitor, the newest first."""
        owner = _owner(visitor)
        return [model for model in reversed(list(self._models.values())) if model.owner == owner]

    def find(self, name: str) -> OpenedModel | None:
        """The model of a name in the address, whoever opened it."""
        return self._models.get(name)

    def put(self, visitor: str, file: str, opened: Opened) -> OpenedModel:
        """Take a model in, with its test figures; it takes the place of one from a file of the same name.

        Raises:
            ForeignError: its figures are no numbers, its images are not here, or the disk is full.
        """
        title = _clean(file)
        try:
            if not are_here(opened.config.dataset):
                raise DataError
            images = images_of(opened.config.dataset)
            with _one_at_a_time:
                found = evaluate_test(opened.model, images, opened.config)
        except DataError:
            raise ForeignError(
                f"The images that {title} was trained on are not here: open a model of others."
            ) from None
        path = self._folder / f"opened-{secrets.token_urlsafe(16)}" / _FILE
        caption = _caption(title, found, opened, len(images.x_test))
        made = OpenedModel(path.parent.name, _owner(visitor), title, caption, opened.config, path)
        try:
            _write(made, opened)
        except (OSError, SafetensorError):
            raise ForeignError(f"{title} cannot be kept, as the server's disk is full: tell the lecturer.") from None
        with self._guard:
            self._models[made.name] = made
            mine = self.of(visitor)
            for old in [*[m for m in mine[1:] if m.title == title], *mine[MOST_OF_ONE:]]:
                self._forget(old)
            while len(self._models) > 1 and sum(size(m.path) for m in self._models.values()) > MOST_BYTES:
                self._forget(next(iter(self._models.values())))
        return made

    def _forget(self, model: OpenedModel) -> None:
        if self._models.pop(model.name, None) is not None:
            forget(model.path.parent)


@computed_once(None)
def shelf() -> Shelf:
    """The server's one."""
    return Shelf(datasets.folder() / "opened")


def _owner(visitor: str) -> str:
    """Who reads the folder cannot take their place."""
    return folder_of(Path(), visitor).name


def _age(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0


def _sweep(folder: Path) -> None:
    """What a server that was killed had begun to write."""
    for path in folder.glob(f"{_UNFINISHED}*"):
        if time.time_ns() - _age(path) > _WRITING_NS:
            shutil.rmtree(path, ignore_errors=True)


def _write(model: OpenedModel, opened: Opened) -> None:
    """As a whole or not at all."""
    folder = model.path.parent
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=folder.parent))
    try:
        save_file({key: tensor.contiguous() for key, tensor in opened.model.state_dict().items()}, made / _FILE)
        about = {"title": model.title, "caption": model.caption, "config": model.config.to_dict()}
        (made / _ABOUT).write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")
        (made / f"{_OWNER}{model.owner}").touch()
        os.rename(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _read(folder: Path) -> OpenedModel | None:
    """What was kept before the server was started; None, with a line in the log, where it is damaged."""
    try:
        about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
        (mark,) = folder.glob(f"{_OWNER}*")
        config, texts = RunConfig.from_dict(about["config"]), (str(about["title"]), str(about["caption"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, ConfigError) as error:
        logger.warning(f"The opened model {folder.name[:12]}… is left out: it is damaged ({type(error).__name__}).")
        return None
    return OpenedModel(folder.name, mark.name.removeprefix(_OWNER), *texts, config, folder / _FILE)


def _clean(file: str) -> str:
    """The name of a file as it may stand on a page."""
    return plain(re.sub(r"\s+", " ", file.replace("\\", "/").rpartition("/")[2]), 60) or "a model"


def _caption(title: str, found: Evaluation, opened: Opened, tests: int) -> str:
    figures = found.terms | ({} if found.neg_elbo is None else {"neg_elbo": found.neg_elbo})
    if not all(abs(value) < 1e9 for value in figures.values()):  # NaN is not, either
        raise ForeignError(f"{title} gives no numbers on the test images: choose the activation it was trained with.")
    named = {"neg_elbo": "−ELBO", "nll": "reconstruction", "kl": "KL"}
    said = ", ".join(
        f"{words} {with_error(figures[name], found.errors.get(name))}"
        for name, words in named.items()
        if name in figures
    )
    samples = "" if found.neg_elbo is None else ", K = 1"
    images = f"{tests:,} {opened.config.protocol} test images{samples}"
    assumed = " ".join(plain(text, 400) for text in opened.said)  # with names of somebody's tensors
    return f"{shipped.model_title(opened.config)}. {said} nats per image ({images}). {assumed}"
