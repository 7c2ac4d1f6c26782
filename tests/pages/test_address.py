"""What the addresses of all pages hold: every setting that a page declares goes into its link and comes back.

Settings are found where the pages declare them, so one that is new is tested by itself.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from pages.ablation.arms import BY_KEY
from pages.ui.address import Address, Choice, Named, Number, Part, Setting, Several
from pages.ui.shipped import PLANE, shipped_arms
from tests.pages.conftest import ROUTER, checked
from vae_core.config import RunConfig
from vae_core.runs.registry import Registry

PAGES = Path(ROUTER).parent
ADDRESSES: dict[str, Address] = {
    path.parent.name: importlib.import_module(f"pages.{path.parent.name}.settings").link
    for path in sorted(PAGES.glob("*/settings.py"))
}
DECLARED = [(page, name) for page, link in ADDRESSES.items() for name in link.settings]
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
    "[" * 100_000,
)


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
        found.append({"asked": asked, "stands": stands, "said": said, "address": dict(st.query_params)})
    st.session_state["found"] = found


def visited(page: str, name: str, *visits: tuple[dict[str, str], Any]) -> list[dict[str, Any]]:
    args = (page, name, list(visits))
    return checked(AppTest.from_function(script, args=args, default_timeout=60).run()).session_state["found"]


def names_in(registry: Registry) -> list[str]:
    """Names that some setting may look up: of models, runs, arms and groups."""
    group = registry.start_group([("full", RunConfig())], "tester", True, place="ablation group")
    return [PLANE, "mnist-ae-mlp-2", *shipped_arms(), *BY_KEY, group]


def examples(setting: Setting, registry: Registry) -> Iterator[Any]:
    """All choices, both limits of a range, and so on."""
    if isinstance(setting, Choice):
        yield from setting.offered()
    elif isinstance(setting, Number):
        yield from (setting.low, setting.high, *setting.others)
        yield type(setting.low)(0.37 * (setting.high - setting.low) + setting.low)
    elif isinstance(setting, Several):
        known = [name for name in names_in(registry) if setting.found(name)]
        yield from ([], known[:1], known[: setting.most])
    elif isinstance(setting, Named):
        yield from (name for name in names_in(registry) if setting.found(name))
    elif isinstance(setting, Part):
        yield {"z": [0.5, -1.25], "mu": [0.5, -1.25], "log_var": [-1, 0.125], "text": "é <b> & ="}
    else:
        raise TypeError(f"{setting} is of a kind that has no examples here")


def is_default(setting: Setting, value: Any) -> bool:
    return value == (list(setting.default) if isinstance(setting.default, tuple) else setting.default)


def test_every_page_declares_its_address() -> None:
    assert set(ADDRESSES) == {path.parent.name for path in PAGES.glob("*/page.py")}


def test_no_two_settings_stand_in_one_place_of_the_session() -> None:
    keys = [ADDRESSES[page].key(name) for page, name in DECLARED if ADDRESSES[page].settings[name].key is not None]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(("page", "name"), DECLARED)
def test_every_value_goes_into_the_link_and_comes_back(page: str, name: str, registry: Registry) -> None:
    setting = ADDRESSES[page].settings[name]
    values = list(examples(setting, registry))
    assert values
    texts = [setting.write(value) for value in values]
    for value, text, there in zip(values, texts, visited(page, name, *(({}, value) for value in values)), strict=True):
        assert there["address"] == ({} if is_default(setting, value) else {name: text})
    for value, back in zip(values, visited(page, name, *(({name: text}, None) for text in texts)), strict=True):
        assert back["asked"] == {name: value} and not back["said"]
        assert back["stands"].get(name, value) == value


@pytest.mark.parametrize("page", ADDRESSES)
def test_defaults_are_left_out(page: str, registry: Registry) -> None:
    name, setting = next(iter(ADDRESSES[page].settings.items()))
    (found,) = visited(page, name, ({}, setting.default))
    assert found["address"] == found["asked"] == {}


@pytest.mark.parametrize(("page", "name"), DECLARED)
def test_bad_text_is_named_and_the_rest_is_shown(page: str, name: str, registry: Registry) -> None:
    settings = ADDRESSES[page].settings
    kept = [setting for setting in settings.values() if setting.name != name and setting.key == ""]
    other, value = next((s, v) for s in kept for v in examples(s, registry) if not is_default(s, v))
    rest = {other.name: other.write(value)}
    (usual,) = visited(page, name, (rest, None))
    for text, found in zip(BAD, visited(page, name, *(({name: text} | rest, None) for text in BAD)), strict=True):
        assert found["asked"] == {other.name: value} and found["stands"] == usual["stands"], text
        said = found["said"]
        assert said.startswith("This link does not hold in full: ") and said.endswith(". The rest is shown.")
        assert in_words(settings[name]) in said and len(said) < 500
        assert not set(said) & set("<>[]!`*$\\") and "//" not in said


def in_words(setting: Setting) -> str:
    """How the sentence speaks of a setting: by its name, or in words of its own."""
    return setting.says.split("{}")[0] if isinstance(setting, Named) else setting.name


OLD: list[tuple[str, str, dict[str, Any]]] = [
    (
        "elbo",
        "section=derivation&model=mnist-vae-beta4-mlp-2&digit=9&image=1&way=jensen&line=3&samples=8000&seed=7",
        {
            "elbo section": "derivation",
            "elbo model": "mnist-vae-beta4-mlp-2",
            "elbo digit": 9,
            "elbo image": 1,
            "elbo way": "jensen",
            "elbo line": 3,
            "elbo samples": 8000,
            "elbo seed": 7,
            "elbo draws": 1000,
        },
    ),
    ("elbo", "draws=10000&digit=4", {"elbo section": "evidence", "elbo draws": 10_000, "elbo digit": 4}),
    (
        "elbo",
        'section=bound&q={"mu":[0.5,-1.25],"log_var":[-1.0,0.25]}',
        {"elbo section": "bound", "elbo q": {"mu": [0.5, -1.25], "log_var": [-1.0, 0.25]}},
    ),
    (
        "elbo",
        'section=kl&gaussians={"q_mu":1.5,"shown":"pq"}&transform={"zoom":true,"seed":4}',
        {"elbo gaussians": {"q_mu": 1.5, "shown": "pq"}, "elbo transform": {"zoom": True, "seed": 4}},
    ),
    (
        "training",
        "net=conv&latent_dim=16&likelihood=gaussian&sigma=0.05&protocol=dynamic&epochs=3&batch_size=128"
        "&warmup_steps=500&seed=5&device=cpu",
        {
            "net": "conv",
            "latent_dim": 16,
            "likelihood": "gaussian",
            "sigma": 0.05,
            "protocol": "dynamic",
            "epochs": 3,
            "batch_size": 128,
            "warmup_steps": 500,
            "seed": 5,
            "device": "cpu",
            "dataset": "mnist",
        },
    ),
    (
        "training",
        "alpha=2.0&beta=0.0&learning_rate=0.001&frozen=decoder&run=mnist-vae-mlp-2&step=100",
        {
            "alpha": 2.0,
            "recon_on": True,
            "beta": 1.0,
            "kl_on": False,
            "learning_rate": 0.001,
            "frozen": "decoder",
            "reduction": "sum",
            "shown run": "mnist-vae-mlp-2",
            "moment": 100,
        },
    ),
    (
        "training",
        "alpha=0.0012755102040816326&beta=4.0",
        {"alpha": 1.0, "reduction": "mean", "recon_on": True, "beta": 4.0, "kl_on": True},
    ),
    ("training", "alpha=0.0", {"alpha": 1.0, "recon_on": False, "kl_on": True}),
    (
        "ablation",
        "arms=full,beta&beta=4&latent_dim=16&epochs=3&seed=2&step=1",
        {
            "ablation section": "arms",
            "ablation arms": ["full", "beta"],
            "ablation beta": 4.0,
            "ablation latent_dim": 16,
            "ablation epochs": 3,
            "ablation seed": 2,
            "ablation moment": 1,
        },
    ),
    ("ablation", "arms=beta&beta=3", {"ablation arms": ["beta"], "ablation beta": 2.0}),  # the nearest that is offered
    ("ablation", "section=bugs&bug=log-var", {"ablation section": "bugs", "ablation bug": "log-var"}),
    (
        "ablation",
        "section=dose&dose_beta=0.25&dose_epochs=1",
        {"ablation section": "dose", "ablation dose_beta": 0.25, "ablation dose_epochs": 1},
    ),
    (
        "explorer",
        'model=mnist-vae-beta4-mlp-2&way=prior&view={"axes":[0,1]}&pad={"z":[0.5,-1.25],"pins":[[1,1]]}'
        '&prior={"seed":3}',
        {
            "explorer model": "mnist-vae-beta4-mlp-2",
            "explorer way": "prior",
            "explorer state": {
                "view": {"axes": [0, 1]},
                "pad": {"z": [0.5, -1.25], "pins": [[1, 1]]},
                "prior": {"seed": 3},
            },
        },
    ),
]


@pytest.mark.parametrize(("page", "link", "state"), OLD)
def test_a_link_of_before_opens_to_the_same(registry: Registry, page: str, link: str, state: dict[str, Any]) -> None:
    at = AppTest.from_file(str(ROUTER), default_timeout=60).run()
    at.switch_page(f"{page}/page.py")
    for name, value in parse_qsl(link):
        at.query_params[name] = value
    checked(at.run())
    assert {key: at.session_state[key] for key in state} == state and not at.warning
