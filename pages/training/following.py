"""The lecturer's run: what a follower sees of it, and what the lecturer sees of those who follow."""

import streamlit as st

from pages.training import actions
from pages.training.names import READ_ON
from pages.training.settings import FOLLOWS, write_class_link
from pages.ui.follow.socket import followed_run
from pages.ui.follow.view import following_line, show_class_link
from pages.ui.lecturer import is_lecturer
from pages.ui.live.view import live_view
from vae_core.runs import registry
from vae_core.runs.run_record import RunRecord

SEES = "You see the lecturer's run, live. When the lecturer starts another one, it comes by itself."
WAITS = "The lecturer shows no run yet. This page waits for one, and shows it by itself."
ONLY_HERE = (
    "This link leads to this computer alone: open this page by the server's address in the network, and copy it."
)
_SHOWN_BY_PAGE = "run shown to the class"  # in the session: the last one that this window has shown


@st.fragment
def follow() -> None:
    """The whole page of a follower. It runs again by itself when the lecturer shows another run, and only then."""
    if not st.session_state.get(FOLLOWS):  # its button was pressed: the rest of the page comes back
        st.rerun()
    run = followed_run()
    row = st.container(horizontal=True, vertical_alignment="center")
    with row:
        following_line(run.run_id if run else "", SEES if run else WAITS, key="following")
    row.button("Train your own", on_click=leave, key="leave", icon=":material/model_training:")
    if run is not None:
        live_view(run.run_id, run.config, key="followed", read_on=READ_ON, quiet=True)
    write_class_link()


def leave() -> None:
    """Callback: back to one's own runs."""
    st.session_state[FOLLOWS] = False


def show_to_class(run: RunRecord) -> None:
    """Of a lecturer's own run that comes onto the page: from now on the class sees it.

    It counts once: another window of the lecturer, with another run, must not take the class away with every status.
    """
    if is_lecturer() and actions.is_mine(run) and st.session_state.get(_SHOWN_BY_PAGE) != run.run_id:
        _show(run.run_id)


def _show(run_id: str) -> None:
    """Callback: the class is to see this one."""
    st.session_state[_SHOWN_BY_PAGE] = run_id
    registry.shared().lecturers.show(run_id)


def class_row(run: RunRecord) -> None:
    """For a lecturer: what the class sees, and the link by which it does."""
    if not is_lecturer():
        return
    seen = followed_run()
    what = "no run yet" if seen is None else "this run" if seen is run else "another run"
    show_class_link(f"Your class sees {what} by", key="class link")
    if actions.is_mine(run) and seen is not run:
        st.button("Show this run to the class", on_click=_show, args=(run.run_id,), icon=":material/co_present:")
