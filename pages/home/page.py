"""Home: what a VAE is on one screen, with a real image in a real model, and the way through the lesson."""

import streamlit as st

from pages.home.diagram import diagram
from pages.home.example import Codes, codes, passage
from pages.home.settings import link
from pages.ui import notices
from pages.ui.once import computed_once
from pages.ui.palette import is_dark
from pages.ui.shipped import PLANE, checkpoint, elbo_query, encode_query, images, missing, planes, title_of

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


def page() -> None:
    link.open()
    st.title("ELBO Room", anchor=False)
    st.markdown(
        "A **variational autoencoder** presses an image into a small cloud of codes, and draws it again from one "
        "of them. It learns by making the sum of two terms small: one asks for a good copy, the other for tidy codes."
    )
    example()
    lesson()


@st.fragment
def example() -> None:
    """One test image on its way through the shipped model."""
    if PLANE not in planes():
        st.error(missing(PLANE), icon=":material/error:")
        return
    notices.show("home")
    row = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="center")
    row.segmented_control(
        "Digit",
        range(10),
        required=True,
        label_visibility="collapsed",
        **link.kept("digit"),
    )
    row.button("Another image", icon=":material/image:", key="home_image", on_click=count, args=("image",))
    row.button("Another sample", icon=":material/casino:", key="home_sample", on_click=count, args=("sample",))
    shipped = checkpoint(PLANE)
    links = row.container(horizontal=True)
    p = passage(shipped.model, images(), link.get("digit"), link.get("image"), link.get("sample"))
    links.page_link(ELBO[0], label="Its ELBO", icon=ELBO[2], query_params=elbo_query(p.number, PLANE))
    links.page_link(EXPLORER[0], label="Its cloud", icon=EXPLORER[2], query_params=encode_query(p.number, PLANE))
    st.html(diagram(p, all_codes(), is_dark()))
    card = shipped.card
    st.caption(
        f"Computed now by {title_of(PLANE)}: {card['config']['epochs']} epochs, seed {card['seed']}, "
        f"−ELBO {card['test']['neg_elbo']:.1f} nats (grey MNIST, test, K = 1). The cloud, ellipses of 1 and 2 std, is "
        "at true scale among the codes of 2,000 test images. x̂ is decoded from z, not from mu."
    )
    link.write()


@computed_once(None)
def all_codes() -> Codes:
    """Computed once per server."""
    return codes(checkpoint(PLANE).model, images())


def count(name: str) -> None:
    """Callback: the next image, or the next draw of eps."""
    st.session_state[link.key(name)] += 1


def lesson() -> None:
    """The way through the lesson: questions, each answered on a page."""
    st.subheader("The lesson")
    for column, (title, question, (page, label, icon)) in zip(st.columns(len(LESSON)), LESSON, strict=True):
        with column.container(border=True, height="stretch"):
            st.markdown(f"**{title}**\n\n{question}")
            st.page_link(page, label=label, icon=icon)


page()
