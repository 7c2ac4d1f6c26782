"""Which state a model is in: the first of the table whose rule holds."""

from collections.abc import Iterable
from dataclasses import dataclass

from vae_core.config import LiveSettings, RunConfig
from vae_core.metrics.states.case import Case
from vae_core.metrics.states.figures import Figures, Seen
from vae_core.metrics.states.table import STATES
from vae_core.models import family
from vae_core.trainer import Mark


@dataclass(frozen=True)
class Diagnosis:
    """A name from the field, and one sentence with its number."""

    name: str
    sentence: str


def diagnose(seen: Seen, settings: LiveSettings, decoder_trained: bool, diverged: bool = False) -> Diagnosis:
    """The most serious thing that the figures of the test set show, with its cause.

    Args:
        seen: a snapshot.
        settings: those in force.
        decoder_trained: whether the decoder could learn at any step so far.
        diverged: whether training ended because a loss was no number any more; what is seen are its last good weights.
    """
    return name_state(Figures.of(seen), settings, decoder_trained, diverged)


def name_state(figures: Figures, settings: LiveSettings, decoder_trained: bool, diverged: bool = False) -> Diagnosis:
    """The same by the figures alone."""
    case = Case(figures, settings, decoder_trained, diverged)
    state = next(state for state in STATES if state.holds(case))
    return Diagnosis(state.name, state.says(case))


def decoder_trained(config: RunConfig, marks: Iterable[Mark], step: int) -> bool:
    """Whether in any of the steps made so far alpha was above 0 and the decoder not frozen.

    Args:
        config: with which the run began. marks: what was changed on its way.
    """
    rebuilds = "nll" in family(config.model).TERMS

    def learns(settings: LiveSettings) -> bool:
        return (settings.alpha > 0 or not rebuilds) and settings.frozen != "decoder"

    since, settings = 0, config.live
    for mark in marks:
        if learns(settings) and mark.step > since:
            return True
        since, settings = mark.step, mark.settings
    return learns(settings) and step > since
