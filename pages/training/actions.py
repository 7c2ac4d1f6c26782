"""What the buttons of the training page do: commands to the visitor's runs."""

from typing import Any

import streamlit as st

from pages.training import rest, weights
from pages.training.settings import COMPARED, MOMENT, SHOWN, terms_on_page
from pages.ui import notices, presses, visitor
from pages.ui.shipped import shipped_run
from vae_core.config import LETTERS, ConfigError, LiveSettings, RunConfig
from vae_core.models import family
from vae_core.runs import registry
from vae_core.runs.messages import PAUSED, RUNNING, STARTING
from vae_core.runs.run_record import SAVED, RunRecord

STEPPED = "stepped run"  # the one whose Step was pressed last: clicks are counted a moment after they are made
TRAINING = ("resume", "step", "slow", "epoch")  # commands that train


def shown_run() -> RunRecord:
    """The run on the page: the one chosen, else this visitor's newest, else the one that ships."""
    chosen = registry.shared().get(st.session_state.get(SHOWN))
    if chosen is not None:
        return chosen
    own = registry.shared().of(visitor.current())
    run = own[0] if own else registry.shared().get(shipped_run())
    assert run is not None
    return run


def is_mine(run: RunRecord) -> bool:
    return run.visitor == visitor.current()


def start(settings: dict[str, Any], paused: bool = False) -> None:
    """Callback: a new run with the widgets' settings."""
    notices.clear("training")
    terms = family(settings["model"]).TERMS
    now = weights.weights_now(terms)
    if rest.cause(now, terms):  # the page says so
        return
    try:
        config = RunConfig(**settings, **now)
        show(registry.shared().start(config, visitor.current(), paused))
        _advice_was_taken()
    except ConfigError as error:
        notices.put("training", str(error))


def _advice_was_taken() -> None:
    """What to look for stays for the run that it was given for, and goes with the next one."""
    state = st.session_state
    if state.get("advice") and state["advice"] == state.get("advice taken"):
        del state["advice"]
    state["advice taken"] = state.get("advice")


def step(run_id: str, settings: dict[str, Any]) -> None:
    """Callback: one batch of a run, or of a new one if that is not the visitor's."""
    st.session_state[STEPPED] = run_id = _own(run_id, settings)
    _make_steps(run_id, presses.to_carry_out("step"))


def steps_clicked(clicks: int) -> None:
    """Callback: the browser has counted so many clicks on Step in this session, the last ones for one run."""
    _make_steps(st.session_state.get(STEPPED) or shown_run().run_id, presses.to_carry_out("step", clicks))


def _make_steps(run_id: str, steps: int) -> None:
    if steps:
        command(run_id, "step", steps=steps)


def slow(run_id: str, settings: dict[str, Any]) -> None:
    """Callback: one batch in slow motion, of a run, or of a new one if that is not the visitor's."""
    run_id = _own(run_id, settings)
    st.session_state.pop(MOMENT, None)
    command(run_id, "slow")


def _own(run_id: str, settings: dict[str, Any]) -> str:
    """The run itself if it is the visitor's, else a new one that waits."""
    run = registry.shared().get(run_id)
    if run is not None and is_mine(run):
        return run_id
    start(settings, paused=True)
    return shown_run().run_id


def command(run_id: str, name: str, **args: Any) -> None:
    """Callback: tell a run something. What trains, trains with the weights that the page shows.

    The run is that of the button, not whichever is on the page by now: of two quick clicks Streamlit may call both
    callbacks at once, in any order, and a Pause must not stop the branch that the second click has just begun.
    """
    run = registry.shared().get(run_id)
    if run is None or not is_mine(run):
        return
    notices.clear("training")
    now = weights_for(run)
    nothing_learns = _cause(run) is not None
    if nothing_learns and name in TRAINING:
        _rest(run)
        if name == "resume":
            rest.wish(run_id)
        return
    if name == "reset" and not nothing_learns:
        args = now
    if name in TRAINING and not _send(run_id, "set", **now):
        return
    if _send(run_id, name, **args):
        rest.note(run_id, name)


def _send(run_id: str, name: str, **args: Any) -> bool:
    """Whether the run was told; if not, the page says why."""
    try:
        registry.shared().command(run_id, name, **args)
    except ConfigError as error:
        notices.put("training", str(error))
        return False
    return True


def _rest(run: RunRecord) -> None:
    """Nothing can learn: the run pauses, and it is kept in mind whether it is to go on by itself."""
    rest.hold(run.run_id, trains=run.status in (STARTING, RUNNING))
    _send(run.run_id, "pause")


def state_before(run: RunRecord, at: int | None) -> int | None:
    """The last kept state up to a moment (None: the present), from which a branch can go on: not a run's very end."""
    kept = (step for step in run.states if step < run.total_steps and (at is None or step <= at))
    return max(kept, default=None)


def branch(run_id: str, at: int | None) -> None:
    """Callback: go on from the kept state before a moment, with the weights as they stand."""
    notices.clear("training")
    parent = registry.shared().get(run_id)
    step = state_before(parent, at) if parent else None
    if parent is None or step is None or not is_mine(parent) or _cause(parent):
        return
    try:
        show(registry.shared().branch(run_id, step, weights_for(parent)))
        st.session_state[COMPARED] = [run_id]
    except ConfigError as error:
        notices.put("training", str(error))
    except KeyError:
        notices.put("training", "The weights of that moment have just been thinned out: choose another moment.")


def toggle(settings: dict[str, Any]) -> None:
    """Callback of the space bar: start, pause or resume, whichever fits."""
    run = shown_run()
    if not is_mine(run) or run.ended:
        start(settings)
    else:
        command(run.run_id, "resume" if run.status in (PAUSED, SAVED) else "pause")


def show(run_id: str) -> None:
    """Put a run on the page, in the present."""
    st.session_state[SHOWN] = run_id
    st.session_state.pop(MOMENT, None)
    rest.forget()


def follow(run: RunRecord) -> bool:
    """Let the switches show the weights of a run that they will change; returns whether they showed others."""
    if not is_mine(run) or run.ended:
        return False
    terms, now = family(run.config.model).TERMS, LiveSettings(**weights_for(run))
    same = now.weights_of(terms) == run.settings.weights_of(terms) and now.learning_rate == run.settings.learning_rate
    weights.show_weights(run.settings.to_dict(), terms)
    return not (same and now.frozen == run.settings.frozen)


def weights_for(run: RunRecord) -> dict[str, Any]:
    """The settings on the page as this run takes them; of a term that its family has not, they stay what they are."""
    terms = family(run.config.model).TERMS
    fixed = {letter: getattr(run.settings, letter) for term, letter in LETTERS.items() if term not in terms}
    return weights.weights_now(terms) | fixed


def _cause(run: RunRecord) -> tuple[str, str] | None:
    return rest.cause(weights_for(run), family(run.config.model).TERMS)


def change_weights() -> None:
    """Callback: a switch or a weight was changed; a run in training follows at its next step."""
    notices.clear("training")
    run = shown_run()
    if not is_mine(run) or run.ended:
        return
    if _cause(run):
        _rest(run)
    elif _send(run.run_id, "set", **weights_for(run)) and (name := rest.goes_on(run.run_id)):
        rest.forget()
        _send(run.run_id, name)


def why_it_rests(run: RunRecord) -> str:
    """For the page, as long as nothing can learn with the weights that it shows: why, and what to do. Else ""."""
    found = rest.cause(weights.weights_now(), terms_on_page())
    return rest.sentence(*found, run.run_id, is_mine(run) and not run.ended) if found else ""
