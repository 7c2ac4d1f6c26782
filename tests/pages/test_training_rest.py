"""The training page with nothing to minimise: the run rests, the page says so, and what it shows is what trains."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.live import view
from tests.pages.conftest import ROUTER, checked
from tests.pages.test_training import only_run, start
from tests.waiting import wait_for
from vae_core.models.base import Family
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import RunRecord

TERMS = {"recon_on": "alpha", "kl_on": "beta"}
NOTHING = "Both terms are off, so there is nothing to minimise"
RESTS = f"{NOTHING}: the run rests. Switch one of them on and it goes on."
STAYS = f"{NOTHING}: the run stays paused. Switch one of them on, then press Resume."
FROZEN = "The reconstruction is off and the encoder is frozen, so nothing is left that learns"


def switch(at: AppTest, key: str, on: bool) -> None:
    checked(at.toggle(key=key).set_value(on).run())


def said(at: AppTest) -> list[str]:
    return [box.value for box in at.warning]


def resting(at: AppTest, run: RunRecord) -> int:
    """The step at which the run rests, once the page shows that it does."""
    wait_for(lambda: run.status == "paused")
    checked(at.run())
    return run.step


def both_off(at: AppTest, run: RunRecord, first: str = "kl_on") -> int:
    """Switch both off, in either order, the second before the run has answered to the first."""
    for key in sorted(TERMS, key=lambda key: key != first):
        switch(at, key, False)
    return resting(at, run)


def pause(at: AppTest, run: RunRecord) -> int:
    checked(at.button(key="pause").click().run())
    return resting(at, run)


def fresh(query: dict[str, str]) -> AppTest:
    """The page in a new session: a reload, another window."""
    at = AppTest.from_file(str(ROUTER), default_timeout=60)
    at.run().switch_page("training/page.py")
    for key, value in query.items():
        at.query_params[key] = value
    return checked(at.run())


def address(at: AppTest) -> dict[str, str]:
    return {k: v if isinstance(v, str) else v[0] for k, v in at.query_params.items()}


def shown(at: AppTest) -> dict[str, bool]:
    return {TERMS[key]: at.toggle(key=key).value for key in TERMS}


def trains(run: RunRecord) -> dict[str, bool]:
    return {term: getattr(run.settings, term) > 0 for term in TERMS.values()}


@pytest.fixture
def presses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the browser is to report of the live view at the next run of the page: "on_space", "on_slow"."""
    waiting: list[str] = []

    def live_view(run_id: str, kind: type[Family], **options: Callable[[], None]) -> view.Seen:
        while waiting:
            options[waiting.pop()]()
        return view.Seen("", None)

    monkeypatch.setattr(view, "live_view", live_view)
    return waiting


@pytest.mark.parametrize("first", TERMS)
@pytest.mark.parametrize("again", TERMS)
def test_both_off_rests_the_run_and_either_switch_lets_it_go_on(
    training: AppTest, registry: Registry, first: str, again: str
) -> None:
    run = start(training, registry)
    step = both_off(training, run, first)
    for _ in range(2):
        assert said(training) == [RESTS]  # as long as both are off
        checked(training.run())
    assert (run.status, run.step) == ("paused", step)  # no step was made meanwhile
    switch(training, again, True)
    wait_for(lambda: run.status == "running" and run.step > step)
    if again == first:  # else the weights are those with which it came to rest: no change, no mark
        assert run.marks[-1].step == step
    assert shown(training) == trains(run) == {term: key == again for key, term in TERMS.items()}
    assert said(training) == []


