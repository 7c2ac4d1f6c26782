"""What the arms view fetches: the decoder's weights at a moment, and the images behind the points of the map."""

import gzip
import json
import struct
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch
from safetensors.torch import save_file
from starlette.applications import Starlette
from starlette.testclient import TestClient

from pages.ui.arms.routes import arms_routes, decoder_bytes
from vae_core import models
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.inspect.snapshot import SnapshotTaker
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import RunRecord
from vae_core.runs.storage import DECODER, state_file
from vae_core.trainer import Trainer

CONFIG = RunConfig(device="cpu")


@pytest.fixture
def run(small: Images, tmp_path: Path) -> RunRecord:
    """A run with two kept states, after 2 and after 5 steps."""
    run, trainer = RunRecord("ann", CONFIG, tmp_path), Trainer(CONFIG, small)
    run.states_folder.mkdir(parents=True)
    for steps in (2, 3):
        for _ in range(steps):
            trainer.step()
        save_file(trainer.state(), state_file(run.states_folder, trainer.step_count))
    return run


def read(body: bytes | None) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    assert body is not None
    (length,) = struct.unpack("<Q", body[:8])
    return json.loads(body[8 : 8 + length])["__metadata__"], safetensors.numpy.load(body)


@pytest.mark.parametrize(("asked", "given"), [(2, 2), (4, 2), (5, 5), (900, 5)])
def test_the_last_kept_weights_at_or_before_a_step(run: RunRecord, small: Images, asked: int, given: int) -> None:
    head, weights = read(decoder_bytes(run, asked))
    assert (head["step"], head["net"]) == (str(given), "mlp")
    trainer = Trainer(CONFIG, small)  # trained anew: the oracle
    for _ in range(given):
        trainer.step()
    expected = trainer.model.decoder.state_dict()
    assert set(weights) == set(expected)
    for name, tensor in expected.items():
        assert np.array_equal(weights[name], tensor.numpy()), name


def test_before_the_first_kept_state_there_are_no_weights(run: RunRecord) -> None:
    assert decoder_bytes(run, 1) is None


def test_a_shipped_run_has_the_decoder_of_its_last_step(tmp_path: Path) -> None:
    run = RunRecord("shipped", CONFIG, tmp_path)
    run.change(step=470)
    run.folder.mkdir()
    decoder = models.build(CONFIG).decoder.state_dict()
    save_file({k: v.half() for k, v in decoder.items()}, run.folder / DECODER)
    head, weights = read(decoder_bytes(run, 470))
    assert head["step"] == "470" and {w.dtype for w in weights.values()} == {np.dtype(np.float32)}
    assert all(np.allclose(weights[k], v.numpy(), atol=1e-3) for k, v in decoder.items())
    assert decoder_bytes(run, 469) is None


def test_the_routes_answer_and_refuse(fake_registry: Registry, run: RunRecord) -> None:
    with TestClient(Starlette(routes=arms_routes())) as client:
        assert client.get("/decoder/nobody/3").status_code == 404
        fake_registry._runs.put(run)
        assert client.get(f"/decoder/{run.run_id}/1").status_code == 404
        assert read(client.get(f"/decoder/{run.run_id}/5").content)[0]["step"] == "5"


def test_the_images_of_the_map_are_those_of_its_points(mnist: Images) -> None:
    with TestClient(Starlette(routes=arms_routes())) as client:
        arrays = safetensors.numpy.load(client.get("/map-images").content)
    seen = SnapshotTaker(CONFIG, mnist)
    assert np.array_equal(arrays["images"], seen.pixels.squeeze(1).numpy())
    assert np.array_equal(arrays["labels"], seen.labels)
    with TestClient(Starlette(routes=arms_routes())) as client:
        got = {}
        for accepted in ("gzip", "identity"):
            with client.stream("GET", "/map-images", headers={"accept-encoding": accepted}) as response:
                got[accepted] = (response.headers.get("content-encoding"), b"".join(response.iter_raw()))
    assert (got["gzip"][0], got["identity"][0]) == ("gzip", None)
    assert gzip.decompress(got["gzip"][1]) == got["identity"][1] and len(got["gzip"][1]) < len(got["identity"][1]) / 2
    assert np.array_equal(safetensors.numpy.load(got["identity"][1])["images"], arrays["images"])
    where = torch.from_numpy(arrays["images"][17])
    found = (mnist.x_test.squeeze(1) == where).all(dim=(1, 2)).nonzero().flatten()
    assert mnist.y_test[found[0]] == arrays["labels"][17] and int(arrays["numbers"][17]) in found.tolist()
