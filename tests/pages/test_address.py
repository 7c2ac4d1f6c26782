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
from pages.elbo import code
from pages.elbo.settings import COSTS, LOOKS
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
    """Names that some setting may look up: of models, runs, arms and groups, and weights of terms."""
    group = registry.start_group([("full", RunConfig())], "tester", True, place="ablation group")
    return [PLANE, "mnist-ae-mlp-2", *shipped_arms(), *BY_KEY, group, "codebook=0.5, noise=2"]


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


VISITS = [  # what shows every widget of the pages
    ("home", {}),
    *(("elbo", {"section": section}) for section in ("evidence", "derivation", "bound", "kl", "code")),
    *(("elbo", {"section": "reparameterise", "reparameterise": look}) for look in LOOKS),
    *(("elbo", {"section": "likelihood", "likelihood": cost}) for cost in COSTS),
    ("training", {"likelihood": "gaussian", "beta": "2"}),
    ("ablation", {"arms": "full,beta"}),
    ("ablation", {"section": "bugs"}),
    ("ablation", {"section": "dose"}),
    ("explorer", {}),
]
STAND_FOR = {  # widgets that have no setting of their own name, and those that stand for it
    "recon_on": "alpha",
    "alpha": "alpha",
    "reduction": "alpha",
    "kl_on": "beta",
    "beta": "beta",
    "learning_rate": "learning_rate",
    "frozen": "frozen",
}
KINDS = (
    "segmented_control",
    "pills",
    "select_slider",
    "slider",
    "selectbox",
    "multiselect",
    "number_input",
    "toggle",
    "checkbox",
    "radio",
)


def shown(page: str, query: dict[str, Any]) -> AppTest:
    """A page in a new session, opened by a link."""
    at = AppTest.from_file(str(ROUTER), default_timeout=60).run()
    at.query_params.update(query)
    return checked(at.switch_page(f"{page}/page.py").run())


def widgets(at: AppTest) -> dict[str, Any]:
    return {widget.key: widget for kind in KINDS for widget in at.get(kind)}


@pytest.mark.parametrize(("page", "query"), VISITS)
def test_every_widget_is_in_the_link_of_its_page(registry: Registry, page: str, query: dict[str, str]) -> None:
    link = ADDRESSES[page]
    at = shown(page, query)
    names = {link.key(name): name for name, setting in link.settings.items() if setting.key == ""}
    assert {key for key in widgets(at) if STAND_FOR.get(key) not in link.settings} <= set(names)
    wanted = {}
    for key, widget in widgets(at).items():
        if key in names and names[key] not in (*query, "section"):
            setting = link.settings[names[key]]
            others = [v for v in examples(setting, registry) if not is_default(setting, v)]
            if others:
                wanted[names[key]] = others[0]
                widget.set_value(others[0])
    checked(at.run())
    written = {name: link.settings[name].write(value) for name, value in wanted.items()}
    assert written.items() <= at.query_params.items()
    again = shown(page, at.query_params)
    assert {name: widgets(again)[link.key(name)].value for name in wanted} == wanted and not again.warning
    assert again.query_params == at.query_params


def test_what_is_chosen_in_the_code_map_is_in_the_link(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []
    monkeypatch.setattr(code, "code_map_view", lambda steps, key, chosen: asked.append(chosen) or "kl")
    at = shown("elbo", {"section": "code"})
    assert asked == ["encode"] and at.query_params == {"section": "code", "code": "kl"}
    shown("elbo", at.query_params)
    assert asked[-1] == "kl"


def test_new_draws_and_a_wrong_kl_are_in_the_link(registry: Registry) -> None:
    at = shown("elbo", {"section": "reparameterise"})
    next(button for button in at.button if button.label == "New draws").click()
    checked(at.run())
    assert at.query_params["noise"] == "1"
    assert any("Seed of the draws 1." in c.value for c in shown("elbo", at.query_params).caption)
    assert any("Wrong KL is on" in m.value for m in shown("elbo", {"section": "derivation", "wrong": "1"}).markdown)


def test_a_link_is_followed_within_a_session_and_what_the_page_wrote_is_none(home: AppTest) -> None:
    def go(page: str, **query: str) -> str:
        home.query_params.clear()
        home.query_params.update(query)
        checked(home.switch_page(f"{page}/page.py").run())
        return home.session_state["elbo section"] if page == "elbo" else ""

    assert go("elbo", section="kl") == "kl"
    home.segmented_control(key="elbo section").set_value("bound")
    assert go("elbo", section="kl") == "bound"  # a browser that has not heard of the last address
    assert go("elbo", section="likelihood", likelihood="sigma") == "likelihood"
    assert home.session_state["elbo likelihood"] == "sigma"
    go("home")
    assert go("elbo") == "likelihood"  # no link
    go("home")
    assert go("elbo", section="kl") == "kl"  # the same link as at first


def test_the_runs_compared_are_in_the_link_for_others_too(registry: Registry) -> None:
    own = registry.start(RunConfig(), "tester", True)
    others = registry.start(RunConfig(seed=1), "somebody", True)
    try:
        at = shown("training", {"run": own, "compare": f"{PLANE},{others}"})
        (box,) = at.multiselect
        assert box.value == [PLANE, others] and f"another run, {others[:6]}" in box.options and not at.warning
        assert at.query_params["compare"] == f"{PLANE},{others}"
        checked(box.set_value([others]).run())
        assert at.query_params["compare"] == others
    finally:
        registry.close_run(others)


def test_weights_that_cannot_be_together_are_said_and_the_rest_is_shown(registry: Registry) -> None:
    at = shown("training", {"alpha": "0", "beta": "0", "learning_rate": "0.1", "epochs": "3", "net": "none"})
    assert "nothing to minimise" in at.warning[0].value and "net 'none' is not offered here" in at.warning[0].value
    assert at.number_input(key="epochs").value == 3 and at.toggle(key="recon_on").value


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
