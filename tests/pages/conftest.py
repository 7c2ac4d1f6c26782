"""AppTest on the real router, with the real engine process behind it."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from pages.ui import visitor
from vae_core.runs import registry as registry_module
from vae_core.runs.registry import Registry

ROUTER = Path(__file__).resolve().parents[2] / "pages" / "router.py"


FAMILIES = Path(__file__).resolve().parents[1] / "families"  # of the tests' own


@pytest.fixture(scope="session", autouse=True)
def installed_packages() -> Iterator[None]:
    """Each AppTest reads the metadata of all that is installed, to find components, for longer than a page takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(scope="session")
def engine() -> Iterator[Registry]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ELBO_ROOM_FAMILIES", str(FAMILIES))  # for the engine process, too
        own = Registry()
        yield own
        own.close()


@pytest.fixture
def registry(engine: Registry, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """An empty registry; its engine process serves all tests."""
    own = engine
    monkeypatch.setattr(registry_module, "_registry", own)
    monkeypatch.setattr(visitor, "current", lambda: "tester")  # AppTest has no cookies ...
    monkeypatch.setattr(visitor, "token_of_socket", lambda: "")  # ... and no socket
    yield own
    grouped = [run for group in own.groups_of("tester") for run in own.members(group)]
    for run in [*own.of("tester"), *grouped]:
        own.close_run(run.run_id)


@pytest.fixture
def home(registry: Registry) -> AppTest:
    return checked(AppTest.from_file(str(ROUTER), default_timeout=60).run())


@pytest.fixture
def training(home: AppTest) -> AppTest:
    home.switch_page("training/page.py")
    return checked(home.run())


@pytest.fixture
def ablation(home: AppTest) -> AppTest:
    home.switch_page("ablation/page.py")
    return checked(home.run())


def own_buttons(at: AppTest) -> list[Any]:
    """Those of the page: the presentation mode's is on every page."""
    return [button for button in at.button if button.key != "scene present"]


def own_components(at: AppTest) -> list[Any]:
    """Those of the page: the one that copies the link is on every page."""
    return [one for one in at.get("bidi_component") if one.key != "link copier"]


def checked(at: AppTest) -> AppTest:
    assert not at.exception, at.exception
    return at
