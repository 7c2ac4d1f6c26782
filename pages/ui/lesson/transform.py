"""The first step of the lesson: normal noise, sent through a function, becomes data. It all happens in the browser."""

from typing import Any

from pages.ui.component import declare, show_state

_show = declare("lesson_transform", "lesson/transform.js", "lesson", "lesson/lesson.css", "lesson/figures.css")


def transform_view(key: str, state: dict[str, Any] | None = None, again: int = 0) -> dict[str, Any] | None:
    """Show 2,000 draws z ~ N(0, I) beside x = f(z), with a slider for the strength of f.

    The script (or fragment) that calls this runs again when a control is let go, never while it moves.

    Args:
        key: of the widget; the same key keeps what is shown.
        state: what to show at first, as this returned it, or some of it: function ("ring", "circles"), strength
            (0 to 1), noise (sigma of p(x|z)), colour ("angle", "radius"), zoom (bool), seed. What a link says may come
            in as it is: values out of bounds are clipped, others are ignored.
        again: another number than before shows `state` once more, although the visitor has moved on since.
    Returns:
        What is shown, as last reported; `state` before the first report.
    """
    return show_state(_show, key, state, again=again)
