"""The engine room: for a lecturer, what the server is doing, for whom, and what holds it up."""

import streamlit as st

from pages.room.drawings import collection
from pages.room.tables import engines_table, figures, log_table, runs_table
from pages.ui.follow.socket import count_followers
from pages.ui.follow.view import show_class_link
from pages.ui.lecturer import is_lecturer
from vae_core.runs import registry
from vae_core.runs.room import room_status

EVERY_S = 2.0  # it is one person's page: of a whole class so many runs of a script would fill a core


def page() -> None:
    st.title("Engine room", anchor=False)
    if not is_lecturer():
        st.info(
            "This page is for the lecturer: open the link with the key that the server printed when it started.",
            icon=":material/key:",
        )
        return
    show_class_link("Your class follows you by", key="class link")
    room()
    collection()


@st.fragment(run_every=EVERY_S)
def room() -> None:
    """Everything that changes."""
    status = room_status(registry.shared())
    figures(status, count_followers())
    runs_table(status)
    engines_table(status.engines)
    log_table(status.sentences)


page()
