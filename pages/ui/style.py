"""What the theme cannot say: room for a projector of 1280 × 720, and what is written on the primary colour."""

import streamlit as st

from pages.ui import glossary, phone, spoken
from pages.ui.copy_link import view as copy_link
from vae_core.export.colours import DARK, LIGHT

_ROOM = """
.stMain .block-container { padding-left: 1.5rem; padding-right: 1.5rem; padding-top: 3.6rem; }
.stMain h1 { padding-top: 0; padding-bottom: 0.25rem; }
.stMain:focus-visible { outline: 3px solid var(--st-primary-color, currentColor); outline-offset: -3px; }
[data-testid="stTopNavLink"]:focus-visible { outline: 3px solid; outline-offset: -3px; }
.stHeading h2 { font-size: 1.2rem; padding: 0.5rem 0 1rem; }
.stMain .stVerticalBlock { gap: 0.7rem; }
.stMain .st-key-controls-arms { gap: 0.5rem; }
.stMain .st-key-controls-arms button { padding-left: 0.55rem; padding-right: 0.55rem; }
.st-key-lecture p { font-size: 1.2rem; line-height: 1.25; }
.st-key-lecture button p { font-size: 1rem; }
.st-key-lecture kbd { display: none; }
.stMain .st-key-scene { flex-wrap: nowrap; }
.stMain .st-key-scene > .stElementContainer:has(.stMarkdown) { flex: 1 1 0; min-width: 8rem; width: auto; }
.st-key-lecture:has(.st-key-unseen):not(:focus-within) { position: absolute; left: -100vw; }
/* Until its font is there, an icon is its name in letters: nothing beside it may move when it comes. */
[data-testid="stIconMaterial"] { max-width: 1.3em; overflow: hidden; white-space: nowrap; }
/* A scene's card leads there wherever it is pressed. */
[class*="st-key-lecture-card-"] { position: relative; }
[class*="st-key-lecture-card-"] :is(.stElementContainer, .stPageLink, a) { position: static; }
[class*="st-key-lecture-card-"] a::after { content: ""; position: absolute; inset: 0; }
[class*="st-key-lecture-card-"]:hover { border-color: var(--st-primary-color, currentColor); }
/* A question lies over the arms, below their film's bar: it pushes nothing away. */
.st-key-arms-stage { position: relative; }
:has(> .st-key-arms-question) { position: absolute; z-index: 5; top: 2.3rem; left: 0; right: 0; }
/* What comes a moment later has its room: nothing below moves down under a hand. */
@media (min-width: 800px) {
  .stMain .st-key-home-passage { min-height: calc(0.552 * min(1180px, 142vh, 100vw - 3rem)); }
}
[data-testid="stSidebarHeader"] { height: 2.25rem; margin: 0; }
"""
# Streamlit writes white on the primary colour. In the dark theme that colour has to be light, to be seen on the dark
# ground as text and line, and no colour is both: white on it and it on the ground would need 4.5 × 4.5 : 1, and white
# on the ground has 18 : 1. So there the ink is dark. Streamlit sets the colour scheme that `light-dark` asks for on the
# page and its sidebar only: a primary button in a popover or a dialog would still be white.
_COLOURS = f"""
.st-key-arms-question > * {{ background: light-dark({LIGHT.ground}, {DARK.ground}); }}
[data-testid^="stBaseButton-primary"]:enabled, [data-testid="stMultiSelectTagsContainer"] [data-tag] {{
  color: light-dark(#FFFFFF, {LIGHT.ink});
}}
"""


# Nothing glides where the system was asked for less motion; players of components go in steps, see lib/motion.js.
_STILL = """
@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after { animation-duration: 1ms !important; animation-iteration-count: 1 !important;
    transition-duration: 1ms !important; scroll-behavior: auto !important; }
}
"""
# What Streamlit writes too faintly to be read (WCAG 1.4.3): captions at 4.3 : 1, and code in colours for a dark ground.
_READABLE = """
[data-testid="stCaptionContainer"] { opacity: 1; color: color-mix(in srgb, currentColor 75%, transparent); }
.stCode .token:is(.keyword, .function, .class-name) { color: light-dark(#0B5CAD, #6CB4F5); }
.stCode .token:is(.number, .boolean) { color: light-dark(#0B7262, #4DD0B5); }
.stCode .token:is(.comment) { color: light-dark(#5B6570, #A3AEB5); }
"""


def apply() -> None:
    looks = (_ROOM, phone.LOOKS, _COLOURS, _READABLE, _STILL, glossary.LOOKS, spoken.LOOKS, copy_link.LOOKS)
    st.html(f"<style>{''.join(looks)}</style>")
