"""The image of the way Encode by its number among all test images: in a link, and for a link to another page.

The browser holds those of the map (of MNIST half of the test images) and knows them by their place there. Any other is
put into its state as a picture; a link names each by its number alone.
"""

import base64
from typing import Any

from pages.ui.map_pictures import images_of, pictures_of

_OF_AN_IMAGE = ("of", "image", "picture", "number", "digit")  # of the component's state


def fill(encode: dict[str, Any], dataset: str) -> dict[str, Any]:
    """The component's state for what a link says: where it names an image by number, that very image.

    Args:
        dataset: which test images are meant.
    Raises:
        DataError: they are not here any more.
    """
    number = encode.get("number")
    whole = isinstance(number, int) and not isinstance(number, bool)
    images = images_of(dataset) if whole else None
    if images is None or number is None or not 0 <= number < len(images.x_test):
        return {name: value for name, value in encode.items() if name not in ("number", "digit")}
    rest = {name: value for name, value in encode.items() if name not in _OF_AN_IMAGE}
    place = pictures_of(dataset).places.get(number)
    if place is not None:
        return rest | {"of": "test", "image": place}
    pixels = images.x_test[number].numpy().tobytes()
    digit = int(images.y_test[number])
    return rest | {"of": "picture", "picture": base64.b64encode(pixels).decode(), "number": number, "digit": digit}


def shorten(encode: dict[str, Any]) -> dict[str, Any]:
    """What a link is to say of the component's state: a picture that is a test image by its number alone."""
    if encode.get("number") is None:
        return {name: value for name, value in encode.items() if name not in ("number", "digit")}
    kept = ("of", "image") if encode.get("of") == "test" else ("number",)
    return {name: value for name, value in encode.items() if name not in _OF_AN_IMAGE or name in kept}


def number_of(encode: dict[str, Any], dataset: str) -> int | None:
    """The number of the test image that is encoded; None for a picture of the visitor's own."""
    if encode.get("of", "test") != "test":
        return encode.get("number")
    place, numbers = encode.get("image", 0), pictures_of(dataset).numbers
    return int(numbers[place if isinstance(place, int) and 0 <= place < len(numbers) else 0])
