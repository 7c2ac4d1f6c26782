"""All who read a saved run, one after the other: what a damaged one must not bring down."""

import asyncio
import contextlib
import io
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import torch
from starlette.requests import Request

from pages.training import figures, take_home
from pages.training.result import figures_of
from pages.ui.explore import package, sources, weights
from pages.ui.live.socket import film, pack
from tests.bench.mutations import damaged
from tests.local_engine import LocalLink
from vae_core import trainer
from vae_core.config import ConfigError, RunConfig
from vae_core.data import Images, load
from vae_core.export.bundle import title
from vae_core.export.report import html_report
from vae_core.export.script import repeat_script
from vae_core.models import family
from vae_core.runs import disk_budget, registry, storage
from vae_core.runs import engines as engines_module
from vae_core.runs.messages import FAILED, PAUSED, RUNNING
from vae_core.runs.news import Cursor
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import RunRecord

CONFIG = RunConfig(device="cpu", epochs=1000)
TURNS = 40  # of an engine at most, until a run is resumed


@dataclass
class Faults:
    """What was found in so many damaged runs: how many were still there, and whom one of them brought down."""

    runs: int = 0
    found: int = 0
    resumed: int = 0
    faults: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        there = f"{self.runs} damaged runs: {self.found} found, {self.resumed} resumed, {len(self.faults)} faults"
        return [there, *self.faults]


@dataclass(frozen=True)
class Sample:
    """A whole run, on disk."""

    visitor: str
    folder: Path


def mutated(numbers: Iterable[int]) -> Faults:
    """A damaged run for each of these numbers, read by everybody."""
    faults = Faults()
    with tempfile.TemporaryDirectory() as name, _local_engines():
        samples = make_samples(Path(name) / "whole")
        for number in numbers:
            root = Path(name) / str(number)
            sample = samples[number % len(samples)]
            owner = root if number % 5 == 4 else storage.folder_of(root, sample.visitor)  # as old versions kept them
            owner.mkdir(parents=True)
            damage = damaged(sample.folder, owner / sample.folder.name, number)
            faults.runs += 1
            read_by_all(root, sample, faults, f"seed {number}, {sample.visitor}: {damage}")
            storage.forget(root)
    return faults


@contextlib.contextmanager
def _local_engines() -> Iterator[None]:
    """Engines work in this process, on few images."""
    torch.set_num_threads(1)
    every = load("mnist", torch.device("cpu"))
    few = Images("mnist", every.x_train[:2000], every.y_train[:2000], every.x_test[:500], every.y_test[:500])
    with (
        mock.patch.object(engines_module, "EngineProcess", LocalLink),
        mock.patch.object(trainer, "load", lambda *_: few),
    ):
        yield


def make_samples(root: Path) -> list[Sample]:
    """Whole runs: one that was changed on its way, one that has ended, one that was reset, and an arm."""
    runs = Registry(root=root)
    made = []
    for visitor in ("changed", "ended", "reset"):
        config = CONFIG.with_(latent_dim=3 if visitor == "changed" else 2)
        run_id = runs.start(config, visitor, paused=True)
        _steps(runs, run_id, 10)
        runs.command(run_id, "set", beta=2.0)
        _steps(runs, run_id, 10)
        made.append(runs.get(run_id))
    ended, reset = made[1:]
    assert ended is not None and reset is not None
    runs.command(ended.run_id, "stop")
    _turn(runs, lambda: ended.final is not None)
    runs.command(reset.run_id, "reset")
    _steps(runs, reset.run_id, 10)
    group = runs.start_group([("full", CONFIG), ("no KL", CONFIG.with_(beta=0.0))], "arm", paused=True)
    runs.command_group(group, "step", steps=10)
    _turn(runs, lambda: all(run.status == PAUSED and run.states[-1:] == (10,) for run in runs.members(group)))
    made.append(runs.members(group)[0])
    for run in made:
        assert run is not None
        run.change(film=tuple(step for step in run.film if step in run.states))  # the others are of chance moments
    runs.close()
    return [Sample(run.visitor, run.folder) for run in made if run is not None]


