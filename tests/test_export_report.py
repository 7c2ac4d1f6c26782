"""The report, parsed by html.parser. Drawings are measured against their own axes: a value is read off the tick labels
and grid lines beside it, as a reader with a ruler would."""

import re
import tomllib
from dataclasses import replace

import numpy as np
import pytest
import torch

from pages.ui import palette
from tests.report_reader import ROOT, Element, Tree, parse, value_of
from tests.told import HALF, told
from vae_core import cards
from vae_core.config import RunConfig
from vae_core.digits import with_error
from vae_core.export import colours
from vae_core.export.report import html_report
from vae_core.export.run_report import RunReport
from vae_core.inspect.snapshot import Snapshot


@pytest.fixture(scope="module")
def story() -> RunReport:
    return told()[0]


@pytest.fixture(scope="module")
def report(story: RunReport) -> Element:
    return parse(story)


@pytest.fixture(scope="module")
def shot(story: RunReport) -> Snapshot:
    assert story.snapshot is not None
    return story.snapshot


# ---- the document


def test_it_names_the_state_of_the_run(report: Element, story: RunReport) -> None:
    """The KL was switched off at half time: the settings of the beginning would say that the run learns."""
    (said,) = [p for p in report.all("p") if p.attrs.get("class") == "state"]
    assert story.snapshot is not None and [b.text for b in said.all("b")] == ["KL off"]
    assert f"{story.snapshot.mean_std:.3f}" in said.text and f"{story.snapshot.spread:.1f}" in said.text


def test_it_is_one_balanced_document(report: Element) -> None:
    (html,) = [e for e in report.children if e.tag == "html"]
    assert [e.tag for e in html.children] == ["head", "body"] and html.attrs == {"lang": "en"}
    assert [t.text for t in html.children[0].all("title")] == ["A run"]
    assert len(report.all("h1")) == 1
    names = [e.attrs["id"] for e in report.all("clippath")]
    assert len(names) == len(set(names)) == 3


def test_nothing_in_it_asks_for_anything(story: RunReport, report: Element) -> None:
    text = html_report(story, "A run")
    assert not re.findall(r"https?:|[\"'(=]//", text)
    assert not re.findall(r"@import|url\((?!#)", text)
    assert report.all("script") == report.all("iframe") == report.all("form") == []
    elements = [e for tag in ("img", "link", "a", "image", "use") for e in report.all(tag)]
    addresses = [e.attrs[k] for e in elements for k in ("src", "href", "srcset") if k in e.attrs]
    assert len(addresses) == 61 and all(address.startswith("data:") for address in addresses)
    assert "default-src 'none'" in report.all("meta")[1].attrs["content"]


EVIL = "</title></style><script>alert('1')</script><b onload=\"x\">&amp;"


def test_every_text_from_outside_is_escaped(story: RunReport) -> None:
    mark = replace(story.marks[0], text=EVIL)
    evil = parse(replace(story, marks=(mark,), device=EVIL, status=EVIL), EVIL)
    assert evil.all("script") == [] and not any("onload" in e.attrs for e in evil.all("b"))
    assert evil.all("title")[0].text == evil.all("h1")[0].text == EVIL
    assert EVIL in evil.all("header")[0].words()  # the device and the status
    assert EVIL in evil.all("section", "changed")[0].words()
    assert [t.text for t in evil.all("svg")[0].all("text", "halo")] == [EVIL]


def test_the_colours_are_those_of_the_pages() -> None:
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
    pages = palette.css_variables(".page").splitlines()
    for ground, line, name in ((colours.LIGHT, pages[0], "light"), (colours.DARK, pages[1], "dark")):
        assert line == f".page{'.dark' if name == 'dark' else ''} {{ {' '.join(variables(ground))} }}"
        assert ground.ground == theme[name]["backgroundColor"]
        assert ground.panel == theme[name]["secondaryBackgroundColor"]
        assert ground.rule == theme[name]["borderColor"]
        assert ground.ink == theme[name]["textColor"]


def variables(ground: colours.Colours) -> list[str]:
    terms = [f"--term-{name}: {getattr(ground, name)};" for name in ("reconstruction", "kl", "total")]
    terms += [f"--term-other{i}: {colour};" for i, colour in enumerate(ground.others)]
    return terms + [f"--class-{digit}: {ground.classes[digit]};" for digit in range(10)]


