"""What the latent map writes on its codes, run under node with a canvas that only takes notes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.node_runner import node_runner

DRAW = """
globalThis.devicePixelRatio = 1;
globalThis.document = { documentElement: {} };
globalThis.getComputedStyle = () => ({ fontSize: "17px" });
const written = [];
const ctx = { fillRect() {}, strokeText() {}, fillText: (text, x, y) => written.push([text, x, y]) };
const { xy, labels } = given, at = (v) => 100 + 25 * v;
const own = { colours: { classes: [], text: "", background: "" }, alpha: 1, note: {}, reach: () => 4,
  snapshot: { xy: { data: xy.flat() }, xyUnit: 1, labels: { data: labels } } };
const drawn = Object.assign(Object.create(map.LatentMap.prototype), own);
drawn.drawCodes(ctx, 200, at);
print(written);
"""


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., Any]:
    return node_runner(tmp_path, "lib/map")


def written(node: Callable[..., Any], codes: list[list[float]]) -> list[tuple[str, float, float]]:
    found = node(DRAW, {"xy": codes, "labels": list(range(len(codes)))})
    return [(str(text), x, y) for text, x, y in found]


def test_classes_at_one_spot_are_named_together_clear_of_the_axis(node: Callable[..., Any]) -> None:
    """The axis' name has its line 22 pixels above the frame's foot, its letters are 13 high."""
    ((text, x, y),) = written(node, [[0.01 * i, -0.02 * i] for i in range(10)])
    assert text == "all 10 classes" and x == pytest.approx(100, abs=10)
    assert y - 13 * 0.72 > 125 and y < 200 - 22 - 13  # below the circle of one sigma, above the name
    assert [text for text, *_ in written(node, [[0.0, 0.0]] * 4)] == ["all 4 classes"]


@pytest.mark.parametrize("along", [0, 1])
def test_classes_that_lie_apart_in_one_direction_have_their_own_names(along: int, node: Callable[..., Any]) -> None:
    codes = [[0.0, 0.0] for _ in range(5)]
    codes[3][along] = 2.0
    names = written(node, codes)
    assert [text for text, *_ in names] == ["0", "1", "2", "3", "4"]
    moved = [b - a for a, b in zip(names[0][1:], names[3][1:], strict=True)]
    assert moved == [50, 0] if along == 0 else moved == [0, -50]  # up on the map is up on the screen


def test_two_classes_keep_their_names(node: Callable[..., Any]) -> None:
    assert [text for text, *_ in written(node, [[0.0, 0.0], [0.0, 0.0]])] == ["0", "1"]
