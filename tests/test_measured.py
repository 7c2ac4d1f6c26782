"""How fast a run would train: said by its engine before it begins, by the run itself once there is one."""

import pytest

from tests.engine_driver import CONFIG, Driver
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
