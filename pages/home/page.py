"""Home: what a VAE is on one screen, alive, and the way through a lecture."""

from typing import Any

import streamlit as st

from pages.home.settings import link
from pages.ui import glossary, notices
from pages.ui.lecture.scenes import MINUTES, SCENES, scene_query
from pages.ui.passage.view import passage_view, shown_number
from pages.ui.shipped import PLANE, checkpoint, elbo_query, encode_query, missing, planes, title_of

STATE = "home state"  # in the session: the component's state as last known
AGAIN = "home again"  # counts what a link put into that state


def page() -> None:
    link.open(adopt)
    st.title("ELBO Room", anchor=False)
    st.container(key="controls-words").markdown(
        "A **variational autoencoder** presses an image into a small cloud of codes, and draws it again from one of "
        "them. **Drag the cloud, draw a digit, or press ▶** and watch it learn."
    )
    stage()
    lecture()


def adopt(asked: dict[str, Any]) -> list[str]:
    """What a link holds becomes the component's."""
    st.session_state[STATE] = asked.get("shown", {})
    st.session_state[AGAIN] = st.session_state.get(AGAIN, 0) + 1
    return []


@st.fragment
def stage() -> None:
    """The shipped model as a picture that answers; it runs again by itself when something has come to rest."""
    if PLANE not in planes():
        st.error(missing(PLANE), icon=":material/error:")
        return
    notices.show("home")
    state = st.session_state
    shown = passage_view(PLANE, key="home passage", state=state.get(STATE), again=state.get(AGAIN, 0))
    state[STATE] = shown
    row = st.container(horizontal=True, vertical_alignment="center")
    row.page_link("training/page.py", label="Train it live", icon=":material/monitoring:")
    if not shown.get("picture") and not shown.get("blank"):
        number = shown_number(shown.get("number"))
        row.page_link(
            "elbo/page.py", label="Its ELBO", icon=":material/functions:", query_params=elbo_query(number, PLANE)
        )
        row.page_link(
            "explorer/page.py", label="Its cloud", icon=":material/explore:", query_params=encode_query(number, PLANE)
        )
    card = checkpoint(PLANE).card
    figure = f"−[[ELBO]] {card['test']['neg_elbo']:.1f} nats (grey MNIST, test, [[K = 1]])"
    row.caption(
        f"In your browser: {title_of(PLANE)}, {card['config']['epochs']} epochs, seed {card['seed']}, "
        f"{glossary.explained(figure)}.",
        unsafe_allow_html=True,
    )
    link.write(shown={name: value for name, value in shown.items() if not _goes_without_saying(name, value)} or None)


def _goes_without_saying(name: str, value: Any) -> bool:
    return value is None or value is False or (name == "seed" and value == 0)


def lecture() -> None:
    """All scenes, each a link to its place in the lab."""
    head = st.container(horizontal=True, vertical_alignment="center")
    head.header(f"A lecture of {MINUTES} minutes", width="content")
    head.page_link("check/page.py", label="Five questions", icon=":material/quiz:")
    for row in (SCENES[:4], SCENES[4:]):
        for column, scene in zip(st.columns(4), row, strict=True):
            number = SCENES.index(scene) + 1
            with column.container(border=True, height="stretch", key=f"lecture card {number}"):
                label = f"{number} · {scene.title}"
                st.page_link(f"{scene.page}/page.py", label=label, query_params=scene_query(number))
                st.markdown(scene.question)


page()
