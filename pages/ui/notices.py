"""One sentence on what has been asked for and cannot be had.

A page runs again by itself, whenever a component has something to report, so a sentence that went with the next run
would be gone before it is read. It stays for a while, or until the visitor does something else.
"""

import time

import streamlit as st

LEAST_S = 20.0  # it can be read for so long at least


def put(place: str, text: str) -> None:
    """Say something on a page; it takes the place of what was said before."""
    st.session_state[_key(place)] = (text, time.monotonic())


def clear(place: str) -> None:
    """The visitor does something else."""
    st.session_state.pop(_key(place), None)


def show(place: str) -> None:
    """Draw what there is to say, where the page wants it."""
    text, since = st.session_state.get(_key(place), ("", 0.0))
    if not text:
        return
    st.warning(text, icon=":material/error:")
    if time.monotonic() - since > LEAST_S:
        clear(place)  # the last time


def _key(place: str) -> str:
    return f"notice of {place}"
