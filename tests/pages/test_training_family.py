"""A family of a test's own on the live training page: nothing but its file knows of it."""

from streamlit.testing.v1 import AppTest

from pages.ui.terms import describe
from tests.pages.conftest import checked
from tests.waiting import wait_for
from vae_core.config import RunConfig
from vae_core.digits import with_error
from vae_core.runs.registry import Registry


def test_it_is_trained_with_the_weights_of_its_own_terms(training: AppTest, registry: Registry) -> None:
    training.selectbox(key="model").set_value("three-terms")
    checked(training.run())
    assert training.query_params["model"] == "three-terms"
    checked(training.button(key="start").click().run())
    (run,) = registry.of("tester")
    wait_for(lambda: run.step > 0)
    assert run.config.model == "three-terms" and run.columns["train"] == ("step", "pixels", "size", "noise", "loss")
    checked(training.run())
    assert training.toggle(key="kl_on").disabled and training.toggle(key="recon_on").disabled
    assert [training.toggle(key=key).label for key in ("kl_on", "recon_on")] == ["KL none", "Reconstruction none"]
    weights = {box.key: box.value for box in training.number_input if box.key.startswith("weight of ")}
    assert weights == {"weight of pixels": 1.0, "weight of size": 0.1, "weight of noise": 0.5}
    training.number_input(key="weight of noise").set_value(2.0)
    checked(training.run())
    wait_for(lambda: run.settings.weights == "noise=2" and bool(run.marks))
    assert run.marks[0].text.startswith("noise 0.5 → 2 at step ")
    assert training.query_params["weights"] == "noise=2"
    for term in ("pixels", "size", "noise"):
        training.number_input(key=f"weight of {term}").set_value(0.0)
    checked(training.run())
    assert "No term is on" in training.warning[0].value
    checked(training.button(key="stop").click().run())
    wait_for(lambda: run.final is not None)
    checked(training.run())
    shown = {metric.label: metric.value for metric in training.metric}
    assert list(shown) == ["Pixels (nats)", "Size (nats)", "Noise (nats)", "Active units"]
    final = run.final or {}
    assert shown["Pixels (nats)"] == with_error(final["pixels"], final["errors"]["pixels"])


def test_what_its_view_is_told(training: AppTest) -> None:
    assert describe(RunConfig(model="three-terms", likelihood="gaussian")) == {
        "terms": [
            {"name": "pixels", "label": "pixels", "colour": "other0"},
            {"name": "size", "label": "size", "colour": "other1"},
            {"name": "noise", "label": "noise", "colour": "other2"},
        ],
        "bound": False,
        "posterior": False,
        "codes": True,
        "labels": False,
        "scales": [],
    }
    assert describe(RunConfig())["terms"][0] == {"name": "nll", "label": "reconstruction", "colour": "reconstruction"}


def test_an_autoencoder_started_beside_a_vae_takes_commands(training: AppTest, registry: Registry) -> None:
    """The VAE on the page had its KL off; the new run has none, and Pause, Resume and a new weight reach it."""
    checked(training.button(key="start").click().run())
    training.toggle(key="kl_on").set_value(False)
    checked(training.run())
    training.selectbox(key="model").set_value("ae")
    checked(training.run())
    checked(training.button(key="start").click().run())
    run, vae = registry.of("tester")
    wait_for(lambda: run.step > 0 and vae.status == "stopped")
    assert run.config.model == "ae" and run.columns["train"] == ("step", "nll", "loss")
    checked(training.run())
    assert training.button(key="slow").disabled
    checked(training.button(key="pause").click().run())
    wait_for(lambda: run.status == "paused")
    training.number_input(key="alpha").set_value(2.0)
    checked(training.run())
    wait_for(lambda: run.settings.alpha == 2)
    checked(training.button(key="pause").click().run())
    wait_for(lambda: run.status == "running")
    assert not training.warning


def test_an_ended_run_goes_on_with_its_own_terms_whatever_family_is_chosen(
    training: AppTest, registry: Registry
) -> None:
    checked(training.button(key="start").click().run())
    (run,) = registry.of("tester")
    training.number_input(key="beta").set_value(4.0)
    checked(training.run())
    wait_for(lambda: run.settings.beta == 4 and run.step > 0)
    checked(training.button(key="stop").click().run())
    wait_for(lambda: run.final is not None)
    training.selectbox(key="model").set_value("ae")
    checked(training.run())
    checked(training.button(key="reset").click().run())
    wait_for(lambda: run.status == "paused" and run.step == 0)
    assert run.settings.beta == 4 and run.config.beta == 4
