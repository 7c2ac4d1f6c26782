"""Which keys a component hears and takes, under node: all combinations of the modifiers."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tests.node_runner import node_runner

Node = Callable[..., Any]
MODIFIERS = ("shiftKey", "ctrlKey", "metaKey", "altKey")
PRESS = """
const press = (target, key, held = [], path = null) => {
  const event = new Event("keydown", { cancelable: true });
  const modifiers = Object.fromEntries(["shiftKey", "ctrlKey", "metaKey", "altKey"].map((name) => [name, held.includes(name)]));
  Object.assign(event, { key, ...modifiers });
  if (path) event.composedPath = () => [path];
  target.dispatchEvent(event);
  return event.defaultPrevented;
};
"""  # noqa: E501


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Node:
    run = node_runner(tmp_path_factory.mktemp("keys"), "lib/keys")
    return lambda script, given=None: run(PRESS + script, given)


def held() -> list[list[str]]:
    return [list(some) for n in range(5) for some in itertools.combinations(MODIFIERS, n)]


@pytest.mark.parametrize(
    ("options", "taken"),
    [
        ({}, [[]]),
        ({"shift": True}, [[], ["shiftKey"]]),
        ({"command": True}, [["ctrlKey"], ["metaKey"], ["ctrlKey", "metaKey"]]),
    ],
)
def test_a_key_is_heard_and_taken_only_with_the_modifiers_that_mean_something(
    node: Node, options: dict[str, bool], taken: list[list[str]]
) -> None:
    script = (
        "const target = new EventTarget(), heard = [];"
        "keys.onKeys(target, () => heard.push(1) > 0, given.options);"
        "print([given.held.filter((held) => press(target, 'x', held)), heard.length]);"
    )
    assert node(script, {"options": options, "held": held()}) == [taken, len(taken)]


def test_only_a_key_that_was_acted_on_is_taken(node: Node) -> None:
    """By true and by nothing else: what a method happens to return does not count, and false is no command."""
    script = (
        "const answers = [true, false, undefined, null, 0, 1, 'yes', {}];"
        "print(answers.map((answer) => {"
        " const target = new EventTarget(); keys.onKeys(target, () => answer); return press(target, 'x'); }));"
    )
    assert node(script) == [True] + 7 * [False]


def test_a_key_that_somebody_has_taken_is_not_heard_again(node: Node) -> None:
    script = (
        "const target = new EventTarget(), heard = [];"
        "for (const name of ['first', 'second']) keys.onKeys(target, (key) => heard.push(name + key) > 0);"
        "press(target, 'x'); print(heard);"
    )
    assert node(script) == ["firstx"]


def test_it_ends_when_it_is_told_to(node: Node) -> None:
    script = (
        "const target = new EventTarget(), end = keys.onKeys(target, () => true);"
        "const before = press(target, 'x'); end(); print([before, press(target, 'x')]);"
    )
    assert node(script) == [True, False]


def test_keys_of_the_page_are_those_that_nothing_else_has_the_focus_for(node: Node) -> None:
    names = ["BODY", "MAIN", "SUMMARY", "DIV", "INPUT", "BUTTON", "CANVAS", "g"]
    script = (
        "globalThis.document = new EventTarget(); keys.onPageKeys((key) => key === ' ');"
        "print(given.map((tagName) => [' ', 'x'].map((key) => press(document, key, [], { tagName }))));"
    )
    assert node(script, names) == [[True, False]] * 2 + [[False, False]] * 6
