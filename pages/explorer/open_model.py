"""Open a model: somebody's own weights, from a file, among the models of the explorer."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.explorer.settings import link
from pages.ui import visitor
from pages.ui.explore.opened import MOST_MB, shelf
from pages.ui.explore.sources import runs_in_browser
from pages.ui.words import plain
from vae_core.config import ACTIVATIONS
from vae_core.foreign import SUMMED_SQUARES, ForeignError, Opened, open_bytes

_OPEN, _COUNT, _REFUSED = "explorer open model", "explorer models opened", "explorer model refused"
_ACTIVATION, _LIKELIHOOD = "explorer opened activation", "explorer opened likelihood"
_LIKELIHOODS = {
    "bernoulli": "Bernoulli (binary cross-entropy)",
    "gaussian": "Gaussian (summed squared error, sigma 0.71)",
}


def open_model(row: DeltaGenerator) -> None:
    """A popover with the file, the two questions that no file answers, and why the last one was refused."""
    with row.popover("Open a model", icon=":material/folder_open:", key=_OPEN, on_change="rerun") as box:
        if not box.open:
            return
        key = f"explorer model file {st.session_state.get(_COUNT, 0)}"  # a new one empties the uploader
        file = st.file_uploader(
            "Weights of a VAE or autoencoder of 28 × 28 images",
            type=["safetensors", "pt", "pth", "zip"],
            key=key,
            max_upload_size=MOST_MB,
            help="A state dict of PyTorch, or a zip or model.safetensors from here. Only tensors are read; nothing in "
            "the file is run. Your last four are kept.",
        )
        st.segmented_control(
            "Activation of its layers",
            ACTIVATIONS,
            default="relu",
            required=True,
            key=_ACTIVATION,
            persist_state="session",
        )
        st.selectbox(
            "Likelihood",
            list(_LIKELIHOODS),
            format_func=_LIKELIHOODS.__getitem__,
            key=_LIKELIHOOD,
            persist_state="session",
        )
        st.button("Open", type="primary", disabled=file is None, on_click=_take, args=(key,), width="stretch")
        if file is not None and (refusal := st.session_state.get(_REFUSED)) and refusal[0] == file.file_id:
            _tell(refusal[1])


def _tell(error: ForeignError) -> None:
    """One sentence and, where tensors do not fit, what is expected beside what was found."""
    st.warning(plain(str(error), 400), icon=":material/error:")
    if error.rows:
        columns = ("expected", "shape", "found", "its shape")
        st.dataframe([dict(zip(columns, row, strict=True)) for row in error.rows], hide_index=True, height=240)


def _take(key: str) -> None:
    """Callback: open the file, and choose its model."""
    state = st.session_state
    if (file := state.get(key)) is None:
        return
    likelihood = state[_LIKELIHOOD]
    try:
        opened = open_bytes(file.name, file.getvalue(), state[_ACTIVATION], likelihood, SUMMED_SQUARES)
        made = shelf().put(visitor.current(), file.name, _explorable(file.name, opened))
    except ForeignError as error:
        state[_REFUSED] = file.file_id, error
        return
    state[_COUNT] = state.get(_COUNT, 0) + 1
    state[_OPEN] = False
    state[link.key("model")] = made.name


def _explorable(name: str, opened: Opened) -> Opened:
    """
    Raises:
        ForeignError: the browser does not know networks of this kind.
    """
    if not runs_in_browser(opened.config):
        raise ForeignError(f"{name} is a model ({opened.config.model}) that no way here can explore: open a VAE.")
    return opened
