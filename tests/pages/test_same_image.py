"""One test image and one model, opened by a link from page to page: it is the same at both ends, under one name."""

import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.explorer.encoded import fill, number_of, shorten
from pages.ui.shipped import PLANE, elbo_query, images, title_of
from pages.ui.words import image_name
from tests.pages.linked import encoded, opened_by, query_of, shown
from vae_core.inspect.snapshot import map_numbers
from vae_core.runs.registry import Registry

ON_MAP = map_numbers(images()).tolist()
OFF_MAP = sorted(set(range(10_000)) - set(ON_MAP))
BETA = "mnist-vae-beta4-mlp-2"


def named(at: AppTest, number: int) -> bool:
    name = image_name(number, int(images().y_test[number]))
    return any(f"for {name}, grey pixels" in c.value for c in at.caption)


@pytest.mark.parametrize("number", [ON_MAP[17], OFF_MAP[30]])
def test_from_the_elbo_to_the_explorer_and_back(registry: Registry, number: int) -> None:
    elbo = shown("elbo", {"section": "kl", **elbo_query(number, BETA)})
    assert named(elbo, number) and any(f"by {title_of(BETA)} (" in c.value for c in elbo.caption)
    explorer = opened_by(elbo, "Explore this image", "explorer")
    assert encoded(explorer) == number
    assert explorer.selectbox(key="explorer model").value == BETA
    assert any(f"by {title_of(BETA)}. " in c.value for c in explorer.caption)
    link = json.loads(explorer.query_params["encode"])
    assert "picture" not in link and number_of(fill(link, "mnist"), "mnist") == number
    back = shown("elbo", query_of(explorer, "Its ELBO") | {"section": "kl"})  # the first one integrates
    assert named(back, number) and back.selectbox(key="elbo model").value == BETA


def test_every_number_is_found_again() -> None:
    for number in (0, 1, 9999, ON_MAP[0], OFF_MAP[0], OFF_MAP[-1]):
        query = elbo_query(number, PLANE)
        of_class = np.flatnonzero(images().y_test.numpy() == int(query["digit"]))
        assert of_class[int(query["image"])] == number
        assert number_of(fill({"number": number}, "mnist"), "mnist") == number


def test_no_picture_of_ones_own_is_called_a_test_image() -> None:
    """A link that brings a number with another picture gets the picture of the number."""
    theirs = "A" * 1046 + "=="
    number = OFF_MAP[5]
    asked = {"number": number, "of": "picture", "picture": theirs}
    assert fill(asked, "mnist") == fill({"number": number}, "mnist")
    for wrong in (-1, 10_000, 2.5, "3", True, None):
        assert fill({"number": wrong, "digit": 3, "picture": theirs}, "mnist") == {"picture": theirs}
    assert number_of({"of": "picture", "picture": theirs, "number": None}, "mnist") is None
    own = {"of": "picture", "picture": theirs, "number": None, "digit": 0, "seed": 2}
    assert shorten(own) == {"of": "picture", "picture": theirs, "seed": 2}
    assert shorten(fill({"number": number, "seed": 4}, "mnist")) == {"number": number, "seed": 4}


def test_a_model_without_a_grid_and_a_picture_of_ones_own_have_no_such_link(registry: Registry) -> None:
    for query in (
        {"model": "mnist-vae-conv-32", "way": "encode"},
        {"model": PLANE, "way": "pad"},
        {"model": PLANE, "way": "encode", "encode": json.dumps({"of": "picture", "picture": "/" * 1045 + "w=="})},
    ):
        at = shown("explorer", query)
        assert not [link for link in at.get("page_link") if link.proto.label == "Its ELBO"]


def test_a_q_that_was_dragged_over_another_image_does_not_come_along(home: AppTest) -> None:
    def go(query: dict[str, str]) -> None:
        home.query_params.clear()
        home.query_params.update(query)
        home.switch_page("elbo/page.py").run()

    go({"section": "kl", "q": json.dumps({"mu": [1, 1], "log_var": [0, 0]})})
    assert home.session_state["elbo q"]
    go({"section": "kl", **elbo_query(18, PLANE)})
    assert "elbo q" not in home.session_state
