"""Whether the record of a saved run says what a record can say: what is damaged must not reach those who read a run."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from vae_core.cards import check_figures
from vae_core.checkpoints import CheckpointError
from vae_core.config import LiveSettings, RunConfig
from vae_core.runs.messages import ENDED, PAUSED, RUNNING, STARTING
from vae_core.runs.storage import CURVES, OTHER_CURVES, RECORD

SAVED = "saved"  # on disk, and in no engine: Resume goes on from its last saved step
_MOST = 10**9  # of a step: file names have nine digits
_LAST_DAY = 10**11  # seconds since 1970 that a calendar still knows


def check(record: Mapping[str, Any]) -> None:
    """Hold a record to what RunRecord.record writes. What older ones lack may be missing.

    Raises:
        ValueError: an entry is none that could have been written.
        KeyError, TypeError: an entry is missing, or the record is none.
    """
    _require(record, _RECORD)
    _require({"created": 0, "curves": CURVES, "film": [], "states": [], **record}, _NEWER)
    config = RunConfig.from_dict(record["config"])
    settings_of(record["weights"], config)
    for mark in record["marks"]:
        _require(mark, _MARK)
        settings_of(mark["weights"], config)
    if record["parent"]:
        _require(record["parent"], _PARENT)
    if record.get("arm"):
        _require({"place": "", **record["arm"]}, _ARM)
    for columns in record.get("columns", {}).values():
        _fit("columns", _is_list_of(_is_text)(columns))
    if record["final"] is not None:
        check_final(record["final"], config.model)


def settings_of(values: Mapping[str, Any], config: RunConfig) -> LiveSettings:
    """Settings in force, held to the rules of a config.

    Raises:
        ValueError: a value that none could have.
        TypeError: they are none, or have other names.
    """
    return config.with_(**LiveSettings(**values).to_dict()).live


def check_final(figures: Any, model: str) -> None:
    """Hold final figures to those of the model's family. A figure of weights that ran away may be no number.

    Raises:
        ValueError: one is missing or of a wrong type.
    """
    if isinstance(figures, dict):
        figures = {name: _as_finite(value) for name, value in figures.items()}
    try:
        check_figures(figures, model, RECORD)
    except CheckpointError as error:
        raise ValueError(str(error)) from None


def _as_finite(value: Any) -> Any:
    if isinstance(value, list):
        return [0.0 if isinstance(item, float) else item for item in value]
    return 0.0 if isinstance(value, float) and not math.isfinite(value) else value


def _require(values: Mapping[str, Any], expected: Mapping[str, Callable[[Any], bool]]) -> None:
    for name, fits in expected.items():
        _fit(name, fits(values[name]))


def _fit(name: str, fits: bool) -> None:
    if not fits:
        raise ValueError(f"no usable {name}")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)  # halves of a letter


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST


def _is_time(value: Any) -> bool:
    return isinstance(value, (int, float)) and 0 <= value < _LAST_DAY


def _is_dict(value: Any) -> bool:
    return isinstance(value, dict)


def _is_list_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(fits(item) for item in value)


def _is_one_of(*values: Any) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in values


_RECORD: dict[str, Callable[[Any], bool]] = {
    "visitor": _is_text,
    "config": _is_dict,
    "parent": lambda value: value is None or _is_dict(value),
    "generation": _is_whole,
    "status": _is_one_of(STARTING, RUNNING, PAUSED, SAVED, *ENDED),
    **dict.fromkeys(("step", "steps_per_epoch", "total_steps"), _is_whole),
    "weights": _is_dict,
    "device": _is_text,
    "marks": _is_list_of(_is_dict),
}
_NEWER: dict[str, Callable[[Any], bool]] = {
    "created": _is_time,
    "curves": _is_one_of(CURVES, OTHER_CURVES),
    **dict.fromkeys(("film", "states"), _is_list_of(_is_whole)),
}
_MARK: dict[str, Callable[[Any], bool]] = {"step": _is_whole, "text": _is_text, "weights": _is_dict}
_PARENT: dict[str, Callable[[Any], bool]] = {"run_id": _is_text, "step": _is_whole}
_ARM: dict[str, Callable[[Any], bool]] = {"group": _is_text, "name": _is_text, "place": _is_text}
