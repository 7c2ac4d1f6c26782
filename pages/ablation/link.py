"""The address of the page says what is on it: section, arms, settings, the group and the moment."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.ablation import actions
from pages.ablation.arms import ARMS, BY_KEY, DEFAULT, LATENT_DIMS
from pages.ablation.bugs import BUGS
from pages.ui import visitor
from pages.ui.kept import Kept
from pages.ui.words import quoted
from vae_core.runs import registry

SECTIONS = {"arms": "Drop a term", "bugs": "Bug lab", "dose": "Dose"}
BUG_KEYS = tuple(bug.key for bug in BUGS)
DEFAULTS: dict[str, Any] = {
    "section": "arms",
    "arms": DEFAULT,
    "beta": 8.0,
    "latent_dim": 2,
    "epochs": 2,
    "seed": 0,
    "bug": BUG_KEYS[0],
    "dose_beta": 1.5,
    "dose_epochs": 10,
}
_CHOICES: dict[str, tuple[Any, ...]] = {"section": tuple(SECTIONS), "latent_dim": LATENT_DIMS, "bug": BUG_KEYS}
_RANGES = {
    "beta": (0.1, 32.0),
    "dose_beta": (0.05, 64.0),
    "epochs": (1, 50),
    "dose_epochs": (1, 50),
    "seed": (0, 2**31 - 1),
}
_GROUPS = {"arms": actions.ARMS_GROUP, "bugs": actions.BUG_GROUP, "dose": actions.DOSE_GROUP}


_settings = Kept("ablation")
key, get, kept = _settings.key, _settings.get, _settings.kept


def group_key() -> str:
    """Where the group of the section on the page stands in the session state."""
    return _GROUPS[get("section")]


def open_link() -> None:
    """Defaults, and on the first run of a session what the address says."""
    state = st.session_state
    first = not state.get("ablation link read")
    for name, value in DEFAULTS.items():
        state.setdefault(key(name), list(value) if isinstance(value, tuple) else value)
    if not first:
        return
    state["ablation link read"] = True
    _find_own()
    problems = []
    for name in DEFAULTS:
        if name in st.query_params:
            try:
                state[key(name)] = _read(name, st.query_params[name])
            except ValueError:
                problems.append(f"{name} {quoted(st.query_params[name])} cannot be used")
    problems += _open_group()
    if problems:
        actions.notice(f"This link does not hold in full: {'; '.join(problems)}. The rest is shown.")


def moment() -> int | None:
    """The step at which the film is to open, as the link says."""
    return st.session_state.get(actions.MOMENT)


def write(at: int | None) -> None:
    """Put what is on the page into its address; what stands at its default is left out."""
    wanted = {name: _text(get(name)) for name, default in DEFAULTS.items() if _text(get(name)) != _text(default)}
    runs = actions.members(group_key())
    if runs:
        wanted["run"] = runs[0].group
    if at is not None:
        wanted["step"] = str(at)
    if dict(st.query_params) != wanted:
        st.query_params.from_dict(wanted)


def _find_own() -> None:
    """What this visitor trained before comes back to the section that it belongs to."""
    for group in reversed(registry.shared().groups_of(visitor.current())):
        arm = registry.shared().members(group)[0].arm
        if arm is not None and arm.place in _GROUPS.values():
            st.session_state[arm.place] = group


def _open_group() -> list[str]:
    problems = []
    asked, step = st.query_params.get("run"), st.query_params.get("step")
    if asked is not None:
        if registry.shared().members(asked):
            st.session_state[group_key()] = asked
        else:
            problems.append("the arms that it names are not on this server any more")
    if step is not None:
        if step.isdecimal() and len(step) < 10:
            st.session_state[actions.MOMENT] = int(step)
        else:
            problems.append(f"its step {quoted(step)} is no number")
    return problems


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ",".join(arm.key for arm in ARMS if arm.key in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _read(name: str, text: str) -> Any:
    """A setting from its text.

    Raises:
        ValueError: it cannot be used.
    """
    if name == "arms":
        keys = text.split(",")
        if not keys or not set(keys) <= set(BY_KEY):
            raise ValueError(text)
        return keys
    value = type(DEFAULTS[name])(text)
    if name in _CHOICES and value not in _CHOICES[name]:
        raise ValueError(text)
    if name in _RANGES:
        low, high = _RANGES[name]
        if not low <= value <= high:  # not so for NaN either
            raise ValueError(text)
    return value
