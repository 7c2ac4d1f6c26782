"""The training page: what its widgets do to the run behind them."""

import io

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages.training.claims import CLAIMS
from pages.ui.shipped import CHECKPOINTS, PLANE
from tests.pages.conftest import ROUTER, checked
from tests.waiting import wait_for
from vae_core.config import LiveSettings
from vae_core.digits import with_error
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import RunRecord


def only_run(registry: Registry) -> RunRecord:
    (run,) = registry.of("tester")
    return run


def start(at: AppTest, registry: Registry) -> RunRecord:
    checked(at.button(key="start").click().run())
    run = only_run(registry)
    wait_for(lambda: run.step > 0)
    return run


def disabled(at: AppTest) -> set[str]:
    keys = ("pause", "step", "epoch", "stop", "reset", "branch")
    return {b.key for b in at.button if b.key in keys and b.disabled}


def test_before_the_first_run_only_start_and_step_do_anything(training: AppTest) -> None:
    assert disabled(training) == {"pause", "epoch", "stop", "reset", "branch"}
    said, own = training.caption[0].value, RunRecord.load(CHECKPOINTS / PLANE).config
    assert f"ships with the program (VAE, mlp, 2 latents, {own.epochs} epochs, learning rate 0.001)" in said
    assert training.number_input(key="epochs").value != own.epochs  # what stands beside it are not its settings


def test_settings_become_the_config_of_the_run(training: AppTest, registry: Registry) -> None:
    training.segmented_control(key="latent_dim").set_value(16)
    training.segmented_control(key="protocol").set_value("static")
    training.text_input(key="widths").set_value("300-300")
    training.segmented_control(key="activation").set_value("elu")
    training.number_input(key="steps").set_value(20_000)
    training.selectbox(key="likelihood").set_value("gaussian-learned").run()
    training.number_input(key="sigma").set_value(0.3)
    training.number_input(key="epochs").set_value(2)
    training.number_input(key="seed").set_value(7)
    training.number_input(key="batch_size").set_value(97)
    training.number_input(key="beta").set_value(4.0)
    training.toggle(key="recon_on").set_value(False).run()
    config = start(training, registry).config
    expected = {
        "latent_dim": 16,
        "protocol": "static",
        "widths": "300-300",
        "activation": "elu",
        "steps": 20_000,
        "likelihood": "gaussian-learned",
        "sigma": 0.3,
        "epochs": 2,
        "seed": 7,
        "batch_size": 97,
        "alpha": 0.0,
        "beta": 4.0,
    }
    assert {k: getattr(config, k) for k in expected} == expected


def test_pause_step_epoch_resume(training: AppTest, registry: Registry) -> None:
    training.number_input(key="batch_size").set_value(1000)
    run = start(training, registry)
    training.button(key="pause").click().run()
    wait_for(lambda: run.status == "paused" and run.states)
    training.run()
    assert disabled(training) == set()
    before = run.step
    training.button(key="step").click().run()
    wait_for(lambda: run.step == before + 1 and run.status == "paused")
    training.button(key="epoch").click().run()
    wait_for(lambda: run.status == "paused" and run.step > before + 1, 240)  # 60,000 images, beside other tests
    assert run.step % run.steps_per_epoch == 0
    training.run().button(key="pause").click().run()
    wait_for(lambda: run.status == "running")


def test_step_without_a_run_begins_one_and_trains_one_batch(training: AppTest, registry: Registry) -> None:
    checked(training.button(key="step").click().run())
    run = only_run(registry)
    wait_for(lambda: run.status == "paused" and run.step == 1)


def test_kl_switch_acts_on_the_run_and_leaves_a_mark(training: AppTest, registry: Registry) -> None:
    run = start(training, registry)
    checked(training.toggle(key="kl_on").set_value(False).run())
    wait_for(lambda: run.marks)
    assert run.marks[0].text == f"beta 1 → 0 at step {run.marks[0].step}"
    assert run.settings.beta == 0
    checked(training.toggle(key="kl_on").set_value(True).run())
    wait_for(lambda: len(run.marks) == 2)
    assert run.settings == LiveSettings(alpha=1.0, beta=1.0, learning_rate=0.002, frozen="none")


