"""Models that visitors have opened from files, as long as this server runs; few of each, and not too much in all.

Their tensors lie on the disk as safetensors files, in a folder that goes with the server.
"""

import re
import secrets
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file

from pages.ui import shipped
from pages.ui.once import computed_once
from pages.ui.words import plain
from vae_core.config import RunConfig
from vae_core.digits import with_error
from vae_core.evaluate import Evaluation, evaluate_test
from vae_core.foreign import ForeignError, Opened

MOST_MB = 25  # of a file: a training checkpoint of our networks, with all that Adam keeps, has 10
MOST_OF_ONE = 4  # models of one visitor; the oldest goes
MOST_BYTES = 1_000_000_000  # of all visitors' models; the oldest goes
_one_at_a_time = threading.Lock()  # 10,000 images in a large model take seconds


@dataclass(frozen=True)
class OpenedModel:
    """A model from a file.

    Attributes:
        name: in the address; it cannot be guessed. visitor: whose it is. title: name of its file.
        caption: its figures, and what is assumed of it. path: its tensors.
    """

    name: str
    visitor: str
    title: str
    caption: str
    config: RunConfig
    path: Path


class Shelf:
    """The opened models of all visitors."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="elbo-room-opened-")
        self._models: dict[str, OpenedModel] = {}  # the oldest first
        self._guard = threading.Lock()

    def of(self, visitor: str) -> list[OpenedModel]:
        """Those of one visitor, the newest first."""
        return [model for model in reversed(list(self._models.values())) if model.visitor == visitor]

    def find(self, name: str) -> OpenedModel | None:
        """The model of a name in the address, whoever opened it."""
        return self._models.get(name)

    def put(self, visitor: str, file: str, opened: Opened) -> OpenedModel:
        """Take a model in, with its test figures; it takes the place of one from a file of the same name.

        Raises:
            ForeignError: its figures are no numbers, or the disk is full.
        """
        title = _clean(file)
        with _one_at_a_time:
            found = evaluate_test(opened.model, shipped.images(), opened.config)
        caption = _caption(title, found, opened)
        name = f"opened-{secrets.token_urlsafe(16)}"
        path = Path(self._folder.name) / f"{name}.safetensors"
        try:
            save_file({key: tensor.contiguous() for key, tensor in opened.model.state_dict().items()}, path)
        except (OSError, SafetensorError):
            raise ForeignError(f"{title} cannot be kept, as the server's disk is full: tell the lecturer.") from None
        with self._guard:
            self._models[name] = made = OpenedModel(name, visitor, title, caption, opened.config, path)
            mine = self.of(visitor)
            for old in [*[m for m in mine[1:] if m.title == title], *mine[MOST_OF_ONE:]]:
                self._forget(old)
            while len(self._models) > 1 and sum(m.path.stat().st_size for m in self._models.values()) > MOST_BYTES:
                self._forget(next(iter(self._models.values())))
        return made

    def _forget(self, model: OpenedModel) -> None:
        if self._models.pop(model.name, None) is not None:
            model.path.unlink(missing_ok=True)


@computed_once(None)
def shelf() -> Shelf:
    """The server's one."""
    return Shelf()


def _clean(file: str) -> str:
    """The name of a file as it may stand on a page."""
    return plain(re.sub(r"\s+", " ", file.replace("\\", "/").rpartition("/")[2]), 60) or "a model"


def _caption(title: str, found: Evaluation, opened: Opened) -> str:
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
    images = f"{len(shipped.images().x_test):,} {opened.config.protocol} test images{samples}"
    assumed = " ".join(plain(text, 400) for text in opened.said)  # with names of somebody's tensors
    return f"{shipped.model_title(opened.config)}. {said} nats per image ({images}). {assumed}"
