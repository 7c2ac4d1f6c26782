"""The script that Streamlit runs: page settings and navigation, nothing else."""

import streamlit as st

from pages.ui import lecturer, phone, style, visitor
from pages.ui.lecture import bar

st.set_page_config(page_title="ELBO Room", page_icon="🔬", layout="wide")
style.apply()
visitor.arrive()
bar.arrive()

page = st.navigation(
    [
        st.Page("home/page.py", title="Home", url_path="home", icon=":material/home:", default=True),
        st.Page(
            "elbo/page.py",
            title="The ELBO",
            url_path="elbo",
            icon=":material/functions:",
            help="Derive the bound, line by line, with every line's value.",
        ),
        st.Page(
            "training/page.py",
            title="Live training",
            url_path="training",
            icon=":material/monitoring:",
            help="Train a VAE on real digits and watch every term of its loss.",
        ),
        st.Page(
            "plane/page.py",
            title="The plane",
            url_path="plane",
            icon=":material/scatter_plot:",
            help="Watch the bound approach log p(x), which is exact here.",
        ),
        st.Page(
            "ablation/page.py",
            title="Ablation",
            url_path="ablation",
            icon=":material/content_cut:",
            help="Drop a term of the loss and see what dies, arm beside arm.",
        ),
        st.Page(
            "explorer/page.py",
            title="Explorer",
            url_path="explorer",
            icon=":material/explore:",
            help="Move through latent space: the picture follows the finger.",
        ),
        st.Page(
            "family/page.py",
            title="The family",
            url_path="family",
            icon=":material/account_tree:",
            help="Models side by side: what each minimises, and what comes of it.",
        ),
        st.Page(
            "check/page.py",
            title="Five questions",
            url_path="check",
            visibility="hidden",
            help="What people get wrong about VAEs; Home leads there.",
        ),
        st.Page(
            "room/page.py",
            title="Engine room",
            url_path="room",
            icon=":material/dns:",
            visibility="visible" if lecturer.is_lecturer() else "hidden",
            help="For the lecturer: what the server is doing, and for whom.",
        ),
    ],
    position="top",
)
phone.close_menu(page.url_path)
lecturer.answer_key()
bar.show_bar()
page.run()
