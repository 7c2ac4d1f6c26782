"""What the address of the page holds: the set, the model, the run, the moment and the point that is chosen."""

from typing import Any

import streamlit as st

from pages.ui import visitor
from pages.ui.address import MOST, Address, Choice, Named, Number, Subject
from vae_core import datasets
from vae_core.config import RunConfig
from vae_core.data import points
from vae_core.runs import registry
from vae_core.runs.run_record import RunRecord

GROUP, MOMENT, POINT = "plane group", "plane moment", "plane point"  # in the session
DRAWN = "plane drawn"  # in the session: the name of the drawn set, if there is one
HAND = "drawn"
SETS = {**points.TITLES, HAND: "Drawn"}
WIDTHS, ACTIVATION = "64-64", "tanh"  # a smooth decoder, so that quadrature is exact to many digits
BATCH = 100
_RUN_GONE = "The run of this address is not here: it was removed, or comes back with its owner, who is away."
_POINTS_GONE = "the points that it drew are not on this server any more"


def is_kept(name: str) -> bool:
    """Whether it is a drawn set that is here."""
    return points.is_drawn(name) and datasets.find(name) is not None


def runs_of(group: str) -> list[RunRecord]:
    """The run on points in a group of its own; none where it is a group of other runs."""
    return [run for run in registry.shared().members(group) if datasets.is_points(run.config.dataset)]


GIVEN = "plane given"  # in the session: counts the sets that the pad is given, where the hand did not draw them

link = Address(
    "plane",
    Choice("set", "ring", SETS),
    Number("points", points.TRAIN, 20, points.MOST),
    Named("drawn", None, is_kept, _POINTS_GONE, key=DRAWN),
    Choice("latent_dim", 1, (1, 2)),
    Number("beta", 1.0, 0.0, 10.0),
    Number("sigma", 0.15, 0.05, 1.0),
    Choice("learn_sigma", False, (False, True)),
    Number("steps", 20_000, 100, 100_000),
    Number("seed", 0, 0, MOST),
    Subject("run", None, runs_of, _RUN_GONE, key=GROUP),
    Number("step", None, 0, MOST, key=MOMENT),
    Number("point", None, 0, points.MOST, key=POINT),
)


def find_own(asked: dict[str, Any]) -> list[str]:
    """What this visitor trained here before comes back, unless a link names another. The pad shows a link's points."""
    if "drawn" in asked:
        st.session_state[GIVEN] = st.session_state.get(GIVEN, 0) + 1
    for group in registry.shared().groups_of(visitor.current()):  # the newest first
        for run in registry.shared().members(group)[:1]:  # another window may just have removed them
            if run.arm is not None and run.arm.place == GROUP:
                st.session_state.setdefault(GROUP, group)
    return []


def dataset() -> str | None:
    """The name of the chosen set; None where nothing has been drawn yet."""
    if link.get("set") != HAND:
        return points.named(link.get("set"), link.get("points"), link.get("seed"))
    name = link.get("drawn")
    return name if name and is_kept(name) else None


def config(name: str) -> RunConfig:
    """The run that Start makes, on a set of this name.

    Raises:
        ConfigError: a setting that cannot be used.
    """
    return RunConfig(
        dataset=name,
        widths=WIDTHS,
        activation=ACTIVATION,
        latent_dim=link.get("latent_dim"),
        likelihood="gaussian-learned" if link.get("learn_sigma") else "gaussian",
        sigma=link.get("sigma"),
        beta=link.get("beta"),
        batch_size=BATCH,
        steps=link.get("steps"),
        seed=link.get("seed"),
    )
