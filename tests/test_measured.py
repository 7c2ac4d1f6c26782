"""How fast a run would train: said by its engine before it begins, by the run itself once there is one."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from tests.engine_driver import CONFIG, Driver
from vae_core.config import OF_FAMILIES, RunConfig
from vae_core.data.images import DataError
from vae_core.pieces import finish
from vae_core.runs import measured
from vae_core.runs.engines import Engines
from vae_core.runs.measured import kind_of, measure_pace, plain_of_kind, total_images
from vae_core.runs.messages import Command, Line, Measured, Update
from vae_core.runs.paces import KEPT, Paces
from vae_core.trainer import Trainer

CPU = torch.device("cpu")


def measure(driver: Driver, config: dict[str, object]) -> list[Measured]:
    """As the engine's loop does: a piece, and again."""
    assert driver.engine.handle(Command("", "measure", {"config": config})) == []
    said: list[Measured] = []
    while not said:
        assert driver.engine.busy  # the loop waits for nobody
        said = driver.engine.measure()
    assert driver.engine.measure() == [] and not driver.engine.busy
    return said


@pytest.mark.parametrize("changes", [{}, {"net": "conv"}, {"model": "cvae"}, {"batch_size": 3000}])
def test_an_engine_measures_a_run_that_nobody_has_begun(driver: Driver, changes: dict[str, object]) -> None:
    (said,) = measure(driver, CONFIG.with_(**changes).to_dict())
    assert said.images_per_s > 0 and not driver.engine.tasks


def train_by_a_clock(monkeypatch: pytest.MonkeyPatch, images_per_s: float) -> list[int]:
    """Steps that take their time on a clock of their own; returns how many images each has, as they are made."""
    counts: list[int] = []
    clock = SimpleNamespace(now=0.0)

    class Timed(Trainer):
        def step(self) -> Any:
            counts.append(self.config.batch_size)
            clock.now += self.config.batch_size / images_per_s

    monkeypatch.setattr(measured, "quick_trainer", Timed)
    monkeypatch.setattr(measured, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return counts


@pytest.mark.parametrize(("batch", "most"), [(256, 256), (97, 97), (3, 3), (5000, 256)])
def test_a_pace_is_images_by_seconds_of_steps_as_large_as_the_runs(
    monkeypatch: pytest.MonkeyPatch, batch: int, most: int
) -> None:
    counts = train_by_a_clock(monkeypatch, images_per_s=12_345)
    assert finish(measure_pace(CONFIG.with_(batch_size=batch), CPU)) == pytest.approx(12_345)
    assert counts[-1] == most and sum(count == most for count in counts) * most / 12_345 >= measured.ENOUGH_S


def test_long_steps_are_measured_by_small_ones_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = train_by_a_clock(monkeypatch, images_per_s=20)  # 256 images would take 12.8 s
    assert finish(measure_pace(CONFIG, CPU)) == pytest.approx(20) and counts == [4, 4, 4]
    pieces = measure_pace(CONFIG, CPU)
    for made in (4, 5, 6):  # one step a piece
        next(pieces)
        assert len(counts) == made


def test_what_cannot_be_trained_has_no_pace(driver: Driver) -> None:
    assert measure(driver, CONFIG.to_dict() | {"model": "nobody"}) == [Measured(0.0)]


def test_a_step_takes_the_same_whatever_is_minimised_and_however_long() -> None:
    same = CONFIG.with_(epochs=3, seed=5, beta=4.0, learning_rate=0.1)
    assert kind_of(CONFIG) == kind_of(same)
    others = [{"net": "conv"}, {"latent_dim": 8}, {"batch_size": 64}, {"widths": "300"}, {"activation": "elu"}]
    others += [{"likelihood": "gaussian"}, {"protocol": "dynamic"}, {"model": "iwae"}]
    others += [{name: 0.25 if name == "corruption" else 7} for name in OF_FAMILIES]
    others += [{"dataset": "ring"}]  # points of the plane
    assert len({kind_of(CONFIG.with_(**changes)) for changes in [{}, *others]}) == 1 + len(others)
    assert kind_of(CONFIG.with_(dataset="circles")) == kind_of(CONFIG)  # other images of the same size
    with pytest.raises(DataError):
        kind_of(CONFIG.with_(dataset="own-" + 24 * "0"))


def test_settings_that_end_a_run_leave_no_pace_of_nought_to_others() -> None:
    odd = CONFIG.with_(learning_rate=1.0, alpha=1e6, beta=1e6, free_bits=50.0, frozen="encoder")
    assert plain_of_kind(odd) == plain_of_kind(CONFIG) and kind_of(plain_of_kind(odd)) == kind_of(odd)
    assert plain_of_kind(RunConfig(dataset="circles", model="iwae", samples=9)).samples == 9


def test_a_run_trains_on_its_images_as_often_as_they_come() -> None:
    trainer = Trainer(CONFIG.with_(epochs=2))
    assert trainer.images_by(trainer.total_steps) == total_images(trainer.config)
    assert total_images(CONFIG.with_(steps=100, batch_size=64)) == 6400


KINDS = [CONFIG.with_(latent_dim=n) for n in (2, 3, 8)]
Asked = list[tuple[str, Any]]


@pytest.fixture
def asked() -> Asked:
    """What was sent to engines: device and command."""
    return []


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch, asked: Asked) -> Engines:
    runs: Any = SimpleNamespace(all=list, lock=threading.RLock())
    engines = Engines(runs, lambda run: False, lambda: None, threading.Event())

    def connect(device: str) -> Any:
        return SimpleNamespace(device=device, send=lambda command: asked.append((device, command)))

    monkeypatch.setattr(engines, "_connect", connect)
    return engines


