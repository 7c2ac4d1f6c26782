"""The parts of `python -m tests.bench.gpu`: what a GPU changes, in tables. Nothing here asserts a time."""

import contextlib
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tests.bench.test_arms import LOSSES
from tests.bench.test_arms import seconds as seconds_of_arms
from vae_core import trainer
from vae_core.config import RunConfig
from vae_core.data import Images, load
from vae_core.evaluate import evaluate_test
from vae_core.runs.messages import FAILED, PAUSED, STOPPED
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import RunRecord
from vae_core.trainer import Trainer

ROOT = Path(__file__).resolve().parents[2]
FEW = 20  # steps at either end of a curve
PATIENCE_S = 120  # for one answer of the background process


@dataclass(frozen=True)
class Budget:
    """How much is measured. `curves` and `speeds`: nets and batch sizes; `steps`: of a curve at most."""

    device: torch.device
    curves: tuple[tuple[str, int], ...] = (("mlp", 256), ("conv", 1024), ("conv", 256))
    speeds: tuple[tuple[str, int], ...] = (("mlp", 256), ("mlp", 4096), ("conv", 256), ("conv", 1024))
    images: int = 60_000
    steps: int = 10_000  # more than an epoch has
    warm: int = 20  # steps before a clock runs
    speed_s: float = 3.0
    arms_epochs: int = 3
    rounds: int = 3
    engine_s: float = 5.0

    def data(self, device: torch.device) -> Images:
        """The train images of this budget, and as large a share of the test images."""
        whole, n = load("mnist", device), self.images
        test = len(whole.x_test) * n // len(whole.x_train)
        return Images("mnist", whole.x_train[:n], whole.y_train[:n], whole.x_test[:test], whole.y_test[:test])


def quick(device: torch.device) -> Budget:
    """A look of seconds, also for a busy CPU."""
    nets = (("mlp", 64), ("conv", 16))
    return Budget(device, nets, nets, 3_000, 24, warm=3, speed_s=0.1, arms_epochs=2, rounds=1, engine_s=1.0)


