"""A family that nobody but a test knows of goes the whole way: command line, background run, file, and back."""

import csv
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from pages.training.settings import families_offered
from tests.command_line import ROOT
from tests.local_engine import LocalLink
from vae_core import checkpoints, families, models
from vae_core.config import ConfigError, LiveSettings, RunConfig
from vae_core.data import Images
from vae_core.divergence import Diverged
from vae_core.inspect.snapshot import Snapshot, take_snapshot
from vae_core.metrics.states import diagnose
from vae_core.runs import storage
from vae_core.runs.messages import FAILED, PAUSED, STOPPED
from vae_core.runs.news import Cursor
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import RunRecord
from vae_core.runs.snapshot_file import read_snapshot
from vae_core.runs.storage import frame_file, state_file
from vae_core.trainer import Trainer

FOLDER = Path(__file__).parent / "families"
TERMS = ("pixels", "size", "noise")
OWN = RunConfig(model="vae", device="cpu")


@pytest.fixture(autouse=True)
def own_families(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELBO_ROOM_FAMILIES", str(FOLDER))


class Server:
    """A registry and the engine that works for it."""

    def __init__(self, runs: Registry, links: list[LocalLink]) -> None:
        self.runs, self.links = runs, links

    def run(self, run_id: str) -> RunRecord:
        run = self.runs.get(run_id)
        assert run is not None
        return run

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 120
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            self.links[-1].turn()


def config(**values: object) -> RunConfig:
    return RunConfig(**{"model": "three-terms", "device": "cpu", "batch_size": 100, **values})  # type: ignore[arg-type]


def test_it_is_found_by_its_file_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "three-terms" in families.names() and models.family("three-terms").title == "Three terms"
    monkeypatch.delenv("ELBO_ROOM_FAMILIES")
    with pytest.raises(ConfigError, match="'three-terms' is unknown: choose vae"):
        config()


def test_no_name_reaches_a_file_that_is_no_family() -> None:
    for name in ("base", "parts", "__init__", "../config", "os", "vae_core.config", "bug-", "", "three-terms.py"):
        assert families.find(name) is None, name


def test_a_step_minimises_the_weighted_sum_of_its_terms(small: Images) -> None:
    """Against SGD's own arithmetic: the recorded loss, and the gradient of a hand-made sum."""
    trainer = Trainer(config(weights="noise=2, size=0"), small)
    assert trainer.columns == ("step", *TERMS, "loss")
    assert trainer.weights == {"pixels": 1.0, "size": 0.0, "noise": 2.0}
    x, eps = trainer.batch()
    terms = models.build(trainer.config)(x, eps).terms
    by_hand = terms["pixels"].mean() + 2 * terms["noise"].mean()
    trainer.step()
    (row,) = trainer.flush()
    np.testing.assert_allclose(row[1:4], [terms[name].mean().item() for name in TERMS], rtol=1e-6)
    assert row[4] == pytest.approx(by_hand.item(), rel=1e-6)


def test_its_weights_change_on_the_way_and_leave_a_mark(small: Images) -> None:
    trainer = Trainer(config(), small)
    mark = trainer.set(weights="noise=4")
    assert mark is not None and mark.text == "noise 0.5 → 4 at step 0"
    assert trainer.set(weights="noise=4, size=0.1") is None  # 0.1 is its own weight
    refusals = {"nosuch=1": "no term 'nosuch'", "pixels=0,size=0,noise=0": "are 0", "noise": "cannot be read"}
    for refused, word in refusals.items():
        with pytest.raises(ConfigError, match=word):
            trainer.set(weights=refused)
    with pytest.raises(ConfigError, match="no KL term: set beta to 0"):
        Trainer(config(beta=4.0), small)
    assert trainer.settings.weights == "noise=4"


def test_it_goes_on_bit_for_bit(small: Images) -> None:
    trainer, other = Trainer(config(), small), Trainer(config(), small)
    for _ in range(3):
        trainer.step()
    trainer.set(weights="size=1, noise=0")
    trainer.step()
    kept = trainer.state()
    trainer.flush()
    other.restore(kept)
    for _ in range(4):
        trainer.step(), other.step()
    assert other.settings == trainer.settings
    assert np.array_equal(trainer.flush(), other.flush())
    assert all(torch.equal(a, b) for a, b in zip(trainer.state().values(), other.state().values(), strict=True))


def test_a_snapshot_holds_what_it_has_and_nothing_else(small: Images) -> None:
    taken = take_snapshot(Trainer(config(latent_dim=3), small), measured=True)
    assert tuple(taken.terms) == TERMS and taken.neg_elbo is None and taken.mean_std is None
    assert taken.kl_dims.size == taken.ten_mu.size == 0 and taken.mu.shape[1] == 3 and len(taken.active) == 3
    assert taken.metrics is not None and {taken.metrics.get(name) for name in ("kl", "mean_std", "information")} == {
        None
    }


def test_the_command_line_trains_and_saves_it(tmp_path: Path) -> None:
    """The whole command in a process of its own, and the checkpoint read back."""
    options = "--model three-terms --epochs 1 --batch-size 2000 --device cpu --weights noise=0.25 --film --frames 2"
    command = [sys.executable, "-m", "vae_core.train", *options.split(), "--out", str(tmp_path / "own")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "pixels" in done.stdout and "ELBO" not in done.stdout and "KL" not in done.stdout
    loaded = checkpoints.load(tmp_path / "own")
    assert type(loaded.model).__name__ == "ThreeTerms" and loaded.config.weights == "noise=0.25"
    with (tmp_path / "own" / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["split", "step", *TERMS, "loss"] and len(rows) == 31
    card = json.loads((tmp_path / "own" / "card.json").read_text())
    assert set(card["test"]) == {"split", "protocol", "images", "samples", *TERMS, "active_units", "errors"}
    assert "--weights noise=0.25" in card["command"]
    back = RunRecord.load(tmp_path / "own")
    assert back.columns == {"train": ("step", *TERMS, "loss"), "test": ("step", *TERMS, "active")}
    assert read_snapshot(frame_file(back.film_folder, 30)).terms.keys() == set(TERMS)


def test_a_run_in_the_background_is_saved_and_goes_on(local_registry: tuple[Registry, list[LocalLink]]) -> None:
    """The engine reports its three curves, keeps its state with its weights, and ends with its own figures."""
    server = Server(*local_registry)
    run_id = server.runs.start(config(epochs=50), "ann")
    server.until(lambda: server.run(run_id).step >= 4)
    server.runs.command(run_id, "set", weights="size=2")
    server.runs.command(run_id, "pause")
    server.until(lambda: server.run(run_id).status == PAUSED and bool(server.run(run_id).states))
    news = server.runs.read(run_id, Cursor())
    assert news is not None and news.columns["train"] == ("step", *TERMS, "loss")
    assert news.train.shape[1] == 5 and news.test.shape[1] == 5 and news.settings.weights == "size=2"
    assert news.diagnosis is None or news.diagnosis.name in ("beginning", "training")
    state = load_file(state_file(server.run(run_id).states_folder, server.run(run_id).step))
    assert bytes(state["weights"].tolist()) == b"size=2"
    server.runs.command(run_id, "slow")  # no posterior: a step like any other
    server.until(lambda: server.run(run_id).step == news.step + 1)
    server.runs.command(run_id, "stop")
    server.until(lambda: server.run(run_id).status == STOPPED and server.run(run_id).final is not None)
    final = server.run(run_id).final or {}
    assert set(TERMS) <= set(final) and "neg_elbo" not in final


A_FAMILY = "from vae_core.models.base import Family\nclass A(Family)"
BROKEN = {
    "does not parse": "def (",
    "needs what is not there": "import no_such_module",
    "holds no family": "ANSWER = 42",
    "holds two": "from vae_core.models.base import Family\nclass A(Family): ...\nclass B(Family): ...",
    "has no terms": f"{A_FAMILY}: ...",
    "has a term with the name of a column": f"{A_FAMILY}:\n TERMS = {{'loss': 1}}",
    "has a term that no weight can name": f"{A_FAMILY}:\n TERMS = {{'a=b': 1}}",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=list(BROKEN))
def test_a_file_that_cannot_be_loaded_is_said_in_a_sentence(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: Images
) -> None:
    """Whoever asks for it hears why; a saved run of it is damaged, and the menu of the page leaves it out."""
    (tmp_path / "own.py").write_text(text)
    (tmp_path / "_helper.py").write_text("1 / 0")
    monkeypatch.setenv("ELBO_ROOM_FAMILIES", str(tmp_path))
    assert "own" in families.names() and not any("helper" in name for name in families.names())
    with pytest.raises(ConfigError, match="The family own cannot be loaded"):
        Trainer(RunConfig(model="own", device="cpu"), small)
    assert families_offered() == ["vae", "ae", "vq"]
    run = RunRecord("ann", RunConfig(device="cpu"), tmp_path)
    record = run.record(run.now) | {"config": RunConfig(model="own", device="cpu").to_dict()}
    storage.write(run.folder, record, run.train.since(-1), run.test.since(-1))
    with pytest.raises(storage.StorageError, match="cannot be loaded"):
        RunRecord.load(run.folder)


def test_a_family_that_fails_when_it_is_built_fails_its_run_and_not_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local_registry: tuple[Registry, list[LocalLink]]
) -> None:
    text = (FOLDER / "three_terms.py").read_text().replace("return cls(config.latent_dim)", "return cls(1 / 0)")
    (tmp_path / "failing.py").write_text(text)
    monkeypatch.setenv("ELBO_ROOM_FAMILIES", str(tmp_path))
    server = Server(*local_registry)
    failed = server.runs.start(RunConfig(model="failing", device="cpu"), "ann")
    assert server.run(failed).status == FAILED and "ZeroDivisionError" in server.run(failed).message
    other = server.runs.start(RunConfig(device="cpu"), "bob")
    server.until(lambda: server.run(other).step > 0)


def test_a_run_that_is_no_bound_is_told_by_its_terms(snapshot_of_new_model: Snapshot) -> None:
    """A KL alone makes no posterior: no name of the field is given where std and bound are not there."""
    seen = replace(snapshot_of_new_model, step=500, bound=False, mean_std=None, terms={"nll": 90.0, "kl": 25.0})
    for active in (seen.active, seen.active[:0]):
        found = diagnose(replace(seen, active=active), LiveSettings(), True)
        assert found.name == "training" and "KL 25.00 nats" in found.sentence


def test_what_ran_away_is_named_with_its_weight(small: Images) -> None:
    trainer = Trainer(config(weights="noise=1e6", learning_rate=1000.0), small)
    with pytest.raises(Diverged, match=r"noise 1e\+06") as caught:
        for _ in range(300):
            trainer.step()
        trainer.flush()
    assert "beta" not in str(caught.value) and "learning rate 1000" in str(caught.value)
