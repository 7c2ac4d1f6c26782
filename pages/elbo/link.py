"""The address of the page says what is on it: section, image, model, how far a derivation is, what was dragged."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from pages.elbo.subject import names
from pages.ui import notices
from pages.ui.kept import Kept
from pages.ui.shipped import PLANE
from pages.ui.words import quoted

SECTIONS = {
    "evidence": "1 · p(x)",
    "derivation": "2 · Three ways",
    "bound": "3 · See the bound",
    "kl": "4 · KL",
    "reparameterise": "5 · Reparameterise",
    "likelihood": "6 · Likelihood",
    "code": "7 · Code",
}
WAYS = {"bayes": "Bayes", "multiply": "Multiply by q / q", "jensen": "Jensen"}
DRAWS = (10, 30, 100, 300, 1000, 3000, 10_000)
SAMPLES = (500, 2000, 8000)

_CHOICES: dict[str, tuple[Any, ...]] = {
    "section": tuple(SECTIONS),
    "digit": tuple(range(10)),
    "way": tuple(WAYS),
    "draws": DRAWS,
    "samples": SAMPLES,
}
DEFAULTS: dict[str, Any] = {
    "section": "evidence",
    "model": PLANE,
    "digit": 0,
    "image": 0,
    "way": "bayes",
    "line": 1,
    "draws": 1000,
    "samples": 2000,
    "seed": 0,
}
DRAGGED = ("transform", "gaussians", "q")  # states of the components, as JSON


_settings = Kept("elbo")
key, get, kept = _settings.key, _settings.get, _settings.kept


def open_link() -> None:
    """Defaults, and on the first run of a session what the address says."""
    state = st.session_state
    first = key("section") not in state and not state.get("elbo link read")
    for name, value in DEFAULTS.items():
        state.setdefault(key(name), value)
    if state[key("model")] not in names():  # the main one is damaged
        state[key("model")] = names()[0]
    if not first:
        return
    state["elbo link read"] = True
    problems = []
    for name in set(DEFAULTS) & set(st.query_params):
        try:
            state[key(name)] = _read(name, st.query_params[name])
        except ValueError:
            problems.append(f"{name} {quoted(st.query_params[name])}")
    for name in set(DRAGGED) & set(st.query_params):
        try:
            value = json.loads(st.query_params[name])
            json.dumps(value, allow_nan=False)  # "1e999" is read as infinity, which no browser takes
            state[key(name)] = value
        except (ValueError, RecursionError):
            problems.append(name)
    if problems:
        notices.put("elbo", f"This link does not hold in full: {', '.join(sorted(problems))}. The rest is shown.")


def write() -> None:
    """Put what is on the page into its address; what stands at its default is left out."""
    wanted = {name: str(get(name)) for name, default in DEFAULTS.items() if get(name) != default}
    for name in DRAGGED:
        if st.session_state.get(key(name)):
            wanted[name] = json.dumps(st.session_state[key(name)], separators=(",", ":"))
    if dict(st.query_params) != wanted:
        st.query_params.from_dict(wanted)


def _read(name: str, text: str) -> Any:
    """A setting from its text.

    Raises:
        ValueError: it is none of the choices, or no whole number from 0.
    """
    value = type(DEFAULTS[name])(text)
    if value not in (names() if name == "model" else _CHOICES.get(name, (value,))):
        raise ValueError(text)
    if isinstance(value, int) and not 0 <= value < 2**31:
        raise ValueError(text)
    return value
