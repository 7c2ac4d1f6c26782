"""Links in use: every widget of a page is in its link, and what was chosen elsewhere or together."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.elbo import code
from pages.elbo.settings import COSTS, LOOKS
from pages.ui.shipped import PLANE
from tests.pages.conftest import checked
from tests.pages.linked import ADDRESSES, examples, is_default, shown
from vae_core.config import RunConfig
from vae_core.runs.registry import Registry

VISITS = [  # what shows every widget of the pages
    *(("elbo", {"section": section}) for section in ("evidence", "derivation", "bound", "kl", "code")),
    *(("elbo", {"section": "reparameterise", "reparameterise": look}) for look in LOOKS),
    *(("elbo", {"section": "likelihood", "likelihood": cost}) for cost in COSTS),
    ("training", {"likelihood": "gaussian", "beta": "2"}),
    ("ablation", {"arms": "full,beta"}),
    ("ablation", {"section": "bugs"}),
    ("ablation", {"section": "dose"}),
    ("explorer", {}),
    ("plane", {}),
    ("family", {}),
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
    there = widgets(at)  # a choice may leave another out: conv has no activation to choose
    written = {name: link.settings[name].write(value) for name, value in wanted.items() if link.key(name) in there}
    assert written.items() <= at.query_params.items()
    again = shown(page, at.query_params)
    assert {name: widgets(again)[link.key(name)].value for name in written} == {n: wanted[n] for n in written}
    assert written and not again.warning
    assert again.query_params == at.query_params


def test_what_is_chosen_in_the_code_map_is_in_the_link(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []
    monkeypatch.setattr(code, "code_map_view", lambda steps, key, chosen: asked.append(chosen) or "kl")
    at = shown("elbo", {"section": "code"})
    assert asked == ["encode"] and at.query_params == {"section": "code", "code": "kl", "digit": "0"}
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
        assert box.value == [PLANE, others] and not at.warning
        assert f"another run, {others[:6]}: lr 0.002, epochs 5, seed 1" in box.options
        assert at.query_params["compare"] == f"{PLANE},{others}"
        checked(box.set_value([others]).run())
        assert at.query_params["compare"] == others
    finally:
        registry.close_run(others)


def test_weights_that_cannot_be_together_are_said_and_the_rest_is_shown(registry: Registry) -> None:
    at = shown("training", {"alpha": "0", "beta": "0", "learning_rate": "0.1", "epochs": "3", "net": "none"})
    assert "nothing to minimise" in at.warning[0].value and "net 'none' is not offered here" in at.warning[0].value
    assert at.number_input(key="epochs").value == 3 and at.toggle(key="recon_on").value