@pytest.mark.parametrize("waits", [True, False])
def test_a_run_paused_by_hand_stays_paused(training: AppTest, registry: Registry, waits: bool) -> None:
    """Also when the server has not heard of the pause yet."""
    run = start(training, registry)
    if waits:
        pause(training, run)
    else:
        training.button(key="pause").click().run()
    step = both_off(training, run)
    assert said(training) == [STAYS]
    switch(training, "recon_on", True)
    checked(training.number_input(key="learning_rate").set_value(0.001).run())  # answered after a resume would be
    wait_for(lambda: run.settings.learning_rate == 0.001)
    assert (run.status, run.step, trains(run)) == ("paused", step, {"alpha": True, "beta": False})
    checked(training.button(key="pause").click().run())
    wait_for(lambda: run.status == "running" and run.step > step)


@pytest.mark.parametrize("press", ["step", "slow", "epoch", "pause", "on_space", "on_slow"])
def test_nothing_trains_what_is_shown_as_off(
    training: AppTest, registry: Registry, presses: list[str], press: str
) -> None:
    """The button "pause" is Resume by then, and so is the space bar."""
    run = start(training, registry)
    step = both_off(training, run)
    if press.startswith("on_"):
        presses.append(press)
    else:
        training.button(key=press).click()
    checked(training.run())
    assert said(training) == [RESTS]
    switch(training, "kl_on", True)
    wait_for(lambda: run.status == "running" and run.step > step)
    assert run.marks[-1].step == step and run.slow is None
    assert trains(run) == {"alpha": False, "beta": True}


def test_resume_while_both_are_off_is_a_wish_that_is_kept(training: AppTest, registry: Registry) -> None:
    run = start(training, registry)
    pause(training, run)
    step = both_off(training, run)
    checked(training.button(key="pause").click().run())
    assert said(training) == [RESTS] and run.step == step
    switch(training, "recon_on", True)
    wait_for(lambda: run.status == "running" and run.step > step)


def test_what_went_to_the_end_of_its_epoch_still_does(training: AppTest, registry: Registry) -> None:
    training.number_input(key="batch_size").set_value(64).run()  # an epoch of some seconds
    run = start(training, registry)
    pause(training, run)
    checked(training.button(key="epoch").click().run())
    wait_for(lambda: run.status == "running")
    step = both_off(training, run)
    assert step % run.steps_per_epoch and said(training) == [RESTS]
    switch(training, "recon_on", True)
    wait_for(lambda: run.status == "paused" and run.step > step)
    assert run.step == run.steps_per_epoch


def test_a_reset_or_a_pause_ends_the_wait(training: AppTest, registry: Registry) -> None:
    run = start(training, registry)
    both_off(training, run)
    checked(training.button(key="reset").click().run())
    wait_for(lambda: run.generation == 1)
    checked(training.run())
    assert said(training) == [STAYS] and (run.status, run.step) == ("paused", 0)


def test_another_page_and_back_finds_the_run_at_rest(training: AppTest, registry: Registry) -> None:
    run = start(training, registry)
    step = both_off(training, run)
    training.switch_page("home/page.py")
    checked(training.run())
    training.switch_page("training/page.py")
    checked(training.run())
    assert said(training) == [RESTS] and shown(training) == {"alpha": False, "beta": False}
    switch(training, "kl_on", True)
    wait_for(lambda: run.status == "running" and run.step > step)


@pytest.mark.parametrize("first", TERMS)
def test_a_reload_shows_what_the_run_last_trained_with(training: AppTest, registry: Registry, first: str) -> None:
    run = start(training, registry)
    switch(training, first, False)
    wait_for(lambda: run.marks)
    step = both_off(training, run, first)
    again = fresh(address(training))
    assert said(again) == [] and run.status == "paused"
    assert shown(again) == trains(run) == {term: key != first for key, term in TERMS.items()}
    checked(again.button(key="pause").click().run())
    wait_for(lambda: run.status == "running" and run.step > step)
    assert shown(again) == trains(run) and len(run.marks) == 1


