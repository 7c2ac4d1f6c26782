"""What a screen reader is told: of which moment, how often, and how the codes of a map lie."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.node_runner import node_runner

# A clock of the test's own: timers run when it is moved.
FAKES = """
const make = () => ({ dataset: {}, textContent: "", attributes: {}, append() {},
  setAttribute(name, value) { this.attributes[name] = value; } });
globalThis.document = { createElement: make };
let now = 0, timers = [];
globalThis.setTimeout = (act, wait) => (timers.push({ act, at: now + wait }), timers.length);
globalThis.clearTimeout = () => (timers = []);
Object.defineProperty(globalThis, "performance", { value: { now: () => now } });
const move = (to) => {
  now = to;
  const due = timers.filter(({ at }) => at <= now);
  timers = timers.filter(({ at }) => at > now);
  for (const { act } of due) act();
};
const teller = new spoken.Teller(make());
"""


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., Any]:
    run = node_runner(tmp_path, "lib/spoken")
    return lambda script, given=None: run(FAKES + script, given)


def test_it_speaks_once_in_five_seconds_and_of_the_moment_when_it_speaks(node: Callable[..., Any]) -> None:
    """Ten changes a second for twelve seconds."""
    found = node(
        "let value = 0; const said = [];"
        "for (let t = 0; t <= 12000; t += 100) {"
        "  value = t; teller.say(() => `at ${value}`); move(t);"
        "  if (said.at(-1) !== teller.line.textContent) said.push(teller.line.textContent);"
        "}"
        "print({ said, attributes: teller.line.attributes });"
    )
    assert found["said"] == ["", "at 1000", "at 6000", "at 11000"]
    assert found["attributes"] == {"aria-live": "polite", "aria-atomic": "true"}


def test_the_last_change_is_always_told(node: Callable[..., Any]) -> None:
    found = node(
        "teller.say(() => 'first'); move(1000); teller.say(() => 'second'); move(1100); teller.say(() => 'third');"
        "const before = teller.line.textContent; move(60000);"
        "print([before, teller.line.textContent]);"
    )
    assert found == ["first", "third"]


def test_where_the_codes_of_a_map_lie(node: Callable[..., Any]) -> None:
    xy = np.random.default_rng(0).integers(-3000, 3000, (50, 2))
    given = {"shape": list(xy.shape), "data": xy.flatten().tolist()}
    said = node("print(spoken.codesText({ xy: given, xyUnit: 0.001 }));", given)
    numbers = [f"({a:.2f}, {b:.2f})".replace("-", "−") for a, b in (xy.mean(0) / 1000, xy.std(0) / 1000)]
    assert said == f"Codes of 50 test images: mean {numbers[0]}, std {numbers[1]}."
    assert node("print(spoken.codesText({ xy: { shape: [0, 2], data: [] }, xyUnit: 1 }));") == ""
