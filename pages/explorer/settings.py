"""What the address of the page holds: the model, the way, and what rests in the component."""

import contextlib
from typing import Any

import streamlit as st

from pages.explorer.encoded import fill, shorten
from pages.explorer.ways import WAYS
from pages.ui.address import MOST, Address, Choice, Number, Part, Subject
from pages.ui.explore.sources import LABELS, Source, find
from pages.ui.shipped import PLANE
from pages.ui.words import quoted
from vae_core.data.images import DataError

PARTS = ("view", *WAYS)  # of the component's state
STATE = "explorer state"  # in the session: the component's state as last known
DATASET = "explorer dataset"  # in the session: of which test images that state speaks
AGAIN = "explorer again"  # counts what Python put into that state
_NO_WEIGHTS = (
    "Of the model {} no weights are here: a run keeps its first after seconds, and leaves with its owner; an opened "
    "file gives way to newer ones; and the images that it was trained on may be gone."
)


def _other_latents(part: dict[str, Any]) -> str:
    source, z = find(link.get("model")), part.get("z", [])
    dims = source.config.latent_dim if source is not None else 0
    if not isinstance(z, list):
        return "its z is no list of numbers"
    return f"its z has {len(z)} numbers, and the model {dims} latents" if "z" in part and len(z) != dims else ""


def _other_step(step: int) -> str:
    source = find(link.get("model"))
    if source is None or source.name != st.query_params.get("model") or source.step in (None, step):
        return ""
    return f"it was made at step {quoted(str(step))}, and the run has come to step {source.step:,}"


link = Address(
    "explorer",
    Subject("model", PLANE, find, _NO_WEIGHTS),
    Number("step", None, 0, MOST, key=None, misfit=_other_step),
    Choice("label", "0", LABELS),
    Choice("way", "pad", WAYS),
    *(Part(name, None, key=None, misfit=_other_latents) for name in PARTS),
)


def adopt(asked: dict[str, Any]) -> list[str]:
    """The parts that a link holds become the component's."""
    st.session_state.setdefault(STATE, {})
    st.session_state.setdefault(AGAIN, 0)
    source = find(link.get("model"))
    dataset = source.config.dataset if source is not None else "mnist"
    st.session_state[DATASET] = dataset
    for part in (part for part in PARTS if part in asked):
        with contextlib.suppress(DataError):  # of images that cannot be read; the page says so
            put(part, fill(asked[part], dataset) if part == "encode" else asked[part], whole=True)
    return []


def follow_images(source: Source) -> None:
    """Where a model of other images is chosen: what was a test image of the ones before is a picture like any other."""
    before = st.session_state.get(DATASET)
    st.session_state[DATASET] = source.config.dataset
    number = (st.session_state[STATE].get("encode") or {}).get("number")
    if before not in (None, source.config.dataset) and number is not None:
        put("encode", {"number": None})


def put(part: str, values: dict[str, Any], whole: bool = False) -> None:
    """Change a part of what the component shows, or replace it as a whole."""
    state = st.session_state
    before = {} if whole else state[STATE].get(part) or {}
    state[STATE] = {**state[STATE], part: {**before, **values}}
    state[AGAIN] += 1


def write_link(source: Source) -> None:
    """Put what is on the page into its address: of the component, the map, the pad and the way that is open."""
    state = st.session_state[STATE]
    parts = {part: state.get(part) or {} for part in ("view", "pad", link.get("way"))}
    parts |= {"encode": shorten(parts["encode"])} if "encode" in parts else {}
    own = {  # the others are still of another model
        part: value for part, value in parts.items() if len(value.get("z", ())) in (0, source.config.latent_dim)
    }
    link.write(step=source.step if source.is_run else None, **own)
