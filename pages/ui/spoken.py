"""What is there for a screen reader alone: the one helper in Python; pages/ui/lib/spoken.js is the one in JavaScript.

LOOKS hides it from eyes and from nobody else. It takes no room, so nothing beside it moves.
"""

import html

import streamlit as st

LOOKS = """
.spoken { position: absolute !important; width: 1px; height: 1px; margin: -1px; padding: 0; border: 0; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap; font-size: 1rem; }
.stElementContainer:has(> .stHtml > .spoken) { position: absolute; width: 1px; overflow: hidden; }
"""


def heading(level: int, text: str) -> None:
    """A heading of what has none that is seen: h1 names a page, h2 a section of it."""
    st.html(f'<h{level} class="spoken">{html.escape(text)}</h{level}>')
