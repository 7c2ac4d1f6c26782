"""Images of the visitor's own: uploaded, checked, and chosen to train on."""

import functools
import io
import threading
from collections.abc import Iterator
from typing import Any

import pandas as pd
import streamlit as st

from pages.training.settings import link
from pages.ui import visitor
from pages.ui.words import plain
from vae_core.data.images import DataError
from vae_core.data.own import make, read_file
from vae_core.data.own_files import File, Gathered, gather
from vae_core.data.picture import MAX_BYTES
from vae_core.runs import registry, uploads

_KEY, _OUTCOME = "own images", "own images outcome"
_PICTURES = (".png", ".jpg", ".jpeg")
_one_at_a_time = threading.Lock()  # 500 million pixels take seconds and memory


def own_images() -> None:
    """The uploader, and what came of the last upload."""
    with st.popover("Your own images", icon=":material/upload:", width="stretch"):
        st.file_uploader(
            "A zip of pictures, an npz file, or several pictures (PNG, JPEG)",
            type=["zip", "npz", "png", "jpg", "jpeg"],
            accept_multiple_files=True,
            key=_KEY,
            on_change=take,
            max_upload_size=MAX_BYTES // 1_000_000,
            help="They become 28 × 28 grey; sub-folders of a zip are labels. Only you see them, and up to "
            f"{uploads.OF_ONE} sets of yours stay on the server: the one not used for longest gives way.",
        )
        sentence, usable, refused = st.session_state.get(_OUTCOME) or ("", True, [])
        if sentence:
            (st.success if usable else st.warning)(sentence)
        if refused:
            st.dataframe(pd.DataFrame(refused, columns=["refused", "why"]), hide_index=True, height=200)


def take() -> None:
    """Callback: read what was uploaded, keep it, and choose it for the next run."""
    files = st.session_state.get(_KEY) or []
    if not files:
        st.session_state.pop(_OUTCOME, None)
        return
    refused: list[tuple[str, str]] = []
    try:
        with _one_at_a_time:
            found = _read(files)
            refused = found.refused
            made = make(found, "Your own images")
            refused = made.refused
            name = uploads.keep(made, visitor.current(), uploads.in_use(registry.shared().runs()))
    except DataError as error:
        st.session_state[_OUTCOME] = plain(str(error), 400), False, refused
        return
    names = made.about["class_names"]
    labels = f"{len(names)} classes" if names else "no labels"
    counts = f"{len(made.arrays['x_train']):,} train, {len(made.arrays['x_test']):,} test"
    sentence = f"{made.count:,} images ({counts}, {labels}), {len(refused):,} refused. **Start** trains on them."
    st.session_state[_OUTCOME] = sentence, True, refused
    st.session_state[link.key("dataset")] = name


def _read(files: list[Any]) -> Gathered:
    """One archive, or pictures."""
    if len(files) == 1 and not files[0].name.lower().endswith(_PICTURES):
        return read_file(io.BytesIO(files[0].getvalue()), files[0].name.lower(), uploads.LIMITS)
    return gather(_pictures(files), uploads.LIMITS)


def _pictures(files: list[Any]) -> Iterator[File]:
    for file in files:
        yield File(file.name, functools.partial(_start_of, file))


def _start_of(file: Any, most: int) -> bytes:
    return bytes(file.getbuffer()[:most])
