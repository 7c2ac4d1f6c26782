"""A picture of the visitor's own, made to look as the images of the model do, and handed to the component."""

import base64
import threading

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.explorer.settings import put
from vae_core.data.own_files import fit
from vae_core.data.picture import MAX_BYTES, PictureError, read_grey, read_ink

_KEY, _SEEN = "explorer upload", "explorer upload seen"
_one_at_a_time = threading.Lock()  # a photo of 25 million pixels takes 400 MB for a moment


def upload(row: DeltaGenerator, centred: bool) -> None:
    """The uploader, in a row; a picture that cannot be used gets one sentence, and what was on the page stays.

    Args:
        centred: whether the model was trained on images that are scaled and centred as MNIST's.
    """
    what, how = (
        ("a digit", "It is cropped, scaled to 20 × 20 and centred by its mass, as MNIST was. It is not stored.")
        if centred
        else ("a picture", "It is made 28 × 28 and grey. It is not stored.")
    )
    with row.popover(f"Upload {what}", icon=":material/upload:"):
        file = st.file_uploader(
            "A photo or scan of one digit (PNG or JPEG)" if centred else "A picture (PNG or JPEG)",
            type=["png", "jpg", "jpeg"],
            key=_KEY,
            max_upload_size=MAX_BYTES // 1_000_000,
            help=how,
        )
        below = st.container()
    if file is None:
        return
    taken, refusal, seen = st.session_state.get(_SEEN, (None, "", None))
    if taken != (file.file_id, centred):  # not again with every run of the page: a large photo takes a second or two
        refusal, seen = take(file.getvalue(), centred)
        st.session_state[_SEEN] = (file.file_id, centred), refusal, seen
    if seen is not None and not refusal:
        _show(below, seen)
    if refusal:
        place = st.container(horizontal=True)
        place.warning(refusal, icon=":material/error:")
        if seen is not None:
            _show(place, seen)


def take(data: bytes, centred: bool) -> tuple[str, np.ndarray | None]:
    """Hand a picture to the component; returns why it cannot be used, or nothing, and a picture of what was seen."""
    seen = None
    try:
        with _one_at_a_time:
            if centred:
                reading = read_ink(data)
                picture, seen = reading.digit, reading.seen
            else:
                picture = _fitted(data)
    except PictureError as error:
        return str(error), error.seen
    put("encode", {"of": "picture", "picture": base64.b64encode(picture.tobytes()).decode(), "number": None})
    return "", seen


def _show(place: DeltaGenerator, seen: np.ndarray) -> None:
    """What was understood, small: nobody should guess why a model sees a blot."""
    place.image(seen, caption="Red: taken for ink", width=120)


def _fitted(data: bytes) -> np.ndarray:
    picture = fit(read_grey(data))  # (28, 28), as uploads to train on
    if not picture.any():
        raise PictureError("The picture is all black: choose another.")
    return picture
