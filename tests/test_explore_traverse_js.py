"""A row of the traversal, its sweep, and sliders in the hand, under node."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.node_runner import node_runner

MODULES = ("prior/draws", "prior/grid", "traverse/way as traverse", "traverse/row", "traverse/sweep")


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., Any]:
    return node_runner(tmp_path, "lib/dom", *(f"explore/{name}" for name in MODULES))


def test_places_of_a_row(node: Callable[..., Any]) -> None:
    found = node(
        "const state = { reach: 3, steps: 7 };"
        "const { shareOf, valueAt } = row, seven = Array.from({ length: 7 }, (_, k) => k);"
        "print([seven.map((k) => valueAt(k, state)), [-3, 0, 1, 3, 9].map((v) => shareOf(v, state))]);"
    )
    assert np.allclose(found[0], [-3, -2, -1, 0, 1, 2, 3])
    assert np.allclose(found[1], [0.5 / 7, 3.5 / 7, 4.5 / 7, 6.5 / 7, 1])


def test_the_sweep_goes_to_and_fro_evenly(node: Callable[..., Any]) -> None:
    found = np.array(node("print(Array.from({ length: 1201 }, (_, k) => sweep.toAndFro(k / 100, 3)));"))
    assert (
        found[0] == 0
        and found[300] == pytest.approx(3)
        and found[900] == pytest.approx(-3)
        and found[1200] == pytest.approx(0)
    )
    assert np.allclose(np.abs(np.diff(found)), 0.01) and found.max() <= 3 and found.min() >= -3


@pytest.mark.parametrize(
    ("view", "key"),
    [("traverse.TraverseWay", "reach"), ("draws.PriorDraws", "temperature"), ("grid.PriorGrid", "n")],
)
def test_what_the_hand_holds_is_not_overwritten(view: str, key: str, node: Callable[..., Any]) -> None:
    """A state that comes in takes over all but the slider that is held; a new model's takes over all."""
    script = (
        "const shown = []; for (const [held, state] of given.cases)"
        f"  {view}.prototype.show.call({{ state, held: () => held,"
        "    put: (state) => shown.push(state) }, { [given.key]: 1, seed: 7 });"
        "print(shown);"
    )
    cases = [[True, {key: 2, "seed": 0}], [False, {key: 2, "seed": 0}], [True, None]]
    assert node(script, {"key": key, "cases": cases}) == [{key: v, "seed": 7} for v in (2, 1, 1)]


def test_a_paused_sweep_rests_and_a_halted_one_does_not(node: Callable[..., Any]) -> None:
    script = (
        "let frame = null, now = 0, wanted = true; const rested = [], told = [];"
        "Object.assign(globalThis, { matchMedia: () => ({ matches: false }),"
        "  cancelAnimationFrame: () => (frame = null), requestAnimationFrame: (run) => (frame = run) });"
        "const going = new sweep.Sweep({ show: () => {}, rest: (v) => rested.push(v),"
        "  told: (v) => told.push(v), reach: () => 3, steps: () => 9, wanted: () => wanted });"
        "const run = () => frame((now = performance.now() + 100));"
        "going.play(); going.pause(); going.play(); run(); going.pause();"  # no frame was shown: nowhere to rest
        "going.play(); run(); wanted = false; run();"  # another way was chosen
        "print({ rested, told, going: going.going });"
    )
    found = node(script)
    assert len(found["rested"]) == 1 and 0 < found["rested"][0] <= 0.15 + 1e-9
    assert found["told"] == [True, False] * 3 and found["going"] is False


def test_a_slider_is_in_the_hand_of_a_mouse_or_a_finger(node: Callable[..., Any]) -> None:
    script = (
        "let active = false; const slider = Object.assign(new EventTarget(), { matches: (what) => active });"
        "const held = dom.handOn(slider), found = [held()];"
        "for (const now of [true, false]) { active = now; found.push(held()); }"
        "for (const name of given) { slider.dispatchEvent(new Event(name)); found.push(held()); }"
        "print(found);"
    )
    found = node(script, ["touchstart", "touchmove", "touchend", "touchstart", "touchcancel"])
    assert found == [False, True, False, True, True, False, True, False]
