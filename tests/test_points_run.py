"""A run on points of the plane: from the command line, gone on with, in the engine, and as the frames of a film."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.distributions import Normal

from tests.command_line import card_of, rows_of, run_main
from tests.engine_driver import Driver
from vae_core import checkpoints, models
from vae_core.config import ConfigError, RunConfig
from vae_core.data import load
from vae_core.inspect.points import MAP_SIDE, SAMPLES, taker_of
from vae_core.inspect.snapshot import Snapshot
from vae_core.models.base import EXACT
from vae_core.runs.messages import FINISHED
from vae_core.runs.progress import Progress
from vae_core.runs.snapshot_file import frame_bytes, packed, read_snapshot
from vae_core.trainer import Trainer

CONFIG = RunConfig(
    dataset="ring-60-1", likelihood="gaussian-learned", sigma=0.5, latent_dim=1, widths="8", activation="tanh"
).with_(batch_size=20, steps=30, device="cpu")
ASKED = [
    *("--dataset", "ring-60-1", "--likelihood", "gaussian-learned", "--sigma", "0.5", "--latent-dim", "1"),
    *("--widths", "8", "--activation", "tanh", "--batch-size", "20", "--device", "cpu"),
]


def log_p_of(model: models.Family, x: torch.Tensor) -> float:
    """Mean log p(x) by a Riemann sum, in float32 as the model is."""
    z = torch.linspace(-8, 8, 4001)[:, None]
    with torch.no_grad():
        joint = -torch.stack([model.nll(model.decode(z), point.expand(len(z), 2)) for point in x])
    return ((joint + Normal(0, 1).log_prob(z[:, 0])).logsumexp(1) + np.log(16 / 4000)).mean().item()


def snapshot(config: RunConfig = CONFIG, steps: int = 3) -> Snapshot:
    trainer = Trainer(config)
    for _ in range(steps):
        trainer.step()
    return taker_of(config, trainer.images).take(trainer.model, steps)


def test_from_the_command_line_and_gone_on_with_bit_for_bit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_main(*ASKED, "--steps", "30", "--out", str(tmp_path / "whole")) == 0
    said = capsys.readouterr().out
    assert "log p(x), by quadrature" in said and "test, 200 points" in said and said.count("nats per point") == 1
    whole = checkpoints.load(tmp_path / "whole")
    test, images = card_of(tmp_path / "whole")["test"], load("ring-60-1", torch.device("cpu"))
    assert test["exact_log_p"] == pytest.approx(log_p_of(whole.model, images.x_test), abs=1e-4)
    assert test["exact_elbo"] < test["exact_log_p"] and test["protocol"] == "points" and test["images"] == 200
    assert -test["neg_elbo"] == pytest.approx(test["exact_elbo"], abs=4 * test["errors"]["neg_elbo"])
    assert len(rows_of(tmp_path / "whole", "train")) == 30
    assert run_main(*ASKED, "--steps", "10", "--keep-state", "--out", str(tmp_path / "part")) == 0
    assert run_main("--resume", str(tmp_path / "part"), "--steps", "30") == 0
    again = checkpoints.load(tmp_path / "part").model.state_dict()
    assert all(torch.equal(value, again[name]) for name, value in whole.model.state_dict().items())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"likelihood": "bernoulli"}, "Points are no pixels"),
        ({"likelihood": "gaussian-per-pixel"}, "Points are no pixels"),
        ({"net": "conv"}, "Points are no pixels: take net mlp"),
        ({"model": "cvae"}, "is told one of ten labels"),
    ],
)
def test_what_fits_to_pixels_alone_is_refused(changes: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Trainer(CONFIG.with_(**changes))


def test_a_model_says_what_is_exact_of_it() -> None:
    columns = {name: models.family(name).evaluation_columns(CONFIG.with_(model=name)) for name in ("vae", "iwae", "ae")}
    assert columns["vae"][-2:] == columns["iwae"][-2:] == EXACT and not set(EXACT) & set(columns["ae"])
    vae = models.family("vae")
    assert not vae.is_exact(CONFIG.with_(latent_dim=3)) and not vae.is_exact(RunConfig())
    other = snapshot(CONFIG.with_(model="ae", latent_dim=3, beta=0.0), 0)
    assert other.exact == {} and set(other.points) == {"train", "test"}


@pytest.mark.parametrize("dims", [1, 2])
def test_a_picture_holds_what_the_model_is_and_its_figures(dims: int, tmp_path: Path) -> None:
    config = CONFIG.with_(latent_dim=dims, likelihood="gaussian")
    found = snapshot(config)
    arrays, exact = found.points, found.exact
    assert {name: array.shape for name, array in arrays.items() if name[:4] not in ("weig", "bias")} == {
        "train": (60, 2),
        "test": (200, 2),
        "samples": (SAMPLES, 2),
        "map": (MAP_SIDE, MAP_SIDE),
        **dict.fromkeys(("log_p", "elbo", "gap"), (200, 1)),
        **dict.fromkeys(("mu", "std"), (200, dims)),
    }
    assert (arrays["gap"] >= 0).all() and exact["error"] < 0.01 and exact["sigma"] == pytest.approx(0.5)
    assert arrays["elbo"] + arrays["gap"] == pytest.approx(arrays["log_p"], abs=2 * exact["error"] + 1e-5)
    assert arrays["log_p"].mean() == pytest.approx(exact["exact_log_p"], abs=1e-5)
    file = tmp_path / "frame"
    file.write_bytes(packed(frame_bytes(found)))
    again = read_snapshot(file)
    assert again.exact == exact and all((again.points[name] == array).all() for name, array in arrays.items())


def test_draws_from_the_model_have_its_spread() -> None:
    """Of a decoder that gives one place: all that differs between draws is the noise of sigma."""
    config = CONFIG.with_(likelihood="gaussian", sigma=0.3)
    images, model = load(config.dataset, torch.device("cpu")), models.build(config)
    with torch.no_grad():
        for parameter in model.get_submodule("decoder").parameters():
            parameter.zero_()
    drawn = taker_of(config, images).take(model, 0).points["samples"]
    assert drawn.std() == pytest.approx(0.3, rel=0.1) and abs(drawn.mean()) < 0.05


def test_the_engine_trains_looks_and_concludes(tmp_path: Path) -> None:
    driver = Driver(tmp_path)
    driver.open(config=CONFIG)
    driver.turn_until(lambda: driver.last().status == FINISHED and driver.last().final)
    pictures, final = driver.pictures(), driver.last().final
    assert [pictures[0].step, pictures[-1].step] == [0, 30] and final is not None
    assert {name: final[name] for name in EXACT} == {name: pictures[-1].exact[name] for name in EXACT}
    assert final["exact_elbo"] < final["exact_log_p"]
    now = Progress.begin(CONFIG)
    for update in driver.of():
        now = now.receive(update)
    rows = now.test.since(-1)
    assert rows[:, 0].tolist() == [picture.step for picture in pictures] and now.diagnosis is None
    assert rows[:, -2:] == pytest.approx(np.array([[p.exact[name] for name in EXACT] for p in pictures]), rel=1e-5)
