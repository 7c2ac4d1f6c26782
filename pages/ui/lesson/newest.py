"""A mark of no height below a line: when another line has come, it is scrolled into view."""

from pages.ui.component import declare

_show = declare("lesson_newest", "lesson/newest.js", "newest", "lesson/newest.css")


def newest_mark(key: str, line: str) -> None:
    """Stand here; scroll when `line` is another one than before.

    Args:
        key: of the widget.
        line: what tells the line above from others.
    """
    _show(key, {"line": line}, {})
