"""Predict, then reveal: one question an arm before its film or its first run, asked once a session.

At the end stand beside the arm what was said, what came, and whether that was right: its own figures decide, see
outcome.py.
"""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.ablation import outcome
from pages.ablation.questions import NAMES, QUESTIONS, Question
from pages.ablation.settings import link
from pages.ablation.sketches import as_image
from pages.ui.arms.view import Predicted
from pages.ui.palette import is_dark
from pages.ui.words import counted
from vae_core.runs.run_record import RunRecord

ANSWERS = "predictions"  # arm key -> Answer, or None where the question was skipped
LETTERS = "ABCD"
Answer = tuple[bool, tuple[int, ...]]  # by show of hands; hands for each option, in the order shown
_CSS = """
<style>
.maps { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 0.5rem 0.9rem; }
.maps figure { margin: 0; }
.maps img { width: 100%; max-width: 190px; aspect-ratio: 1; display: block; border-radius: 0.5rem;
  border: 1px solid color-mix(in srgb, currentColor 30%, transparent); }
.maps figcaption { font-size: 0.92rem; line-height: 1.3; margin-top: 0.3rem; }
@media (max-width: 640px) { .maps { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
</style>"""


def toggle() -> None:
    """The switch of the whole thing."""
    said = "What will the map look like? Once for each arm, before its film or its first run."
    st.toggle("Ask before the first run", **link.kept("ask"), help=said)


def left(keys: Sequence[str]) -> list[str]:
    """Of these arms those that are still to be asked about; none where the whole thing is switched off."""
    return [key for key in keys if key in QUESTIONS and key not in _answers()] if link.get("ask") else []


def ask(keys: Sequence[str]) -> bool:
    """Ask about the first of these arms that has no answer yet.

    Args:
        keys: of arms; those without a question are passed over.
    Returns:
        True when nothing is left to ask, or predictions are switched off: the arms may train, or their film may play.
    """
    asked, still = [key for key in keys if key in QUESTIONS], left(keys)
    if not still:
        return True
    with st.container(border=True):
        _question(QUESTIONS[still[0]], len(asked) - len(still) + 1, len(asked))
    return False


def told(key: str, run: RunRecord, usual: RunRecord | None) -> Predicted | None:
    """What stands beside an arm: what was said of it and, once it has ended, what came; None where nothing was said.

    Args:
        key: of the arm. usual: the arm with both terms that was trained as long, to compare with.
    """
    answer = _answers().get(key)
    if answer is None:
        return None
    came = _came(QUESTIONS[key], run, usual)
    return judged(key, answer, came)


def judged(key: str, answer: Answer, came: str) -> Predicted:
    """An answer beside the map that came: a name of SKETCHES, or "" where the figures do not say."""
    question = QUESTIONS[key]
    by_hands, counts = answer
    names = {option.picture: option.short for option in question.options}
    if not came:
        return Predicted(_said(answer, list(names.values())))
    hit = sum(n for n, picture in zip(counts, names, strict=True) if picture == came)
    hands = f"{hit} of {counted(sum(counts), 'hand')}: right."
    verdict = hands if by_hands else "Right." if hit else "Wrong."
    because = question.reveal.says if came == question.happens.picture else ""
    happened = f"What happened: {(NAMES | names)[came]}."
    return Predicted(_said(answer, list(names.values())), happened, verdict, because)


def _said(answer: Answer, names: list[str]) -> str:
    by_hands, counts = answer
    said = sorted(zip(counts, names, strict=True), key=lambda pair: -pair[0])
    if not by_hands:
        return f"Your choice: {said[0][1]}."
    return f"Hands: {', '.join(f'{count} {name}' for count, name in said if count)}."


def _came(question: Question, run: RunRecord, usual: RunRecord | None) -> str:
    """The map that a run's figures show; "" while it trains, after a switch was moved, and where nothing compares."""
    seen = outcome.last_metrics(run) if run.ended and not run.marks else None
    if seen is None:
        return ""
    if "small" not in [option.picture for option in question.options]:
        return outcome.map_of(seen)
    beside = outcome.last_metrics(usual) if usual is not None and usual.ended and not usual.marks else None
    return outcome.map_of_more_beta(seen, beside) if beside is not None and run.config.beta > 1 else ""


def _question(question: Question, number: int, of: int) -> None:
    st.markdown(f"**What will happen?** {question.asks} :gray[Question {number} of {of}]")
    figures = "".join(
        f"<figure>{as_image(option.picture, is_dark())}<figcaption><b>{letter}: {option.short}</b><br>{option.because}"
        "</figcaption></figure>"
        for letter, option in zip(LETTERS, question.options, strict=True)
    )
    st.html(f'{_CSS}<div class="maps">{figures}</div>')
    row = st.container(horizontal=True, vertical_alignment="bottom")
    counts = _hands(question.key, row) if link.get("hands") else _choice(question.key, row)
    row.toggle("Show of hands", **link.kept("hands"), help="Type in how many hands went up for each.")
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


def _choice(key: str, row: Any) -> tuple[int, ...]:
    chosen = row.radio("Your prediction", list(LETTERS), index=None, horizontal=True, key=f"predict choice {key}")
    return tuple(int(letter == chosen) for letter in LETTERS)


def _hands(key: str, row: Any) -> tuple[int, ...]:
    return tuple(
        int(row.number_input(f"Hands for {letter}", 0, 999, key=f"predict hands {key} {letter}", width=130))
        for letter in LETTERS
    )


def _keep(key: str, counts: tuple[int, ...] | None) -> None:
    """Callback: the answer stands for the session; None is a question that was skipped."""
    answer = None if counts is None else (link.get("hands"), counts)
    st.session_state[ANSWERS] = {**_answers(), key: answer}


def _switch_off() -> None:
    st.session_state[link.key("ask")] = False


def _answers() -> dict[str, Answer | None]:
    return st.session_state.get(ANSWERS, {})
