"""What the sections share: the row of buttons, and the arms side by side."""

import functools
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import streamlit as st

from pages.ablation import actions, predict
from pages.ablation.arms import FULL, key_of
from pages.ablation.settings import link
from pages.ui.arms.view import ArmShown, Look, arms_view
from pages.ui.buttons import command_button
from pages.ui.lecture.bar import PRESENT
from pages.ui.shipped import real_images, shipped_arms
from pages.ui.words import counted
from vae_core import models
from vae_core.config import RunConfig
from vae_core.metrics.definitions import METRICS
from vae_core.models import family
from vae_core.runs import registry
from vae_core.runs.messages import ENDED, PAUSED
from vae_core.runs.run_record import SAVED, SHIPPED, RunRecord

COLUMNS = [asdict(figure) | {"needsCodes": figure.needs_codes} for figure in METRICS]


def buttons(
    kept: str, on_train: Callable[[], None], label: str = "Train live", row: Any = None, first: bool = True
) -> None:
    """Train, Pause or Resume, Step, Epoch, Stop, Reset: always in the same places.

    Args:
        first: whether training is what there is to be done here.
    """
    row = row or st.container(horizontal=True, gap="small")
    runs = actions.members(kept)
    mine, off = bool(runs) and actions.is_mine(runs[0]), not _can_go_on(runs)
    pause = "Resume" if runs and actions.state_of(runs) in (PAUSED, SAVED) else "Pause"
    step = "One batch for every arm, the same one, then pause."
    row.button(
        label,
        on_click=on_train,
        type="primary" if first else "secondary",
        icon=":material/play_arrow:",
        key=f"{kept} train",
        help="New arms with these settings, trained on this machine, now. What you train already is stopped.",
    )
    command_button(row, pause, actions.command, kept, pause.lower(), place=kept, disabled=off)
    command_button(row, "Step", actions.step, kept, place=kept, disabled=off, help=step)
    for name, disabled, help in (
        ("Epoch", off, "To the end of the epoch, then pause."),
        ("Stop", off, "End all arms here."),
        ("Reset", not mine, "All arms back to the very same initial weights, paused."),
    ):
        command_button(row, name, actions.command, kept, name.lower(), place=kept, disabled=disabled, help=help)


def _can_go_on(runs: Sequence[RunRecord]) -> bool:
    return bool(runs) and actions.is_mine(runs[0]) and actions.state_of(runs) not in ENDED


def side_by_side(
    kept: str,
    runs: Sequence[RunRecord],
    at: int | None = None,
    then: str = "",
    rows: Sequence[str] | None = None,
    on_ask: Callable[[], None] | None = None,
) -> int | None:
    """The arms; returns the moment at which the film rests, None in the present.

    Args:
        at: where the film opens, unless the link says otherwise.
        then: said below, behind where the arms come from. rows: those that are open at first; None for all.
        on_ask: called where somebody plays the film that ships, and something is to be asked before.
    """
    shown = [_shown(run, _usual(runs)) for run in runs]
    look = Look(
        at=at if link.get("step") is None else link.get("step"),
        rows=rows,
        film=actions.is_shipped(runs),
        presents=bool(st.session_state.get(PRESENT)),
        asks=on_ask is not None and bool(predict.left([key_of(actions.name_of(run)) for run in runs])),
    )
    seen = arms_view(
        shown,
        key=f"{kept} view {runs[0].group.replace('_', '.')}",  # Streamlit refuses a component's key that has "__"
        look=look,
        figures=COLUMNS,
        real=real_images("threshold" if runs[0].config.protocol == "threshold" else "grey"),
        on_ask=on_ask,
        on_toggle=lambda wish: actions.switch(wish["run"], {term: wish[term] for term in ("alpha", "beta")}),
        on_branch=lambda wish: actions.branch(wish["run"], wish["at"]),
        on_remove=lambda wish: actions.remove(wish["run"]),
        on_space=partial(actions.toggle_training, kept) if _can_go_on(runs) else None,
        counted=f"{kept} step",
        on_clicks=lambda clicks: actions.step(kept, clicks),
    )
    st.caption(f"{about(runs)} {then}")
    return seen.at


def about(runs: Sequence[RunRecord]) -> str:
    """Where the arms come from, and the settings that they share; the view itself says that they share the rest."""
    config = runs[0].config
    in_step = len({run.group for run in runs}) == 1
    shipped = all(run.visitor == SHIPPED for run in runs)
    whose = "These ship with the program" if shipped else "Trained in step" if in_step else "Each trained by itself"
    epochs = " or ".join(counted(n, "epoch") for n in sorted({run.config.epochs for run in runs}))
    latents = counted(config.latent_dim, "latent")
    return f"{whose}: {config.net}, {latents}, {epochs}, batch {config.batch_size}."


@functools.lru_cache(maxsize=64)
def beginning_of(config: RunConfig) -> tuple[int, str]:
    """Of a new model of these settings a number of the shapes of its weights, and the shape of its noise: where two
    have the same, the same seed gives them the same weights, and the same eps."""
    model = models.build(config)
    shapes = [(name, *weight.shape) for name, weight in model.named_parameters()]
    return zlib.crc32(repr(shapes).encode()), " × ".join(map(str, model.noise_shape()))


def _usual(runs: Sequence[RunRecord]) -> RunRecord | None:
    """The arm with both terms beside these: one of them or, of those that ship, the one that ships."""
    beside = list(runs)
    if actions.is_shipped(runs):
        beside += [run for i in shipped_arms() if (run := registry.shared().get(i)) is not None]
    return next((run for run in beside if key_of(actions.name_of(run)) == FULL), None)


def _shown(run: RunRecord, usual: RunRecord | None) -> ArmShown:
    name, has = actions.name_of(run), family(run.config.model).has
    weights, noise = beginning_of(run.config)
    mine, key = actions.is_mine(run), key_of(name)
    return ArmShown(
        run_id=run.run_id,
        name=name,
        posterior=has.posterior is not None,
        sampled=has.sampled,
        weights=weights,
        noise=noise,
        mine=mine,
        predicted=predict.told(key, run, usual) if key else None,
        removable=mine and len(registry.shared().members(run.group)) > 1,
    )
