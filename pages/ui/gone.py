"""An address whose subject is not here: that is said, and nothing else is shown in its place."""

import streamlit as st

from pages.ui.address import Address


def is_missing(link: Address) -> bool:
    """Whether the subject of the page is not here; then a sentence and the ways on stand on the page."""
    sentence = link.missing()
    if not sentence:
        return False
    st.warning(sentence, icon=":material/link_off:")
    row = st.container(horizontal=True)
    row.button("Try again", on_click=link.ask_again, key="ask again", icon=":material/refresh:")
    row.button("Show what is here", on_click=link.do_without, key="do without", type="primary")
    return True
