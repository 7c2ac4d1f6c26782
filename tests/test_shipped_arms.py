"""What ships as finished runs: small enough, readable, rebuilt by the command on its card, and telling the story."""

import csv
import gzip
import hashlib
import itertools
import json
import shlex
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch

from pages.ui.shipped import ARMS, CHECKPOINTS, PLANE
from tests.bench.retell import with_diagnosis
from tests.oracles.ranking import best_and_worst
from vae_core import models, train
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.inspect.snapshot import to_uint8
from vae_core.metrics.definitions import Metrics
from vae_core.models import family
from vae_core.runs.run_record import RunRecord
from vae_core.runs.snapshot_file import read_frame, read_snapshot
from vae_core.runs.storage import frame_file, frames_in

LIMIT = 32_000_000  # bytes of all that ships
BETAS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32)
DOSE = [f"dose-beta-{beta:g}" for beta in BETAS]
FOLDERS = [CHECKPOINTS / "arms" / name for name in ARMS] + [CHECKPOINTS / "dose" / name for name in DOSE]
FULL, NO_KL, NO_RECONSTRUCTION, AUTOENCODER, BETA_32 = ARMS
COLLAPSED = 0.05  # nats


def card_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "card.json").read_text(encoding="utf-8"))


def last_frame(folder: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    return read_frame(frame_file(folder / "film", frames_in(folder / "film")[-1]))


@pytest.fixture(scope="module")
def metrics_of() -> dict[str, Metrics]:
    """The figures in the last frame of each arm."""
    return {name: Metrics.from_dict(last_frame(CHECKPOINTS / "arms" / name)[0]["meter"]) for name in ARMS}


# ---- what is there


def test_all_that_ships_stays_below_its_limit() -> None:
    assert sum(path.stat().st_size for path in CHECKPOINTS.rglob("*") if path.is_file()) < LIMIT


def test_no_other_run_ships() -> None:
    found = {path.parent for path in CHECKPOINTS.rglob("run.json")}
    assert found == {*FOLDERS, CHECKPOINTS / PLANE, CHECKPOINTS / "mnist-vq"}


@pytest.mark.parametrize("card", sorted(CHECKPOINTS.rglob("card.json")), ids=lambda path: path.parent.name)
def test_the_command_on_every_card_gives_its_config(card: Path) -> None:
    written = json.loads(card.read_text(encoding="utf-8"))
    words = shlex.split(written["command"])
    options, folder, keeping, *_ = train.parsed(words[3:])
    assert words[:3] == ["python", "-m", "vae_core.train"] and str(folder) == "DIR" and written["finished"]
    assert RunConfig(**options) == RunConfig.from_dict(written["config"])
    weights = card.parent / "model.safetensors"
    if weights.is_file():
        floats = {array.dtype for array in safetensors.numpy.load_file(weights).values()} - {np.dtype(np.int64)}
        assert floats == {np.dtype(np.float16 if keeping.half else np.float32)}
    assert keeping.half == ("weights" in written)
    assert keeping.film == (card.parent / "film").is_dir() and keeping.only_run == ("kept" in written)
    assert keeping.only_run != (card.parent / "model.safetensors").is_file()
    assert (keeping.only_run and keeping.decoder) == (card.parent / "decoder.safetensors").is_file()


@pytest.mark.parametrize("path", sorted(CHECKPOINTS.rglob("history.csv")), ids=lambda path: path.parent.name)
def test_a_history_has_every_epochs_test_figures_and_about_a_thousand_steps(path: Path) -> None:
    card = card_of(path.parent)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    train, test = ([int(row["step"]) for row in rows if row["split"] == split] for split in ("train", "test"))
    epochs, steps = card["config"]["epochs"], card["steps"]
    assert test == [steps // epochs * epoch for epoch in range(1, epochs + 1)]
    assert 500 <= len(train) <= 1_000 and train[:10] == list(range(1, 11)) and train[-1] == steps
    last = rows[-1]  # of a rounded model this was taken before the rounding
    for term in family(card["config"]["model"]).TERMS:
        assert float(last[term]) == pytest.approx(card["test"][term], rel=1e-3, abs=0.01)
    assert (last.get("kl", "") == "") == (card["test"].get("kl") is None)
    assert (last.get("neg_elbo", "") == "") == (card["test"].get("neg_elbo") is None)


@pytest.mark.parametrize("folder", [*FOLDERS, CHECKPOINTS / PLANE], ids=lambda path: path.name)
def test_a_run_is_whole_and_every_frame_is_read(folder: Path) -> None:
    run, card = RunRecord.load(folder), card_of(folder)
    assert run.final == card["test"] and run.step == run.total_steps == card["steps"] and run.film[-1] == run.step
    assert run.config == RunConfig.from_dict(card["config"])
    assert run.train.since(-1)[:, 0].tolist() == list(range(1, run.step + 1))
    for step in run.film:
        s = read_snapshot(frame_file(run.film_folder, step))
        assert s.step == step and s.xy.shape == (5000, 2) and s.grid.shape == (12, 12, 28, 28)


def test_all_arms_are_filmed_at_the_same_steps() -> None:
    films = [frames_in(CHECKPOINTS / "arms" / name / "film") for name in ARMS]
    assert all(film == films[0] for film in films) and len(films[0]) >= 5 and films[0][0] == 0


def test_the_arms_and_the_dose_differ_in_what_their_names_say() -> None:
    arms = [RunConfig.from_dict(card_of(CHECKPOINTS / "arms" / name)["config"]) for name in ARMS]
    base = RunConfig(latent_dim=2, net="mlp", seed=0, epochs=2, batch_size=256)
    changes: list[dict[str, Any]] = [{}, {"beta": 0.0}, {"alpha": 0.0}, {"model": "ae", "beta": 0.0}, {"beta": 32.0}]
    assert arms == [base.with_(**change) for change in changes]
    dose = [RunConfig.from_dict(card_of(CHECKPOINTS / "dose" / name)["config"]) for name in DOSE]
    assert dose == [base.with_(epochs=10, beta=float(beta)) for beta in BETAS]


def test_the_film_of_the_main_run_is_what_it_was_before_it_was_compressed() -> None:
    """The sum of the 48 files' own sums, over a JSON object of step to sha256, but for the names of their states."""
    sums = {}
    for path in sorted((CHECKPOINTS / PLANE / "film").iterdir()):
        sums[path.name.split(".")[0]] = hashlib.sha256(
            with_diagnosis(gzip.decompress(path.read_bytes()), None)
        ).hexdigest()
    assert len(sums) == 48
    found = hashlib.sha256(json.dumps(sums, sort_keys=True).encode()).hexdigest()
    assert found == "6ec6adba1111731984dcb7983bbdf73e3022edfd79820f469d3a9bc39e7d38b5"


def test_a_compressed_frame_is_read_the_same_by_hand() -> None:
    """Eight bytes of length, a JSON header, then the arrays at their offsets."""
    path = frame_file(CHECKPOINTS / PLANE / "film", 23_500)
    data = gzip.decompress(path.read_bytes())
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    numbers, arrays = read_frame(path)
    kept = json.loads(header.pop("__metadata__")["snapshot"])
    terms = {"nll": kept["nll"], "kl": kept["kl"]}  # a frame from before families named their terms
    later = {"terms": terms, "negElbo": sum(terms.values()), "scales": {}}
    assert numbers == kept | later and header.keys() == arrays.keys()
    for name, entry in header.items():
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        assert data[start:end] == arrays[name].tobytes() and list(arrays[name].shape) == entry["shape"], name


# ---- the decoders


@pytest.mark.parametrize("name", ARMS)
def test_a_shipped_decoder_makes_the_pictures_of_the_last_frame(name: str) -> None:
    """Half precision moves a pixel by a grey level or two, of 255."""
    folder = CHECKPOINTS / "arms" / name
    decoder = models.build(RunConfig.from_dict(card_of(folder)["config"])).decoder
    weights = safetensors.numpy.load_file(folder / "decoder.safetensors")
    assert all(array.dtype == np.float16 for array in weights.values())
    decoder.load_state_dict({k: torch.from_numpy(v.astype(np.float32)) for k, v in weights.items()})
    quantiles = torch.distributions.Normal(0.0, 1.0).icdf((torch.arange(12) + 0.5) / 12)
    z = torch.stack([quantiles.repeat(12), quantiles.flip(0).repeat_interleave(12)], dim=-1)  # (144, 2)
    with torch.no_grad():
        made = to_uint8(decoder(z).sigmoid()).reshape(12, 12, 28, 28)
    shown = last_frame(folder)[1]["grid"]
    assert np.abs(made.astype(int) - shown.astype(int)).max() <= 3


def test_without_reconstruction_the_decoder_is_the_initial_one() -> None:
    folder = CHECKPOINTS / "arms" / NO_RECONSTRUCTION
    initial = models.build(RunConfig.from_dict(card_of(folder)["config"])).decoder.state_dict()
    found = safetensors.numpy.load_file(folder / "decoder.safetensors")
    assert found.keys() == initial.keys()
    assert all(np.array_equal(found[k], initial[k].numpy().astype(np.float16)) for k in found)
    trained = safetensors.numpy.load_file(CHECKPOINTS / "arms" / FULL / "decoder.safetensors")
    assert not np.array_equal(trained["0.weight"], found["0.weight"])


# ---- the story


def test_without_kl_the_codes_are_narrow_and_far_apart(metrics_of: dict[str, Metrics]) -> None:
    full, no_kl = metrics_of[FULL], metrics_of[NO_KL]
    assert full.mean_std is not None and no_kl.mean_std is not None
    assert no_kl.mean_std < full.mean_std / 5 and no_kl.spread > 2 * full.spread


def test_without_reconstruction_nothing_is_coded(metrics_of: dict[str, Metrics]) -> None:
    arm = metrics_of[NO_RECONSTRUCTION]
    assert arm.kl is not None and arm.kl < COLLAPSED and arm.active == 0


def test_at_beta_32_there_is_one_mean_image_for_all(metrics_of: dict[str, Metrics], mnist: Images) -> None:
    arm, (_, arrays) = metrics_of[BETA_32], last_frame(CHECKPOINTS / "arms" / BETA_32)
    assert arm.kl is not None and arm.kl < COLLAPSED and arm.active == 0
    draws = arrays["prior_draws"] / 255.0
    mean = mnist.x_train.squeeze(1).double().mean(0).numpy() / 255
    apart = np.sqrt(((draws - draws.mean(0)) ** 2).mean())  # grey levels, root mean square
    assert apart < 0.01 and np.sqrt(((draws.mean(0) - mean) ** 2).mean()) < 0.03
    _, full = last_frame(CHECKPOINTS / "arms" / FULL)
    assert np.sqrt((full["prior_draws"] / 255.0).var(axis=0).mean()) > 5 * apart


def test_full_lies_closest_to_the_prior_and_its_draws_closest_to_real_images(metrics_of: dict[str, Metrics]) -> None:
    active = {name: metrics for name, metrics in metrics_of.items() if metrics.active}
    assert set(active) == {FULL, NO_KL, AUTOENCODER}
    assert min(active, key=lambda name: active[name].prior_gap) == FULL
    for figure in ("draw_gap", "draw_coverage"):
        assert min(metrics_of, key=lambda name: getattr(metrics_of[name], figure)) == FULL, figure  # among all five
    assert best_and_worst(metrics_of)["prior_gap"].best == (FULL,)


def test_each_arm_is_named_as_what_it_is() -> None:
    names = [last_frame(CHECKPOINTS / "arms" / name)[0]["diagnosis"]["name"] for name in ARMS]
    assert names == ["learning", "KL off", "decoder never trained", "plain autoencoder", "posterior collapse"]


def test_more_beta_gives_less_kl_and_a_larger_nll() -> None:
    tests = [card_of(CHECKPOINTS / "dose" / name)["test"] for name in DOSE]
    kl, nll = [test["kl"] for test in tests], [test["nll"] for test in tests]
    assert all(after <= before + COLLAPSED for before, after in itertools.pairwise(kl))
    assert kl[0] > 1.5 * kl[3] and kl[-1] < COLLAPSED
    assert nll[3] < nll[4] < nll[5] < nll[6] and nll[-1] > 1.2 * nll[3]
    assert min(range(len(BETAS)), key=lambda i: tests[i]["neg_elbo"]) == BETAS.index(1)
