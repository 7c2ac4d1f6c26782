"""The bound you can see: drag q over the true posterior and watch the parts of log p(x)."""

import streamlit as st

from pages.elbo.settings import gaussian, link
from pages.elbo.subject import Subject, subject
from pages.ui import glossary
from pages.ui.lesson.bound.planes import bound_data
from pages.ui.lesson.bound.view import BoundData, Gaussian, bound_view
from pages.ui.once import computed_once
from pages.ui.shipped import PLANE, title_of

TELLING = (1, 8)  # digit and image: of the first twenty of each digit the main model has the longest posterior here


def bound_section(chosen: Subject) -> None:
    glossary.markdown(
        "Drag **q**, the encoder's guess at the [[posterior]]: log p(x) stays, and what the [[ELBO]] gains, the gap "
        "loses."
    )
    data = data_of(*chosen.key)
    left = bound_view(data, key="elbo bound view", q=gaussian(link.get("q") or {}))
    if left is not None:
        rho = None if left.rho is None else round(left.rho, 4)
        rounded = Gaussian(tuple(round(v, 4) for v in left.mu), tuple(round(v, 4) for v in left.log_var), rho)
        st.session_state[link.key("q")] = rounded.to_data()
    if "rho" in (link.get("q") or {}):
        _offer_telling_image(chosen)
    st.caption(f"This image: {chosen.caption[0].lower()}{chosen.caption[1:]}")


def _offer_telling_image(chosen: Subject) -> None:
    """A way to an image at which full covariance makes a difference: of half of 200 images it gains under 0.05 nats."""
    digit, which = TELLING
    if chosen.key.model == PLANE and (chosen.key.digit, chosen.key.which) != TELLING:
        label = f"Where it matters: {subject(PLANE, digit, which).label}"
        about = "Of the first 20 images of each class, the best full covariance gains most over mean-field at this one."
        if st.button(label, on_click=_show_telling_image, help=about):
            st.session_state.pop(link.key("q"), None)  # of the image before, as the view has just told it once more
            st.rerun()  # the sidebar, which this fragment leaves alone, shows the image too


def _show_telling_image() -> None:
    st.session_state[link.key("digit")], st.session_state[link.key("image")] = TELLING


@computed_once(32)
def data_of(model: str, digit: int, which: int, redraw: int | None = None) -> BoundData:
    """Grids around the posterior, around q and over the whole plane: computed once per image and server."""
    s = subject(model, digit, which, redraw)
    return bound_data(s.model, s.x, s.evidence, image=s.pixels[0, 0].numpy(), label=s.label, name=title_of(model))
