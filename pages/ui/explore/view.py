"""The latent explorer: a trained model, encoder and decoder, run in the browser, and ways to look around in it.

What goes to the browser: the name of the model (its package is fetched once, see package.py), the way, and the state
that a link names. What comes back: the state, once something has come to rest; nothing while it moves.
"""

from pathlib import Path
from typing import Any

from pages.ui.component import declare, show_state

_STYLES = sorted(Path(__file__).resolve().parent.rglob("*.css"), key=lambda path: (path.name != "explore.css", path))
_show = declare("explorer_view", "explore/explorer.js", "explore", *_STYLES, frame=True)

_show_codes = declare("code_map_view", "explore/codes/view.js", "explore", *_STYLES, frame=True)


def code_map_view(
    name: str,
    *,
    images: dict[str, Any],
    key: str,
    version: int = 0,
    state: dict[str, Any] | None = None,
    again: int = 0,
) -> dict[str, Any] | None:
    """Show the code maps of a model that has a codebook; as `explorer_view`, with the one part "codes" of the state."""
    return show_state(_show_codes, key, state, name=name, version=str(version), images=images, again=again)


def explorer_view(
    name: str,
    dims: int,
    way: str,
    *,
    images: dict[str, Any],
    key: str,
    version: int = 0,
    state: dict[str, Any] | None = None,
    again: int = 0,
) -> dict[str, Any] | None:
    """Show a model's latent space; the script (or fragment) that calls this runs again when the state settles.

    Args:
        name: of the model, as its package's address has it. dims: how many latents it has.
        way: which of the ways to explore is open; pages/ui/explore/ways.js names them.
        images: of its map, MapPictures.counts: what a link may name.
        key: of the widget; the same key keeps what is on the page.
        version: another number than before has the model fetched again.
        state: what to show, as this returned it, or some of it: a part for every way, and "view" for the map. What a
            link says may come in as it is: values out of bounds are clipped, others are ignored.
        again: another number than before shows `state` once more, although the visitor has moved on since.
    Returns:
        What is shown, as last reported; `state` before the first report.
    """
    return show_state(
        _show, key, state, name=name, version=str(version), dims=dims, way=way, images=images, again=again
    )
