"""How fast a run would train: said by its engine before it begins, by the run itself once there is one."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from tests.engine_driver import CONFIG, Driver
from vae_core.runs.engines import Engines
from vae_core.runs.measured import kind_of, total_images
from vae_core.runs.messages import Command, Measured
from vae_core.trainer import Trainer


@pytest.mark.parametrize("changes", [{}, {"net": "conv"}, {"model": "cvae"}, {"batch_size": 3000}])
def test_an_engine_measures_a_run_that_nobody_has_begun(driver: Driver, changes: dict[str, object]) -> None:
    asked = CONFIG.with_(**changes).to_dict()
    (said,) = driver.engine.handle(Command("", "measure", {"config": asked}))
    assert isinstance(said, Measured) and said.config == asked and said.images_per_s > 0
    assert not driver.engine.tasks


def test_what_cannot_be_trained_has_no_pace(driver: Driver) -> None:
    asked = CONFIG.to_dict() | {"model": "nobody"}
    assert driver.engine.handle(Command("", "measure", {"config": asked})) == [Measured(asked, 0.0)]


def test_a_step_takes_the_same_whatever_is_minimised_and_however_long() -> None:
    same = CONFIG.with_(epochs=3, seed=5, beta=4.0, learning_rate=0.1)
    assert kind_of(CONFIG) == kind_of(same)
    assert len({kind_of(CONFIG.with_(**c)) for c in ({}, {"net": "conv"}, {"latent_dim": 8}, {"batch_size": 64})}) == 4


def test_a_run_trains_on_its_images_as_often_as_they_come() -> None:
    trainer = Trainer(CONFIG.with_(epochs=2))
    assert trainer.images_by(trainer.total_steps) == total_images(trainer.config)
    assert total_images(CONFIG.with_(steps=100, batch_size=64)) == 6400


def test_one_measurement_at_a_time_and_none_again_of_what_ended_its_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    runs: Any = SimpleNamespace(all=list, lock=threading.RLock())
    engines = Engines(runs, lambda run: False, lambda: None, threading.Event())
    monkeypatch.setattr(engines, "_connect", lambda device: SimpleNamespace(device=device, send=asked.append))
    kinds = [CONFIG.with_(latent_dim=n) for n in (2, 3, 8)]
    assert [engines.pace(kind) for kind in kinds] == [None] * 3 and len(asked) == 1
    engines._hear("cpu", Measured(kinds[0].to_dict(), 5000.0))
    assert [engines.pace(kind) for kind in kinds] == [5000.0, None, None] and len(asked) == 2
    engines._mourn(engines.all()["cpu"].link, "signal 9")
    assert [engines.pace(kind) for kind in kinds[:2]] == [5000.0, 0.0] and len(asked) == 2