def test_the_field_of_a_weight_says_what_it_really_does(training: AppTest) -> None:
    def labels() -> list[str]:
        return [training.number_input(key=letter).label for letter in ("alpha", "beta")]

    assert labels() == ["alpha", "beta"]
    checked(training.segmented_control(key="reduction").set_value("mean").run())
    assert labels() == ["alpha (÷ 784)", "beta"]
    checked(training.toggle(key="kl_on").set_value(False).run())
    assert labels() == ["alpha (÷ 784)", "beta (off)"]
    checked(training.toggle(key="kl_on").set_value(True).run())
    checked(training.toggle(key="recon_on").set_value(False).run())
    assert labels() == ["alpha (off)", "beta"]


def test_a_slow_step_without_a_run_begins_one_and_tells_all_of_its_first_batch(
    training: AppTest, registry: Registry
) -> None:
    checked(training.button(key="slow").click().run())
    run = only_run(registry)
    wait_for(lambda: run.slow)
    assert run.slow.step == run.step == 1 and run.status == "paused"
    _, nll, kl, _ = run.train.since(-1)[0].tolist()
    assert [run.slow.numbers["nll"], run.slow.numbers["kl"]] == pytest.approx([nll, kl], rel=1e-5)


def test_the_mean_over_pixels_prints_the_beta_that_it_implies(training: AppTest, registry: Registry) -> None:
    run = start(training, registry)
    checked(training.segmented_control(key="reduction").set_value("mean").run())
    wait_for(lambda: run.marks)
    assert run.settings.beta / run.settings.alpha == pytest.approx(784)
    assert any("beta = 784" in c.value for c in training.caption)
    training.number_input(key="beta").set_value(0.5).run()
    assert any("beta = 392" in c.value for c in training.caption)


def test_the_mean_over_pixels_survives_a_link(training: AppTest, registry: Registry) -> None:
    checked(training.segmented_control(key="reduction").set_value("mean").run())
    asked = training.query_params["alpha"]
    at = AppTest.from_file(str(ROUTER), default_timeout=60)
    at.run().switch_page("training/page.py")
    at.query_params["alpha"] = asked
    checked(at.run())
    assert at.segmented_control(key="reduction").value == "mean" and at.number_input(key="alpha").value == 1.0


def test_a_half_is_frozen_on_the_way_and_the_page_says_what_that_teaches(training: AppTest, registry: Registry) -> None:
    run = start(training, registry)
    checked(training.segmented_control(key="frozen").set_value("decoder").run())
    assert any(c.value.startswith("**Decoder frozen**") for c in training.caption)
    wait_for(lambda: run.marks)
    assert run.marks[0].text.startswith("frozen none → decoder") and run.settings.frozen == "decoder"


def test_reset_goes_back_to_the_same_initial_weights(training: AppTest, registry: Registry) -> None:
    run = start(training, registry)
    first = run.train.since(0)[0].tolist()
    training.button(key="pause").click().run()
    wait_for(lambda: run.status == "paused")
    training.run().button(key="reset").click().run()
    wait_for(lambda: run.generation == 1 and run.status == "paused")
    assert run.step == 0 and len(run.train) == 0
    training.run().button(key="step").click().run()
    wait_for(lambda: run.step == 1)
    assert run.train.since(0)[0].tolist() == first


def test_a_finished_run_shows_its_figures_and_gives_its_history(training: AppTest, registry: Registry) -> None:
    training.number_input(key="epochs").set_value(1).run()
    run = start(training, registry)
    wait_for(lambda: run.final)
    checked(training.run())
    shown = {m.label: m.value for m in training.metric}
    assert shown["−ELBO (nats)"] == with_error(run.final["neg_elbo"], run.final["errors"]["neg_elbo"])
    value, reconstruction, kl = (
        float(shown[f"{name} (nats)"].split(" ± ")[0]) for name in ("−ELBO", "Reconstruction", "KL")
    )
    assert reconstruction + kl == pytest.approx(value, abs=1.6)  # each rounded to its error, of a nat at most
    assert shown["Active units"] == "2 of 2"
    bound = float(shown["−log p(x), at most (nats)"].split(" ± ")[0])
    assert bound < run.final["iw_neg_elbo"]  # tighter than the ELBO of the same images, which stands beside it
    (beside,) = (m.delta for m in training.metric if m.label == "−log p(x), at most (nats)")
    assert beside == f"{run.final['iw_neg_elbo'] - run.final['neg_iw_bound']:.1f} below their −ELBO"
    caption = " ".join(c.value for c in training.caption)
    for text in ("grey", "10,000 test images", "K = 1", "seed 0"):
        assert text in caption


