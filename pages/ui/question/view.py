"""A question that comes before what was wished: it takes the keyboard, and gives it back."""

from pages.ui.component import declare

_show = declare("question", "question/question.js", "question")


def take_keyboard(box: str, asks: str, leave: str) -> None:
    """Stand within a container of that key, after its buttons: it is a group that is called as it asks.

    Args:
        box: the container's key. asks: the question, another one takes the keyboard again. leave: the button of Escape.
    """
    _show(f"question of {box}", {"box": box.replace(" ", "-"), "asks": asks, "leave": leave}, {})
