"""Where z of the explorer's page rests, and the way back, under node."""

from pathlib import Path

from tests.node_runner import node_runner


def test_home_right_after_an_arrow_key_leaves_the_place_of_the_key(tmp_path: Path) -> None:
    """Its time to count as one stop with the next key is cut short: Back goes where the keys had led."""
    found = node_runner(tmp_path, "explore/place")(
        "const none = () => {}, at = new place.Place({ moved: none, told: none, tried: none, rested: none });"
        "const wait = (ms) => new Promise((r) => setTimeout(r, ms)), seen = [];"
        "at.rest = [0, 0];"
        "at.nudge([0.1, 0]); await wait(450);"
        "at.nudge([0.1, 0.01]); at.home(); await wait(450); seen.push([at.rest]);"
        "while (at.back()) seen.push([at.rest]);"
        "at.nudge([1, 1]); seen.push([at.back(), at.rest]);"
        "print(seen.map((s) => s.map((v) => Array.isArray(v) ? v.map((x) => Math.round(100 * x) / 100) : v)));"
    )
    assert found == [[[0, 0]], [[0.1, 0.01]], [[0.1, 0]], [[0, 0]], [True, [0, 0]]]
