"""Settings of a page: where they stand in the session, so that they outlast a change of page."""

from __future__ import annotations

from typing import Any

import streamlit as st


class Kept:
    """The settings of one page; their names in the session begin with the page's."""

    def __init__(self, page: str) -> None:
        self.page = page

    def key(self, name: str) -> str:
        """Where a setting of the page stands in the session state."""
        return f"{self.page} {name}"

    def get(self, name: str) -> Any:
        return st.session_state[self.key(name)]

    def kept(self, name: str) -> dict[str, Any]:
        """A widget's key; its value survives a change of page."""
        return {"key": self.key(name), "persist_state": "session"}
