"""Predict, then reveal: one question an arm before its first run, asked once a session and kept beside the result.

The page never calls an answer right or wrong: it shows what was said and what happened.
"""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.ablation.questions import QUESTIONS, Question
from pages.ablation.settings import link
from pages.ablation.sketches import as_image
from pages.ui.palette import is_dark

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
    st.toggle("Ask before the first run", **link.kept("ask"), help="What will the map look like? Once for each arm.")


def ask(keys: Sequence[str]) -> bool:
    """Ask about the first of these arms that has no answer yet.

    Args:
        keys: of arms; those without a question are passed over.
    Returns:
        True when nothing is left to ask, or predictions are switched off: the arms may train.
    """
    asked = [key for key in keys if key in QUESTIONS]
    left = [key for key in asked if key not in _answers()]
    if not left or not link.get("ask"):
        return True
    with st.container(border=True):
        _question(QUESTIONS[left[0]], len(asked) - len(left) + 1, len(asked))
    return False


def predicted(key: str) -> str:
    """What was said of this arm, for beside its result; "" where nothing was."""
    answer = _answers().get(key)
    if answer is None:
        return ""
    by_hands, counts = answer
    names = [option.short for option in QUESTIONS[key].options]
    said = sorted(zip(counts, names, strict=True), key=lambda pair: -pair[0])
    if not by_hands:
        return f"You said: {said[0][1]}."
    parts = [f"{count} {name}" for count, name in said if count]
    return f"The class ({sum(counts)} {'hand' if sum(counts) == 1 else 'hands'}) said: {', '.join(parts)}."


def reveal(key: str) -> str:
    """What happened to this arm and where to see it, where a prediction was made; else ""."""
    return QUESTIONS[key].reveal.says if predicted(key) else ""


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
