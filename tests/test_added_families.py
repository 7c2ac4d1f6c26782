"""The denoising, the importance-weighted and the conditional model go the whole way, as the VAE does."""

import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from pages.ui.arms.routes import decoder_bytes
from tests.command_line import TINY, card_of, rows_of, run_main
from tests.local_engine import LocalLink
from tests.node_runner import node_runner
from vae_core import checkpoints, models
from vae_core.cards import check_figures
from vae_core.config import ConfigError, RunConfig
from vae_core.data import Images
from vae_core.inspect.snapshot import SnapshotTaker, take_snapshot
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import RunRecord
from vae_core.runs.storage import state_file
from vae_core.trainer import Trainer

FIGURES = {"split", "protocol", "images", "samples", "active_units", "errors"}
OF_Q = {"kl_dims", "mean_std"}
OF_A_BOUND = {"neg_elbo", "neg_iw_bound", "iw_neg_elbo", "iw_samples", "iw_images"}
ADDED = {
    "dae": ({"nll"}, FIGURES),
    "iwae": ({"iw"}, FIGURES | OF_Q | OF_A_BOUND),
    "cvae": ({"nll", "kl"}, FIGURES | OF_Q | OF_A_BOUND),
}
pytestmark = pytest.mark.usefixtures("small_data")


