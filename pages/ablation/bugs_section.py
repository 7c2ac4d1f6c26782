"""Bug lab: one picture, a question, then the line that makes the mistake, and the test that catches it."""

import streamlit as st

from pages.ablation import actions, stage
from pages.ablation.actions import BUG_GROUP
from pages.ablation.arms import CORRECT
from pages.ablation.bug_pictures import SIDES, picture, wrong_side
from pages.ablation.bugs import BUGS, Bug
from pages.ablation.settings import link
from pages.ui.palette import colours_of, is_dark
from vae_core.config import RunConfig

BY_KEY = {bug.key: bug for bug in BUGS}
ALT = "Two pictures, A and B: one of the right code, one of the wrong one."
ANSWERS = "bug answers"  # in the session: the side that was chosen, by the key of the bug


def bugs_section() -> int | None:
    st.segmented_control(
        "Mistake",
        list(BY_KEY),
        format_func=lambda key: BY_KEY[key].name,
        required=True,
        **link.kept("bug"),
        on_change=forget,
        help="Each is one line. The right code and the wrong one differ in nothing else.",
    )
    bug, runs = BY_KEY[link.get("bug")], actions.members(BUG_GROUP)
    answer = st.session_state.get(ANSWERS, {}).get(bug.key)
    ask(bug, answer)
    if answer is None and not runs:
        return None
    explain(bug)
    stage.buttons(BUG_GROUP, lambda: train(bug), label="Train both")
    st.markdown(f"**What to look at when both are trained.** {bug.symptom.says}")
    return stage.side_by_side(BUG_GROUP, runs) if runs else None


def ask(bug: Bug, answer: str | None) -> None:
    """Both pictures, and the question; once it is answered, in its place whether that was right: nothing moves."""
    said = "Right" if answer == wrong_side(bug) else "No"
    asked = f"### Which of the two is wrong?\n{bug.asks}"
    st.markdown(asked if answer is None else f"### {said}: {wrong_side(bug)} is wrong.\n{bug.wrong}")
    plain = {"displayModeBar": False, "staticPlot": True}
    st.plotly_chart(picture(bug, colours_of(is_dark())), key=f"bug picture {bug.key}", config=plain, alt=ALT)
    if answer is not None:
        return
    for side, arrow, place in zip(SIDES, ("Left", "Right"), st.columns(2), strict=True):
        place.button(
            side,
            key=f"bug {side}",
            type="primary",
            width="stretch",
            shortcut=arrow,
            on_click=keep,
            args=(bug.key, side),
        )


def explain(bug: Bug) -> None:
    """The line, and beside it what would have caught it."""
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**The line:** red is wrong, green is right")
        st.code(bug.unified, language="diff", wrap_lines=True)
        if bug.note:
            st.caption(bug.note)
    with right:
        st.markdown("**The test that catches it**, from `vae_core/bugs/checks.py`")
        st.code(bug.catch, language="python", wrap_lines=True)


def keep(key: str, side: str) -> None:
    """Callback: the answer stands for the session."""
    st.session_state[ANSWERS] = {**st.session_state.get(ANSWERS, {}), key: side}


def train(bug: Bug) -> None:
    """Callback: the right code and the wrong one."""
    base = RunConfig(latent_dim=2, epochs=link.get("epochs"), seed=link.get("seed"))
    actions.start(BUG_GROUP, [(CORRECT, base), (bug.name, base.with_(**bug.overlay))])


def forget() -> None:
    """Callback: another mistake has runs of its own."""
    actions.command(BUG_GROUP, "stop")
    st.session_state.pop(BUG_GROUP, None)
