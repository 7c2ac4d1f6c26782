"""The home page around its picture: what the component is told, the link, and the sentence below it."""

import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.passage.view import moments, shown_number
from pages.ui.shipped import CHECKPOINTS, PLANE, checkpoint, images, title_of
from tests.pages.conftest import own_components
from tests.pages.linked import encoded, opened_by, query_of
from tests.pages.linked import shown as shown_page
from vae_core.inspect.snapshot import map_numbers
from vae_core.runs.registry import Registry


def test_the_terms_of_the_film_are_those_of_the_training(home: AppTest) -> None:
    """Against the run's own history of the whole test set, of twice as many images."""
    film = moments(PLANE)
    steps = [m.step for m in film]
    assert steps == sorted(set(steps)) and steps[0] == 0 and len(own_components(home)) == 1
    rows = np.genfromtxt(CHECKPOINTS / PLANE / "history.csv", delimiter=",", names=True, dtype=None, encoding=None)
    test = rows[rows["split"] == "test"]
    for m in (m for m in film if m.step > 2_000):  # before, the terms fall between two evaluations
        nll, kl = (np.interp(m.step, test["step"], test[name]) for name in ("nll", "kl"))
        assert m.nll == pytest.approx(nll, abs=1.5) and m.kl == pytest.approx(kl, abs=0.5)
    last = checkpoint(PLANE).card["test"]["neg_elbo"]
    assert film[-1].nll + film[-1].kl == pytest.approx(last, abs=1.5)  # 5,000 of the 10,000 images


def test_the_image_shown_first_is_the_first_seven_of_the_map() -> None:
    numbers = map_numbers(images()).tolist()
    assert shown_number(None) == next(n for n in numbers if images().y_test[n] == 7)


def test_of_a_number_that_the_map_has_not_the_next_one_is_shown() -> None:
    known = set(map_numbers(images()).tolist())
    for asked in (0, 61, 4_000, 9_998, 9_999):
        assert shown_number(asked) == next(n % 10_000 for n in range(asked, asked + 10_000) if n % 10_000 in known)


def test_its_links_open_the_same_image_elsewhere(home: AppTest) -> None:
    for at, number in (
        (home, shown_number(None)),
        (shown_page("home", {"shown": json.dumps({"number": 0})}), shown_number(0)),
    ):
        digit = int(images().y_test[number])
        elbo = shown_page("elbo", query_of(at, "Its ELBO") | {"section": "kl"})
        assert any(f"for test image {number}, a" in c.value and f" {digit}, grey" in c.value for c in elbo.caption)
        explorer = opened_by(at, "Its cloud", "explorer")
        assert encoded(explorer) == number and explorer.selectbox(key="explorer model").value == PLANE


def test_a_drawing_has_no_links_and_a_link_that_cannot_be_read_says_so(registry: Registry) -> None:
    for asked in ({"picture": "A" * 1046 + "=="}, {"blank": True}):
        at = shown_page("home", {"shown": json.dumps(asked)})
        assert not [link for link in at.get("page_link") if link.proto.label == "Its ELBO"]
        assert "shown" in at.query_params and not at.warning
    broken = shown_page("home", {"shown": "{"})
    assert "its part 'shown' cannot be read" in broken.warning[0].value
    assert "Its ELBO" in [link.proto.label for link in broken.get("page_link")]


def test_caption_names_model_seed_protocol_and_samples(home: AppTest) -> None:
    card = checkpoint(PLANE).card
    caption = home.caption[0].value
    figure = f"{card['test']['neg_elbo']:.1f} nats"
    for text in (title_of(PLANE), f"seed {card['seed']}", figure, "grey", "test", ">K = 1</span>"):
        assert text in caption


def test_shipped_model_reaches_the_published_band() -> None:
    assert 136 <= checkpoint(PLANE).card["test"]["neg_elbo"] <= 142
