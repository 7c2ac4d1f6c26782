"""What becomes of a visitor's runs: that they cannot be kept, or that one has been removed."""

import streamlit as st

from pages.ui import notices, visitor
from vae_core.runs import registry

_PLACE = "kept runs"


def tell_of_runs() -> None:
    """Say what there is to say; nothing where all is well."""
    if letters := registry.shared().letters(visitor.current()):
        notices.put(_PLACE, " ".join(letters))
    notices.show(_PLACE)
    if trouble := registry.shared().trouble:
        st.warning(trouble, icon=":material/save:")
