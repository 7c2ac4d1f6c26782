"""Checkpoints: read by the format's other readers, refused in one sentence, replaced whole or not at all."""

import csv
import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch

from vae_core import checkpoints, models
from vae_core.checkpoints import CARD, HISTORY, WEIGHTS, CheckpointError
from vae_core.config import RunConfig
from vae_core.models.vae import VAE

CONFIG = RunConfig(latent_dim=3, likelihood="gaussian-learned", seed=4)
HISTORY_ROWS = [
    {"split": "train", "step": 1, "nll": 546.5, "kl": 0.25, "neg_elbo": 546.75, "loss": 546.75},
    {"split": "test", "step": 1, "nll": 500.5, "kl": 0.5, "neg_elbo": 501.0},
]


@pytest.fixture
def model() -> VAE:
    return models.build(CONFIG)


@pytest.fixture
def folder(model: VAE, tmp_path: Path) -> Path:
    """A good checkpoint."""
    target = tmp_path / "deep" / "down"
    checkpoints.save(target, model, {"name": "a name", "config": CONFIG.to_dict()}, HISTORY_ROWS)
    return target


def refusal(folder: Path) -> str:
    """The message with which loading is refused: one line, the file's path in it."""
    with pytest.raises(CheckpointError) as caught:
        checkpoints.load(folder)
    message = str(caught.value)
    assert "\n" not in message and str(folder) in message and message.endswith(".")
    assert len(message) < len(str(folder)) + 300
    return message


# ---- what is written


@pytest.mark.parametrize("net", ["mlp", "conv"])
def test_a_round_trip_keeps_every_bit(net: str, tmp_path: Path) -> None:
    config = RunConfig(net=net, latent_dim=5, likelihood="gaussian-learned", seed=9)
    model = models.build(config)
    model(torch.rand(8, 1, 28, 28), torch.randn(8, 5))  # running statistics of BatchNorm belong to it too
    checkpoints.save(tmp_path, model, {"config": config.to_dict()}, [])
    loaded = checkpoints.load(tmp_path)
    assert loaded.config == config and not loaded.model.training
    before, after = model.state_dict(), loaded.model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[k], after[k]) and before[k].dtype == after[k].dtype for k in before)


def test_the_weights_are_read_by_safetensors_numpy(folder: Path, model: VAE) -> None:
    arrays = safetensors.numpy.load_file(folder / WEIGHTS)
    expected = {k: v.numpy() for k, v in model.state_dict().items()}
    assert arrays.keys() == expected.keys()
    assert all(np.array_equal(arrays[k], expected[k]) for k in expected)


def test_the_weights_are_read_by_hand(folder: Path, model: VAE) -> None:
    """u64 length, JSON header, then the bytes: what the format's page says, without its library."""
    raw = (folder / WEIGHTS).read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    assert header.pop("__metadata__") == {"format": "pt"}
    for name, tensor in model.state_dict().items():
        entry = header.pop(name)
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        values = np.frombuffer(raw[start:end], "<f4").reshape(entry["shape"])
        assert entry["dtype"] == "F32" and np.array_equal(values, tensor.numpy())
    assert header == {}


def test_in_half_precision_every_weight_is_the_nearest_float16_and_counters_are_whole(tmp_path: Path) -> None:
    config = RunConfig(net="conv", latent_dim=5, likelihood="gaussian-learned", seed=9)
    model = models.build(config)
    model(torch.rand(8, 1, 28, 28), torch.randn(8, 5))
    checkpoints.save(tmp_path, model, {"config": config.to_dict()}, [], half=True)
    arrays = safetensors.numpy.load_file(tmp_path / WEIGHTS)
    loaded = checkpoints.load(tmp_path).model.state_dict()
    for name, tensor in model.state_dict().items():
        assert loaded[name].dtype == tensor.dtype  # float32 again
        if name.endswith("num_batches_tracked"):
            assert arrays[name].dtype == np.int64 and arrays[name] == loaded[name].item() == 1
        else:
            assert np.array_equal(arrays[name], tensor.detach().numpy().astype(np.float16)), name
            assert np.array_equal(loaded[name].numpy(), arrays[name].astype(np.float32)), name
    kept = (tmp_path / WEIGHTS).stat().st_size
    checkpoints.save(tmp_path, model, {"config": config.to_dict()}, [])
    assert kept < 0.51 * (tmp_path / WEIGHTS).stat().st_size


