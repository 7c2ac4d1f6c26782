"""Five questions: one at a time, and what each comes to is computed when it is answered."""

import streamlit as st

from pages.check.figures import compute_ahead
from pages.check.questions import QUESTIONS, Question
from pages.check.settings import ANSWERS, END, link
from pages.ui import glossary, notices
from pages.ui.shipped import PLANE, cards, missing
from vae_core.runs.snapshot_file import FrameError


def page() -> None:
    link.open()
    st.title("Five questions", anchor=False)
    notices.show("check")
    number = link.get("question")
    if PLANE not in cards():
        st.error(missing(PLANE), icon=":material/error:")
    elif number == END:
        score()
    else:
        ask(number, QUESTIONS[number - 1])
    link.write()


def ask(number: int, question: Question) -> None:
    """One question with its options; once one is chosen, whether it is right, why, and the figure."""
    compute_ahead()
    chosen = link.get(ANSWERS[number - 1])
    left, right = st.columns([3, 2], gap="large")
    with left:
        glossary.markdown(f"**{number} of {len(QUESTIONS)}.** {question.text}")
        readable(number, {chosen, question.right} if chosen else set())
        for option, text in enumerate(question.options, start=1):
            st.button(
                text,
                key=f"option {number}.{option}",
                icon=sign(option, chosen, question.right),
                type="primary" if option == chosen else "secondary",
                width="stretch",
                on_click=put,
                args=(ANSWERS[number - 1], option),
                disabled=chosen != 0,
            )
        if chosen:
            glossary.markdown(f"**{'Right' if chosen == question.right else 'Wrong'}.** {question.why}")
            label = "Score" if number + 1 == END else "Next question"
            st.button(label, key="onward", type="primary", on_click=put, args=("question", number + 1))
    if chosen:
        with right, st.spinner("Computing…"):
            show(question)


def readable(number: int, options: set[int]) -> None:
    """What was chosen and what is right stay readable, though nothing can be chosen any more."""
    places = ", ".join(f".st-key-option-{number}-{option} button:disabled" for option in sorted(options))
    look = "opacity: 1; color: inherit; border-color: currentColor"
    st.html(f"<style>:is({places}) {{ {look} }}</style>")


def sign(option: int, chosen: int, right: int) -> str | None:
    """Beside an option, once one is chosen."""
    if chosen and option == right:
        return ":material/check:"
    return ":material/close:" if option == chosen else None


def show(question: Question) -> None:
    """The figure, in nats where nothing else is said."""
    try:
        figure = question.figure()
    except (OSError, FrameError, IndexError):  # of a shipped run that is damaged
        st.error("Its run cannot be read: restore the folder checkpoints.", icon=":material/error:")
        return
    for name, value in figure.values.items():
        st.metric(name, value)
    st.caption(figure.says)


def score() -> None:
    """Of the questions that were answered; one that was not is not wrong, and its answer is not told."""
    said = [link.get(name) for name in ANSWERS]
    right = sum(answer == question.right for answer, question in zip(said, QUESTIONS, strict=True))
    st.metric("Right", f"{right} of {sum(answer != 0 for answer in said)}")
    for number, (answer, question) in enumerate(zip(said, QUESTIONS, strict=True), start=1):
        mark = "check" if answer == question.right else "close" if answer else "remove"
        told = f"**{question.options[question.right - 1]}**" if answer else "Not answered."
        glossary.markdown(f":material/{mark}: {number}. {question.text} {told}")
    st.button("Again", on_click=again)


def again() -> None:
    """Callback: from the first question, with no answer."""
    for name in ANSWERS:
        put(name, 0)
    put("question", 1)


def put(name: str, value: int) -> None:
    """Callback: this is what the address says from now on."""
    st.session_state[link.key(name)] = value


page()
