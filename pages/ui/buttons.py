"""The buttons that command a run, the same on every page: names, signs and keys."""

from collections.abc import Callable
from typing import Any

_ICONS = {
    "Pause": "pause",
    "Resume": "resume",
    "Step": "skip_next",
    "Slow step": "slow_motion_video",
    "Epoch": "fast_forward",
    "Stop": "stop",
    "Reset": "restart_alt",
    "Branch": "call_split",
}
# Two that take turns are one button with two labels: else they stand side by side while the page follows, and what is
# right of them moves away under the pointer.
_KEYS = {"Resume": "pause", "Slow step": "slow"}


def command_button(row: Any, label: str, call: Callable[..., None], *args: Any, place: str = "", **more: Any) -> None:
    """One button of a row.

    Args:
        label: one of _ICONS. call, args: what it does. place: goes before its key. more: disabled, help, width.
    """
    key = f"{place} {_KEYS.get(label, label.lower())}".strip()
    row.button(label, on_click=call, args=args, icon=f":material/{_ICONS[label]}:", key=key, **more)
