"""An address whose run, arms or model are not here: every page says so, and shows no others in their place."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import ROUTER, checked, own_components
from vae_core.config import RunConfig
from vae_core.runs.registry import Registry

SUBJECTS = {
    "training": ("run", "The run of this address is not here"),
    "ablation": ("run", "The arms of this address are not here"),
    "plane": ("run", "The run of this address is not here"),
    "explorer": ("model", "Of the model 'nowhere' no weights are here"),
}


def opened(page: str, **query: str) -> AppTest:
    at = AppTest.from_file(str(ROUTER), default_timeout=60)
    at.run().switch_page(f"{page}/page.py")
    for name, value in query.items():
        at.query_params[name] = value
    return checked(at.run())


@pytest.mark.parametrize("page", SUBJECTS)
def test_what_is_gone_is_said_and_nothing_else_is_shown(page: str, registry: Registry) -> None:
    name, says = SUBJECTS[page]
    at = opened(page, **{name: "nowhere"})
    assert says in at.warning[0].value and not own_components(at)
    assert at.query_params[name] in ("nowhere", ["nowhere"])  # to be tried again
    checked(at.button(key="ask again").click().run())
    assert says in at.warning[0].value and not own_components(at)
    checked(at.button(key="do without").click().run())
    assert not at.warning and own_components(at)


def test_an_address_of_a_run_whose_owner_comes_back_is_found_again(registry: Registry) -> None:
    run = registry.get(registry.start(RunConfig(device="cpu"), "ann", paused=True))
    assert run is not None
    registry._runs.drop(run)
    at = opened("training", run=run.run_id)
    assert "not here" in at.warning[0].value
    registry._runs.put(run)
    checked(at.button(key="ask again").click().run())
    assert not at.warning and at.session_state["shown run"] == run.run_id
