"""Model cards, read back by a parser of Markdown and held against the card's JSON."""

import itertools
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from pages.ui import shipped
from vae_core.config import RunConfig
from vae_core.digits import with_error
from vae_core.export import model_card
from vae_core.models import family
from vae_core.train import parsed

ARM = shipped.CHECKPOINTS / "arms" / "arm-full" / "card.json"
CARDS = [*sorted(shipped.CHECKPOINTS.glob("mnist-*/card.json")), ARM]
PARTS = ["What it is", "Data", "Figures", "What the figures bound", "Limits", "Settings", "How it was made"]


class Read:
    """Headings, tables (a list of cells for each row), code and all text of a Markdown document."""

    def __init__(self, text: str) -> None:
        tokens = MarkdownIt("commonmark").enable("table").parse(text)
        self.kinds = {token.type for token in tokens} | {c.type for t in tokens for c in t.children or ()}
        pairs = list(itertools.pairwise(tokens))
        self.headings = [_plain(b) for a, b in pairs if a.type == "heading_open"]
        self.code = [token.content for token in tokens if token.type == "fence"]
        self.text = "\n".join(_plain(token) for token in tokens if token.type == "inline")
        self.rows: list[list[str]] = []
        for a, b in pairs:
            if a.type == "tr_open":
                self.rows.append([])
            elif a.type in ("td_open", "th_open"):
                self.rows[-1].append(_plain(b))


def _plain(token: Any) -> str:
    return "".join(child.content if child.type.startswith("text") else "\n" for child in token.children or ())


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.parent.name)
def test_it_says_what_the_card_says(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert model_card.main([str(path.parent)]) == 0
    card, read = json.loads(path.read_text(encoding="utf-8")), Read(capsys.readouterr().out)
    assert read.headings == [card["name"], *PARTS] and "html_inline" not in read.kinds
    settings = {row[0]: row[1] for row in read.rows if len(row) == 3}
    config = RunConfig(**card["config"]).to_dict()
    assert {name: settings[name] for name in config} == {name: str(value) for name, value in config.items()}
    test, errors = card["test"], card["test"].get("errors", {})
    figures = {row[0]: row[1:] for row in read.rows if len(row) == 4 and row[0] != "figure"}
    for label, name in (("−ELBO", "neg_elbo"), ("reconstruction, nll", "nll"), ("KL", "kl")):
        if test.get(name) is None:
            assert label not in figures
        else:
            assert figures[label] == [with_error(test[name], errors.get(name)), "1", f"{test['images']:,}"]
    if test.get("neg_iw_bound") is not None:
        value = with_error(test["neg_iw_bound"], errors.get("neg_iw_bound"))
        assert figures["−importance-weighted bound"] == [value, str(test["iw_samples"]), f"first {test['iw_images']:,}"]
        given = " | y" if card["config"]["model"] == "cvae" else ""
        assert f"−ELBO is at least −log p(x{given}) of this model" in read.text
    else:
        kind = family(card["config"]["model"])
        assert len(figures) == len(kind.TERMS) and "without a bound" in read.text
        assert all(f"{term}, {unit}" in figures for term, unit in kind.UNITS.items())
    assert f"Seed: {card['seed']}" in read.text and f"torch {card['versions']['torch']}" in read.text
    assert ("float16, rounded" in read.text) == ("weights" in card)
    (command,) = read.code
    assert command.strip() == card["command"] and RunConfig(**parsed(shlex.split(command)[3:]).settings) == RunConfig(
        **config
    )


def test_what_it_bounds_follows_from_likelihood_and_protocol() -> None:
    card = json.loads((shipped.CHECKPOINTS / shipped.PLANE / "card.json").read_text(encoding="utf-8"))
    said = {}
    for settings in ({}, {"protocol": "dynamic"}, {"likelihood": "gaussian"}, {"beta": 4.0}):
        said[tuple(settings.values())] = model_card.model_card(card | {"config": card["config"] | settings})
    assert "no compression rate" in said[()] and "no compression rate" not in said["dynamic",]
    assert "drawn anew each time" in said["dynamic",] and "is a density" in said["gaussian",]
    assert "(alpha 1, beta 4); the figures do not" in said[4.0,] and "figures do not" not in said[()]


def test_whatever_stands_on_a_card_stays_text() -> None:
    card = json.loads(CARDS[0].read_text(encoding="utf-8"))
    evil = "<img src=x> | [a](b) `c`\n# d *e*"
    card |= {"name": evil, "device": evil, "command": f"python {evil}", "marks": [{"text": evil}], "test": None}
    text = model_card.model_card(card)
    read = Read(text)
    flat = " ".join(evil.split())
    assert read.headings == [flat, *PARTS] and f"Device: {flat}" in read.text and f"by hand: {flat}" in read.text
    assert not {"html_inline", "html_block", "link_open", "image", "code_inline", "em_open"} & read.kinds
    assert read.code == [f"python {flat}\n"] and "None were taken" in read.text
    assert re.search(r"\S +\n|\n{3}", text) is None  # no space at an end, no two empty lines


def test_it_is_written_where_it_is_asked_for_and_bad_input_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "README.md"
    assert model_card.main([str(CARDS[0].parent), "--out", str(out)]) == 0
    assert Read(out.read_text(encoding="utf-8")).headings[1:] == PARTS
    (tmp_path / "card.json").write_text("{}")
    for folder in (tmp_path / "nowhere", tmp_path):
        assert model_card.main([str(folder)]) == 2
    assert model_card.main([str(CARDS[0].parent), "--out", str(out / "below")]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3 and all(line.startswith("error: ") for line in said)
