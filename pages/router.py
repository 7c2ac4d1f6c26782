"""The script that Streamlit runs: page settings and navigation, nothing else."""

import streamlit as st

from pages.ui import lecturer, phone, style, visitor
from pages.ui.copy_link.view import show_copy_link
from pages.ui.lecture import bar
from pages.ui.page_names import PAGES

st.set_page_config(page_title="ELBO Room", page_icon="🔬", layout="wide")
style.apply()
visitor.arrive()
bar.arrive()

page = st.navigation(
    [
        st.Page("home/page.py", title=PAGES["home"].title, url_path="home", icon=":material/home:", default=True),
        st.Page(
            "elbo/page.py",
            title=PAGES["elbo"].title,
            url_path="elbo",
            icon=":material/functions:",
            help=PAGES["elbo"].sentence,
        ),
        st.Page(
            "training/page.py",
            title=PAGES["training"].title,
            url_path="training",
            icon=":material/monitoring:",
            help=PAGES["training"].sentence,
        ),
        st.Page(
            "plane/page.py",
            title=PAGES["plane"].title,
            url_path="plane",
            icon=":material/scatter_plot:",
            help=PAGES["plane"].sentence,
        ),
        st.Page(
            "ablation/page.py",
            title=PAGES["ablation"].title,
            url_path="ablation",
            icon=":material/content_cut:",
            help=PAGES["ablation"].sentence,
        ),
        st.Page(
            "explorer/page.py",
            title=PAGES["explorer"].title,
            url_path="explorer",
            icon=":material/explore:",
            help=PAGES["explorer"].sentence,
        ),
        st.Page(
            "family/page.py",
            title=PAGES["family"].title,
            url_path="family",
            icon=":material/account_tree:",
            help=PAGES["family"].sentence,
        ),
        st.Page(
            "check/page.py",
            title=PAGES["check"].title,
            url_path="check",
            visibility="hidden",
            help=PAGES["check"].sentence,
        ),
        st.Page(
            "room/page.py",
            title=PAGES["room"].title,
            url_path="room",
            icon=":material/dns:",
            visibility="visible" if lecturer.is_lecturer() else "hidden",
            help=PAGES["room"].sentence,
        ),
    ],
    position="top",
)
phone.close_menu(page.url_path)
lecturer.answer_key()
show_copy_link()
bar.show_bar()
page.run()