def test_one_measurement_at_a_time_and_none_again_of_what_ended_its_engine(engines: Engines, asked: Asked) -> None:
    assert [engines.pace(kind) for kind in KINDS] == [None] * 3 and len(asked) == 1
    engines._hear("cpu", Measured(5000.0))
    assert [engines.pace(kind) for kind in KINDS] == [5000.0, None, None] and len(asked) == 2
    for _ in range(5):  # it ends each time; that is no reason to give the engine up
        engines._mourn(engines.all()["cpu"].link, "signal 9")
        engines.pace(CONFIG.with_(latent_dim=20 + len(asked)))
    assert [engines.pace(kind) for kind in KINDS[:2]] == [5000.0, 0.0] and len(asked) == 7
    assert engines.all()["cpu"].deaths == []


def test_an_engine_that_ends_while_it_serves_a_run_or_nobody_is_another_matter() -> None:
    paces = Paces()
    assert paces.ask("cpu", KINDS[0]) and paces.ask("cuda", KINDS[1])  # of one device each
    assert not paces.mourn("cpu", served=True) and paces.find("cpu", KINDS[0]) is None
    assert paces.ask("cpu", KINDS[0]) and paces.mourn("cpu", served=False) and not paces.mourn("cpu", served=False)
    assert paces.find("cpu", KINDS[0]) == 0.0 and paces.find("cuda", KINDS[1]) is None
    paces.answer("cuda", 7.0)
    assert paces.find("cuda", KINDS[1]) == 7.0 and paces.find("cpu", KINDS[1]) is None


def test_a_class_that_tries_everything_fills_no_memory() -> None:
    paces = Paces()
    for size in range(1, KEPT + 3):
        paces.learn("cpu", CONFIG.with_(batch_size=size), float(size))
    assert paces.find("cpu", CONFIG.with_(batch_size=2)) is None
    assert paces.find("cpu", CONFIG.with_(batch_size=3)) == 3.0 and len(paces._known) == KEPT


@pytest.mark.parametrize(
    ("training", "group", "frozen", "promised"),
    [(1, "", "none", True), (2, "", "none", False), (1, "g", "none", False), (1, "", "encoder", False)],
)
def test_only_a_run_that_has_the_machine_to_itself_promises_its_pace(
    engines: Engines, training: int, group: str, frozen: str, promised: bool
) -> None:
    run: Any = SimpleNamespace(
        run_id="a", group=group, config=CONFIG, settings=CONFIG.with_(frozen=frozen).live, complete=False, removed=False
    )
    run.take = lambda update: None
    run.last_whole = None
    engines._runs = SimpleNamespace(get={"a": run}.get, all=lambda: [], lock=threading.RLock())  # type: ignore[assignment]
    engines.of_device("cpu").open.add("a")
    engines._hear("cpu", Line(seats=4, training=training))
    engines._hear("cpu", Update("a", 0, "running", images_per_s=9000.0))
    assert engines.pace(CONFIG) == (9000.0 if promised else None)