def test_a_weight_beyond_the_range_of_float16_goes_to_its_end() -> None:
    weights = {"big": torch.tensor([1e6, -1e9, 65_504.0, 65_519.0, 1e-9]), "n": torch.tensor(70_000)}
    half = checkpoints.in_half(weights)
    assert half["big"].dtype == torch.float16 and half["big"].tolist() == [65504.0, -65504.0, 65504.0, 65504.0, 0.0]
    assert half["n"].item() == 70_000


def test_the_card_is_json_and_keeps_its_letters(folder: Path, model: VAE) -> None:
    checkpoints.save(folder, model, {"config": CONFIG.to_dict(), "title": "−ELBO ‖ β"}, [])
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    assert card["title"] == "−ELBO ‖ β" and RunConfig.from_dict(card["config"]) == CONFIG


def test_metrics_that_are_no_numbers_become_null(folder: Path, model: VAE) -> None:
    nan, inf = float("nan"), float("inf")
    checkpoints.save(folder, model, {"config": CONFIG.to_dict(), "test": {"kl": nan, "dims": [1.0, -inf, [nan]]}}, [])

    def never(constant: str) -> Any:
        raise AssertionError(f"{constant} is no JSON")

    card = json.loads((folder / CARD).read_text(), parse_constant=never)
    assert card["test"] == {"kl": None, "dims": [1.0, None, [None]]}


def test_the_history_is_csv_with_empty_cells_where_nothing_is_known(folder: Path) -> None:
    with (folder / HISTORY).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["split"] for row in rows] == ["train", "test"]
    assert float(rows[0]["neg_elbo"]) == 546.75 and rows[1]["loss"] == ""


def test_saving_again_replaces_all_three_and_leaves_nothing_else(folder: Path) -> None:
    other = models.build(CONFIG.with_(seed=5))
    checkpoints.save(folder, other, {"config": CONFIG.to_dict()}, [])
    assert {p.name for p in folder.iterdir()} == {WEIGHTS, CARD, HISTORY}
    name = "encoder.1.weight"
    assert torch.equal(checkpoints.load(folder).model.state_dict()[name], other.state_dict()[name])


# ---- weights that are refused


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def truncated_header(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:50])


def pickled(path: Path) -> None:
    torch.save(models.build(CONFIG).state_dict(), path)


def header_of_2_gb(path: Path) -> None:
    path.write_bytes(struct.pack("<Q", 2_000_000_000) + b"{}" * 100)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def missing(path: Path) -> None:
    path.unlink()


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


def header_no_json(path: Path) -> None:
    path.write_bytes(struct.pack("<Q", 16) + b"\xff" * 32)


def header_nested_too_deep(path: Path) -> None:
    text = b'{"a":' * 20_000
    path.write_bytes(struct.pack("<Q", len(text)) + text)


def other_shapes(path: Path) -> None:
    safetensors.numpy.save_file(
        {k: v.numpy() for k, v in models.build(CONFIG.with_(latent_dim=7)).state_dict().items()}, path
    )


def one_tensor_missing(path: Path) -> None:
    arrays = safetensors.numpy.load_file(path)
    del arrays["raw_sigma"]
    safetensors.numpy.save_file(arrays, path)


def one_tensor_more(path: Path) -> None:
    safetensors.numpy.save_file(safetensors.numpy.load_file(path) | {"extra": np.zeros(2)}, path)


