"""Ablation: drop a term, and the class sees what dies. Arms side by side, on one clock and on the same axes."""

import streamlit as st

from pages.ablation.arms_section import arms_section
from pages.ablation.bugs_section import bugs_section
from pages.ablation.dose_section import dose_section
from pages.ablation.settings import SECTIONS, find_own, link, write_link
from pages.ui import notices, spoken
from pages.ui.gone import is_missing
from pages.ui.keeping import tell_of_runs
from pages.ui.section_switch import section_switch

DRAWN = {"arms": arms_section, "bugs": bugs_section, "dose": dose_section}


def page() -> None:
    spoken.heading(1, "Ablation")
    link.open(find_own)
    if not is_missing(link):
        section_switch(link, SECTIONS)
        lesson()


@st.fragment
def lesson() -> None:
    """The section on the page; it runs again by itself when a button is pressed or the arms change status."""
    notices.show("ablation")
    tell_of_runs()
    write_link(DRAWN[link.get("section")]())


page()
