"""The second step of the lesson: what a KL divergence measures, in both directions. It all happens in the browser."""

from typing import Any

from pages.ui.component import declare, show_state

_show = declare("lesson_gaussians", "lesson/gaussians/view.js", "lesson", "lesson/lesson.css", "lesson/figures.css")


def gaussians_view(key: str, state: dict[str, Any] | None = None, again: int = 0) -> dict[str, Any] | None:
    """Show two Gaussians to drag with their KL divergences in nats, and one Gaussian fitted to two bumps.

    The script (or fragment) that calls this runs again when something is let go, never while it moves.

    Args:
        key: of the widget; the same key keeps what is shown.
        state: what to show at first, as this returned it, or some of it: q_mu, q_std, p_mu, p_std (means from -3 to 3,
            standard deviations from 0.2 to 2), shown ("qp", "pq"), log2_draws (4 to 16), seed, distance (0 to 8), left,
            right (0.3 to 1.5), start ("left", "right", "q"). What a link says may come in as it is: values out of
            bounds are clipped, others are ignored.
        again: another number than before shows `state` once more, although the visitor has moved on since.
    Returns:
        What is shown, as last reported; `state` before the first report.
    """
    return show_state(_show, key, state, again=again)
