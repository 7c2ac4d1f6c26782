"""What a mouse, a finger or a pen does to our components, and where a test does the same by keys alone.

The one list: tests/test_pointers.py fails on a handler that is not in it. A button with a name of its own in the markup
is found there and needs no line here.
"""

from typing import NamedTuple

BUTTON = "a native control: the browser presses it by Enter or Space"
PART = "of those that use it, which stand here themselves"
PEN = "a digit is drawn by a pen alone; an image is loaded, or a test image taken, by keys"


class Action(NamedTuple):
    """A module below pages/ui, its handlers as they stand there, what they do, and BUTTON, PART, PEN or a test."""

    module: str
    handlers: tuple[str, ...]
    does: str
    keys: str


EXPLORER, HANDLES = "test_by_keys.py::", "test_keyboard.py::the_same_by_mouse"
OVER = ("canvas.onpointermove", "canvas.onpointerleave", "canvas.onclick")

ACTIONS = (
    # what several components are made of
    Action("lib/hold.js", ('node.addEventListener("pointerdown"', 'node.addEventListener("pointermove"'), "", PART),
    Action("lib/hold.js", ('node.addEventListener("pointerup"', 'node.addEventListener("pointercancel"'), "", PART),
    Action("lib/hold.js", ("node.addEventListener(name", 'node.addEventListener("contextmenu"'), "", PART),
    Action("lib/drag.js", ("takeHold(", 'node.addEventListener("touchstart"'), "", PART),
    Action("lib/drag.js", ('node.addEventListener("pointerdown"', 'node.addEventListener("pointermove"'), "", PART),
    Action("lib/dom.js", ('slider.addEventListener("touchstart"', "slider.addEventListener(end"), "", PART),
    Action("lib/dom.js", ("button.onclick",), "choose one of several", BUTTON),
    Action("lib/film.js", ("part.play.onclick", "part.toLive.onclick"), "play the film, leave it", BUTTON),
    Action("lib/clicks.js", ('document.addEventListener("click"',), "count presses, those by keys too", BUTTON),
    Action("lesson/plot.js", ("draggable(", "this.grab("), "", PART),
    Action("explore/pointer.js", ("takeHold(", *OVER[:2]), "", PART),
    Action("explore/shared/sheet.js", tuple(f"this.{name}" for name in OVER), "", PART),
    Action("explore/shared/strip.js", ("canvas.onclick",), "", PART),
    # the whole page
    Action("web/escape.js", ("word.onpointerleave",), "let an explanation open again", BUTTON),
    Action("web/escape.js", ('document.addEventListener("click"',), "take a tooltip away at a press", BUTTON),
    Action("web/lost.js", ("window.addEventListener(hand",), "", PART),
    Action(
        "web/lost.js",
        ('document.addEventListener("pointerdown"', 'document.addEventListener("click"'),
        "press a switch while the line is down",
        "test_line_lost.py::test_the_map_goes_on_and_what_was_pressed_is_carried_out",
    ),
    # the explorer
    Action("explore/explorer.js", ("new Pointer(",), "move z, and go there", EXPLORER + "the_map_of_the_pad"),
    Action("explore/files.js", ("this.part[kind].onclick",), "save a file", BUTTON),
    Action("explore/pad/sliders.js", ("strip.onclick",), "set a latent", EXPLORER + "the_strip_of_a_slider"),
    Action("explore/pad/way.js", ("open.onclick", "remove.onclick"), "go to a pin, take it away", BUTTON),
    Action("explore/encode/seen.js", ("new Sheet(",), "take a sample", EXPLORER + "the_samples"),
    Action("explore/encode/way.js", ("new Zoom(",), "take a sample by its dot", EXPLORER + "the_samples"),
    Action("explore/encode/zoom.js", OVER, "take a sample by its dot", EXPLORER + "the_samples"),
    Action("explore/encode/way.js", ("new Drawing(",), "draw", PEN),
    Action(
        "explore/encode/drawing.js",
        tuple(f"canvas.onpointer{name}" for name in ("down", "move", "up", "cancel")),
        "draw",
        PEN,
    ),
    Action("explore/interpolate/lane.js", ("new Strip(",), "go along the path", EXPLORER + "the_strip_of_a_path"),
    Action("explore/interpolate/stops.js", ("next.onclick", "remove.onclick"), "another stop, or none", BUTTON),
    Action("explore/interpolate/player.js", ("button.onclick",), "play", BUTTON),
    Action("explore/arithmetic/way.js", ("new Strip(",), "set the strength", EXPLORER + "the_strip_of_a_vector"),
    Action("explore/arithmetic/panels.js", ("onclick", "next.onclick"), "choose attributes and images", BUTTON),
    Action("explore/traverse/row.js", ("new Sheet(",), "go to a picture", EXPLORER + "a_row_of_the_traversal"),
    Action("explore/traverse/row.js", ("this.button.onclick",), "choose a latent", BUTTON),
    Action("explore/prior/grid.js", ("new Sheet(",), "go to a picture", EXPLORER + "the_grid_of_the_prior"),
    Action("explore/prior/draws.js", ("new Sheet(",), "go to a draw", EXPLORER + "the_draws"),
    Action(
        "explore/prior/warp.js",
        tuple(f"part.mesh.on{name}" for name in ("pointermove", "pointerleave", "click")),
        "go to a node",
        EXPLORER + "the_warp",
    ),
    Action(
        "explore/labels/way.js",
        ("new Strip(",),
        "tell a wrong label",
        "test_explorer_labels.py::the_wrong_label_by_keys",
    ),
    Action(
        "explore/codes/view.js",
        ("map.onclick",),
        "choose a place of the code map",
        "test_explorer_codes.py::test_another_code_at_a_place_changes_the_picture_and_the_link_keeps_it",
    ),
    Action(
        "explore/codes/view.js", ("onclick", "undo.onclick", "retry.onclick"), "choose a code, take it back", BUTTON
    ),
    # Home
    Action("passage/passage.js", ("new Pointer(",), "drag the cloud", "test_home.py::the_cloud_by_keys"),
    Action("passage/passage.js", ("new Drawing(",), "draw", PEN),
    # The ELBO
    Action("lesson/bound/line.js", ("draggable(",), "move q", HANDLES),
    Action("lesson/bound/plane.js", ("draggable(",), "move q", HANDLES),
    Action("lesson/gaussians/pair.js", ("densities.grab(",), "move a Gaussian", HANDLES),
    Action("lesson/transform.js", ("takeHold(", 'svg.addEventListener("pointermove"'), "move a point", HANDLES),
    Action(
        "lesson/code_map.js",
        ('this.root.addEventListener("pointerover"', 'this.root.addEventListener("pointerleave"'),
        "light up what belongs together",
        "test_code_map.py::test_the_keyboard_walks_the_boxes_and_their_code_comes_into_view",
    ),
    Action("lesson/code_map.js", ('this.root.addEventListener("click"',), "choose a step", BUTTON),
    # live training
    Action("live/picture.js", ("part.tabs.onclick",), "choose draws or the grid", BUTTON),
    Action("live/picture.js", ("part.grid.onclick",), "find a cell", "test_spoken.py::grid_is_searched"),
    Action("live/slow/motion.js", ("onclick",), "go to a stage", BUTTON),
    Action(
        "live/slow/motion.js",
        ("part.batch.onclick",),
        "follow an image",
        "test_slow_motion.py::test_another_image_of_the_batch_can_be_followed",
    ),
    # the plane
    Action(
        "plane/pad.js",
        tuple(f"canvas.onpointer{name}" for name in ("down", "move", "up", "cancel")),
        "drop points",
        "test_plane.py::a_point_by_key_and_by_mouse",
    ),
    Action("plane/view.js", ("takeHold(",), "choose a point", "test_plane.py::the_same_point_by_mouse"),
    # ablation
    Action("arms/overlay.js", ("takeHold(",), "decode at a point", "test_ablation.py::the_same_point_by_keys"),
    Action("arms/panel.js", ("part.reconstructions.onclick",), "follow an image", "test_ablation.py::an_image_by_keys"),
    Action("arms/table.js", ("button.onclick",), "save the table", BUTTON),
    Action(
        "arms/gate.js",
        ("strip.addEventListener(type",),
        "ask before the film is played",
        "test_ablation.py::test_a_question_takes_the_keyboard_and_gives_it_back",
    ),
    # the room
    Action("follow/class_link.js", ("onclick",), "copy the link", BUTTON),
)
