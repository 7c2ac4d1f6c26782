"""Autoencoders against VAEs over sizes of z: what the command measures, against figures by hand, and what it keeps."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.spatial.distance import cdist
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from vae_core import models, sizes
from vae_core.checkpoints import CheckpointError, card_bytes, write_files
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.sizes import FIGURES, PICTURES, draw_fitted, read_sizes, to_bytes
from vae_core.trainer import Trainer

DIMS, SEEDS = (3, 2), (4, 5)
BASE = RunConfig(device="cpu", epochs=1, batch_size=500)
Made = tuple[dict[str, Any], dict[str, torch.Tensor]]


@pytest.fixture(scope="module")
def made(small: Images) -> list[Made]:
    """What is there after each seed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sizes, "DRAWS", 100)
        return list(sizes.compare(BASE, DIMS, SEEDS, small))


@pytest.fixture
def folder(made: list[Made], tmp_path: Path) -> Path:
    record, pictures = made[-1]
    write_files(tmp_path, {FIGURES: card_bytes(record), PICTURES: to_bytes(pictures)})
    return tmp_path


def trained(small: Images, **changes: Any) -> Trainer:
    trainer = Trainer(BASE.with_(**changes), small)
    while not trainer.done:
        trainer.step()
    trainer.model.eval()
    return trainer


def row(made: list[Made], **wanted: Any) -> dict[str, Any]:
    (found,) = [one for one in made[-1][0]["rows"] if wanted.items() <= one.items()]
    return found


def test_each_seed_adds_a_row_of_both_models_at_every_size(made: list[Made]) -> None:
    for done, (record, _) in enumerate(made, 1):
        keys = [(one["seed"], one["latent_dim"], one["model"]) for one in record["rows"]]
        assert keys == [(seed, dim, name) for seed in SEEDS[:done] for dim in DIMS for name in ("ae", "vae")]
        options = sizes.parser().parse_args(shlex.split(record["command"])[3:])
        assert (tuple(options.latent_dims), tuple(options.seeds), options.epochs) == (DIMS, SEEDS[:done], 1)
    assert made[0][0]["rows"] == made[1][0]["rows"][:4] and made[0][1].keys() == made[1][1].keys()
    known = RunConfig().to_dict().keys() - {"model", "beta", "latent_dim", "seed", "device"}
    assert made[-1][0]["config"] == {name: BASE.to_dict()[name] for name in known}


def test_the_figures_are_those_of_the_model_that_was_trained(made: list[Made], small: Images) -> None:
    """The copies by torch's own loss, the gap by scipy's distances, and the ELBO's terms from torch's Gaussians."""
    x = small.x_test.float() / 255
    for name, changes in {"ae": {"model": "ae", "beta": 0.0}, "vae": {}}.items():
        model, found = (
            trained(small, latent_dim=3, seed=4, **changes).model,
            row(made, model=name, seed=4, latent_dim=3),
        )
        eps = torch.randn(100, 3, generator=sizes.rng.generator(torch.device("cpu"), 4, "eval", 1))
        with torch.no_grad():
            mu, *log_var = model.encode(x)
            copies, pictures = model.decode(mu).sigmoid(), model.decode(eps).sigmoid()[:, 0]
        nll = F.binary_cross_entropy(copies, x, reduction="sum").item() / len(x)
        assert found["nll_at_mu"] == pytest.approx(nll, rel=1e-4)
        assert found["active_units"] == int((mu.var(0) > 0.01).sum())
        assert (pictures[: sizes.SHOWN] * 255 - made[-1][1][f"{name}-3-prior"]).abs().max() <= 0.51
        a, b = pictures.flatten(1).double().numpy(), x.flatten(1).double().numpy()
        gap = (2 * cdist(a, b).mean() - cdist(a, a).mean() - cdist(b, b).mean()) / 28
        assert found["draw_gap"] == pytest.approx(gap, abs=2e-5)
        if name == "ae":
            assert not {"nll", "kl", "neg_elbo"} & found.keys()
            continue
        kl = kl_divergence(Normal(mu, (0.5 * log_var[0]).exp()), Normal(0.0, 1.0)).sum(-1).mean().item()
        assert found["kl"] == pytest.approx(kl, rel=1e-4)
        assert found["neg_elbo"] == pytest.approx(found["nll"] + found["kl"], rel=1e-6)


