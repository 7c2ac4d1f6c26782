"""Every press of a button is carried out once, in whatever order its two witnesses speak: Streamlit and the browser."""

from types import SimpleNamespace

import pytest

from pages.training import actions
from pages.ui import presses


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> dict:
    state: dict = {}
    for module in (presses, actions):
        monkeypatch.setattr(module, "st", SimpleNamespace(session_state=state))
    return state


CALLBACK = None
STORIES = {  # what is told, in order: a callback, or the count of the browser; and what is then carried out
    "one click": ([CALLBACK, 1], [1, 0]),
    "five, of which Streamlit made two": ([CALLBACK, CALLBACK, 5], [1, 1, 3]),
    "the count comes first": ([3, CALLBACK], [3, 0]),
    "counted twice": ([CALLBACK, 4, 4], [1, 3, 0]),
    "without a browser that counts": ([CALLBACK, CALLBACK, CALLBACK], [1, 1, 1]),
    "two bursts": ([CALLBACK, 5, CALLBACK, 10], [1, 4, 0, 5]),
}


@pytest.mark.parametrize("told, done", STORIES.values(), ids=STORIES.keys())
def test_every_press_counts_once(told: list[int | None], done: list[int], state: dict) -> None:
    assert [presses.to_carry_out("step", clicks) for clicks in told] == done


def test_a_component_that_is_made_anew_goes_on_counting_from_what_was_done(state: dict) -> None:
    for _ in range(3):
        presses.to_carry_out("step")
    assert presses.counting("step") == {"counted": "st-key-step", "clicks": 3}
    assert presses.counting("a b") == {"counted": "st-key-a-b", "clicks": 0}  # buttons do not know of each other
    assert presses.counting(None) == {"counted": None, "clicks": 0}


def test_late_clicks_are_for_the_run_whose_step_was_pressed(state: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    """Step, Step, Start: the count comes when another run is on the page already, and must not pause it."""
    made: list[tuple[str, int]] = []
    monkeypatch.setattr(actions, "_own", lambda run_id, _: run_id)
    monkeypatch.setattr(actions, "command", lambda run_id, name, steps: made.append((run_id, steps)))
    monkeypatch.setattr(actions, "shown_run", lambda: SimpleNamespace(run_id="the new one"))
    actions.step("the old one", {})
    actions.steps_clicked(2)
    assert made == [("the old one", 1), ("the old one", 1)]
