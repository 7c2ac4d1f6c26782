"""The switch at the top of a page that has sections."""

import streamlit as st

from pages.ui import spoken
from pages.ui.address import Address
from pages.ui.words import label_of


def section_switch(link: Address, sections: dict[str, str]) -> None:
    """Choose a section: its name in the address, and its title, which is the heading of what follows."""
    st.segmented_control(
        "Section",
        list(sections),
        format_func=label_of(sections),
        required=True,
        label_visibility="collapsed",
        width="stretch",
        **link.kept("section"),
    )
    spoken.heading(2, sections[link.get("section")])
