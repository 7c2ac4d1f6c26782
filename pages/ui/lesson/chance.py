"""The chance node beside mu + std · eps: two computational graphs that follow mu and std, all in the browser."""

from dataclasses import asdict, dataclass
from typing import Any

from pages.ui.component import declare

_show = declare("lesson_chance", "lesson/chance.js", "lesson", "lesson/lesson.css", "lesson/chance.css")


@dataclass(frozen=True)
class Slice:
    """log p(x given z) along the first latent, the others at the encoder's mu."""

    low: float  # z of the first value, prior std
    high: float  # and of the last
    values: tuple[float, ...]  # nats, equally spaced
    mu: float  # of the encoder
    std: float


def chance_view(key: str, along: Slice, seed: int) -> None:
    """Show both graphs; nothing comes back.

    Args:
        key: of the widget.
        along: what z is put into.
        seed: of eps, as torch draws it.
    """
    data: dict[str, Any] = {**asdict(along), "seed": seed}
    _show(key, data, {})
