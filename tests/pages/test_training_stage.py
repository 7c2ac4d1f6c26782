"""What is pressed on the training page: Start, its menu, switches that say how they stand; and how long a run takes."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from pages.training import estimate
from tests.pages.conftest import checked
from tests.pages.test_training import start
from tests.waiting import wait_for
from vae_core.config import RunConfig
from vae_core.runs.registry import Registry


def test_start_is_the_one_large_button_and_what_is_rarer_lies_in_the_menu(training: AppTest) -> None:
    main = [button for button in training.main.button if not str(button.key).startswith("scene")]
    assert main[0].key == "start" and main[0].proto.type == "primary"
    assert not [button.key for button in main[1:] if button.proto.type == "primary"]
    commands = ("step", "slow", "epoch", "stop", "reset", "branch")
    assert [button.key for button in main if button.key in commands] == list(commands)


def test_a_command_closes_the_menu_and_step_leaves_it_open(training: AppTest, registry: Registry) -> None:
    run = start(training, registry)
    training.session_state["menu of the run"] = True
    checked(training.button(key="step").click().run())
    assert training.session_state["menu of the run"]
    checked(training.button(key="stop").click().run())
    assert not training.session_state["menu of the run"]
    wait_for(lambda: run.status == "stopped")


def test_a_switch_says_how_it_stands(training: AppTest) -> None:
    for key, name in (("kl_on", "KL"), ("recon_on", "Reconstruction")):
        assert training.toggle(key=key).label == f"{name} on"
        checked(training.toggle(key=key).set_value(False).run())
        assert training.toggle(key=key).label == f"{name} off"


def said(at: AppTest) -> str:
    return " ".join(caption.value for caption in at.caption)


def test_the_page_says_how_long_a_run_takes_before_it_begins(training: AppTest, registry: Registry) -> None:
    config = RunConfig(epochs=20)
    wait_for(lambda: registry.pace(config))
    pace = registry.pace(config)
    words = estimate.in_words(20 * 60_000 / pace)
    assert f"about {words} on this machine" in said(checked(training.run()))
    training.number_input(key="epochs").set_value(200).run()
    assert f"about {estimate.in_words(200 * 60_000 / pace)} on this machine" in said(training)
    run = start(training, registry)
    wait_for(lambda: run.images_per_s > 0 and registry.pace(config) == run.images_per_s)  # from now on, as it really is


def test_where_it_is_not_known_nothing_is_said(
    training: AppTest, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "pace", lambda config: 0.0)
    assert not re.search("about .* on this machine", said(checked(training.run())))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "5 s"),
        (41, "45 s"),
        (89, "90 s"),
        (90, "2 minutes"),
        (540, "9 minutes"),
        (541, "10 minutes"),
        (9000, "3 hours"),
    ],
)
def test_lengths_in_words(seconds: float, words: str) -> None:
    assert estimate.in_words(seconds) == words


def test_earlier_runs_are_listed_with_the_settings_in_which_they_differ(training: AppTest, registry: Registry) -> None:
    start(training, registry)
    training.segmented_control(key="latent_dim").set_value(8).run()
    training.number_input(key="beta").set_value(4.0).run()
    checked(training.button(key="start").click().run())
    (box,) = [box for box in training.selectbox if box.label == "Run on the page"]
    newest, older, shipped = box.options
    assert newest.startswith("run 2: ") and {"latents 8", "beta 4.0"} <= set(newest.removeprefix("run 2: ").split(", "))
    assert older.startswith("run 1: ") and {"latents 2", "beta 1.0"} <= set(older.removeprefix("run 1: ").split(", "))
    assert shipped.startswith("the shipped run: ")