def test_history_table_has_every_step_and_adds_up(training: AppTest, registry: Registry) -> None:
    from pages.training.figures import history_table

    training.number_input(key="epochs").set_value(1).run()
    run = start(training, registry)
    wait_for(lambda: run.final)
    table = pd.read_csv(io.StringIO(history_table(run).to_csv(index=False)))
    train = table[table["split"] == "train"]
    assert train["step"].tolist() == list(range(1, run.total_steps + 1))
    assert (train["nll"] + train["kl"] - train["loss"]).abs().max() < 1e-2
    assert (table["split"] == "test").sum() == len(run.test)


def test_the_run_is_there_again_after_a_change_of_page(training: AppTest, registry: Registry) -> None:
    training.segmented_control(key="latent_dim").set_value(3).run()
    run = start(training, registry)
    training.switch_page("home/page.py")
    checked(training.run())
    step = run.step
    wait_for(lambda: run.step > step)  # it trains on
    training.switch_page("training/page.py")
    checked(training.run())
    assert training.segmented_control(key="latent_dim").value == 3
    assert training.get("bidi_component")
    assert only_run(registry) is run


def test_layers_that_are_none_get_one_sentence_and_start_nothing(training: AppTest, registry: Registry) -> None:
    training.text_input(key="widths").set_value("400x200").run()
    assert any("widths is '400x200': give 1 to 4 whole numbers" in c.value for c in training.caption)
    checked(training.button(key="start").click().run())
    assert registry.of("tester") == [] and any("such as '400-200'" in w.value for w in training.warning)
    assert "widths" not in training.query_params
    training.segmented_control(key="net").set_value("conv").run()
    assert not [w for w in training.text_input if w.key == "widths"]  # convolutions have layers of their own


def test_changed_settings_are_named_until_the_next_start(training: AppTest, registry: Registry) -> None:
    start(training, registry)
    training.segmented_control(key="latent_dim").set_value(8).run()
    assert any("latent dim 2 → 8" in c.value for c in training.caption)


def test_every_control_says_what_to_expect(training: AppTest) -> None:
    widgets = [*training.segmented_control, *training.selectbox, *training.number_input, *training.toggle]
    assert len(widgets) >= 12
    assert all(w.help for w in [*widgets, *training.text_input])


def test_chips_and_help_are_the_claims(training: AppTest) -> None:
    """What tests/test_claims.py holds is what stands here; captions of frozen halves come with their setting."""
    checked(training.selectbox(key="likelihood").set_value("gaussian").run())
    training.number_input(key="warmup_steps").set_value(100)
    said = set()
    for model in ("iwae", "dae", "vq", "vae"):  # each with settings of its own
        checked(training.selectbox(key="model").set_value(model).run())
        widgets = [*training.segmented_control, *training.selectbox, *training.number_input, *training.toggle]
        said |= {w.help for w in [*widgets, *training.button]}
    for half in ("encoder", "decoder"):
        checked(training.segmented_control(key="frozen").set_value(half).run())
        said |= {caption.value for caption in training.caption}
    assert [claim.key for claim in CLAIMS.values() if not any(claim.says in text for text in said)] == []


def test_without_a_run_of_ones_own_the_shipped_one_is_shown_and_cannot_be_touched(
    training: AppTest, registry: Registry
) -> None:
    shown = {m.label: m.value for m in training.metric}
    assert shown["−ELBO (nats)"] == "138.9 ± 0.5"
    assert registry.of("tester") == []


