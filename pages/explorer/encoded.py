"""The image of the way Encode by its number among all test images: in a link, and for a link to another page.

The browser holds half of the test images, those of the map, and knows them by their place there. Any other is put into
its state as a picture; a link names each by its number alone.
"""

import base64
import functools
from typing import Any

from pages.ui.shipped import images
from vae_core.inspect.snapshot import map_numbers

_OF_AN_IMAGE = ("of", "image", "picture", "number", "digit")  # of the component's state


@functools.cache
def _on_map() -> dict[int, int]:
    """Places on the map by numbers."""
    return {number: place for place, number in enumerate(map_numbers(images()).tolist())}


@functools.cache
def _numbers() -> list[int]:
    return list(_on_map())


def fill(encode: dict[str, Any]) -> dict[str, Any]:
    """The component's state for what a link says: where it names an image by number, that very image."""
    number = encode.get("number")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < len(images().x_test):
        return {name: value for name, value in encode.items() if name not in ("number", "digit")}
    rest = {name: value for name, value in encode.items() if name not in _OF_AN_IMAGE}
    if number in _on_map():
        return rest | {"of": "test", "image": _on_map()[number]}
    pixels = images().x_test[number].numpy().tobytes()
    digit = int(images().y_test[number])
    return rest | {"of": "picture", "picture": base64.b64encode(pixels).decode(), "number": number, "digit": digit}


def shorten(encode: dict[str, Any]) -> dict[str, Any]:
    """What a link is to say of the component's state: a picture that is a test image by its number alone."""
    if encode.get("number") is None:
        return {name: value for name, value in encode.items() if name not in ("number", "digit")}
    kept = ("of", "image") if encode.get("of") == "test" else ("number",)
    return {name: value for name, value in encode.items() if name not in _OF_AN_IMAGE or name in kept}


def number_of(encode: dict[str, Any]) -> int | None:
    """The number of the test image that is encoded; None for a picture of the visitor's own."""
    if encode.get("of", "test") != "test":
        return encode.get("number")
    place = encode.get("image", 0)
    return _numbers()[place] if isinstance(place, int) and 0 <= place < len(_numbers()) else _numbers()[0]
