"""The link to what is on the page, copied by a button that stands at the same place on every page."""

import streamlit as st

from pages.ui.component import declare

# At the top edge, beside the navigation, and on a phone beside the image of the page. On a projector is no header.
LOOKS = """
[data-testid="stHeader"] { padding-right: 3rem; }
[data-testid="stLayoutWrapper"]:has(> .st-key-copy-link) {
  position: fixed; top: 0.55rem; right: 0.8rem; width: auto; z-index: 999991;
}
@media (max-width: 767px) {
  :has(.st-key-at-hand) > [data-testid="stLayoutWrapper"]:has(> .st-key-copy-link) { right: 4.6rem; }
}
"""
_show = declare("copy_link", "copy_link/copy_link.js", "copylink", "copy_link/copy_link.css")


def show_copy_link() -> None:
    with st.container(key="copy-link"):
        _show("link copier", {}, {})
