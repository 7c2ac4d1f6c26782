"""Drawings of the class as a set: the lecturer opens the collection, sees what comes, removes what shall not stay."""

import base64
import functools
import io

import pandas as pd
import streamlit as st
from PIL import Image

from pages.ui import notices, visitor
from pages.ui.words import plain
from vae_core.data.images import DataError
from vae_core.runs import drawings, registry, uploads
from vae_core.runs.drawings import Drawing

EVERY_S = 3.0
_BOX, _PLACE, _LABELS, _TABLE, _MADE = "drawings box", "drawings", "drawings labels", "drawings table", "drawings made"


def collection() -> None:
    """What can be opened on the page."""
    with st.expander("Drawings of the class", icon=":material/draw:", key=_BOX, on_change="rerun") as box:
        if box.open:
            _collection()


@st.fragment(run_every=EVERY_S)
def _collection() -> None:
    """All of it; drawings come in while it is looked at."""
    found, is_open = drawings.drawings(), drawings.is_open()
    row = st.container(horizontal=True, vertical_alignment="center")
    if is_open:
        row.button("Close the collection", icon=":material/lock:", on_click=drawings.close, key="drawings close")
    else:
        row.button("Open the collection", icon=":material/draw:", on_click=_open, key="drawings open")
        row.checkbox("ask for labels", value=True, key=_LABELS)
    row.button("Make a set", disabled=not found, on_click=_make, key="drawings make")
    row.button("Remove all", disabled=not found, on_click=_remove_all, key="drawings remove all")
    st.caption(_state(found, is_open))
    notices.show(_PLACE)
    if name := st.session_state.get(_MADE):
        st.page_link(
            "training/page.py", label="Train on them", icon=":material/play_arrow:", query_params={"dataset": name}
        )
    if found:
        _table(found)


def _state(found: list[Drawing], is_open: bool) -> str:
    without = sum(not drawing.label for drawing in found)
    some = f" {without:,} have no label, so a set of all has none: remove these to keep the others' labels."
    where = ": in the Explorer, under Encode, everybody can give theirs" if is_open else ""
    state = f"{len(found):,} drawings, {'open' if is_open else 'closed'}{where}."
    return state + (some if 0 < without < len(found) else "")


def _table(found: list[Drawing]) -> None:
    """The pictures; rows that are chosen can be removed."""
    st.dataframe(
        pd.DataFrame({"drawing": [_as_url(d.pixels.tobytes()) for d in found], "label": [d.label for d in found]}),
        column_config={"drawing": st.column_config.ImageColumn(width="small")},
        key=_key(),
        on_select="rerun",
        selection_mode="multi-row",
        row_height=44,
        width=320,
    )
    names = [drawing.name for drawing in found]
    chosen = [names[i] for i in _chosen() if i < len(names)]
    st.button("Remove the chosen", disabled=not chosen, on_click=_remove, args=(chosen,), key="drawings remove")


def _key() -> str:
    """Of the table: another once something was removed, so that no row stays chosen that is another one by now."""
    return f"{_TABLE} {st.session_state.get(_TABLE, 0)}"


def _chosen() -> list[int]:
    return list((st.session_state.get(_key()) or {}).get("selection", {}).get("rows", []))


def _remove(names: list[str]) -> None:
    for name in names:
        drawings.remove(name)
    st.session_state[_TABLE] = st.session_state.get(_TABLE, 0) + 1


def _remove_all() -> None:
    drawings.remove_all()
    st.session_state[_TABLE] = st.session_state.get(_TABLE, 0) + 1


def _open() -> None:
    try:
        drawings.open_for_all(bool(st.session_state.get(_LABELS, True)))
    except DataError as error:
        notices.put(_PLACE, plain(str(error)))


def _make() -> None:
    """Callback: from now on they are one of the lecturer's own sets."""
    notices.clear(_PLACE)
    try:
        made = drawings.as_set()
        st.session_state[_MADE] = uploads.keep(made, visitor.current(), uploads.in_use(registry.shared().runs()))
    except DataError as error:
        notices.put(_PLACE, plain(str(error), 400))


@functools.lru_cache(maxsize=drawings.MOST)
def _as_url(pixels: bytes) -> str:
    file = io.BytesIO()
    Image.frombytes("L", (drawings.SIDE, drawings.SIDE), pixels).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