@dataclass
class Table:
    """Rows of a name and numbers, one a column."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, tuple[float, ...]]] = field(default_factory=list)

    def add(self, what: str, *values: float) -> None:
        self.rows.append((what, values))


@dataclass
class Result:
    tables: list[Table]
    notes: list[str] = field(default_factory=list)
    failed: str = ""  # why the part as a whole has failed, though it has something to show


# ---- the tests that need a GPU


def tests(budget: Budget) -> Result:
    """The tests marked requires_cuda, in a pytest of their own that needs no plugin."""
    table = Table("tests marked requires_cuda", ("passed", "failed", "skipped"))
    if importlib.util.find_spec("pytest") is None:
        return Result([], ["pytest is not installed: the tests were left out."])
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        done = subprocess.run(_pytest(report), cwd=ROOT, env=_without_plugins(), capture_output=True, text=True)
        if not report.is_file():
            raise RuntimeError(f"pytest ended with status {done.returncode}: {(done.stderr or done.stdout)[-500:]}")
        outcomes = _outcomes(report)
    counts = [sum(outcome == word for _, outcome in outcomes) for word in table.columns]
    table.add("all", *counts)
    if not outcomes:
        raise RuntimeError(f"pytest found no such test: {done.stdout[-500:]}")
    failed = [name for name, outcome in outcomes if outcome == "failed"]
    return Result([table], [f"{outcome}: {name}" for name, outcome in outcomes], ", ".join(failed))


def _pytest(report: Path) -> list[str]:
    """The settings of pyproject.toml belong to plugins that may not be there; what is needed of them is said anew."""
    files = [str(p) for p in sorted(ROOT.glob("tests/test_*.py")) if "requires_cuda" in p.read_text(encoding="utf-8")]
    options = ["-q", "-o", "addopts=", "--import-mode=importlib", "-p", "no:cacheprovider", "-m", "requires_cuda"]
    options += ["--continue-on-collection-errors", f"--junitxml={report}"]
    return [sys.executable, "-m", "pytest", *options, *files]


def _without_plugins() -> dict[str, str]:
    return {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def _outcomes(report: Path) -> list[tuple[str, str]]:
    """Name and outcome of every test; a file that cannot be read counts as one that failed."""
    found = []
    for case in ElementTree.parse(report).iter("testcase"):
        bad, left_out = any(case.find(word) is not None for word in ("failure", "error")), case.find("skipped")
        name = "::".join(part for part in (case.get("classname"), case.get("name")) if part)
        found.append((name, "failed" if bad else "passed" if left_out is None else "skipped"))
    return found


# ---- the same curve


class SameNoise(Trainer):
    """On another device, with the very images and noise of the CPU: what is left is arithmetic."""

    def __init__(self, config: RunConfig, images: Images, twin: Trainer) -> None:
        super().__init__(config, images)
        self.twin = twin  # a trainer on the CPU that draws, and never trains

    def batch(self) -> tuple[Tensor, Tensor]:
        self.twin.step_count = self.step_count
        x, eps = self.twin.batch()
        return x.to(self.device), eps.to(self.device)


def curves(budget: Budget) -> Result:
    """An epoch here and on the CPU, from the same seed."""
    apart = Table(
        "difference of the train curves from the CPU's, nats per image",
        tuple(f"{where} {FEW} steps, {what}" for where in ("first", "last") for what in ("largest", "mean")),
    )
    ends = Table("−ELBO at the end, test images, nats", ("CPU", "here", "here with the CPU's noise"))
    here, there = budget.data(budget.device), budget.data(torch.device("cpu"))
    for net, batch in budget.curves:
        config = RunConfig(net=net, batch_size=batch, epochs=1, device="cpu")
        other = config.with_(device=budget.device.type)
        trained = [Trainer(config, there), Trainer(other, here), SameNoise(other, here, Trainer(config, there))]
        rows = [_curve(trainer, budget.steps) for trainer in trained]
        for noise, found in zip(("noise of its own", "the CPU's noise"), rows[1:], strict=True):
            for column, term in ((1, "nll"), (2, "kl")):
                gap = np.abs(found - rows[0])[:, column]
                windows = (gap[:FEW].max(), gap[:FEW].mean(), gap[-FEW:].max(), gap[-FEW:].mean())
                apart.add(f"{net}, batch {batch}, {noise}: {term}", *map(float, windows))
        ends.add(
            f"{net}, batch {batch}",
            *(evaluate_test(t.model, t.images, t.config).neg_elbo for t in trained),
        )
    return Result(
        [apart, ends], ["eps is drawn on the device, so with noise of its own two devices agree on average only."]
    )


def _curve(trainer: Trainer, most: int) -> np.ndarray:
    for _ in range(min(most, trainer.total_steps)):
        trainer.step()
    return trainer.flush()


# ---- speed


def speed(budget: Budget) -> Result:
    """Images a second of the bare trainer: no snapshots, no states."""
    table = Table("the trainer alone", ("images/s", "ms a step"))
    data = budget.data(budget.device)
    for net, batch in budget.speeds:
        trainer = Trainer(RunConfig(net=net, batch_size=batch, epochs=1000, device=budget.device.type), data)
        steps, took = _timed(trainer, budget)
        table.add(f"{net}, batch {batch}", steps * min(batch, len(data.x_train)) / took, 1000 * took / steps)
    return Result([table])


def _timed(trainer: Trainer, budget: Budget) -> tuple[int, float]:
    """Steps made within about the seconds of the budget, and the time that they took."""
    _steps(trainer, budget.warm)
    steps = max(10, round(budget.speed_s * 10 / _steps(trainer, 10)))
    return steps, _steps(trainer, steps)


def _steps(trainer: Trainer, count: int) -> float:
    """Seconds for so many steps, from a moment at which the device has nothing to do to the next."""
    synchronize(trainer.device)
    started = time.perf_counter()
    for _ in range(count):
        trainer.step()
    synchronize(trainer.device)
    return time.perf_counter() - started


def synchronize(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


# ---- arms in step


def arms(budget: Budget) -> Result:
    """Three arms in step in one engine, against one after the other; with snapshots, meters and states."""
    alone, together = [], []
    with _training_on(budget.data(budget.device)), tempfile.TemporaryDirectory() as folder:
        for i in range(budget.rounds):  # by turns, so that a busy neighbour disturbs both
            alone.append(sum(_seconds(budget, Path(folder) / f"{i}{name}", [name]) for name in LOSSES))
            together.append(_seconds(budget, Path(folder) / f"{i}", list(LOSSES)))
    table = Table(
        f"three mlps, {budget.arms_epochs} epochs, medians of {budget.rounds}",
        ("one after the other, s", "in step, s", "ratio"),
    )
    one, three = statistics.median(alone), statistics.median(together)
    table.add("three arms", one, three, three / one)
    return Result([table])


def _seconds(budget: Budget, folder: Path, names: list[str]) -> float:
    return seconds_of_arms(folder, names, "group", budget.device.type, budget.arms_epochs)


@contextlib.contextmanager
def _training_on(images: Images) -> Iterator[None]:
    """Every trainer made meanwhile trains on these images."""
    usual, trainer.load = trainer.load, lambda name, device: images
    try:
        yield
    finally:
        trainer.load = usual


# ---- the background process


def engine(budget: Budget) -> Result:
    """One run as the pages have it: in the background process, paused, stopped, with its final figures."""
    registry = Registry()
    try:
        return _background(registry, budget)
    finally:
        registry.close()


def _background(registry: Registry, budget: Budget) -> Result:
    table = Table("one run in the background process, mlp, batch 256", ("value",))
    config = RunConfig(device=budget.device.type, epochs=1000)
    started = time.perf_counter()
    run = registry.get(registry.start(config, "bench"))
    assert run is not None
    _wait(run, lambda: run.step > 0, "the first step")
    table.add("first step after, s", time.perf_counter() - started)
    table.add("images/s", _rate(run, budget.engine_s))
    _wait(run, lambda: run.snapshot is not None and run.snapshot.step > 0, "a snapshot of a trained model")
    asked = time.perf_counter()
    registry.command(run.run_id, "pause")
    _wait(run, lambda: run.status == PAUSED, "an answer to Pause")
    table.add("pause answered after, ms", 1000 * (time.perf_counter() - asked))
    at = run.step
    registry.command(run.run_id, "stop")
    _wait(run, lambda: run.status == STOPPED and run.final is not None, "the final figures")
    if run.step != at or run.snapshot is None:
        raise RuntimeError(f"paused at step {at}, stopped at {run.step}: it went on, or lost its snapshot")
    final: dict[str, Any] = run.final or {}
    table.add("stopped at step", run.step)
    table.add("step of its last snapshot", run.snapshot.step)
    table.add("−ELBO, test, nats", final["neg_elbo"])
    table.add("−log p(x) at most, nats", final["neg_iw_bound"])
    return Result([table], [f"The process trained on: {run.device}."])


def _rate(run: RunRecord, seconds: float) -> float:
    """Images a second over a stretch of time, as the server hears of them."""
    before, started = run.step, time.perf_counter()
    _wait(run, lambda: time.perf_counter() - started > seconds and run.step > before, "another step")
    return (run.step - before) * run.config.batch_size / (time.perf_counter() - started)


def _wait(run: RunRecord, condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if run.status == FAILED:
            raise RuntimeError(f"waiting for {what}, the run failed: {run.message}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come within {PATIENCE_S} s; the run is {run.status}: {run.message}")
        time.sleep(0.005)


PARTS: dict[str, Callable[[Budget], Result]] = {
    "tests": tests,
    "curves": curves,
    "speed": speed,
    "arms": arms,
    "engine": engine,
}
