"""Home: what a VAE is on one screen, alive, and the way through the lesson."""

from typing import Any

import streamlit as st

from pages.home.settings import link
from pages.ui import notices
from pages.ui.passage.view import first_number, passage_view
from pages.ui.shipped import PLANE, checkpoint, elbo_query, encode_query, missing, planes, title_of

TRAINING = ("training/page.py", "Live training", ":material/monitoring:")
ABLATION = ("ablation/page.py", "Ablation", ":material/content_cut:")
ELBO = ("elbo/page.py", "The ELBO", ":material/functions:")
EXPLORER = ("explorer/page.py", "Explorer", ":material/explore:")
LESSON = (
    ("Derive the loss", "Three ways to the bound, every line with its value. What is in the gap?", ELBO),
    ("Watch it learn", "Press Start. Which term falls first, and why does the KL rise at the same time?", TRAINING),
    ("Drop a term", "Take the KL away, or the reconstruction. What dies? Predict first.", ABLATION),
    ("Make a classic mistake", "One wrong line in the loss. Would you notice? Which test would?", ABLATION),
    ("Give it more room", "Start anew with 16 latent dimensions. How many does it use?", TRAINING),
    ("Walk around in it", "Drag z and watch. Draw a digit: where does it land?", EXPLORER),
)
STATE = "home state"  # in the session: the component's state as last known
AGAIN = "home again"  # counts what a link put into that state


def page() -> None:
    link.open(adopt)
    st.title("ELBO Room", anchor=False)
    st.markdown(
        "A **variational autoencoder** presses an image into a small cloud of codes, and draws it again from one of "
        "them. **Drag the cloud, draw a digit, or press ▶** and watch it learn."
    )
    stage()
    lesson()


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
    row.page_link(TRAINING[0], label="Train it live", icon=TRAINING[2])
    if not shown.get("picture"):
        number = shown.get("number") or first_number()
        row.page_link(ELBO[0], label="Its ELBO", icon=ELBO[2], query_params=elbo_query(number, PLANE))
        row.page_link(EXPLORER[0], label="Its cloud", icon=EXPLORER[2], query_params=encode_query(number, PLANE))
    card = checkpoint(PLANE).card
    row.caption(
        f"Computed in your browser by {title_of(PLANE)}: {card['config']['epochs']} epochs, seed {card['seed']}, "
        f"−ELBO {card['test']['neg_elbo']:.1f} nats (grey MNIST, test, K = 1)."
    )
    link.write(shown={name: value for name, value in shown.items() if value is not None} or None)


def lesson() -> None:
    """The way through the lesson: questions, each answered on a page."""
    st.subheader("The lesson")
    for column, (title, question, (page, label, icon)) in zip(st.columns(len(LESSON)), LESSON, strict=True):
        with column.container(border=True, height="stretch"):
            st.markdown(f"**{title}**\n\n{question}")
            st.page_link(page, label=label, icon=icon)


page()