def config(model: str, **values: object) -> RunConfig:
    beta = {} if "kl" in models.family(model).TERMS else {"beta": 1.0}
    return RunConfig(**{"model": model, "device": "cpu", "batch_size": 250, **beta, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize("model", ADDED)
def test_the_command_line_trains_and_saves_it(model: str, tmp_path: Path) -> None:
    terms, figures = ADDED[model]
    assert run_main(*TINY, "--model", model, "--film", "--frames", "2", "--out", str(tmp_path / "made")) == 0
    card = card_of(tmp_path / "made")
    assert set(card["test"]) == terms | figures and f"--model {model}" in card["command"]
    check_figures(card["test"], model, tmp_path)
    assert terms <= set(rows_of(tmp_path / "made", "train")[0]) and len(rows_of(tmp_path / "made", "test")) == 2
    loaded = checkpoints.load(tmp_path / "made")
    assert isinstance(loaded.model, models.family(model)) and loaded.config.model == model
    back = RunRecord.load(tmp_path / "made")
    assert back.columns["train"] == ("step", *models.family(model).TERMS, "loss")


@pytest.mark.parametrize("model", ADDED)
def test_it_goes_on_bit_for_bit_and_looking_changes_nothing(model: str, small: Images) -> None:
    """The three take noise of different shapes, and one of them labels: all are functions of the seed and the step."""
    chosen = config(model, latent_dim=2, protocol="dynamic", batch_size=200)
    trainer, other = Trainer(chosen, small), Trainer(chosen, small)
    for _ in range(2):
        trainer.step()
    kept = trainer.state()
    trainer.flush()
    first = take_snapshot(trainer, measured=True)
    other.restore(kept)
    for _ in range(2):
        trainer.step(), other.step()
    assert np.array_equal(trainer.flush(), other.flush())
    assert all(torch.equal(a, b) for a, b in zip(trainer.state().values(), other.state().values(), strict=True))
    assert set(first.terms) == ADDED[model][0] and first.grid.shape == (12, 12, 28, 28)
    assert len(first.ten_mu) == (10 if "nll" in first.terms else 0)  # a pull of the reconstruction, where it is a term
    assert first.metrics is not None and (first.metrics["information"] is None) == (model == "dae")


@pytest.mark.parametrize("net", ["mlp", "conv"])
@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian-per-pixel"])
@pytest.mark.parametrize("model", ADDED)
def test_every_net_and_likelihood_makes_a_step(model: str, likelihood: str, net: str, small: Images) -> None:
    trainer = Trainer(config(model, net=net, likelihood=likelihood, latent_dim=3, batch_size=20), small)
    before = {name: value.clone() for name, value in trainer.model.named_parameters()}
    trainer.step()
    assert np.isfinite(trainer.flush()).all()
    assert all(not torch.equal(before[name], value) for name, value in trainer.model.named_parameters() if value.dim())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"model": "vae", "samples": 7}, "The model vae has no samples: leave it at 5."),
        ({"model": "cvae", "corruption": 0.1}, "The model cvae has no corruption: leave it at 0.5."),
        ({"model": "iwae", "beta": 4.0}, "The model iwae has no KL term: set beta to 0."),
        ({"model": "iwae", "free_bits": 0.1}, "The model iwae has no KL of Gaussian dimensions: set free_bits to 0."),
        ({"model": "ae", "free_bits": 0.1}, "The model ae has no KL of Gaussian dimensions: set free_bits to 0."),
        ({"model": "iwae", "samples": 65}, "samples is 65: give a whole number from 1 to 64."),
    ],
)
def test_a_setting_of_another_family_is_refused_in_a_sentence(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        models.check(config(**settings))  # type: ignore[arg-type]
    assert str(caught.value) == said


@pytest.mark.parametrize("net", ["mlp", "conv"])
def test_a_conditional_decoder_draws_in_the_arms_for_the_label_of_its_grid(
    net: str, small: Images, tmp_path: Path
) -> None:
    """Beside a VAE the browser decodes under the pointer of both, by what the route sends."""
    run = RunRecord("ann", config("cvae").with_(net=net), tmp_path)
    trainer = Trainer(run.config, small)
    file = state_file(run.states_folder, 0)
    file.parent.mkdir(parents=True)
    save_file(trainer.state(), file)
    z, script = torch.randn(2), "print(Array.from(probe.decoderIn(tensors.readTensors(file()))(given)));"
    found = node_runner(tmp_path, "lib/tensors", "arms/probe")(script, z.tolist(), decoder_bytes(run, 0) or b"")
    with torch.no_grad():
        wanted = trainer.model.eval().given(0).generate(z[None]).flatten()
    torch.testing.assert_close(torch.tensor(found), wanted, atol=1e-4, rtol=1e-4)


def test_a_row_of_draws_is_one_z_under_ten_labels(small: Images) -> None:
    trainer = Trainer(config("cvae"), small)
    drawn = take_snapshot(trainer).prior_draws.reshape(4, 10, 28, 28)
    z = SnapshotTaker(trainer.config, small).draws(trainer.model)[0].reshape(4, 10, 2)
    assert (z == z[:, :1]).all() and len(z[:, 0].unique(dim=0)) == 4
    with torch.no_grad():
        wanted = torch.stack([trainer.model.given(y).generate(z[:, y]) for y in range(10)], 1)
    assert np.abs(drawn / 255 - wanted.squeeze(2).numpy()).max() < 0.003


def test_arms_of_all_families_train_in_step_beside_a_vae(
    small: Images, local_registry: tuple[Registry, list[LocalLink]]
) -> None:
    """The same batches, whatever noise each takes; each arm goes as it would alone."""
    runs, links = local_registry
    configs = {name: config(name, epochs=50, protocol="dynamic") for name in ("vae", *ADDED)}
    group = runs.start_group(list(configs.items()), "ann", True)
    runs.command_group(group, "step", steps=2)
    deadline = time.monotonic() + 120
    while min(run.step for run in runs.members(group)) < 2:
        assert time.monotonic() < deadline
        links[-1].turn()
    alone = {name: Trainer(chosen, small) for name, chosen in configs.items()}
    batches = [trainer.batch()[0] for trainer in alone.values()]
    assert all(torch.equal(batches[0], batch) for batch in batches)
    for run in runs.members(group):
        trainer = alone[run.config.model]
        trainer.step(), trainer.step()
        assert np.array_equal(run.train.since(-1), trainer.flush())
