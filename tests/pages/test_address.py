"""What the addresses of all pages hold: every setting that a page declares goes into its link and comes back.

Settings are found where the pages declare them, so one that is new is tested by itself.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui import visitor
from pages.ui.address import Named, Setting, Subject
from tests.conftest import FakeLink
from tests.pages.conftest import checked
from tests.pages.linked import ADDRESSES, DECLARED, PAGES, always, examples, is_default
from vae_core.runs import engines as engines_module
from vae_core.runs import registry as registry_module
from vae_core.runs.registry import Registry

BAD = (  # no setting can mean any of these
    "nowhere",
    "nan",
    "-inf",
    "1e999",
    "-99",
    "9" * 400,
    "9" * 5000,
    "<b>![x](//y)",
    "full,<b>",
    "[1]",
    "null",
    '{"z": [1',
    '{"z": [NaN, 1]}',
    '{"z": [1e999, 1]}',
    '{"mu": [%s, 0], "log_var": [0, 0]}' % ("9" * 400),
    '{"a":' * 50 + "0" + "}" * 50,
    "[" * 10_000,  # ten times as deep as Python reads JSON
)


@pytest.fixture(scope="module")
def idle_registry() -> Iterator[Registry]:
    """A registry whose engines do nothing: what an address holds is known before anything trains."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines_module, "EngineProcess", FakeLink)
        own = Registry()
        yield own
        own.close()


@pytest.fixture
def registry(idle_registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """It stands for the server's, as the one of conftest.py does."""
    monkeypatch.setattr(registry_module, "_registry", idle_registry)
    monkeypatch.setattr(visitor, "current", lambda: "tester")
    monkeypatch.setattr(visitor, "token_of_socket", lambda: "")
    yield idle_registry
    for group in idle_registry.groups_of("tester"):
        for run in idle_registry.members(group):
            idle_registry.close_run(run.run_id)


def script(page: str, name: str, visits: list[tuple[dict[str, str], object]]) -> None:
    """Visit a page's address again and again, each time in a fresh session: what is read of it, and what is written.

    Args:
        visits: the address, and the value that a setting then gets, if any.
    """
    import importlib

    import streamlit as st

    link = importlib.import_module(f"pages.{page}.settings").link
    found = []
    for query, value in visits:
        st.session_state.clear()
        st.query_params.from_dict(query)
        asked: dict = {}
        link.open(lambda values, asked=asked: asked.update(values) or [])
        is_kept = link.settings[name].key is not None
        if value is not None and is_kept:
            st.session_state[link.key(name)] = value
            link.write()
        elif value is not None:
            link.write(**{name: value})
        stands = {k: st.session_state.get(link.key(k)) for k in link.settings if link.settings[k].key is not None}
        said, _ = st.session_state.get(f"notice of {page}", ("", 0))
        missing = link.missing()
        found.append(
            {"asked": asked, "stands": stands, "said": said, "missing": missing, "address": dict(st.query_params)}
        )
    st.session_state["found"] = found


def visited(page: str, name: str, *visits: tuple[dict[str, str], Any]) -> list[dict[str, Any]]:
    args = (page, name, list(visits))
    return checked(AppTest.from_function(script, args=args, default_timeout=60).run()).session_state["found"]


def test_every_page_declares_its_address() -> None:
    """But for the engine room: it shows what is, and has nothing to be chosen."""
    assert set(ADDRESSES) == {path.parent.name for path in PAGES.glob("*/page.py")} - {"room"}


def test_no_two_settings_stand_in_one_place_of_the_session() -> None:
    keys = [ADDRESSES[page].key(name) for page, name in DECLARED if ADDRESSES[page].settings[name].key is not None]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(("page", "name"), DECLARED)
def test_every_value_goes_into_the_link_and_comes_back(page: str, name: str, registry: Registry) -> None:
    setting = ADDRESSES[page].settings[name]
    values = list(examples(setting, registry))
    assert values
    texts = [setting.write(value) for value in values]
    found = visited(page, name, *(({}, value) for value in values), *(({name: text}, None) for text in texts))
    for value, text, there in zip(values, texts, found[: len(values)], strict=True):
        assert there["address"] == always(page) | ({} if is_default(setting, value) else {name: text})
    for value, back in zip(values, found[len(values) :], strict=True):
        assert back["asked"] == {name: value} and not back["said"]
        assert back["stands"].get(name, value) == value


@pytest.mark.parametrize("page", ADDRESSES)
def test_defaults_are_left_out(page: str, registry: Registry) -> None:
    name, setting = next(iter(ADDRESSES[page].settings.items()))
    (found,) = visited(page, name, ({}, setting.default))
    assert found["address"] == always(page) and found["asked"] == {}


def test_a_link_from_before_a_setting_had_a_first_value_means_its_default(registry: Registry) -> None:
    """The digit of the ELBO page: a visit begins with a 7, and a link that names none means 0, as it always did."""
    visit, old, own = visited("elbo", "digit", ({}, None), ({"draws": "3000"}, None), ({"digit": "7"}, None))
    assert [found["stands"]["digit"] for found in (visit, old, own)] == [7, 0, 7]
    (written,) = visited("elbo", "draws", ({"draws": "3000"}, 100))
    assert written["address"] == {"digit": "0", "draws": "100"}


@pytest.mark.parametrize(("page", "name"), DECLARED)
def test_bad_text_is_named_and_the_rest_is_shown(page: str, name: str, registry: Registry) -> None:
    settings = ADDRESSES[page].settings
    kept = [setting for setting in settings.values() if setting.name != name and setting.key == ""]
    others = ((s, v) for s in kept for v in examples(s, registry) if not is_default(s, v))
    asked = {s.name: v for s, v in itertools.islice(others, 1)}  # none, where a page has one setting alone
    rest = {name: settings[name].write(value) for name, value in asked.items()}
    usual, *all_found = visited(page, name, (rest, None), *(({name: text} | rest, None) for text in BAD))
    for text, found in zip(BAD, all_found, strict=True):
        assert found["asked"] == asked and found["stands"] == usual["stands"], text
        said = found["missing"] if isinstance(settings[name], Subject) else found["said"]
        if isinstance(settings[name], Subject):
            assert said.endswith(".") and not found["said"]
        else:
            assert said.startswith("This link does not hold in full: ") and said.endswith(". The rest is shown.")
            assert not found["missing"]
        assert in_words(settings[name]) in said and len(said) < 500
        assert not set(said) & set("<>[]!`*$\\") and "//" not in said


def in_words(setting: Setting) -> str:
    """How the sentence speaks of a setting: by its name, or in words of its own."""
    return setting.says.split("{}")[0] if isinstance(setting, Named) else setting.name
