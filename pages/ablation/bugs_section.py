"""Bug lab: one classic mistake beside the right code, trained in step."""

import streamlit as st

from pages.ablation import actions, stage
from pages.ablation.actions import BUG_GROUP
from pages.ablation.arms import CORRECT
from pages.ablation.bugs import BUGS, Bug, show
from pages.ablation.settings import link
from vae_core.config import RunConfig

BY_KEY = {bug.key: bug for bug in BUGS}


def bugs_section() -> int | None:
    st.segmented_control(
        "Mistake",
        list(BY_KEY),
        format_func=lambda key: BY_KEY[key].name,
        required=True,
        **link.kept("bug"),
        on_change=forget,
        help="Each is one line. The right run and the wrong one differ in nothing else.",
    )
    bug = BY_KEY[link.get("bug")]
    show(bug)
    stage.buttons(BUG_GROUP, lambda: train(bug), label="Train both")
    runs = actions.members(BUG_GROUP)
    if not runs:
        st.info(
            f"Press **Train both**: **{CORRECT}** and **{bug.name}** side by side, in step.", icon=":material/science:"
        )
        return None
    return stage.side_by_side(BUG_GROUP, runs)


def train(bug: Bug) -> None:
    """Callback: the right code and the wrong one."""
    base = RunConfig(latent_dim=2, epochs=link.get("epochs"), seed=link.get("seed"))
    actions.start(BUG_GROUP, [(CORRECT, base), (bug.name, base.with_(**bug.overlay))])


def forget() -> None:
    """Callback: another mistake has runs of its own."""
    actions.command(BUG_GROUP, "stop")
    st.session_state.pop(BUG_GROUP, None)
