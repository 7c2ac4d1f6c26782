"""The address of the page says what is on it: the model, the way, and what rests in the component."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from pages.explorer.ways import WAYS
from pages.ui import notices
from pages.ui.explore.sources import Source, find
from pages.ui.kept import Kept
from pages.ui.shipped import PLANE
from pages.ui.words import quoted

DEFAULTS = {"model": PLANE, "way": "pad"}
PARTS = ("view", *WAYS)  # of the component's state
STATE = "explorer state"  # in the session: the component's state as last known
AGAIN = "explorer again"  # counts what Python put into that state
_WRITTEN = "explorer written"  # what this page last put into the address


_settings = Kept("explorer")
key, get, kept = _settings.key, _settings.get, _settings.kept


def open_link() -> None:
    """Defaults, and what the address says where this page did not write it: a link was followed."""
    state = st.session_state
    for name, value in DEFAULTS.items():
        state.setdefault(key(name), value)
    state.setdefault(STATE, {})
    state.setdefault(AGAIN, 0)
    if dict(st.query_params) in ({}, state.get(_WRITTEN)):
        return
    problems = [*_choices(), *_parts()]
    if problems:
        notices.put("explorer", f"This link does not hold in full: {'; '.join(problems)}. The rest is shown.")


def put(part: str, values: dict[str, Any], whole: bool = False) -> None:
    """Change a part of what the component shows, or replace it as a whole."""
    state = st.session_state
    before = {} if whole else state[STATE].get(part) or {}
    state[STATE] = {**state[STATE], part: {**before, **values}}
    state[AGAIN] += 1


def write(source: Source) -> None:
    """Put what is on the page into its address: of the component, the map, the pad and the way that is open."""
    wanted = {name: str(get(name)) for name, default in DEFAULTS.items() if get(name) != default}
    if not source.is_shipped:
        wanted["step"] = str(source.step)
    for part in dict.fromkeys(("view", "pad", get("way"))):
        value = st.session_state[STATE].get(part)
        if value and len(value.get("z", ())) in (0, source.config.latent_dim):  # else it is still of another model
            wanted[part] = json.dumps(value, separators=(",", ":"))
    st.session_state[_WRITTEN] = wanted
    if dict(st.query_params) != wanted:
        st.query_params.from_dict(wanted)


def _choices() -> list[str]:
    model, way = st.query_params.get("model"), st.query_params.get("way")
    problems = []
    source = find(model) if model is not None else None
    if model is not None and source is None:
        problems.append(
            f"of the model {quoted(model, 40)} no weights are kept here; a run keeps its first after seconds"
        )
    elif model is not None:
        st.session_state[key("model")] = model
        step = st.query_params.get("step")
        if step is not None and source is not None and step != str(source.step):
            problems.append(f"it was made at step {quoted(step)}, and the run has come to step {source.step:,}")
    if way is not None and way not in WAYS:
        problems.append(f"there is no way {quoted(way)}")
    elif way is not None:
        st.session_state[key("way")] = way
    return problems


def _parts() -> list[str]:
    problems = []
    source = find(get("model"))
    dims = source.config.latent_dim if source is not None else 0
    for part in PARTS:
        text = st.query_params.get(part)
        if text is None:
            continue
        try:
            value = json.loads(text)
            json.dumps(value, allow_nan=False)  # "1e999" is read as infinity, which no browser takes
        except (ValueError, RecursionError):
            value = None
        z = value.get("z") if isinstance(value, dict) else None
        if isinstance(z, list) and len(z) != dims:
            problems.append(f"its z has {len(z)} numbers, and the model {dims} latents")
        elif isinstance(value, dict):
            put(part, value, whole=True)  # the component makes it whole and harmless
        else:
            problems.append(f"its part {part!r} cannot be read")
    return problems
