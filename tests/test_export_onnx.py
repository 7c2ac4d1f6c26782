"""ONNX files, run by onnxruntime: the same codes and pictures as the model in torch."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pages.ui import shipped
from tests.command_line import ROOT
from vae_core import checkpoints
from vae_core.export import onnx

onnxruntime = importlib.import_module("onnxruntime")  # a missing one is a failure, not a skip


def session(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options)


def test_the_halves_are_those_of_torch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Convolutions, BatchNorm and a posterior; an export takes seconds."""
    name = "mnist-vae-conv-32"
    assert onnx.main([str(shipped.CHECKPOINTS / name), "--out", str(tmp_path)]) == 0
    assert "encoder.onnx" in capsys.readouterr().out and len(list(tmp_path.iterdir())) == 2
    saved = checkpoints.load(shipped.CHECKPOINTS / name)
    encoder, decoder = session(tmp_path / "encoder.onnx"), session(tmp_path / "decoder.onnx")
    assert [node.name for node in encoder.get_inputs() + decoder.get_inputs()] == ["x", "z"]
    assert [node.name for node in encoder.get_outputs() + decoder.get_outputs()] == ["mu", "log_var", "logits"]
    assert json.loads(encoder.get_modelmeta().custom_metadata_map["config"]) == saved.config.to_dict()
    for count in (1, 7):
        x = shipped.images().x_test[:count].float() / 255
        with torch.no_grad():
            codes = saved.model.encode(x)
            logits = saved.model.decode(codes[0])
        found = encoder.run(None, {"x": x.numpy()})
        assert len(found) == len(codes)
        for ours, theirs in zip(found, codes, strict=True):
            assert ours.dtype == np.float32 and np.abs(ours - theirs.numpy()).max() < 1e-4
        (pictures,) = decoder.run(None, {"z": found[0]})
        assert pictures.shape == (count, 1, 28, 28) and np.abs(pictures - logits.numpy()).max() < 1e-4


def test_a_plain_autoencoder_has_mu_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    named = []
    monkeypatch.setattr(onnx, "_exported", lambda half, example, name, outputs, config: named.append((name, outputs)))
    onnx.onnx_files(checkpoints.load(shipped.CHECKPOINTS / "mnist-ae-mlp-2"))
    assert named == [("x", ["mu"]), ("z", ["logits"])]


def test_without_the_packages_one_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert onnx.main([str(shipped.CHECKPOINTS / "mnist-vae-mlp-2"), "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said == "error: ONNX files need onnx and onnxscript: python -m pip install -r requirements-extra.txt.\n"
    assert list(tmp_path.iterdir()) == []


def test_what_is_needed_is_pinned() -> None:
    pinned = dict(
        line.split("==") for line in (ROOT / "requirements-extra.txt").read_text().splitlines() if "==" in line
    )
    assert set(onnx.NEEDED) <= set(pinned) and all(version[0].isdigit() for version in pinned.values())
    assert not set(onnx.NEEDED) & {line.split("==")[0] for line in (ROOT / "requirements.txt").read_text().splitlines()}


@pytest.mark.parametrize("options", [["nowhere", "--out", "x"], ["nowhere"], [""]])
def test_bad_input_is_one_line(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        status = onnx.main(options)
    except SystemExit as ended:
        status = ended.code
    said = capsys.readouterr().err
    assert status == 2 and said.startswith("error: ") and said.count("\n") == 1 and list(tmp_path.iterdir()) == []
