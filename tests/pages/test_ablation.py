"""The ablation page: what its widgets do to the arms behind them."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from pages.ablation import actions, bug_pictures, dose_section, stage
from pages.ablation.arms import ARMS, BETA, chosen, key_of, weight_when_on
from pages.ablation.bugs import BUGS
from pages.ui.arms.view import Seen
from pages.ui.shipped import shipped_arms, shipped_dose
from tests.pages.conftest import ROUTER, checked
from tests.waiting import wait_for
from vae_core.config import RunConfig
from vae_core.runs.messages import ENDED
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import RunRecord

TRAIN = "ablation group train"


def arms(registry: Registry) -> dict[str, RunRecord]:
    """The newest group of the visitor."""
    group = registry.groups_of("tester")[0]
    return {run.arm.name: run for run in registry.members(group) if run.arm}


def train(at: AppTest, registry: Registry) -> dict[str, RunRecord]:
    """Without questions, and paused as soon as it has begun."""
    at.toggle(key="ablation ask").set_value(False).run()
    checked(at.button(key=TRAIN).click().run())
    own = arms(registry)
    wait_for(lambda: min(run.step for run in own.values()) > 0)
    checked(at.button(key="ablation group pause").click().run())
    wait_for(lambda: {run.status for run in own.values()} <= {"paused", "finished"})
    return own


def said(at: AppTest, words: str) -> bool:
    return any(words in caption.value for caption in at.caption)


def test_it_opens_on_the_arms_that_ship(ablation: AppTest, registry: Registry) -> None:
    assert said(ablation, "ship with the program") and said(ablation, "2 latents")
    assert registry.groups_of("tester") == [] and len(shipped_arms()) == len(ARMS)
    assert ablation.button(key="ablation group pause").disabled and ablation.button(key="finished arms").disabled


def test_the_slider_begins_at_the_beta_of_the_arm_that_ships(ablation: AppTest) -> None:
    """Older links, which do not name it, mean 8."""
    checked(ablation.pills(key="ablation arms").set_value(["full", "beta"]).run())
    (shipped,) = actions.arms_on_page([BETA])
    assert ablation.select_slider(key="ablation beta").value == shipped.config.beta == 32
    other = AppTest.from_file(str(ROUTER), default_timeout=60)
    other.run().switch_page("ablation/page.py")
    other.query_params["arms"] = "full,beta"
    assert checked(other.run()).select_slider(key="ablation beta").value == 8


def test_the_chosen_arms_train_with_the_chosen_settings(ablation: AppTest, registry: Registry) -> None:
    ablation.pills(key="ablation arms").set_value(["full", "autoencoder", "beta"]).run()
    ablation.select_slider(key="ablation beta").set_value(4.0)
    ablation.segmented_control(key="ablation latent_dim").set_value(16)
    ablation.number_input(key="ablation seed").set_value(3)
    ablation.number_input(key="ablation epochs").set_value(1).run()
    configs = {name: run.config for name, run in train(ablation, registry).items()}
    base = RunConfig(latent_dim=16, epochs=1, seed=3)
    assert configs == {
        "full": base,
        "plain autoencoder": base.with_(model="ae", beta=0.0),
        "beta 4": base.with_(beta=4.0),
    }


def test_no_arms_is_said_in_a_sentence(ablation: AppTest, registry: Registry) -> None:
    ablation.pills(key="ablation arms").set_value([]).run()
    checked(ablation.button(key=TRAIN).click().run())
    assert "Choose one to" in ablation.warning[0].value and registry.groups_of("tester") == []


def test_pause_step_resume_reset_and_back_to_the_finished_arms(ablation: AppTest, registry: Registry) -> None:
    own = train(ablation, registry)
    before = {run.step for run in own.values()}
    assert len(before) == 1
    ablation.run().button(key="ablation group step").click().run()
    wait_for(lambda: {run.step for run in own.values()} == {s + 1 for s in before})
    wait_for(lambda: {run.status for run in own.values()} == {"paused"})
    ablation.run().button(key="ablation group reset").click().run()
    wait_for(lambda: {(run.step, run.generation) for run in own.values()} == {(0, 1)})
    checked(ablation.button(key="finished arms").click().run())
    assert said(ablation, "ship with the program")


def test_a_switch_changes_one_arm(ablation: AppTest, registry: Registry) -> None:
    own = train(ablation, registry)
    actions.switch(own["no KL"].run_id, {"alpha": True, "beta": True})
    wait_for(lambda: own["no KL"].settings.beta == 1.0)
    assert own["full"].marks == () and "beta 0 → 1" in own["no KL"].marks[0].text


def test_both_switches_of_an_arm_count_and_the_last_one_stays_on(
    ablation: AppTest, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The browser reports both as they show: the server may not have heard of the first when the second is moved."""
    wishes: list[dict[str, object]] = []

    def view(*_: object, on_toggle: Callable[[dict[str, object]], None], **__: object) -> Seen:
        while wishes:
            on_toggle(wishes.pop(0))
        return Seen("", None)

    monkeypatch.setattr(stage, "arms_view", view)
    full = train(ablation, registry)["full"]
    wishes += [{"run": full.run_id, "alpha": alpha, "beta": False} for alpha in (True, False)]
    checked(ablation.run())
    checked(ablation.run())
    assert "must stay on: switch the other one on first" in ablation.warning[0].value
    wishes += [{"run": full.run_id, "alpha": False, "beta": True}]
    checked(ablation.run())
    wait_for(lambda: len(full.marks) == 2)
    assert [mark.text for mark in full.marks] == [
        f"beta 1 → 0 at step {full.step}",
        f"alpha 1 → 0, beta 0 → 1 at step {full.step}",
    ]
    assert (full.settings.alpha, full.settings.beta) == (0, 1) and full.message == ""


