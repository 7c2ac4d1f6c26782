"""Section 3, the bound you can see: drag q over the true posterior and watch the parts of log p(x)."""

from __future__ import annotations

import functools

import streamlit as st

from pages.elbo import link
from pages.elbo.subject import Subject, subject
from pages.ui.lesson.bound.planes import bound_data
from pages.ui.lesson.bound.view import BoundData, Gaussian, bound_view


def bound_section(chosen: Subject) -> None:
    st.markdown(
        "With two latents everything can be computed on a grid, even the true posterior **p(z | x)**: which z may have "
        "made this image. Drag **q**, the encoder's guess: log p(x) stays, and what the ELBO gains, the gap loses."
    )
    left = bound_view(
        data_of(chosen.model_name, chosen.digit, chosen.which), key="elbo bound view", q=linked(link.key("q"))
    )
    if left is not None:
        rounded = {"mu": [round(v, 4) for v in left.mu], "log_var": [round(v, 4) for v in left.log_var]}
        st.session_state[link.key("q")] = rounded
    st.caption(f"This image: {chosen.caption[0].lower()}{chosen.caption[1:]}")


def linked(key: str) -> Gaussian | None:
    """The q of a link or of the last visit, if it is one of two dimensions."""
    q = st.session_state.get(key) or {}
    try:
        mu, log_var = ([float(v) for v in q[name]] for name in ("mu", "log_var"))
    except (TypeError, KeyError, ValueError):
        return None
    fits = len(mu) == len(log_var) == 2 and all(abs(v) < 20 for v in [*mu, *log_var])
    return Gaussian(tuple(mu), tuple(log_var)) if fits else None


@functools.lru_cache(maxsize=32)
def data_of(model_name: str, digit: int, which: int) -> BoundData:
    """Grids around the posterior, around q and over the whole plane: computed once per image and server."""
    s = subject(model_name, digit, which)
    return bound_data(s.model, s.x, s.evidence, image=s.pixels[0, 0].numpy(), label=s.label, name=model_name)
