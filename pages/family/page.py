"""The family: models side by side, what each minimises, makes of the same images, and is good for."""

import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.family.factors import factor_tables, has_factors, traversals
from pages.family.pictures import code_maps, copies, draws, latent_space, snapshot_of
from pages.family.samples import what_samples_do
from pages.family.settings import FACTORS, MOST, link
from pages.family.table import figures_table
from pages.ui import glossary, notices, spoken
from pages.ui.explore.sources import explorable
from pages.ui.lecture import bar
from pages.ui.palette import is_dark
from pages.ui.shipped import PLANE, cards, encode_query, missing, title_of
from vae_core.config import RunConfig
from vae_core.data.sets import name_of
from vae_core.inspect.snapshot import Snapshot
from vae_core.models import family
from vae_core.models.base import Has

# Names, losses, pictures and maps of three models on one screen of 1280 × 720, also on the projector.
_LOOKS = """
.stMain [class*="st-key-family-"] { gap: 0.3rem; }
[class*="st-key-family-"] h2 { font-size: 1.06rem; padding: 0 0 0.8rem; white-space: nowrap; }
[class*="st-key-family-"] .katex-display { margin: 0.1rem 0 1.1rem; }
.stMain [class*="st-key-latent-map"] { flex-wrap: nowrap; }
[class*="st-key-family-"] .katex { font-size: calc(1.21rem - var(--present, 0) * 0.28rem); }
"""


def page() -> None:
    link.open()
    if bar.in_address():  # a lecture has its question on top
        spoken.heading(1, "The family")
    else:
        st.title("The family", anchor=False)
    if not cards():
        st.error(missing(PLANE), icon=":material/error:")
        return
    side_by_side()


@st.fragment
def side_by_side() -> None:
    """The chosen models; runs again by itself when others are chosen."""
    notices.show("family")
    row = st.container(horizontal=True, vertical_alignment="bottom", key="controls-models")
    row.multiselect(
        "Models",
        list(cards()),
        format_func=title_of,
        max_selections=MOST,
        label_visibility="collapsed",
        **link.kept("models"),
    )
    if there := [name for name in FACTORS if name in cards()]:
        row.button("One latent, one factor?", on_click=choose, args=(there,), help="Both models of Circles.")
    names = [name for name in link.get("models") if name in cards()]
    if not names:
        st.info("Choose one to three models.", icon=":material/account_tree:")
    else:
        st.html(f"<style>{_LOOKS}</style>")
        for place, name in zip(st.columns(len(names)), names, strict=True):
            with place.container(key=f"family-{name}"):
                column(name)
        st.table(figures_table(names))
        st.caption(
            f"{measured_on(names)}, {samples_of(names)}, ± standard error: from the cards. Pictures and maps are "
            "computed now."
        )
        if with_factors := [name for name in names if has_factors(name)]:
            factor_tables(with_factors)
    link.write()


def choose(names: list[str]) -> None:
    """Callback: these models in place of those on the page."""
    st.session_state[link.key("models")] = names


def measured_on(names: list[str]) -> str:
    """The images that the cards' figures are means over: "10,000 test images, grey MNIST"."""
    tests = [(cards()[name]["test"], cards()[name]["config"]) for name in names]
    return "; ".join(
        dict.fromkeys(
            f"{test['images']:,} test images, {test['protocol']} {name_of(config['dataset'])}" for test, config in tests
        )
    )


def samples_of(names: list[str]) -> str:
    """How many samples of z the figures take: "K = 1", and another number where a model's loss is a bound of more."""
    configs = [RunConfig.from_dict(cards()[name]["config"]) for name in names]
    more = {config.samples for config in configs if "samples" in family(config.model).SETTINGS}
    return f"K = 1 (−L_K: K = {', '.join(map(str, sorted(more)))})" if more else "K = 1"


def column(name: str) -> None:
    """One model from top to bottom: what a class compares is in view at once."""
    kind = family(cards()[name]["config"]["model"])
    st.header(title_of(name), anchor=False)
    if kind.about is not None:
        st.latex(kind.about.loss)
    shot = snapshot_of(name)
    st.html(copies(name))
    if len(shot.prior_draws):
        st.html(draws(name))
    st.caption(what_pictures_show(kind.has, shot), unsafe_allow_html=True)
    if len(shot.xy):
        with st.container(horizontal=True, horizontal_alignment="center", gap="small", key=f"latent-map-{name}"):
            st.html(latent_space(name, is_dark()), width="content")
            st.caption(what_the_map_shows(kind.has, shot))
    if has_factors(name):
        st.html(traversals(name))
        st.caption("Each latent moved through N(0, 1), the others at 0; beside it the factor it says most of, in nats.")
    if len(shot.code_maps):
        st.html(code_maps(name))
        st.caption("Code maps of the ten images: a colour for each vector of the codebook.")
    if kind.about is not None:
        st.markdown(f"**For** {kind.about.use}\n\n**Limits** {kind.about.limits}")
        st.markdown(f":small[[{kind.about.paper}]({kind.about.address})]")
    if explorable(RunConfig.from_dict(cards()[name]["config"])):
        query = encode_query(0, name)
        st.page_link("explorer/page.py", label="Explore it", icon=":material/explore:", query_params=query)
    for point in kind.points():
        source(point)
    if kind.has.tighter:
        what_samples_do(name)
    with st.expander("Its source", icon=":material/code:", key=f"source of {name}", on_change="rerun") as box:
        if box.open:
            source(kind.forward)


def what_pictures_show(has: Has, shot: Snapshot) -> str:
    """Caption of the rows of pictures, in Markdown with HTML."""
    rows = f"Test images, {'with noise, ' if len(shot.inputs) else ''}their copies"
    if not len(shot.prior_draws):
        return f"{rows}."
    told = ", in each row one z, told each label in turn" if has.labels else ""
    return f"{rows}; {glossary.explained('decoded z ~ [[N(0, I)]]')}{told}."


def what_the_map_shows(has: Has, shot: Snapshot) -> str:
    """Caption of the latent map."""
    more = f" in a plane with {shot.explained:.0%} of their variance" if shot.mu.shape[1] > 2 else ""
    asked = "" if has.prior else " Its training never asked for draws from N(0, I)."
    return f"Codes of 5,000 test images{more}.{asked}"


def source(function: Callable[..., Any]) -> None:
    st.code(textwrap.dedent(inspect.getsource(function)).rstrip(), language="python", wrap_lines=True)


page()
