"""Drop a term: choose the arms, predict, train, and see them side by side."""

from typing import Any

import streamlit as st

from pages.ablation import actions, predict, stage
from pages.ablation.actions import ARMS_GROUP
from pages.ablation.arms import ARMS, BETA, BY_KEY, LATENT_DIMS, chosen, key_of
from pages.ablation.equal import equal_in_distribution
from pages.ablation.settings import link
from vae_core.config import ConfigError
from vae_core.runs import groups

BETAS = (0.1, 0.25, 0.5, 2.0, 4.0, 8.0, 16.0, 32.0)
ASKING = "ablation asking"  # in the session: for what, one of these, and the keys of the arms for which it was wished
TRAIN, PLAY = "train", "play"
SEEN_AT_ONCE = ("map", "pictures", "draws")  # the rows that tell the story, without scrolling on a projector


def arms_section() -> int | None:
    row = choose()
    with st.container(key="arms stage"):
        with st.container(key=predict.BOX):  # over the maps, which are all alike then: Play keeps its place
            questions()
        runs_shown = actions.arms_on_page(link.get("arms"))
        shipped = actions.is_shipped(runs_shown)
        stage.buttons(ARMS_GROUP, wish_to_train, row=row, first=not shipped)
        invite = "At step 0 all are alike. What will happen to each? Play the film, or press **Train live**."
        at = stage.side_by_side(
            ARMS_GROUP,
            runs_shown,
            at=0 if shipped else None,
            then=invite if shipped and not link.get("step") else "",
            rows=SEEN_AT_ONCE,
            on_ask=wish_to_play if shipped else None,
        )
    equal_in_distribution(runs_shown)
    return at


def choose() -> Any:
    """Which arms, and the settings that they share; returns the row, in which the buttons follow."""
    row = st.container(key="controls arms", horizontal=True, vertical_alignment="center", gap="small")
    row.pills(
        "Arms",
        list(BY_KEY),
        format_func=lambda key: BY_KEY[key].name,
        selection_mode="multi",
        label_visibility="collapsed",
        **link.kept("arms"),
    )
    if BETA in link.get("arms"):
        st.session_state[link.key("beta")] = min(BETAS, key=lambda b: abs(b - link.get("beta")))
        row.select_slider("beta", BETAS, **link.kept("beta"), width=160)
    with row.popover("More"):
        st.segmented_control(
            "Latent dimensions",
            LATENT_DIMS,
            required=True,
            **link.kept("latent_dim"),
            help="2 can be drawn as they are. With 16 a collapse looks different: dimension by dimension.",
        )
        st.number_input("Epochs", **link.number("epochs"), help="2 tell the story in well under a minute.")
        st.number_input("Seed", **link.number("seed"), help="Another seed: is the story the same?")
        predict.toggle()
        st.button(
            "Finished arms",
            on_click=show_finished,
            icon=":material/inventory_2:",
            key="finished arms",
            disabled=not actions.members(ARMS_GROUP),
            help="Back to the arms that ship, to drag through at once.",
        )
        st.caption("  \n".join(f"**{arm.name}** {arm.says}" for arm in ARMS))
    return row


def settings() -> dict[str, Any]:
    return {name: link.get(name) for name in ("latent_dim", "epochs", "seed")}


def wish_to_train() -> None:
    """Callback of Train live: first the questions, if there are any left."""
    if not link.get("arms"):
        return actions.notice(f"Choose one to {groups.ARMS} arms first.")
    st.session_state[ASKING] = TRAIN, link.get("arms")


def wish_to_play() -> None:
    """Callback of the film that ships: the same questions, of the arms that are shown."""
    st.session_state[ASKING] = PLAY, link.get("arms")


def questions() -> None:
    """What will happen? When every arm has an answer, train; a film plays on by itself.

    Who chooses other arms while a question stands has wished for nothing of these.
    """
    asking, keys = st.session_state.get(ASKING) or ("", None)
    if not asking:
        return
    if keys != link.get("arms"):
        st.session_state[ASKING] = None
        return
    shown = [key_of(actions.name_of(run)) for run in actions.arms_on_page(keys)]
    if not predict.ask(shown if asking == PLAY else list(keys)):
        return
    st.session_state[ASKING] = None
    if asking == TRAIN:
        try:
            actions.start(ARMS_GROUP, chosen(link.get("arms"), link.get("beta"), settings()))
        except ConfigError as error:
            actions.notice(str(error))


def show_finished() -> None:
    """Callback: the shipped arms again; the visitor's own are paused, and found again by their link."""
    actions.command(ARMS_GROUP, "pause")
    st.session_state.pop(ARMS_GROUP, None)