def _steps(runs: Registry, run_id: str, steps: int) -> None:
    run = runs.get(run_id)
    assert run is not None
    until = run.step + steps
    runs.command(run_id, "step", steps=steps)
    _turn(runs, lambda: run.status == PAUSED and run.step == until and until in run.film and until in run.states)


def _turn(runs: Registry, done: Callable[[], bool], most: int = 1000) -> bool:
    link = runs._engines.of_device("cpu").link
    for _ in range(most):
        if done():
            return True
        link.turn()  # type: ignore[attr-defined]
    return done()


def read_by_all(root: Path, sample: Sample, faults: Faults, said: str) -> None:
    """Everybody in turn; whoever raises is noted, and the others still read."""
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors):
        runs = Registry(root=root)
        with mock.patch.object(registry, "shared", lambda: runs):
            _noted("arrival", lambda: _arrive(runs, root, sample.visitor), faults, said)
            run = runs.get(sample.folder.name)
            for name, read in READERS.items() if run is not None else ():
                _noted(name, lambda read=read: read(runs, run), faults, said)
            faults.found += run is not None
            faults.resumed += run is not None and run.status == PAUSED
        _noted("close", runs.close, faults, said)
    if "Traceback" in errors.getvalue():
        faults.faults.append(f"{said}\n    on stderr: {errors.getvalue().strip().splitlines()[-1]}")


def _noted(name: str, read: Callable[[], object], faults: Faults, said: str) -> None:
    try:
        read()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        faults.faults.append(f"{said}\n    {name}: {type(error).__name__}: {str(error)[:120]} ({place})")


def _arrive(runs: Registry, root: Path, visitor: str) -> None:
    runs.visitors.enter(visitor)
    runs.find_saved(visitor)
    runs.groups_of(visitor)
    runs.letters(visitor)
    disk_budget.surplus(list(disk_budget.count(root)), 1.0)


def _live(runs: Registry, run: RunRecord) -> None:
    news = runs.read(run.run_id, Cursor())
    assert news is not None
    pack(news)


def _film(_: Registry, run: RunRecord) -> None:
    steps = {*run.film, *storage.frames_in(run.film_folder), 0}
    for step in steps:
        for accepted in (b"identity", b"gzip"):
            path = {"run_id": run.run_id, "step": str(step)}
            scope = {"type": "http", "method": "GET", "path_params": path, "headers": [(b"accept-encoding", accepted)]}
            asyncio.run(film(Request(scope)))


def _explore(_: Registry, run: RunRecord) -> None:
    sources.listed(run.visitor)
    source = sources.find(run.run_id)
    with contextlib.suppress(weights.NotNumbers):
        if source is not None:
            package.package_bytes(source)


def _take_home(_: Registry, run: RunRecord) -> None:
    figures.history_table(run).to_csv(index=False)
    if run.final is not None:
        list(figures_of(run.final, run))
    if family(run.config.model).is_elbo():
        story = take_home.story_of(run)
        html_report(story, title(story))
        repeat_script(story)
        take_home.left_out(run)
        take_home.everything(run)


def _resume(runs: Registry, run: RunRecord) -> None:
    """A run that has ended begins anew; either comes to rest, or fails with a sentence."""
    with contextlib.suppress(ConfigError):  # a sentence on the page
        if run.ended:
            runs.command(run.run_id, "reset")
        runs.command(run.run_id, "resume")
        _turn(runs, lambda: run.status in (RUNNING, FAILED), TURNS)
        runs.command(run.run_id, "pause")
        _turn(runs, lambda: run.status == FAILED or (run.status == PAUSED and run.step in run.states), TURNS)
        assert run.status in (PAUSED, FAILED), f"it hangs, {run.status}"
        assert run.status == PAUSED or run.message, "it failed without a word"
        assert "internal error" not in run.message, run.message


READERS: dict[str, Callable[[Registry, RunRecord], None]] = {
    "live view": _live,
    "film": _film,
    "explorer": _explore,
    "take home": _take_home,
    "resume": _resume,
}