def test_a_chip_sets_the_controls_for_the_next_start(training: AppTest, registry: Registry) -> None:
    training.number_input(key="alpha").set_value(3.0).run()
    checked(training.button(key="chip Gaussian, sigma 0.05").click().run())
    assert "press **Start**" in training.info[0].value
    config = start(training, registry).config
    assert (config.likelihood, config.sigma, config.alpha, config.beta) == ("gaussian", 0.05, 1.0, 1.0)
    checked(training.run())
    assert training.info[0].value == f"**Gaussian, sigma 0.05**. {CLAIMS['chip sigma 0.05'].says}"  # Start was pressed
    checked(training.button(key="chip Gaussian, sigma 0.05").click().run())
    assert "press **Start**" in training.info[0].value


def test_a_branch_is_a_second_run_with_the_switches_as_they_stand(training: AppTest, registry: Registry) -> None:
    parent = start(training, registry)
    wait_for(lambda: parent.step > 80)
    training.button(key="pause").click().run()
    wait_for(lambda: parent.status == "paused" and parent.states)
    training.run()
    training.toggle(key="kl_on").set_value(False).run()
    wait_for(lambda: parent.settings.beta == 0)
    checked(training.button(key="branch").click().run())
    branch, same_parent = registry.of("tester")
    assert same_parent is parent and branch.parent is not None and branch.parent.run_id == parent.run_id
    wait_for(lambda: branch.step > branch.parent.step)
    assert branch.settings.beta == 0
    assert branch.train.since(0)[: branch.parent.step].tolist() == parent.train.since(0)[: branch.parent.step].tolist()
    checked(training.run())
    (shown,) = [box for box in training.selectbox if box.label == "Run on the page"]
    assert "branch of run 1" in shown.options[0]


def test_settings_and_run_stand_in_the_address(training: AppTest, registry: Registry) -> None:
    training.segmented_control(key="latent_dim").set_value(8).run()
    run = start(training, registry)
    checked(training.run())
    assert training.query_params["run"] in (run.run_id, [run.run_id])
    assert training.query_params["latent_dim"] in ("8", ["8"])
    assert "seed" not in training.query_params  # at its default


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"latent_dim": "7"}, "latent_dim '7' is not offered here: choose 2, 3, 8, 16, 32"),
        ({"step": "soon"}, "step 'soon' is no whole number"),
        ({"alpha": "0", "beta": "0"}, "nothing to minimise"),
        ({"learning_rate": "nan"}, "learning_rate 'nan' is no number from"),
    ],
)
def test_an_address_that_does_not_hold_is_said(registry: Registry, asked: dict[str, str], said: str) -> None:
    at = AppTest.from_file(str(ROUTER), default_timeout=60)
    at.run().switch_page("training/page.py")
    for key, value in asked.items():
        at.query_params[key] = value
    checked(at.run())
    assert said in at.warning[0].value and "The rest is shown" in at.warning[0].value
    assert at.segmented_control(key="latent_dim").value == 2


@pytest.mark.parametrize("page", ["training", "ablation"])
def test_what_becomes_of_runs_is_said(page: str, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry._saved, "trouble", "Runs cannot be kept: the roof leaks.")
    registry._saved._letters["tester"] = ["A run of yesterday was removed.", "Another one, too."]
    at = AppTest.from_file(str(ROUTER), default_timeout=60)
    at.run().switch_page(f"{page}/page.py")
    checked(at.run())
    said = [warning.value for warning in at.warning]
    assert said == ["A run of yesterday was removed. Another one, too.", "Runs cannot be kept: the roof leaks."]
    monkeypatch.setattr(registry._saved, "trouble", "")
    assert len(checked(at.run()).warning) == 1 and registry.letters("tester") == []  # once, and it stays for a while


def test_the_code_on_the_page_is_the_code_that_runs(training: AppTest) -> None:
    import inspect

    from vae_core import losses

    assert not training.code  # nothing is coloured for those who do not open it
    training.session_state["code"] = True
    sources = [c.value for c in checked(training.run()).code]
    assert inspect.getsource(losses.gaussian_kl).rstrip() in [s.rstrip() for s in sources]
    assert inspect.getsource(losses.bernoulli_nll).rstrip() in [s.rstrip() for s in sources]
