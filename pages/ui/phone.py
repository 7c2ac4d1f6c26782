"""What a narrow screen asks for besides: a way to the other pages that has a name, and nothing off the edge.

The navigation stands in the sidebar there, which is closed, and so do a page's settings.
"""

import streamlit as st

_SHOWN, _SIDE = "page in the menu", "side of the phone"  # in the session

# Nothing smaller is hit by a finger, in every component: WCAG 2.2, 2.5.8.
TARGETS = """
@media (pointer: coarse) {
  :is(button, select, summary, input[type="range"]) { min-height: 24px !important; }
  :is(button, select) { min-width: 24px !important; }
  label:has(> input[type="checkbox"]) { display: inline-flex; align-items: center; min-height: 24px; }
}
"""
LOOKS = """
[data-testid="stLayoutWrapper"]:has(> .st-key-at-hand) { display: none; }
@media (pointer: coarse) {
  :is([data-testid="stTooltipIcon"], [data-testid="stMultiSelect"]) button { min-width: 24px; min-height: 24px; }
  /* Beside an open popover a tap closes it and presses nothing: all that is below it is covered. */
  body:has([data-testid="stPopoverBody"]) { cursor: pointer; }
  body:has([data-testid="stPopoverBody"])::before { content: ""; position: fixed; inset: 0; z-index: 1000010; }
}
@media (max-width: 767px) {
  [data-testid="stExpandSidebarButton"] { width: auto; min-height: 2.6rem; gap: 0.4rem; }
  [data-testid="stExpandSidebarButton"]::after { content: "Pages"; font-weight: 600; }
  .stApp:has([data-testid="stSidebarUserContent"] .stElementContainer)
    [data-testid="stExpandSidebarButton"]::after { content: "Pages and settings"; }
  .stMain .block-container { padding-left: 1.25rem; padding-right: 1.25rem; }
  .stMain [data-testid="stButtonGroup"] > :not(label) { flex-wrap: wrap; }
  .stMain .st-key-scene { flex-wrap: wrap; gap: 0.4rem; }
  .stMain .st-key-scene > .stElementContainer:has(.stMarkdown) { flex: 1 1 100%; order: -1; }
  .st-key-scene button { padding: 0.2rem 0.55rem; }
  .st-key-scene .st-key-scene-next { margin-left: auto; }
  .st-key-scene-present { display: none; }
  .stMain [data-testid="stTable"] :is(th, td) { padding: 0.25rem 0.2rem; font-size: 0.75rem; line-height: 1.3; }
  .stMain [data-testid="stTable"] :is(th, td) * { font-size: inherit; overflow-wrap: anywhere; hyphens: auto; }
  [data-testid="stMultiSelect"] [role="group"] { flex-wrap: wrap; height: auto; max-height: none; }
  [data-testid="stMultiSelectTagsContainer"] { overflow: visible; max-height: none; flex-wrap: wrap; }
  .stMain .stHorizontalBlock > .stColumn:has([data-testid="stMetric"]) { flex: 1 1 8rem; min-width: 8rem; }
  /* A list as wide as the window: names differ in their last words. */
  [data-testid="stSelectboxVirtualDropdown"] { width: calc(100vw - 2.5rem) !important; }
  .stMain .katex-display { font-size: 0.84em; }
  .stMain .st-key-controls-models { flex-wrap: wrap; }
  .stMain .st-key-controls-models > :first-child { flex: 1 1 100%; }
  /* The image of the page, at the top edge: what is said of it is scrolled under it. */
  [data-testid="stLayoutWrapper"]:has(> .st-key-at-hand) {
    display: block; position: fixed; top: 0.4rem; right: 1rem; width: auto; z-index: 999991;
  }
  /* A question before a film comes up from the lower edge: the film's bar stays free, see question.js. */
  :has(> .st-key-arms-question) { position: fixed; top: auto; bottom: 0; z-index: 999980; }
  .st-key-arms-question { gap: 0; }
  .st-key-arms-question > * { max-height: 72vh; overflow-y: auto; }
  .st-key-arms-stage { scroll-margin-top: 3.7rem; }
  .st-key-at-hand img { display: block; width: 3rem; border-radius: 4px; image-rendering: pixelated; }
}
@media (max-width: 379px) { .stMain .katex-display { font-size: 0.74em; } }
"""


def close_menu(page: str) -> None:
    """The menu of a phone, which lies over the page, closes behind whoever has chosen a page in it.

    The browser looks anew at how the sidebar is to begin where that has changed; on a phone both words mean closed.
    """
    state = st.session_state
    if state.get(_SHOWN) != page:
        state[_SHOWN], state[_SIDE] = page, "auto" if state.get(_SIDE) == "collapsed" else "collapsed"
    on_phone = "Mobi" in st.context.headers.get("User-Agent", "")
    st.set_page_config(initial_sidebar_state=state[_SIDE] if on_phone else "auto")