def test_both_models_begin_with_the_same_weights() -> None:
    one, other = (models.build(BASE.with_(latent_dim=8, **changes)) for changes in sizes.MODELS.values())
    assert type(one) is not type(other) and one.state_dict().keys() == other.state_dict().keys()
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_fitted_draws_have_the_mean_and_the_covariance_of_the_codes() -> None:
    generator = torch.Generator().manual_seed(0)
    factor = torch.randn(3, 3, generator=generator)
    codes = torch.randn(5000, 3, generator=generator) @ factor + torch.tensor([5.0, -2.0, 0.0])
    eps = torch.randn(200_000, 3, generator=generator)
    drawn = draw_fitted(codes, eps)
    assert torch.allclose(drawn.mean(0), codes.mean(0), atol=0.03)
    assert torch.allclose(drawn.T.cov(), codes.T.cov(), rtol=0.03, atol=0.03)
    density = MultivariateNormal(codes.mean(0), codes.T.cov()).log_prob(drawn)
    assert density.mean().item() == pytest.approx(
        -MultivariateNormal(codes.mean(0), codes.T.cov()).entropy().item(), abs=0.03
    )


def test_a_dimension_that_nothing_uses_does_no_harm() -> None:
    codes = torch.cat([torch.randn(100, 1, generator=torch.Generator().manual_seed(0)), torch.full((100, 1), 3.0)], 1)
    drawn = draw_fitted(codes, torch.randn(50, 2))
    assert drawn.isfinite().all() and torch.allclose(drawn[:, 1], torch.tensor(3.0))
    assert draw_fitted(codes[:, :1], torch.randn(50, 1)).isfinite().all()


def test_what_was_written_is_read(made: list[Made], folder: Path) -> None:
    found = read_sizes(folder)
    assert found.record == json.loads(json.dumps(made[-1][0]))
    assert {name: array.tolist() for name, array in found.pictures.items()} == {
        name: tensor.tolist() for name, tensor in made[-1][1].items()
    }
    assert all(array.dtype == np.uint8 and array.shape == (12, 28, 28) for array in found.pictures.values())


DAMAGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no rows": lambda record: record.pop("rows"),
    "no row": lambda record: record.update(rows=[]),
    "a row less": lambda record: record["rows"].pop(),
    "a row twice": lambda record: record["rows"].append(record["rows"][0]),
    "a figure less": lambda record: record["rows"][1].pop("kl"),
    "a figure that is none": lambda record: record["rows"][0].update(draw_gap=None),
    "a size that is none": lambda record: record["rows"][0].update(latent_dim="2"),
    "no gap of real images": lambda record: record.update(real_gap="0"),
    "rows that are a number": lambda record: record.update(rows=3),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_record_is_said_in_a_sentence(damage: str, folder: Path) -> None:
    record = json.loads((folder / FIGURES).read_text())
    DAMAGES[damage](record)
    (folder / FIGURES).write_text(json.dumps(record))
    with pytest.raises(CheckpointError, match="is not whole: restore it"):
        read_sizes(folder)


def test_pictures_that_are_not_there_are_said_in_a_sentence(folder: Path) -> None:
    (folder / PICTURES).unlink()
    with pytest.raises(CheckpointError, match="is missing"):
        read_sizes(folder)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--epochs", "0"], "epochs is 0: give a whole number from 1"),
        (["--latent-dims", "2", "999"], "latent_dim is 999"),
        (["--seeds", "0", "-1"], "seed is -1"),
    ],
)
def test_bad_input_ends_with_a_sentence(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sizes.main([*options, "--device", "cpu", "--out", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_a_result_gives_way_only_when_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sizes.main(["--out", str(folder)]) == 2
    assert "holds a result already" in capsys.readouterr().err


def test_what_is_done_is_kept_when_it_is_interrupted(
    made: list[Made], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def one_seed(*_: Any):
        yield made[0]
        raise KeyboardInterrupt

    monkeypatch.setattr(sizes, "compare", one_seed)
    assert sizes.main(["--device", "cpu", "--out", str(tmp_path)]) == 130
    assert "interrupted" in capsys.readouterr().err and len(read_sizes(tmp_path).record["rows"]) == 4
