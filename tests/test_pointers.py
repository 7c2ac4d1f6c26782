"""No pointer does what no key does: every handler of a pointer stands in the list of pointers.py, with its keys."""

import ast
import re
from pathlib import Path

from pages.ui.assets import UI, browser_files
from tests.pointers import ACTIONS, BUTTON, PART, PEN

ROOT = Path(__file__).resolve().parents[1]
EVENT = r"(?:click|dblclick|auxclick|contextmenu|wheel|pointer\w+|mouse\w+|touch\w+|drag\w*|drop)"
HANDLER = re.compile(
    rf"[\w.\[\]]+\.on{EVENT}\b(?=\s*=[^=])|\bonclick\b(?=\s*[:,}}])"
    # of a name that is no text any event may come
    rf"|[\w.]+\.addEventListener\(\s*(?:\"{EVENT}\"|[a-zA-Z]\w*)"
    r"|\b(?:takeHold|draggable|new (?:Pointer|Sheet|Strip|Drawing|Zoom))\(|\b\w[\w.]*\.grab\((?=[^)])"
)
DEFINED = re.compile(r"\s*(?:import\b|//|\*|/\*|export function \w+\(|class\b)")
NAMED = re.compile(r"(?:this\.)?part\.(\w+)\.onclick")


MODULES = {
    path.relative_to(UI).as_posix(): path.read_text(encoding="utf-8")
    for path in browser_files()
    if path.suffix == ".js" and "vendor" not in path.parts
}


def handlers(text: str) -> set[str]:
    lines = [line for line in text.splitlines() if not DEFINED.match(line)]
    return {found for line in lines for found in HANDLER.findall(line)}


def is_button(module: str, handler: str) -> bool:
    """Whether the component's markup says so: every element of that name in it is a button."""
    named = NAMED.fullmatch(handler)
    texts = [text for other, text in MODULES.items() if other.split("/")[0] == module.split("/")[0]]
    tags = [tag for text in texts for tag in re.findall(rf'<(\w+)[^>]*\bdata-\w+="{named[1]}"', text)] if named else []
    return bool(tags) and set(tags) == {"button"}


def test_every_handler_of_a_pointer_is_in_the_list_and_no_other() -> None:
    listed = {(one.module, handler) for one in ACTIONS for handler in one.handlers}
    assert len(listed) == sum(len(one.handlers) for one in ACTIONS), "one stands there twice"
    found = {(module, handler) for module, text in MODULES.items() for handler in handlers(text)}
    assert {(module, handler) for module, handler in found if not is_button(module, handler)} == listed


def test_what_is_said_to_be_done_by_keys_is_a_test() -> None:
    for one in ACTIONS:
        if one.keys not in (BUTTON, PART, PEN):
            file, name = one.keys.split("::")
            tree = ast.parse((ROOT / "tests" / "browser" / file).read_text(encoding="utf-8"))
            assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, one


def test_a_new_handler_is_seen() -> None:
    new = {
        "canvas.onpointerdown": "    canvas.onpointerdown = (event) => this.begin(event);",
        "box.ondblclick": "box.ondblclick = act",
        'document.addEventListener("wheel"': '  document.addEventListener("wheel", act)',
        "root.addEventListener(type": "for (const type of TYPES) root.addEventListener(type, act)",
        "takeHold(": "    takeHold(canvas, {",
        "onclick": '  make("div", { onclick: () => act() })',
    }
    assert {name: handlers(line) for name, line in new.items()} == {name: {name} for name in new}
    assert handlers('  target.addEventListener("keydown", listen);\nimport { takeHold } from "./hold.js";') == set()
    assert is_button("passage/passage.js", "part.clear.onclick")
    assert not is_button("explore/codes/view.js", "map.onclick")
    assert not is_button("arms/panel.js", "part.reconstructions.onclick")