DAMAGES = [
    truncated,
    truncated_header,
    pickled,
    header_of_2_gb,
    empty,
    missing,
    folder_instead,
    header_no_json,
    header_nested_too_deep,
    other_shapes,
    one_tensor_missing,
    one_tensor_more,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_weights_that_cannot_be_used_are_refused_in_one_sentence(damage: Callable[[Path], None], folder: Path) -> None:
    damage(folder / WEIGHTS)
    assert WEIGHTS in refusal(folder)


def test_a_pickle_is_not_run(folder: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (folder / "ran",))

    torch.save({"trap": Trap()}, folder / WEIGHTS)
    refusal(folder)
    assert not (folder / "ran").exists()


def test_the_sentence_names_the_tensor_and_both_shapes(folder: Path) -> None:
    other_shapes(folder / WEIGHTS)
    message = refusal(folder)
    assert "'encoder.5.weight'" in message and "(14, 200)" in message and "(6, 200)" in message


# ---- cards that are refused


def config_with(**changes: Any) -> bytes:
    return json.dumps({"config": CONFIG.to_dict() | changes}).encode()


CARDS = {
    "no JSON": b"name: a name",
    "empty": b"",
    "no text": b"\xff\xfe\x00",
    "a list": b"[]",
    "no config": b"{}",
    "config no object": b'{"config": ["net", "mlp"]}',
    "huge": b'{"config": {}, "note": "' + b"x" * 2_000_000 + b'"}',
    "unknown setting": config_with(optimiser="sgd"),
    "value out of range": config_with(latent_dim=10**9),
    "value of another type": config_with(net=["mlp"]),
    "lists nested too deep": b"[" * 200_000,
    "objects nested too deep": b'{"a":' * 150_000,
    "a number of 5,000 digits": b'{"config": {"seed": ' + b"9" * 5_000 + b"}}",
}


@pytest.mark.parametrize("text", CARDS.values(), ids=CARDS.keys())
def test_cards_that_cannot_be_used_are_refused_in_one_sentence(text: bytes, folder: Path) -> None:
    (folder / CARD).write_bytes(text)
    assert CARD in refusal(folder)


def test_an_unknown_setting_is_named(folder: Path) -> None:
    (folder / CARD).write_bytes(CARDS["unknown setting"])
    assert "optimiser" in refusal(folder)


def test_a_missing_folder_is_refused_in_one_sentence(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "nowhere")


# ---- writing


def test_a_failure_in_the_middle_of_writing_leaves_the_old_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {p.name: p.read_bytes() for p in folder.iterdir()}

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises((OSError, CheckpointError)):
        checkpoints.save(folder, models.build(CONFIG.with_(seed=5)), {"config": CONFIG.to_dict()}, [])
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_a_full_disk_is_one_sentence_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match="No space left on device"):
        checkpoints.save(folder, models.build(CONFIG), {"config": CONFIG.to_dict()}, [])


def test_an_interrupt_while_writing_leaves_the_old_file_and_no_scrap(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), checkpoints.replacing(target) as file:
        file.write(b"half of the n")
        raise KeyboardInterrupt
    assert target.read_bytes() == b"old" and [p.name for p in tmp_path.iterdir()] == ["file"]


def test_until_it_is_complete_a_reader_sees_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with target.open("rb") as reader:
        with checkpoints.replacing(target) as file:
            file.write(b"new")
            file.flush()
            assert target.read_bytes() == b"old"
        assert reader.read() == b"old"  # also in the middle of reading: the file was not overwritten but replaced
    assert target.read_bytes() == b"new"


def test_a_folder_that_cannot_be_written_is_refused_beforehand(model: VAE, tmp_path: Path) -> None:
    """Below a regular file: not even root can write there."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CheckpointError, match=r"cannot be written \(Not a directory\)"):
        checkpoints.save(tmp_path / "file" / "below", model, {"config": CONFIG.to_dict()}, [])
    with pytest.raises(CheckpointError, match="choose another folder"):
        checkpoints.check_writable(tmp_path / "file")
