"""The script that Streamlit runs: page settings and navigation, nothing else."""

import streamlit as st

from pages.ui import lecturer, phone, style, visitor
from pages.ui.copy_link.view import show_copy_link
from pages.ui.lecture import bar
from pages.ui.page_names import PAGES

ICONS = {
    "home": "home",
    "elbo": "functions",
    "training": "monitoring",
    "plane": "scatter_plot",
    "ablation": "content_cut",
    "explorer": "explore",
    "family": "account_tree",
    "check": "quiz",
    "room": "dns",
}

st.set_page_config(page_title="ELBO Room", page_icon="🔬", layout="wide")
style.apply()
visitor.arrive()
bar.arrive()

hidden = {"check"} if lecturer.is_lecturer() else {"check", "room"}
page = st.navigation(
    [
        st.Page(
            f"{name}/page.py",
            title=PAGES[name].title,
            url_path=name,
            icon=f":material/{icon}:",
            default=name == "home",
            visibility="hidden" if name in hidden else "visible",
        )
        for name, icon in ICONS.items()
    ],
    position="top",
)
phone.close_menu(page.url_path)
lecturer.answer_key()
show_copy_link()
bar.show_bar()
page.run()
