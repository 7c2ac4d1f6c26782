"""The glossary: every marked word is explained, alike in Python and in the browser, and no text can break out of it."""

import ast
import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pages.ui import glossary
from tests.node_runner import node_runner

PAGES = Path(__file__).resolve().parents[1] / "pages"
MARK = re.compile(r"\[\[([^\]|]+)(?:\|[^\]]+)?\]\]")


def texts() -> dict[str, list[str]]:
    """The strings of Python files that use the glossary, and the roots of components, by file."""
    found = {}
    for path in PAGES.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        if "glossary" in source and path.name != "glossary.py":
            nodes = ast.walk(ast.parse(source))
            strings = [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]
            found[path.relative_to(PAGES).as_posix()] = strings
    for path in PAGES.glob("ui/[!nv]*/**/*.js"):  # any may hand its texts to glossary.js
        found[path.relative_to(PAGES).as_posix()] = re.findall("`[^`]*`", path.read_text(encoding="utf-8"))
    return found


def test_every_marked_word_is_explained() -> None:
    marked = {(file, word) for file, strings in texts().items() for text in strings for word in MARK.findall(text)}
    assert {"home/page.py", "ui/passage/html.js"} <= {file for file, _ in marked}
    assert [(file, word) for file, word in marked if word not in glossary.WORDS] == []
    assert {word for _, word in marked} == set(glossary.WORDS)  # and none is explained for nobody


def test_explanations_are_one_to_three_plain_sentences() -> None:
    for word, says in glossary.WORDS.items():
        assert says.endswith(".") and len(says) < 130, word


class Words(HTMLParser):
    """Every explained word with what a reader gets of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.rest = ""
        self._says: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert tag == "span" and given["class"] == "word" and given["tabindex"] == "0"
        self._says = given["aria-description"]

    def handle_endtag(self, tag: str) -> None:
        self._says = None

    def handle_data(self, data: str) -> None:
        if self._says is None:
            self.rest += data
        else:
            self.found.append((data, self._says))


SAMPLE = "A [[KL]] of 2 [[nats|<nats>]] from [[N(0, I)]]."


def test_a_word_keeps_its_letters_and_says_what_it_is() -> None:
    seen = Words(glossary.explained(SAMPLE))
    words = glossary.WORDS
    assert seen.found == [("KL", words["KL"]), ("<nats>", words["nats"]), ("N(0, I)", words["N(0, I)"])]
    assert seen.rest == "A  of 2  from ."
    with pytest.raises(KeyError):
        glossary.explained("[[entropy]]")


def test_the_browser_writes_the_same(tmp_path: Path) -> None:
    words = html.unescape(glossary.for_components().removeprefix("data-words='").removesuffix("'"))
    assert json.loads(words) == glossary.WORDS
    run = node_runner(tmp_path, "lib/glossary")
    given = {"words": words, "text": SAMPLE}
    script = "print(glossary.explained({ closest: () => ({ dataset: { words: given.words } }) }, given.text));"
    assert run(script, given) == glossary.explained(SAMPLE)
