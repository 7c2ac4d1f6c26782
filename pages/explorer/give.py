"""A visitor's drawing, given to the set of the class while the lecturer collects."""

import base64

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.explorer.settings import STATE
from pages.ui import notices, visitor
from pages.ui.words import plain
from vae_core.data.images import DataError
from vae_core.runs import drawings

_LABEL, _PLACE = "explorer given label", "explorer given"


def give_drawing(place: DeltaGenerator) -> None:
    """A row with the button, where there is a collection that takes drawings."""
    if not drawings.is_open():
        return
    picture = _picture()
    row = place.container(horizontal=True, vertical_alignment="center")
    if drawings.asks_labels():
        row.caption("I drew a")
        row.segmented_control(
            "What I drew", drawings.LABELS, key=_LABEL, persist_state="session", label_visibility="collapsed"
        )
    row.button(
        "Give it to the class",
        icon=":material/draw:",
        disabled=picture is None,
        on_click=_give,
        args=(picture,),
        help="The lecturer collects drawings to train on. The 28 × 28 picture "
        f"{'and its label are' if drawings.asks_labels() else 'is'} kept, nothing of you.",
    )
    row.caption(f"{drawings.count():,} drawings so far.")
    with place:
        notices.show(_PLACE)


def _picture() -> bytes | None:
    """What the visitor has drawn or uploaded; None where a test image is on the page."""
    encode = st.session_state[STATE].get("encode") or {}
    text = encode.get("picture")
    if encode.get("of") != "picture" or encode.get("number") is not None or not isinstance(text, str):
        return None
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # from a link, and not looked at by the component yet
        return None


def _give(picture: bytes) -> None:
    """Callback."""
    notices.clear(_PLACE)
    try:
        drawings.give(picture, st.session_state.get(_LABEL) or "", visitor.current())
    except DataError as error:
        notices.put(_PLACE, plain(str(error)))
        return
    st.session_state[_LABEL] = None
    st.toast("Your drawing is in the set.", icon=":material/check:")
