"""The latent explorer: the picture follows the finger, in a model that runs in the visitor's browser."""

import contextlib
from dataclasses import replace
from typing import Any

import streamlit as st

from pages.explorer.code import code
from pages.explorer.encoded import number_of
from pages.explorer.give import give_drawing
from pages.explorer.labels import worth_of_labels
from pages.explorer.open_model import open_model
from pages.explorer.settings import AGAIN, STATE, adopt, follow_images, link, write_link
from pages.explorer.upload import upload
from pages.explorer.ways import ways_of
from pages.ui import notices, spoken, visitor
from pages.ui.explore.sources import LABELS, Source, find, listed
from pages.ui.explore.view import code_map_view, explorer_view
from pages.ui.gone import is_missing
from pages.ui.lecture import bar
from pages.ui.shipped import PLANE, elbo_query, missing, planes
from pages.ui.words import plain
from vae_core.data.images import DataError

VERSIONS = "explorer versions"  # in the session: the state of every run that has been on the page


def page() -> None:
    spoken.heading(1, "Explorer")
    link.open(adopt)
    if is_missing(link):
        return
    st.session_state[VERSIONS] = {}  # a component that is mounted anew fetches the last weights
    explore()


@st.fragment
def explore() -> None:
    """The whole page; it runs again by itself when a model or a way is chosen, or something has come to rest."""
    models = {source.name: source for source in listed(visitor.current())}
    if not models:
        st.error(missing(PLANE), icon=":material/error:")
        return
    source = held(choose(models))
    notices.show("explorer")
    follow_images(source)
    try:
        centred, names = source.pictures.centred, source.pictures.class_names
    except DataError as error:
        st.error(plain(str(error), 400), icon=":material/error:")
        return
    way = ways_of(source.family.has)[link.get("way")]
    if source.family.has.labels:
        source = tell_label(source, names)
    alone = not bar.asks(link.get("way"))  # else the lecture's bar has asked already
    if alone or link.get("way") == "encode":
        row = st.container(horizontal=True, vertical_alignment="center")
        if alone:
            see = way.plain if way.plain and not source.family.has.posterior else way.see
            row.markdown(f"**{way.ask if centred else way.other or way.ask}**", help=see)
        if link.get("way") == "encode":
            upload(row, centred)
    above = st.container()
    state = show(source)
    st.session_state[STATE] = state or {}
    if link.get("way") == "encode" and centred:
        give_drawing(above)
    st.caption(f"Computed now in your browser by {source.title}. {source.caption}")
    if link.get("way") == "encode":
        to_the_elbo(source)
    if link.get("way") == "labels":
        with contextlib.suppress(DataError):  # images that are gone: the component says so
            st.caption(worth_of_labels(replace(source, label=0)))  # the same whichever is chosen
    write_link(source)
    code(link.get("way"), source)


def show(source: Source) -> dict[str, Any] | None:
    """The component in which it is explored; returns what that has told."""
    told: dict[str, Any] = {"version": source.stamp, "state": st.session_state[STATE], "again": st.session_state[AGAIN]}
    told["images"] = source.pictures.counts
    if source.family.has.code_map:
        return {**told["state"], **(code_map_view(source.name, key="code map view", **told) or {})}
    return explorer_view(source.address, source.config.latent_dim, link.get("way"), key="explorer view", **told)


def to_the_elbo(source: Source) -> None:
    """The same test image in the same model, where every integral can be computed."""
    if source.name not in planes():
        return
    number = number_of(st.session_state[STATE].get("encode") or {}, source.config.dataset)
    if number is not None:
        query = elbo_query(number, source.name)
        st.page_link("elbo/page.py", label="Its ELBO", icon=":material/functions:", query_params=query)


def tell_label(source: Source, names: tuple[str, ...]) -> Source:
    """The model with the label that both halves are to be told; names: of the ten classes."""
    st.segmented_control(
        "Label y that both halves are told",
        LABELS,
        format_func=lambda label: names[int(label)],
        required=True,
        **link.kept("label"),
        help="The map shows each code as encoded with its image's own label.",
    )
    return replace(source, label=int(link.get("label")))


def held(source: Source) -> Source:
    """Of a run the state that was the last when it was chosen, until a newer one is wanted."""
    chosen = st.session_state.setdefault(VERSIONS, {})
    shown = chosen.setdefault(source.name, source)
    if shown.stamp != source.stamp and st.button(
        f"Take the newer weights, of step {source.step:,}",
        icon=":material/refresh:",
        help=f"The run has gone on; what is shown was loaded at step {shown.step:,}.",
    ):
        chosen[source.name] = source
    return chosen[source.name]


def choose(models: dict[str, Source]) -> Source:
    """Which model, and which way."""
    asked = link.get("model")
    if asked not in models:
        found = find(asked) or st.session_state.get(VERSIONS, {}).get(asked)  # by its link
        if found is None:
            why = missing(PLANE) if asked == PLANE else "No weights of that run are kept now."
            notices.put("explorer", f"{why} Another model is shown.")
            found = next(iter(models.values()))
            st.session_state[link.key("model")] = found.name
        models[found.name] = found
    row = st.container(horizontal=True, vertical_alignment="center")
    left = row.container(horizontal=True, vertical_alignment="center", width=480, key="controls-model")
    left.selectbox(
        "Model",
        list(models),
        format_func=lambda name: models[name].title,
        label_visibility="collapsed",
        **link.kept("model"),
        help="Models that ship, those that you open, and your own runs where weights are kept.",
    )
    open_model(left)
    ways = ways_of(models[link.get("model")].family.has)
    if link.get("way") not in ways:  # another family's
        st.session_state[link.key("way")] = next(iter(ways))
    row.segmented_control(
        "Way",
        list(ways),
        format_func=lambda name: ways[name].title,
        required=True,
        label_visibility="collapsed",
        width="stretch",
        **link.kept("way"),
    )
    spoken.heading(2, ways[link.get("way")].title)
    return models[link.get("model")]


page()
