"""Ablation: drop a term, and the class sees what dies. Arms side by side, on one clock and on the same axes."""

from __future__ import annotations

import streamlit as st

from pages.ablation import link
from pages.ablation.arms_section import arms_section
from pages.ablation.bugs_section import bugs_section
from pages.ablation.dose_section import dose_section
from pages.ui import notices
from pages.ui.words import label_of

DRAWN = {"arms": arms_section, "bugs": bugs_section, "dose": dose_section}


def page() -> None:
    link.open_link()
    st.segmented_control(
        "Section",
        list(link.SECTIONS),
        format_func=label_of(link.SECTIONS),
        required=True,
        label_visibility="collapsed",
        width="stretch",
        **link.kept("section"),
    )
    lesson()


@st.fragment
def lesson() -> None:
    """The section on the page; it runs again by itself when a button is pressed or the arms change status."""
    notices.show("ablation")
    at = DRAWN[link.get("section")]()
    link.write(at)


page()
