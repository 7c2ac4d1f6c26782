"""Packages of the explorer read by their format's own reader, and runs that have kept a state to explore."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from safetensors.torch import save_file
from starlette.applications import Starlette
from starlette.testclient import TestClient

from pages.ui.explore import package, sources
from pages.ui.explore.package import package_bytes
from pages.ui.explore.routes import explore_routes
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import RunRecord
from vae_core.runs.storage import state_file
from vae_core.trainer import Trainer

CONFIG = RunConfig(device="cpu", seed=3)
AUTOENCODER = "mnist-ae-mlp-2"


def read(body: bytes | None) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """`about` and the tensors of a package, by the format's own reader."""
    assert body is not None
    (length,) = struct.unpack("<Q", body[:8])
    head = json.loads(body[8 : 8 + length])["__metadata__"]
    assert head.keys() == {"about"}
    return json.loads(head["about"]), safetensors.numpy.load(body)


def opened(name: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    source = sources.find(name)
    assert source is not None
    return read(package_bytes(source))


def made_run(
    config: RunConfig, data: Images, root: Path, steps: int = 2, visitor: str = "ann"
) -> tuple[RunRecord, Trainer]:
    """A run that has kept one state, and the trainer that made it."""
    run, trainer = RunRecord(visitor, config, root), Trainer(config, data)
    run.states_folder.mkdir(parents=True)
    for _ in range(steps):
        trainer.step()
    trainer.flush()
    save_file(trainer.state(), state_file(run.states_folder, steps))
    run.change(total_steps=trainer.total_steps)
    return run, trainer


@pytest.fixture
def registry(fake_registry: Registry) -> Iterator[Registry]:
    package._packed.cache_clear()
    yield fake_registry
    package._packed.cache_clear()


@pytest.fixture
def run(registry: Registry, small: Images, tmp_path: Path) -> RunRecord:
    made, _ = made_run(CONFIG, small, tmp_path)
    registry._runs.put(made)
    return made


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(Starlette(routes=explore_routes())) as made:
        yield made
