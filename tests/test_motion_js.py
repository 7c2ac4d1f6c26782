"""Films and players where less motion is wanted: they go in steps, and skip what would only flicker."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.node_runner import node_runner

# Timers run at once, one after another, and their waits are kept; a frame of the browser would be an error.
FAKES = """
const button = () => ({ setAttribute() {}, textContent: "" });
globalThis.document = { baseURI: "https://lab.example.org/" };
globalThis.matchMedia = () => ({ matches: given.still });
const waits = [], queue = [];
globalThis.setTimeout = (act, wait) => (waits.push(wait), queue.push(act), queue.length);
globalThis.clearTimeout = () => {};
globalThis.cancelAnimationFrame = () => {};
globalThis.requestAnimationFrame = () => { frames += 1; };
let frames = 0;
const run = (times) => { for (let i = 0; i < times && queue.length; i++) queue.shift()(); };
"""
FILM = """
const shown = [], part = { play: button(), toLive: {}, scrub: button(), moment: {} };
const reel = new film.Film("run");
reel.steps = Array.from({ length: given.frames }, (_, i) => 10 * i);
const scrubber = new film.Scrubber(part, reel, (step) => shown.push(step), () => {});
scrubber.play();
run(1000);
print({ shown, waits: waits.filter((wait) => wait !== 400) });
"""


@pytest.fixture
def film(tmp_path: Path) -> Callable[..., Any]:
    run = node_runner(tmp_path, "lib/film")
    return lambda still, frames: run(FAKES + FILM, {"still": still, "frames": frames})


def test_a_film_shows_every_frame(film: Callable[..., Any]) -> None:
    found = film(False, 48)
    assert found["shown"] == list(range(0, 480, 10)) and max(found["waits"]) < 200


@pytest.mark.parametrize("frames", [5, 48, 200])
def test_where_less_motion_is_wanted_a_film_stays_at_each_of_a_few_frames(
    film: Callable[..., Any], frames: int
) -> None:
    shown, waits = (film(True, frames)[name] for name in ("shown", "waits"))
    assert shown[0] == 0 and shown[-1] == 10 * (frames - 1)  # never without its end
    assert len(shown) == len(set(shown)) <= 13
    assert all(wait >= 700 for wait in waits[1:])


def test_where_less_motion_is_wanted_a_path_goes_from_picture_to_picture(tmp_path: Path) -> None:
    script = """
    let place = 0;
    const path = { last: 400, steps: 10, placeOf: (k) => 40 * k }, places = [];
    const on = { path: () => path, place: () => place, move: (to) => places.push((place = to)), shown: () => true };
    new player.Player(button(), on).play();
    run(12);
    print({ places, waits, frames });
    """
    found = node_runner(tmp_path, "explore/interpolate/player")(FAKES + script, {"still": True})
    assert found["places"] == [*range(40, 401, 40), 360, 320]  # there, and back again
    assert found["frames"] == 0 and min(found["waits"]) >= 700
