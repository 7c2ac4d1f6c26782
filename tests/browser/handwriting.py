"""Ten digits as a hand writes them with the mouse: strokes of points, x to the right, y down, as shares of a canvas."""

import math
from collections.abc import Sequence

from playwright.sync_api import Locator, Page

Point = tuple[float, float]
Stroke = list[Point]


def arc(centre: Point, radii: Point, start: float, end: float, count: int = 10) -> Stroke:
    """Part of an ellipse; angles in degrees, 0 to the right, 90 down (clockwise on the screen)."""
    turns = [math.radians(start + (end - start) * i / (count - 1)) for i in range(count)]
    return [(centre[0] + radii[0] * math.cos(t), centre[1] + radii[1] * math.sin(t)) for t in turns]


DIGITS: dict[int, list[Stroke]] = {
    0: [arc((0.5, 0.5), (0.24, 0.33), -80, -445)],
    1: [[(0.53, 0.17), (0.5, 0.5), (0.47, 0.84)]],
    2: [[*arc((0.48, 0.34), (0.21, 0.17), -165, 25), (0.52, 0.6), (0.28, 0.8), (0.5, 0.79), (0.77, 0.8)]],
    3: [[*arc((0.46, 0.33), (0.21, 0.15), -150, 90), *arc((0.46, 0.65), (0.25, 0.18), -90, 150)]],
    4: [
        [(0.32, 0.18), (0.29, 0.38), (0.31, 0.52), (0.48, 0.54), (0.68, 0.5)],
        [(0.7, 0.16), (0.67, 0.5), (0.63, 0.86)],
    ],
    5: [
        [(0.37, 0.2), (0.34, 0.45), *arc((0.47, 0.61), (0.23, 0.2), -125, 140)],
        [(0.37, 0.2), (0.55, 0.19), (0.73, 0.18)],
    ],
    6: [[(0.6, 0.15), (0.46, 0.3), (0.36, 0.5), *arc((0.5, 0.65), (0.16, 0.17), 190, -170)]],
    7: [[(0.27, 0.22), (0.5, 0.21), (0.73, 0.2), (0.62, 0.45), (0.52, 0.65), (0.45, 0.84)]],
    8: [
        [
            *arc((0.5, 0.34), (0.16, 0.16), -45, -270),
            *arc((0.5, 0.67), (0.19, 0.17), -90, 270),
            *arc((0.5, 0.34), (0.16, 0.16), 90, -45),
        ]
    ],
    9: [[*arc((0.49, 0.36), (0.19, 0.18), -30, -380), (0.68, 0.36), (0.65, 0.6), (0.58, 0.84)]],
}


def draw(page: Page, canvas: Locator, strokes: Sequence[Stroke]) -> None:
    """Write with the mouse: press, move, let go, once for every stroke."""
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    for stroke in strokes:
        places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in stroke]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place)
        page.mouse.up()
