"""What the address of the page holds: section, arms, settings, the group and the moment."""

from typing import Any

import streamlit as st

from pages.ablation import actions
from pages.ablation.arms import BY_KEY, DEFAULT, LATENT_DIMS
from pages.ablation.bugs import BUGS
from pages.ui import visitor
from pages.ui.address import MOST, Address, Choice, Number, Several, Subject
from vae_core.runs import registry

SECTIONS = {"arms": "Drop a term", "bugs": "Bug lab", "dose": "Dose"}
EPOCHS = (1, 50)
TOSSES = (10, 100, 1000, 10_000)
_GROUPS = {"arms": actions.ARMS_GROUP, "bugs": actions.BUG_GROUP, "dose": actions.DOSE_GROUP}
_ARMS_GONE = "The arms of this address are not here: they were removed, or come back with their owner, who is away."
_POINTS_GONE = "not all points that it names are on this server any more"


def group_key() -> str:
    """Where the group of the section on the page stands in the session state."""
    return _GROUPS[link.get("section")]


link = Address(
    "ablation",
    Choice("section", "arms", SECTIONS),
    Several("arms", DEFAULT, BY_KEY.get, f"arms {{}} are not offered here: choose of {', '.join(BY_KEY)}"),
    Number("beta", 8.0, 0.1, 32.0, first=32.0),  # of the arm that ships
    Choice("latent_dim", 2, LATENT_DIMS),
    Number("epochs", 2, *EPOCHS),
    Number("seed", 0, 0, MOST),
    Choice("ask", True, (True, False)),
    Choice("hands", False, (False, True)),
    Choice("bug", BUGS[0].key, [bug.key for bug in BUGS]),
    Number("dose_beta", 1.5, 0.05, 64.0),
    Number("dose_epochs", 10, *EPOCHS),
    Choice("equal", False, (False, True)),  # the expander on what equal distributions say
    Choice("tosses", 1000, TOSSES),
    Number("toss", 0, 0, MOST),
    Choice("sizes", False, (False, True)),  # the expander of autoencoders against VAEs
    Choice("cures", False, (False, True)),  # and that of the cures of a collapse
    Several("points", (), lambda run: registry.shared().get(run), _POINTS_GONE),
    Subject("run", None, lambda group: registry.shared().members(group), _ARMS_GONE, key=group_key),
    Number("step", None, 0, MOST, key=actions.MOMENT),
)


def find_own(_asked: dict[str, Any]) -> list[str]:
    """What this visitor trained before comes back to the section that it belongs to, unless a link names another."""
    for group in registry.shared().groups_of(visitor.current()):  # the newest first
        for run in registry.shared().members(group)[:1]:  # another window may just have removed them
            if run.arm is not None and run.arm.place in _GROUPS.values():
                st.session_state.setdefault(run.arm.place, group)
    return []


def write_link(at: int | None) -> None:
    """Put what is on the page into its address; `at`: the step at which the film rests."""
    runs = actions.members(group_key())
    link.write(arms=[key for key in BY_KEY if key in link.get("arms")], run=runs[0].group if runs else None, step=at)