def test_the_link_brings_arms_and_settings_back(ablation: AppTest, registry: Registry) -> None:
    ablation.segmented_control(key="ablation latent_dim").set_value(16).run()
    own = train(ablation, registry)
    group = own["full"].group
    assert group in ablation.query_params["run"] and "16" in ablation.query_params["latent_dim"]
    again = AppTest.from_file(str(ROUTER), default_timeout=60)
    again.run().switch_page("ablation/page.py")
    for key, value in {"run": group, "latent_dim": "16", "arms": "full,beta", "beta": "4", "step": "1"}.items():
        again.query_params[key] = value
    checked(again.run())
    assert again.session_state["ablation group"] == group and again.session_state[actions.MOMENT] == 1
    assert again.session_state["ablation arms"] == ["full", "beta"] and not again.warning


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"arms": "full,nothing"}, "arms"),
        ({"latent_dim": "5"}, "latent_dim"),
        ({"epochs": "-1"}, "epochs"),
        ({"seed": "x"}, "seed"),
        ({"beta": "nan"}, "beta"),
        ({"step": "<b>"}, "step '?b?' is no whole number"),
    ],
)
def test_a_bad_link_falls_back_with_a_sentence(registry: Registry, query: dict[str, str], named: str) -> None:
    at = AppTest.from_file(str(ROUTER), default_timeout=60)
    at.run().switch_page("ablation/page.py")
    for key, value in query.items():
        at.query_params[key] = value
    checked(at.run())
    assert named in at.warning[0].value and "The rest is shown" in at.warning[0].value


def test_the_bug_lab_trains_the_mistake_beside_the_right_code(ablation: AppTest, registry: Registry) -> None:
    ablation.segmented_control(key="ablation section").set_value("bugs").run()
    for place, key in enumerate(("mean-pixels", "log-var", "mean", "draws")):
        checked(ablation.segmented_control(key="ablation bug").set_value(key).run())
        assert not ablation.code and "Train both" not in [button.label for button in ablation.button]  # folded
        side = bug_pictures.SIDES[place % 2]
        checked(ablation.button(key=f"bug {side}").click().run())
        assert [code.language for code in ablation.code] == ["diff", "python"]
        wrong = bug_pictures.wrong_side(BUGS[place])
        said = f"### {'Right' if side == wrong else 'No'}: {wrong} is wrong."
        assert any(text.value.startswith(said) for text in ablation.markdown)
    checked(ablation.button(key="bug group train").click().run())
    right, wrong = arms(registry).values()
    assert (right.config.model, wrong.config.model) == ("vae", "bug-draws")
    assert right.config == wrong.config.with_(model="vae")


def test_any_id_of_a_group_can_be_shown(ablation: AppTest, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """One random id in two hundred has two underscores in a row, which Streamlit refuses in the key of a component."""
    ids = SimpleNamespace(token_urlsafe=lambda size: "-a__b___cdefghijklm__")
    monkeypatch.setattr("vae_core.runs.registry.secrets", ids)
    own = train(ablation, registry)
    assert {run.group for run in own.values()} == {"-a__b___cdefghijklm__"}
    checked(ablation.run())


def test_the_dose_takes_a_point_of_ones_own(ablation: AppTest, registry: Registry) -> None:
    ablation.segmented_control(key="ablation section").set_value("dose").run()
    ablation.number_input(key="ablation dose_epochs").set_value(1)
    checked(ablation.number_input(key="ablation dose_beta").set_value(3.0).run())
    checked(ablation.button(key="dose group train").click().run())
    (run,) = arms(registry).values()
    assert run.config == RunConfig(epochs=1, beta=3.0)
    wait_for(lambda: run.status in ENDED)
    checked(ablation.run())


def test_runs_of_the_dose_are_opened_by_keys_as_by_a_press_on_their_points(
    ablation: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    ablation.segmented_control(key="ablation section").set_value("dose").run()
    first, second = shipped_dose()[:2]
    runs = ablation.multiselect(key="ablation points")
    assert runs.value == [] and runs.options[:2] == ["beta 0.1", "beta 0.25"]
    checked(runs.set_value([first, second]).run())
    assert ablation.query_params["points"] == f"{first},{second}"
    of_a_seed, none = {"customdata": [3]}, {}
    pressed = {"selection": {"points": [{"customdata": [second]}, of_a_seed, none]}}
    monkeypatch.setattr(dose_section.st, "session_state", state := {"dose figure": pressed})
    dose_section._open_pressed()
    assert state["ablation points"] == [second]


def test_names_of_arms_find_their_keys_again() -> None:
    for arm in ARMS:
        ((name, config),) = chosen([arm.key], 4.0, {})
        assert key_of(name) == arm.key
        assert weight_when_on(config, "alpha") == 1.0
        assert weight_when_on(config, "beta") == (4.0 if arm.key == BETA else 1.0)
    assert key_of("no KL, branch at 40") == "" and key_of("as it should be") == ""
