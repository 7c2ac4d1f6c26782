"""Points of the plane: a run on them as it trains, with everything exact, and a pad to draw them on."""

from collections.abc import Callable, Sequence

from pages.ui.component import declare
from vae_core.data.points import FEWEST, MOST, REACH

_show = declare("plane_view", "plane/view.js", "onplane", "plane/plane.css", frame=True)
_show_pad = declare("plane_pad", "plane/pad.js", "planepad", "plane/pad.css")


def plane_view(
    run_id: str | None,
    *,
    preview: Sequence[Sequence[float]],
    at: int | None,
    point: int | None,
    key: str,
    on_space: Callable[[], None],
) -> tuple[int | None, int | None]:
    """Show a run as it trains, or at any moment of its film; returns that moment and the number of the chosen point.

    The script (or fragment) that calls this runs again when the run enters another status, and when moment or point
    come to rest elsewhere.

    Args:
        run_id: what to follow; None: the preview alone is drawn.
        preview: points (x1, x2). at: the step at which the film is to open. point: the test point that is chosen.
        on_space: called when the space bar is pressed and nothing but the page has the focus.
    """
    data = {"run": run_id, "preview": preview, "at": at, "point": point, "reach": REACH}
    result = _show(key, data, {"status": "", "at": None, "point": None}, on_space_change=on_space)
    return (None if result.at is None else int(result.at)), (point if result.point is None else int(result.point))


def pad(given: Sequence[Sequence[float]], *, version: str, key: str) -> list[list[float]] | None:
    """A square of the plane to draw points on by mouse, finger or keys; returns them, None before anything is drawn.

    Args:
        given: points to begin with, taken whenever the version is another than before.
    """
    data = {"points": given, "version": version, "reach": REACH, "fewest": FEWEST, "most": MOST}
    result = _show_pad(key, data, {"points": None})
    return None if result.points is None else [[float(x), float(y)] for x, y in result.points]
