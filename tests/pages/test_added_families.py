"""The denoising, the importance-weighted and the conditional model, and the cures of collapse, on the live page."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui import shipped
from pages.ui.explore.sources import explorable, find
from pages.ui.shipped import PLANE
from tests.pages.conftest import checked
from tests.waiting import wait_for
from vae_core import rng
from vae_core.config import RunConfig
from vae_core.evaluate import evaluate
from vae_core.runs.registry import Registry
from vae_core.runs.storage import steps_in

CURES = {"warmup_steps", "warmup_cycles", "free_bits"}
OF_FAMILIES = {"samples", "corruption"}


def numbers(page: AppTest) -> set[str]:
    return {box.key for box in page.number_input} & (CURES | OF_FAMILIES)


def test_each_family_has_its_own_settings_and_no_others(training: AppTest, registry: Registry) -> None:
    shown = {}
    for model in ("dae", "cvae", "iwae", "vae"):
        training.selectbox(key="model").set_value(model)
        checked(training.run())
        shown[model] = numbers(training)
    assert shown == {
        "dae": {"corruption"},
        "cvae": {"warmup_steps", "free_bits"},
        "iwae": {"samples"},
        "vae": {"warmup_steps", "free_bits"},
    }
    training.number_input(key="warmup_steps").set_value(300)
    training.number_input(key="free_bits").set_value(0.1)
    checked(training.run())
    training.number_input(key="warmup_cycles").set_value(4)
    checked(training.run())
    asked = training.query_params
    assert (asked["warmup_steps"], asked["warmup_cycles"], asked["free_bits"]) == ("300", "4", "0.1")
    checked(training.button(key="start").click().run())
    (run,) = registry.of("tester")
    assert (run.config.warmup_cycles, run.config.free_bits) == (4, 0.1)


def test_the_bound_of_k_samples_is_trained_and_told_by_its_name(training: AppTest, registry: Registry) -> None:
    training.selectbox(key="model").set_value("iwae")
    checked(training.run())
    training.number_input(key="samples").set_value(3)
    checked(training.run())
    assert training.query_params["model"] == "iwae" and training.query_params["samples"] == "3"
    checked(training.button(key="start").click().run())
    (run,) = registry.of("tester")
    wait_for(lambda: run.step > 0)
    assert run.config.samples == 3 and run.columns["train"] == ("step", "iw", "loss")
    assert run.columns["test"] == ("step", "iw", "mean_std", "active")
    checked(training.run())
    assert training.toggle(key="kl_on").disabled and training.toggle(key="recon_on").disabled
    checked(training.button(key="stop").click().run())
    wait_for(lambda: run.final is not None)
    checked(training.run())
    shown = [metric.label for metric in training.metric]
    assert shown == ["−ELBO (nats)", "−L_K (nats)", "−log p(x), at most (nats)", "Active units"]
    assert any("K = 1 (−L_K: K = 3)" in caption.value for caption in training.caption)


def test_a_conditional_run_says_what_it_bounds(training: AppTest, registry: Registry) -> None:
    training.selectbox(key="model").set_value("cvae")
    checked(training.run())
    checked(training.button(key="start").click().run())
    (run,) = registry.of("tester")
    wait_for(lambda: run.step > 0)
    assert run.columns["train"] == ("step", "nll", "kl", "loss")
    checked(training.button(key="stop").click().run())
    wait_for(lambda: run.final is not None)
    checked(training.run())
    shown = [metric.label for metric in training.metric]
    assert shown[0] == "−ELBO given the label (nats)" and "−log p(x | y), at most (nats)" in shown


def test_a_conditional_run_is_explored_with_the_label_that_is_chosen(home: AppTest, registry: Registry) -> None:
    """One of convolutions could be, too: the browser knows both networks with a label beside their inputs."""
    assert explorable(RunConfig(model="cvae", net="conv"))
    run_id = registry.start(RunConfig(model="cvae", epochs=1, device="cpu"), "tester")
    run = registry.get(run_id)
    assert run is not None
    wait_for(lambda: steps_in(run.states_folder))
    registry.command(run_id, "pause")
    home.switch_page("explorer/page.py")
    explorer = checked(home.run())
    assert not any(box.key == "explorer label" for box in explorer.segmented_control)
    assert "Labels" not in explorer.segmented_control(key="explorer way").options
    checked(explorer.selectbox(key="explorer model").set_value(run_id).run())
    explorer.segmented_control(key="explorer label").set_value("7")
    checked(explorer.run())
    assert explorer.query_params["label"] == "7"
    found = find(f"{run_id}~7")
    assert found is not None and found.label == 7 and found.address == f"{run_id}~7"


def test_what_a_label_is_worth_stands_beside_the_vae(home: AppTest, registry: Registry) -> None:
    """Of the shipped model: its own figures over the first 2,000 test images, by the functions of the core."""
    home.switch_page("explorer/page.py")
    explorer = checked(home.run())
    checked(explorer.selectbox(key="explorer model").set_value("mnist-cvae-mlp-2").run())
    checked(explorer.segmented_control(key="explorer way").set_value("labels").run())
    (said,) = [caption.value for caption in explorer.caption if "given the right label" in caption.value]
    right, wrong, vae = (float(value) for value in re.findall(r"([\d.]+) ± ", said))
    data, seed = shipped.images(), rng.stream_seed(0, "eval")
    x, y = data.x_test[:2000], data.y_test[:2000]
    cvae = shipped.checkpoint("mnist-cvae-mlp-2").model
    assert right == pytest.approx(evaluate(cvae, x, "grey", seed, labels=y).neg_elbo, abs=0.6)
    assert wrong > right + 50 and "with these layers, 100 epochs" in said
    assert vae == pytest.approx(evaluate(shipped.checkpoint(PLANE).model, x, "grey", seed).neg_elbo, abs=0.6)
