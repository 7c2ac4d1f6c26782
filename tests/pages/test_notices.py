"""What a page has to say stays long enough to be read, whatever else makes the page run again."""

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui import notices
from tests.pages.conftest import ROUTER, checked

BAD_LINKS = {
    "home": {"shown": "{"},
    "elbo": {"section": "nowhere"},
    "training": {"latent_dim": "7"},
    "ablation": {"section": "nowhere"},
    "explorer": {"way": "nowhere"},
    "plane": {"set": "nowhere"},
}


@pytest.mark.parametrize("page", BAD_LINKS)
def test_a_sentence_on_a_link_outlives_the_runs_that_the_page_makes_by_itself(
    page: str, registry: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = AppTest.from_file(str(ROUTER), default_timeout=60)
    at.run().switch_page(f"{page}/page.py")
    for key, value in BAD_LINKS[page].items():
        at.query_params[key] = value
    for _ in range(3):
        checked(at.run())
        assert "The rest is shown" in at.warning[0].value
    monkeypatch.setattr(notices, "LEAST_S", 0.0)  # the time is over
    checked(at.run())  # once more
    checked(at.run())
    assert not at.warning


def test_it_goes_when_the_visitor_does_something_else(registry: object) -> None:
    at = AppTest.from_file(str(ROUTER), default_timeout=60)
    at.run().switch_page("training/page.py")
    at.query_params["latent_dim"] = "7"
    checked(at.run())
    assert at.warning
    checked(at.button(key="start").click().run())
    assert not at.warning
