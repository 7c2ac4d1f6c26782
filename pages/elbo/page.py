"""The ELBO: a derivation in which every line carries its value, for an image and a model that can be changed."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.elbo import code, likelihood, reparameterise
from pages.elbo.bound import bound_section
from pages.elbo.derivation import derivation_section
from pages.elbo.evidence import evidence_section
from pages.elbo.kl import kl_section
from pages.elbo.settings import PIXELS, SECTIONS, draw_anew, link
from pages.elbo.subject import REDRAWN, Subject, names, subject
from pages.ui import notices, spoken
from pages.ui.section_switch import section_switch
from pages.ui.shipped import PLANE, encode_query, missing, title_of
from pages.ui.words import label_of
from vae_core.export.pictures import data_uri

DRAWN: dict[str, Callable[[Subject], None]] = {
    "evidence": evidence_section,
    "kl": kl_section,
    "derivation": derivation_section,
    "bound": bound_section,
    "reparameterise": reparameterise.section,
    "likelihood": likelihood.section,
    "code": code.section,
}

_GREY = "The grey image, also where a redraw of it stands here."


def page() -> None:
    spoken.heading(1, "The ELBO")
    if not names():
        st.error(missing(PLANE), icon=":material/error:")
        return
    link.open(adopt)
    if link.get("model") not in names():  # the main one is damaged
        st.session_state[link.key("model")] = names()[0]
    section_switch(link, SECTIONS)
    notices.show("elbo")
    with st.sidebar:
        chosen = choose()
    with st.container(key="at-hand"):  # on a phone, where the sidebar is closed
        st.html(f'<img src="{data_uri(chosen.pixels[0, 0].numpy())}" alt="x, {chosen.label}">')
    lesson(chosen)


def adopt(asked: dict[str, Any]) -> list[str]:
    """A link to another image does not bring the q that was dragged over this one."""
    if "q" not in asked and {"digit", "image", "pixels", "redraw"} & set(asked):
        _drop_q()
    return []


@st.fragment
def lesson(chosen: Subject) -> None:
    """The section on the page; it runs again by itself when something in it is moved."""
    DRAWN[link.get("section")](chosen)
    link.write()


def choose() -> Subject:
    """Which image, and in which model."""
    st.header("Image")
    st.segmented_control(
        "Digit",
        range(10),
        required=True,
        on_change=_first_image,
        **link.kept("digit"),
        help="The class of the test image of which the whole page speaks.",
    )
    row = st.container(horizontal=True, vertical_alignment="bottom")
    row.button("Another image", icon=":material/image:", on_click=_next_image, help="The next one of this class.")
    place = st.container()
    redrawn = link.get("pixels") == REDRAWN
    st.segmented_control(
        "Pixels",
        list(PIXELS),
        format_func=label_of(PIXELS),
        required=True,
        on_change=_drop_q,
        **link.kept("pixels"),
        help="redrawn: each pixel is drawn black or white, white with its grey value as the probability. Of such an "
        "image p(x) is a probability. For grey pixels log p(x | z) is the mean over all redraws, and log p(x) at most "
        "their mean log p(x) (Jensen). A Gaussian likelihood is a density of grey values and takes them as they are.",
    )
    if redrawn:
        st.button("Redraw", icon=":material/casino:", on_click=_redraw, help="The next seed.")
    st.header("Model")
    st.selectbox(
        "Model",
        names(),
        format_func=title_of,
        **link.kept("model"),
        help="Shipped models with two latents: there, every integral of this page can be computed on a grid.",
    )
    chosen = subject(link.get("model"), link.get("digit"), link.get("image"), link.get("redraw") if redrawn else None)
    place.image(chosen.pixels[0, 0].numpy(), width=140, caption=f"x, {chosen.label}", alt=chosen.label)
    st.caption(chosen.trained)
    query = encode_query(chosen.number, chosen.key.model)
    st.page_link(
        "explorer/page.py", label="Explore this image", icon=":material/explore:", query_params=query, help=_GREY
    )
    return chosen


def _first_image() -> None:
    st.session_state[link.key("image")] = 0
    _drop_q()


def _next_image() -> None:
    st.session_state[link.key("image")] += 1
    _drop_q()


def _redraw() -> None:
    draw_anew("redraw")
    _drop_q()


def _drop_q() -> None:
    """What was dragged was dragged over another image."""
    st.session_state.pop(link.key("q"), None)


page()
