"""The lecture on top of every page: which scene it is, its question, and the way on; and the presentation mode.

Both stand in the address of whatever page is shown, so a link opens the same scene in the same mode. A presenter's
remote control sends PageDown and PageUp.
"""

import streamlit as st

from pages.ui.lecture.scenes import SCENES, scene_query

SCENE, PRESENT = "scene", "present"  # in the address, and in the session
NEW = "scene is new"  # in the session: the page has to begin as the scene says
_KEYS = "PageDown and PageUp lead on and back, P is for the projector."

# Large type, and nothing beside what is to be seen. Widgets follow, as all of them are measured in rem; and pictures of
# components take --present into their sizes, as variables reach into their shadow roots.
_PRESENTING = """
<style>
html { font-size: 24px; --present: 1; }
[data-testid="stHeader"], [data-testid="stSidebar"], [data-testid="stSidebarCollapsedControl"], .st-key-copy-link {
  display: none;
}
.stMain .block-container { padding: 0.4rem 1rem; max-width: none; }
.stMain .stVerticalBlock { gap: 0.5rem; }
.st-key-scene { gap: 0.4rem; }
.st-key-scene button { padding: 0.2rem 0.6rem; min-height: 2rem; }
.st-key-scene .st-key-scene-present { display: flex; }
.stMain :is(
  [class*="st-key-controls"], [data-testid="stLayoutWrapper"]:has(> [class*="st-key-controls"]), [class*="-section "],
  .stElementContainer:has([data-testid="stCaptionContainer"])
) { display: none; }
.stMain .stElementContainer:has(> .stHeading h1) { position: absolute; clip-path: inset(50%); }
</style>
"""


def arrive() -> None:
    """What the address says of scene and mode holds from now on; called before any page reads its own address."""
    state, asked = st.session_state, st.query_params
    if SCENE in asked and asked[SCENE] != state.get(SCENE):
        number = asked[SCENE]
        state[SCENE] = number if number in map(str, range(1, len(SCENES) + 1)) else None
        state[NEW] = state[SCENE] is not None
    if PRESENT in asked:
        state[PRESENT] = asked[PRESENT] == "1"


def in_address() -> dict[str, str]:
    """What of it stands in the address of every page."""
    state = st.session_state
    scene = {SCENE: state[SCENE]} if state.get(SCENE) else {}
    return scene | ({PRESENT: "1"} if state.get(PRESENT) else {})


def asks(way: str) -> bool:
    """Whether a scene is on that asks about this way to explore: its question stands on top already."""
    number = st.session_state.get(SCENE)
    return number is not None and SCENES[int(number) - 1].query.get("way") == way


def show_bar() -> None:
    """Draw it, and go where a key or a button leads."""
    with st.container(key="lecture"):
        if st.session_state.get(PRESENT):
            st.html(_PRESENTING)
        if st.session_state.get(SCENE):
            _scene(int(st.session_state[SCENE]))
        else:
            with st.container(key="unseen"):
                _present()


def _scene(number: int) -> None:
    scene, last = SCENES[number - 1], number == len(SCENES)
    with st.container(key="scene", horizontal=True, vertical_alignment="center", gap="small"):
        back = st.button("Back", key="scene back", shortcut="PageUp", disabled=number == 1)
        st.markdown(f"**{number} · {scene.title}.** {scene.question}", width="stretch")
        with st.popover("Answer"):
            st.markdown(f"{scene.answer}\n\n**So:** {scene.so}")
        with st.popover(f"{scene.minutes} min", help="What to press, and what comes."):
            st.markdown(f"**Press:** {scene.press}\n\n**See:** {scene.see}\n\n{_KEYS}")
            ended = st.button("End the lecture", key="scene end", help="The page stays as it is.")
        _present()
        onward = st.button("Overview" if last else "Next", key="scene next", shortcut="PageDown", type="primary")
    if back:
        _go(number - 1)
    if onward:
        _go(None if last else number + 1)
    if ended:
        st.session_state[SCENE] = None
        st.query_params.pop(SCENE, None)
        st.rerun()


def _present() -> None:
    st.button(
        "Present",
        key="scene present",
        shortcut="P",
        on_click=_toggle,
        help="Large type, without controls; the same key leaves it.",
    )


def _toggle() -> None:
    state = st.session_state
    state[PRESENT] = not state.get(PRESENT)
    st.query_params.pop(PRESENT, None)
    st.query_params.update({PRESENT: "1"} if state[PRESENT] else {})


def _go(number: int | None) -> None:
    """To a scene, or to the overview."""
    if number is None:
        st.session_state[SCENE] = None
        st.switch_page("home/page.py", query_params={key: v for key, v in in_address().items()})
    present = {key: value for key, value in in_address().items() if key == PRESENT}
    st.switch_page(f"{SCENES[number - 1].page}/page.py", query_params=scene_query(number) | present)