def test_other_colours_can_be_given(story: RunReport) -> None:
    text = html_report(story, "A run", light=replace(colours.LIGHT, kl="rebeccapurple"))
    assert "--kl: rebeccapurple;" in text and colours.LIGHT.kl not in text


# ---- words and numbers


def test_the_figures_are_those_of_the_run_with_protocol_split_and_samples(story: RunReport, report: Element) -> None:
    final = story.final
    assert final is not None
    for part, name in zip(report.all("p", "sum")[0].all("b"), ("neg_elbo", "nll", "kl"), strict=True):
        value, error = (value_of(text) for text in part.text.split(" ± "))
        assert value == pytest.approx(final[name], abs=0.6 * error)  # rounded where the error begins
        assert error == pytest.approx(final["errors"][name], rel=0.5)
    card = report.all("section", "card")[0].words()
    assert "nats per image (grey MNIST, test, 10,000 images, K = 1, ± standard error over the images)" in card
    assert (
        f"{with_error(final['neg_iw_bound'], final['errors']['neg_iw_bound'])} nats" in card
        and f"K = 20, first 100 test images, whose −ELBO is {final['iw_neg_elbo']:.1f}" in card
    )
    assert "2 of 2" in card and f"{final['mean_std']:.3f}" in card


def test_figures_from_before_errors_were_kept_stand_without_them(story: RunReport) -> None:
    """The shipped arms have such figures."""
    assert story.final is not None
    older = {name: value for name, value in story.final.items() if name != "errors"}
    words = parse(replace(story, final=older)).words()
    assert f"{story.final['neg_elbo']:.1f}" in words and "standard error over the images" not in words


def test_the_settings_are_all_there(story: RunReport, report: Element) -> None:
    rows = {row.children[0].text: row.children[1].text for row in report.all("tr")}
    assert list(rows) == [name.replace("_", " ") for name in story.config.to_dict()]
    assert (
        RunConfig.from_dict(
            {name: type(default)(rows[name.replace("_", " ")]) for name, default in RunConfig().to_dict().items()}
        )
        == story.config
    )


def test_device_versions_and_command_are_there(story: RunReport, report: Element) -> None:
    assert story.device in report.all("header")[0].words()
    assert report.all("code")[0].text == cards.command(story.config)
    assert f"torch {torch.__version__}, numpy {np.__version__}" in report.words()


def test_a_run_changed_by_hand_says_so(story: RunReport, report: Element) -> None:
    (changed,) = report.all("section", "changed")
    assert f"Changed by hand on the way: beta 1 → 0 at step {HALF}." in changed.words()
    assert "repeat.py" in report.words()
    untouched = parse(replace(story, marks=()))
    assert untouched.all("section", "changed") == [] and "repeat.py" not in untouched.words()


@pytest.mark.parametrize(("status", "said"), [("stopped", "stopped"), ("failed", "ended by a failure")])
def test_a_run_that_did_not_finish_says_so(status: str, said: str, story: RunReport) -> None:
    words = parse(replace(story, status=status)).words()
    assert f"235 steps of 256 images, {said}." in words and "this run ended at step 235" in words


def test_without_final_figures_those_of_the_snapshot_stand_with_their_own_data(
    story: RunReport, shot: Snapshot
) -> None:
    report = parse(replace(story, final=None))
    assert value_of(report.all("p", "sum")[0].all("b")[0].text) == pytest.approx(shot.neg_elbo, abs=0.05)
    assert "5,000 fixed test images, K = 1, at step 235" in report.all("section", "card")[0].words()


def test_a_run_that_never_began_is_a_report_too(story: RunReport) -> None:
    bare = replace(
        story,
        train=np.zeros((0, 4), np.float32),
        test=np.zeros((0, 5), np.float32),
        marks=(),
        snapshot=None,
        final=None,
    )
    report = parse(bare)
    assert report.all("svg") == [] and "No step was made." in report.words() and "No test figures" in report.words()


def test_values_that_are_no_numbers_are_dashes_and_spoil_no_drawing(story: RunReport, shot: Snapshot) -> None:
    train = story.train.copy()
    train[100:103, 1:] = np.nan, np.inf, -np.inf
    final = {**(story.final or {}), "kl": float("nan")}
    lost = replace(shot, xy=np.full_like(shot.xy, np.nan), kl_dims=np.array([np.nan, np.inf], np.float32))
    text = html_report(replace(story, train=train, final=final, snapshot=lost), "A run")
    Tree(text)
    assert not re.findall(r"\b(nan|inf)\b", text.split("</style>")[1])
