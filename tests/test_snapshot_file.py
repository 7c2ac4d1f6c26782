"""A run's film: which steps stay, what a frame holds, and the grid of a model with two latents."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load

from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.inspect.snapshot import GRID, Snapshot, take_snapshot
from vae_core.metrics.states import Diagnosis
from vae_core.runs.snapshot_file import FrameError, frame_bytes, packed, read_frame, read_snapshot
from vae_core.runs.storage import frame_file, frames_in, state_file, steps_in
from vae_core.thinning import FRAMES, add_step, schedule
from vae_core.trainer import Trainer

LEARNING = Diagnosis("learning", "−ELBO 200.0 nats, 2 of 2 units active.")


@pytest.fixture(scope="module")
def trainer(small: Images) -> Trainer:
    made = Trainer(RunConfig(device="cpu", epochs=50), small)
    for _ in range(60):
        made.step()
    return made


@pytest.fixture(scope="module")
def taken(trainer: Trainer) -> Snapshot:
    return take_snapshot(trainer)


# ---- which steps stay


@pytest.mark.parametrize("capacity", [12, FRAMES])
@pytest.mark.parametrize("stride", [1, 37])
def test_a_film_never_holds_more_than_its_capacity_and_keeps_both_ends(capacity: int, stride: int) -> None:
    kept: list[int] = []
    for step in range(0, 6000 * stride, stride):
        before = [*kept, step]
        dropped = add_step(kept, step, capacity)
        assert sorted(set(before) - set(kept)) == ([] if dropped is None else [dropped])
        assert len(kept) == min(len(before), capacity) and kept[0] == 0 and kept[-1] == step
    assert kept == sorted(set(kept))


def test_a_full_film_is_dense_early_and_sparse_late() -> None:
    kept: list[int] = []
    for step in range(0, 20_000, 5):
        add_step(kept, step)
    gaps = np.diff(kept)
    assert gaps[:5].mean() * 20 < gaps[-6:-1].mean()
    ratios = gaps / (np.array(kept[:-1]) + 60)  # the same share everywhere, within what removing single frames allows
    assert ratios[:-2].max() < 4 * np.median(ratios)


def test_a_step_filmed_twice_is_kept_once() -> None:
    kept = [0, 5, 9]
    assert add_step(kept, 5) is None and kept == [0, 5, 9]


def test_a_late_frame_finds_its_place() -> None:
    kept = [0, 9]
    assert add_step(kept, 5) is None and kept == [0, 5, 9]


@pytest.mark.parametrize("total", [1, 40, 235, 1175, 235_000])
def test_a_schedule_goes_from_the_beginning_to_the_end_and_gets_sparser(total: int) -> None:
    steps = schedule(total)
    gaps = np.diff(steps)
    assert steps[0] == 0 and steps[-1] == total and len(steps) <= FRAMES
    assert (gaps > 0).all() and (np.diff(gaps) >= -1).all()  # rising, but for rounding
    if total > 1000:
        assert gaps[0] * 10 < gaps[-1]


# ---- a frame


def test_a_frame_is_read_by_the_safetensors_library(taken: Snapshot) -> None:
    arrays = load(frame_bytes(taken, LEARNING))
    assert np.array_equal(arrays["labels"], taken.labels) and np.array_equal(arrays["grid"], taken.grid)
    for name in ("originals", "reconstructions", "prior_draws"):
        assert arrays[name].dtype == np.uint8 and np.array_equal(arrays[name], getattr(taken, name))
    assert np.array_equal(arrays["kl_dims"], taken.kl_dims) and np.array_equal(arrays["active"] > 0, taken.active)


def test_a_frame_is_read_by_hand_as_the_browser_does(taken: Snapshot) -> None:
    """Eight bytes of length, a JSON header, then the arrays at their offsets; codes within half a unit."""
    data = frame_bytes(taken, LEARNING)
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    numbers = json.loads(header["__metadata__"]["snapshot"])
    assert (numbers["step"], numbers["terms"], numbers["negElbo"]) == (60, taken.terms, taken.neg_elbo)
    assert numbers["diagnosis"] == {"name": "learning", "sentence": LEARNING.sentence}
    assert header["xy"]["dtype"] == "I16" and header["xy"]["shape"] == [500, 2]
    start, end = header["xy"]["data_offsets"]
    codes = np.frombuffer(data[8 + length :][start:end], "<i2").reshape(500, 2)
    error = np.abs(codes * numbers["xyUnit"] - taken.xy.astype(np.float64))
    assert error.max() <= numbers["xyUnit"] * 0.5001
    assert abs(codes).max() == 32_767 and numbers["xyUnit"] * 32_767 == np.abs(taken.xy).max()
    ends = sorted(part["data_offsets"][1] for name, part in header.items() if name != "__metadata__")
    assert ends[-1] == len(data) - 8 - length


def test_a_snapshot_comes_back_with_the_same_numbers(taken: Snapshot, tmp_path: Path) -> None:
    path = frame_file(tmp_path, taken.step)
    path.write_bytes(packed(frame_bytes(taken)))
    back = read_snapshot(path)
    for name in ("step", "terms", "neg_elbo", "mean_std", "sigma", "explained"):
        assert getattr(back, name) == getattr(taken, name), name
    for name in ("kl_dims", "active", "labels", "originals", "reconstructions", "prior_draws", "grid"):
        assert np.array_equal(getattr(back, name), getattr(taken, name)), name
    assert back.active.dtype == bool and back.mu.shape == (0, 2) and back.xy.dtype == taken.xy.dtype
    np.testing.assert_allclose(back.xy, taken.xy, atol=np.abs(taken.xy).max() / 60_000)
    assert read_frame(path)[0]["diagnosis"] is None


def test_a_snapshot_of_a_learned_sigma_comes_back_with_it(taken: Snapshot, tmp_path: Path) -> None:
    frame_file(tmp_path, 60).write_bytes(packed(frame_bytes(replace(taken, scales={"sigma": 0.25, "rmse": 0.3}))))
    assert read_snapshot(frame_file(tmp_path, 60)).sigma == 0.25


def test_the_sigma_of_each_pixel_comes_back_with_a_snapshot(taken: Snapshot, tmp_path: Path) -> None:
    sigmas = np.arange(10 * 28 * 28).reshape(10, 28, 28).astype(np.uint8)
    frame_file(tmp_path, 60).write_bytes(packed(frame_bytes(replace(taken, sigmas=sigmas))))
    assert np.array_equal(read_snapshot(frame_file(tmp_path, 60)).sigmas, sigmas)
    assert b"sigmas" not in frame_bytes(taken)[:4000]  # of others nothing more is written


@pytest.mark.parametrize("sigma", [None, 0.25])
def test_a_frame_from_when_sigma_was_all_that_was_kept(sigma: float | None, taken: Snapshot, tmp_path: Path) -> None:
    data = frame_bytes(taken)
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    numbers = json.loads(header["__metadata__"]["snapshot"])
    del numbers["scales"]
    header["__metadata__"]["snapshot"] = json.dumps(numbers | {"sigma": sigma})
    text = json.dumps(header).encode()
    path = tmp_path / "old.gz"
    path.write_bytes(packed(len(text).to_bytes(8, "little") + text + data[8 + length :]))
    back = read_snapshot(path)
    assert back.sigma == sigma and "rmse" not in back.scales and len(back.sigmas) == 0


def test_codes_that_are_all_nought_come_back_as_nought(taken: Snapshot, tmp_path: Path) -> None:
    frame_file(tmp_path, 60).write_bytes(packed(frame_bytes(replace(taken, xy=np.zeros_like(taken.xy)))))
    assert not read_snapshot(frame_file(tmp_path, 60)).xy.any()


def test_a_frame_that_was_thinned_out_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_frame(frame_file(tmp_path, 7))


def test_the_steps_of_a_folder_are_in_order_and_without_other_files(tmp_path: Path) -> None:
    for step in (1_000_000, 20, 3):
        frame_file(tmp_path, step).touch()
        state_file(tmp_path, step + 1).touch()
    for name in ("half.safetensors", "half.safetensors.gz", "000000007.tmp", "000000007.safetensors.gz.part"):
        (tmp_path / name).touch()
    assert frames_in(tmp_path) == [3, 20, 1_000_000] and steps_in(tmp_path) == [4, 21, 1_000_001]
    assert frames_in(tmp_path / "none") == steps_in(tmp_path / "none") == []


# ---- on disk


def test_a_file_is_gzip_of_the_frame_and_holds_no_time(taken: Snapshot) -> None:
    """Unpacked by the program of that name; RFC 1952 puts the time of the file at bytes 4 to 7."""
    frame = frame_bytes(taken, LEARNING)
    file = packed(frame)
    assert subprocess.run(["gzip", "-dc"], input=file, capture_output=True, check=True).stdout == frame
    assert file[:3] == b"\x1f\x8b\x08" and file[4:8] == bytes(4) and file == packed(frame)
    assert len(file) < 0.75 * len(frame)


@pytest.mark.parametrize("damage", ["cut", "turned", "empty", "no frame inside", "not compressed", "header too long"])
def test_a_damaged_frame_is_refused_in_one_sentence(damage: str, taken: Snapshot, tmp_path: Path) -> None:
    frame = frame_bytes(taken, LEARNING)
    file = packed(frame)
    contents = {
        "cut": file[:-1000],
        "turned": file[:5000] + bytes(100) + file[5100:],
        "empty": b"",
        "no frame inside": packed(b"hello"),
        "not compressed": frame,
        "header too long": packed(b"\xff" * 8 + frame[8:]),
    }
    path = frame_file(tmp_path, 60)
    path.write_bytes(contents[damage])
    with pytest.raises(FrameError) as caught:
        read_snapshot(path)
    assert "\n" not in str(caught.value) and path.name in str(caught.value)


# ---- the grid


def test_the_grid_decodes_prior_quantiles_from_high_to_low_z2(taken: Snapshot, trainer: Trainer) -> None:
    quantiles = torch.distributions.Normal(0.0, 1.0).icdf((torch.arange(GRID) + 0.5) / GRID)
    assert taken.grid.shape == (GRID, GRID, 28, 28)
    for row in range(GRID):
        for column in range(GRID):
            z = torch.stack([quantiles[column], quantiles[GRID - 1 - row]])[None]
            with torch.no_grad():
                image = torch.sigmoid(trainer.model.decode(z))[0, 0].numpy() * 255
            assert np.abs(taken.grid[row, column] - image).max() <= 0.51, (row, column)


def test_only_two_latents_have_a_grid(snapshot_of_new_model: Snapshot) -> None:
    assert snapshot_of_new_model.grid.shape == (0, 0, 28, 28)


def test_an_old_frame_of_an_autoencoder_has_no_kl(taken: Snapshot, tmp_path: Path) -> None:
    """Its log variances meant nothing, and yet a KL and a std were written of them."""
    nothing = taken.ten_mu[:0]
    data = frame_bytes(replace(taken, ten_log_var=nothing, ten_pull_log_var=nothing))
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    numbers = json.loads(header["__metadata__"]["snapshot"])
    numbers |= numbers.pop("terms")
    del numbers["negElbo"]
    header["__metadata__"]["snapshot"] = json.dumps(numbers)
    text = json.dumps(header).encode()
    path = tmp_path / "old.gz"
    path.write_bytes(packed(len(text).to_bytes(8, "little") + text + data[8 + length :]))
    back = read_snapshot(path)
    assert back.terms == {"nll": taken.terms["nll"]} and back.neg_elbo is None and back.mean_std is None
