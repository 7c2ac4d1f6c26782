"""Predict, then reveal: one question an arm before its film or its first run, asked once a session.

At the end stand beside the arm what was said, what came, and whether that was right: its own figures decide, see
outcome.py.
"""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.ablation import outcome
from pages.ablation.arms import FULL
from pages.ablation.questions import NAMES, QUESTIONS, Option, Question
from pages.ablation.settings import link
from pages.ablation.sketches import as_image
from pages.ui.arms.view import Predicted
from pages.ui.palette import is_dark
from pages.ui.question.view import take_keyboard
from pages.ui.words import counted
from vae_core.runs.run_record import RunRecord

ANSWERS = "predictions"  # arm key -> Answer, or None where the question was skipped
BOX = "arms question"  # key of the container in which it stands
LETTERS = "ABCD"
Answer = tuple[bool, tuple[int, ...]]  # by show of hands; hands for each option, in the order shown
_CSS = """
<style>
.may-come { margin: 0; }
.may-come img { height: min(10rem, 24vh); aspect-ratio: 1; display: block; margin: 0 auto; border-radius: 0.5rem;
  border: 1px solid color-mix(in srgb, currentColor 30%, transparent); }
@media (max-width: 640px) { .may-come { display: none; } }
</style>"""


def toggle() -> None:
    """The switch of the whole thing."""
    said = "What will the map look like? Once for each arm, before its film or its first run."
    st.toggle("Ask before the first run", **link.kept("ask"), help=said)


def left(keys: Sequence[str]) -> list[str]:
    """Of these arms those that are still to be asked about; none where the whole thing is switched off."""
    return [key for key in _asked(keys) if key not in _answers()] if link.get("ask") else []


def ask(keys: Sequence[str]) -> bool:
    """Ask about the first of these arms that has no answer yet.

    Args:
        keys: of arms; those without a question are passed over.
    Returns:
        True when nothing is left to ask, or predictions are switched off: the arms may train, or their film may play.
    """
    asked, still = _asked(keys), left(keys)
    if not still:
        return True
    with st.container(border=True):
        _question(QUESTIONS[still[0]], len(asked) - len(still) + 1, len(asked))
    take_keyboard(BOX, f"What will happen? {QUESTIONS[still[0]].asks}", "Skip")
    return False


def _asked(keys: Sequence[str]) -> list[str]:
    """Those with a question; the arm with both terms only by itself: beside another it is what that is held against."""
    asked = [key for key in keys if key in QUESTIONS]
    return [key for key in asked if key != FULL] or asked


def told(key: str, run: RunRecord, usual: RunRecord | None) -> Predicted | None:
    """What stands beside an arm: what was said of it and, once it has ended, what came; None where nothing was said.

    Args:
        key: of the arm. usual: the arm with both terms that was trained as long, to compare with.
    """
    answer = _answers().get(key)
    if answer is None:
        return None
    came = _came(QUESTIONS[key], run, usual)
    seen = outcome.end_metrics(run)
    return judged(key, answer, came, seen.outside if seen is not None else None)


def judged(key: str, answer: Answer, came: str, outside: float | None = None) -> Predicted:
    """An answer beside the map that came.

    Args:
        came: a name of SKETCHES, or "" where the figures do not say. outside: share of the codes beyond three sigma.
    """
    question = QUESTIONS[key]
    by_hands, counts = answer
    names = {option.picture: option.short for option in question.options}
    if not came:
        return Predicted(_said(answer, list(names.values())))
    hit = sum(n for n, picture in zip(counts, names, strict=True) if picture == came)
    hands = f"{hit} of {counted(sum(counts), 'hand')}: right."
    verdict = hands if by_hands else "Right." if hit else "Wrong."
    because = question.reveal.says if came == question.happens.picture else ""
    happened = f"What happened: {(NAMES | names)[came]}{_beyond(came, outside)}."
    return Predicted(_said(answer, list(names.values())), happened, verdict, because)


def _beyond(came: str, outside: float | None) -> str:
    """How many codes lie outside the circles: without the number it can be disputed what is far."""
    if outside is None or came == "point":
        return ""
    return f", {outside:.0%} of the codes" + ("" if came == "far" else " beyond 3 sigma")


def _said(answer: Answer, names: list[str]) -> str:
    by_hands, counts = answer
    said = sorted(zip(counts, names, strict=True), key=lambda pair: -pair[0])
    if not by_hands:
        return f"Your choice: {said[0][1]}."
    return f"Hands: {', '.join(f'{count} {name}' for count, name in said if count)}."


def _came(question: Question, run: RunRecord, usual: RunRecord | None) -> str:
    """The map that a run's figures show; "" while it trains, after a switch was moved, and where nothing compares."""
    seen = outcome.end_metrics(run) if not run.marks else None
    if seen is None:
        return ""
    if "small" not in [option.picture for option in question.options]:
        return outcome.map_of(seen)
    beside = outcome.end_metrics(usual) if usual is not None and not usual.marks else None
    return outcome.map_of_more_beta(seen, beside) if beside is not None and run.config.beta > 1 else ""


def _question(question: Question, number: int, of: int) -> None:
    """One press answers; of a show of hands the numbers are typed first."""
    st.markdown(f"**What will happen?** {question.asks}" + (f" :gray[Question {number} of {of}]" if of > 1 else ""))
    by_hands = link.get("hands")
    places = zip(st.columns(len(LETTERS)), LETTERS, question.options, strict=True)
    counts = tuple(_option(place, question.key, letter, option, by_hands) for place, letter, option in places)
    row = st.container(horizontal=True, vertical_alignment="bottom")
    row.toggle("Show of hands", **link.kept("hands"), help="Type in how many hands went up for each.")
    if by_hands:
        row.button(
            "Keep this prediction",
            on_click=_keep,
            args=(question.key, counts),
            disabled=not any(counts),
            type="primary",
            key=f"predict keep {question.key}",
        )
    row.button("Skip", on_click=_keep, args=(question.key, None), key=f"predict skip {question.key}")
    row.button("Skip all", on_click=_switch_off, key=f"predict off {question.key}", help="Asks no more; see More.")


def _option(place: Any, key: str, letter: str, option: Option, by_hands: bool) -> int:
    """A map that may come, and what chooses it; returns the hands that went up for it."""
    name = f"{letter}: {option.short}"
    place.html(f"{_CSS}<figure class='may-come'>{as_image(option.picture, is_dark())}</figure>")
    if by_hands:
        hands = place.number_input(name, 0, 999, key=f"predict hands {key} {letter}")
    else:
        chosen = tuple(int(letter == other) for other in LETTERS)
        args = (key, chosen)
        place.button(name, on_click=_keep, args=args, key=f"predict choice {key} {letter}", width="stretch")
        hands = 0
    place.caption(option.because)
    return int(hands)


def _keep(key: str, counts: tuple[int, ...] | None) -> None:
    """Callback: the answer stands for the session; None is a question that was skipped."""
    answer = None if counts is None else (link.get("hands"), counts)
    st.session_state[ANSWERS] = {**_answers(), key: answer}


def _switch_off() -> None:
    st.session_state[link.key("ask")] = False


def _answers() -> dict[str, Answer | None]:
    return st.session_state.get(ANSWERS, {})
