"""Predict, then reveal: what is asked, what is kept, and when the arms may train."""

import itertools
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from pages.ablation import predict
from pages.ablation.arms import ARMS
from pages.ablation.questions import QUESTIONS
from pages.ablation.sketches import SKETCHES, sketch
from tests.pages.conftest import checked
from vae_core.metrics.definitions import METRICS

TWO = ["no-kl", "no-reconstruction"]


def script(keys: list[str]) -> None:
    from dataclasses import astuple

    import streamlit as st

    from pages.ablation import predict
    from pages.ablation.questions import QUESTIONS
    from pages.ablation.settings import link

    link.prepare()
    predict.toggle()
    st.session_state["may train"] = predict.ask(keys)
    for key in keys:
        answer = st.session_state.get(predict.ANSWERS, {}).get(key)
        came = QUESTIONS[key].happens.picture if key in QUESTIONS else ""
        st.text("|".join(astuple(predict.judged(key, answer, came))) if answer else "")


@pytest.fixture
def page() -> Iterator[AppTest]:
    yield checked(AppTest.from_function(script, args=(TWO,), default_timeout=30).run())


def may_train(at: AppTest) -> bool:
    return at.session_state["may train"]


def question(at: AppTest) -> str:
    return next((m.value for m in at.markdown if "What will happen?" in m.value), "")


def press(at: AppTest, key: str) -> AppTest:
    return checked(at.button(key=key).click().run())


def choose(at: AppTest, key: str, letter: str) -> AppTest:
    return press(at, f"predict choice {key} {letter}")


def test_one_question_after_the_other_and_then_the_arms_may_train(page: AppTest) -> None:
    assert QUESTIONS["no-kl"].asks in question(page) and "1 of 2" in question(page) and not may_train(page)
    choose(page, "no-kl", "B")
    assert QUESTIONS["no-reconstruction"].asks in question(page) and "2 of 2" in question(page) and not may_train(page)
    choose(page, "no-reconstruction", "A")
    assert question(page) == "" and may_train(page)


def test_the_arm_with_both_terms_is_asked_about_only_by_itself() -> None:
    """Beside another it is what that is held against."""
    for keys, asked in ((["full", "no-kl"], "no-kl"), (["full"], "full"), (["full", ""], "full")):
        at = checked(AppTest.from_function(script, args=(keys,), default_timeout=30).run())
        assert QUESTIONS[asked].asks in question(at) and "Question" not in question(at)
        assert may_train(choose(at, asked, "A"))


@pytest.mark.parametrize("place", range(4))
def test_choice_what_happened_and_right_or_wrong_are_three_lines(page: AppTest, place: int) -> None:
    assert page.text[0].value == ""
    choose(page, "no-kl", "ABCD"[place])
    option, question = QUESTIONS["no-kl"].options[place], QUESTIONS["no-kl"]
    verdict = "Right." if option == question.happens else "Wrong."
    came = f"What happened: {question.happens.short}."
    assert page.text[0].value == f"Your choice: {option.short}.|{came}|{verdict}|{question.reveal.says}"
    assert page.text[1].value == ""


def test_a_show_of_hands_is_counted_most_first(page: AppTest) -> None:
    checked(page.toggle(key="ablation hands").set_value(True).run())
    assert page.button(key="predict keep no-kl").disabled
    for letter, count in (("A", 3), ("C", 12), ("D", 5)):
        page.number_input(key=f"predict hands no-kl {letter}").set_value(count)
    press(checked(page.run()), "predict keep no-kl")
    a, _, c, d = (option.short for option in QUESTIONS["no-kl"].options)
    said, _, verdict, _ = page.text[0].value.split("|")
    assert said == f"Hands: 12 {c}, 5 {d}, 3 {a}."
    right = {a: 3, c: 12, d: 5}.get(QUESTIONS["no-kl"].happens.short, 0)
    assert verdict == f"{right} of 20 hands: right."


def test_one_hand_is_no_hands() -> None:
    options = QUESTIONS["no-kl"].options
    counts = tuple(int(option == QUESTIONS["no-kl"].happens) for option in options)
    assert predict.judged("no-kl", (True, counts), options[counts.index(1)].picture).verdict == "1 of 1 hand: right."


def test_nothing_is_judged_before_the_figures_are_there_and_no_reason_is_given_for_another_map() -> None:
    choice = (False, (1, 0, 0, 0))
    assert predict.judged("full", choice, "").verdict == "" == predict.judged("full", choice, "").came
    other = predict.judged("full", choice, "cloud")  # not among the four
    assert (other.came, other.verdict, other.because) == ("What happened: one mixed cloud.", "Wrong.", "")


def test_a_skipped_question_is_not_asked_again_and_leaves_nothing(page: AppTest) -> None:
    press(page, "predict skip no-kl")
    press(page, "predict skip no-reconstruction")
    assert may_train(checked(page.run())) and question(page) == ""
    assert [t.value for t in page.text] == ["", ""]


def test_no_prediction_is_asked_twice(page: AppTest) -> None:
    choose(page, "no-kl", "A")
    again = AppTest.from_function(script, args=(["beta", "no-kl"],), default_timeout=30)
    again.session_state[predict.ANSWERS] = page.session_state[predict.ANSWERS]
    checked(again.run())
    assert QUESTIONS["beta"].asks in question(again)
    assert may_train(press(again, "predict skip beta"))
    assert again.text[1].value.startswith("Your choice: ")


def test_switched_off_nothing_is_asked(page: AppTest) -> None:
    checked(page.toggle(key="ablation ask").set_value(False).run())
    assert may_train(page) and question(page) == ""
    checked(page.toggle(key="ablation ask").set_value(True).run())
    assert not may_train(page)


def test_skip_all_switches_it_off(page: AppTest) -> None:
    press(page, "predict off no-kl")
    assert may_train(page) and page.toggle(key="ablation ask").value is False


def test_arms_without_a_question_may_train() -> None:
    at = AppTest.from_function(script, args=(["as it should be", ""],), default_timeout=30)
    assert may_train(checked(at.run())) and [t.value for t in at.text] == ["", ""]


# ---- the questions themselves


def test_every_arm_has_a_question_with_four_different_maps() -> None:
    assert set(QUESTIONS) == {arm.key for arm in ARMS}
    for question in QUESTIONS.values():
        assert len({option.picture for option in question.options}) == 4
        assert len({option.short for option in question.options}) == 4
        assert question.options.count(question.happens) == 1


def test_two_maps_stand_in_the_same_order_in_every_question() -> None:
    orders = [[option.picture for option in question.options] for question in QUESTIONS.values()]
    for one, other in itertools.combinations(orders, 2):
        assert [name for name in one if name in other] == [name for name in other if name in one]


def test_the_order_is_the_same_at_every_look_and_gives_nothing_away() -> None:
    places = [question.options.index(question.happens) for question in QUESTIONS.values()]
    assert places == [question.options.index(question.happens) for question in QUESTIONS.values()]
    assert len(set(places)) >= 3


def test_every_reveal_names_rows_of_the_meter() -> None:
    labels = [figure.label for figure in METRICS]
    for question in QUESTIONS.values():
        assert sum(label in question.reveal.says for label in labels) >= 2, question.key


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", SKETCHES)
def test_every_sketch_is_sound_svg_that_says_what_it_is(name: str, dark: bool) -> None:
    texts = [e.text for e in ET.fromstring(sketch(name, dark)).iter("{http://www.w3.org/2000/svg}text")]
    assert "sketch" in texts
    assert sketch(name, dark) == sketch(name, dark)
