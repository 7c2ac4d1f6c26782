"""What the theme cannot say: room for a projector of 1280 × 720."""

import streamlit as st

_CSS = """
<style>
.stMain .block-container { padding-left: 1.5rem; padding-right: 1.5rem; padding-top: 4.25rem; }
.stMain h1 { padding-top: 0; padding-bottom: 0.25rem; }
.stMain .stVerticalBlock { gap: 0.7rem; }
[data-testid="stSidebarHeader"] { height: 2.25rem; margin: 0; }
</style>
"""


def apply() -> None:
    st.html(_CSS)