def test_a_new_window_shows_the_weights_of_the_run_in_training(training: AppTest, registry: Registry) -> None:
    training.segmented_control(key="reduction").set_value("mean")
    training.number_input(key="alpha").set_value(3.0).run()
    run = start(training, registry)
    switch(training, "kl_on", False)
    wait_for(lambda: run.marks)
    for query, problem in (({}, False), ({"latent_dim": "8"}, False), ({"beta": "4.0"}, True)):
        at = fresh(query)
        assert at.segmented_control(key="reduction").value == "mean" and at.number_input(key="alpha").value == 3.0
        assert shown(at) == trains(run) == {"alpha": True, "beta": False}
        assert ["run in training, which are shown" in text for text in said(at)] == [True] * problem


def test_a_link_with_settings_keeps_them_for_the_next_start_beside_a_paused_run(
    training: AppTest, registry: Registry
) -> None:
    run = start(training, registry)
    switch(training, "kl_on", False)
    pause(training, run)
    assert shown(fresh({"latent_dim": "8"})) == {"alpha": True, "beta": True}
    assert shown(fresh({"run": run.run_id, "alpha": "0.0"})) == {"alpha": False, "beta": True}
    assert shown(fresh({"run": run.run_id})) == {"alpha": True, "beta": False}


def test_without_reconstruction_a_frozen_encoder_leaves_nothing_that_learns(
    training: AppTest, registry: Registry
) -> None:
    run = start(training, registry)
    checked(training.segmented_control(key="frozen").set_value("encoder").run())
    switch(training, "recon_on", False)
    step = resting(training, run)
    remedy = "Switch the reconstruction on or train both halves"
    assert said(training) == [f"{FROZEN}: the run rests. {remedy} and it goes on."]
    assert not any(caption.value.startswith("**Encoder frozen**") for caption in training.caption)
    checked(training.segmented_control(key="frozen").set_value("none").run())
    wait_for(lambda: run.status == "running" and run.step > step)
    assert (run.settings.alpha, run.settings.frozen, run.marks[-1].step) == (0, "none", step)
    assert said(training) == []


def test_start_and_branch_with_both_off_begin_nothing(training: AppTest, registry: Registry) -> None:
    for key in TERMS:
        switch(training, key, False)
    for button in ("start", "step", "slow"):
        checked(training.button(key=button).click().run())
        assert said(training) == [f"{NOTHING}: switch one of them on."] and registry.of("tester") == []
    switch(training, "recon_on", True)
    switch(training, "kl_on", True)
    run = start(training, registry)
    wait_for(lambda: run.states)
    both_off(training, run)
    for button in ("branch", "start"):
        checked(training.button(key=button).click().run())
        assert said(training) == [RESTS] and only_run(registry) is run


def test_after_a_chip_resume_trains_with_what_the_chip_has_set(training: AppTest, registry: Registry) -> None:
    run = start(training, registry)
    checked(training.button(key="chip Decoder never trained").click().run())
    step = resting(training, run)
    assert trains(run) == {"alpha": True, "beta": True}  # it waits as it was
    checked(training.button(key="pause").click().run())
    wait_for(lambda: run.status == "running" and run.step > step)
    assert shown(training) == trains(run) == {"alpha": False, "beta": True} and run.marks[-1].step == step


def test_a_run_chosen_for_the_page_brings_its_own_weights(training: AppTest, registry: Registry) -> None:
    first = start(training, registry)
    wait_for(lambda: first.states)
    pause(training, first)
    switch(training, "kl_on", False)
    wait_for(lambda: first.settings.beta == 0)
    checked(training.button(key="branch").click().run())
    branch = registry.of("tester")[0]
    both_off(training, branch)
    (box,) = [box for box in training.selectbox if box.label == "Run on the page"]
    checked(box.select(first.run_id).run())
    assert said(training) == [] and shown(training) == trains(first) == {"alpha": True, "beta": False}
    switch(training, "kl_on", True)
    wait_for(lambda: first.settings.beta == 1)
    assert (first.status, branch.status, branch.settings.beta) == ("paused", "paused", 0)
