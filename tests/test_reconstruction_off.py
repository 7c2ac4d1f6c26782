"""A run whose decoder has learned, and whose reconstruction is then switched off: what is said when no unit is left.

The cause is known, as the test made it: no beta can be to blame, and none may be named.
"""

import time

import numpy as np
import pytest

from tests.local_engine import LocalLink
from vae_core.config import RunConfig
from vae_core.inspect.snapshot import Snapshot
from vae_core.metrics.states import Diagnosis
from vae_core.metrics.states.case import SAME_PICTURE
from vae_core.runs.messages import STOPPED
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import RunRecord

BATCH = 64
LEARNT, MOST = 150, 3000  # steps


def steps(registry: Registry, links: list[LocalLink], run: RunRecord, count: int) -> Snapshot:
    """Exactly so many steps; returns what the run looks like then."""
    goal, deadline = run.step + count, time.monotonic() + 120
    registry.command(run.run_id, "step", steps=count)
    while run.step < goal or run.snapshot is None or run.snapshot.step < goal:
        assert time.monotonic() < deadline, run.message
        links[-1].turn()
    return run.snapshot


def stopped_without_reconstruction(registry: Registry, links: list[LocalLink], run: RunRecord) -> Snapshot:
    """The decoder learns, alpha becomes 0, the KL closes the last unit, the run is stopped."""
    learnt = steps(registry, links, run, LEARNT)
    assert learnt.active.any() and variety(learnt) > SAME_PICTURE
    registry.command(run.run_id, "set", alpha=0.0, learning_rate=0.01)  # it closes sooner
    while (seen := steps(registry, links, run, 100)).active.any():
        assert run.step < MOST
    registry.command(run.run_id, "stop")
    assert run.status == STOPPED and run.settings.alpha == 0
    return seen


def variety(seen: Snapshot) -> float:
    return float((seen.prior_draws / 255).std(axis=0).mean())


def check(found: Diagnosis | None, seen: Snapshot) -> None:
    assert found is not None and found.name == "reconstruction off"
    units = len(seen.active)
    assert f"0 of {units} units active" in found.sentence and f"{seen.terms['kl']:.2f} nats" in found.sentence
    assert "switch the reconstruction on" in found.sentence.lower() and "beta" not in found.sentence.lower()


@pytest.mark.parametrize(("seed", "beta"), [(0, 1.0), (2, 4.0)])
def test_a_run_by_itself(local_registry: tuple[Registry, list[LocalLink]], seed: int, beta: float) -> None:
    registry, links = local_registry
    run_id = registry.start(
        RunConfig(device="cpu", epochs=1000, batch_size=BATCH, seed=seed, beta=beta), "ann", paused=True
    )
    run = registry.get(run_id)
    assert run is not None
    seen = stopped_without_reconstruction(registry, links, run)
    check(run.diagnosis, seen)


def test_an_arm_by_its_meter(local_registry: tuple[Registry, list[LocalLink]]) -> None:
    registry, links = local_registry
    config = RunConfig(device="cpu", epochs=1000, batch_size=BATCH, beta=4.0)
    (run,) = registry.members(registry.start_group([("full", config)], "ann", paused=True))
    seen = stopped_without_reconstruction(registry, links, run)
    assert seen.metrics is not None and np.sum(seen.metrics["active_dims"]) == 0
    check(run.diagnosis, seen)


def test_an_encoder_frozen_from_the_start_has_not_collapsed(local_registry: tuple[Registry, list[LocalLink]]) -> None:
    """A random encoder keeps too little of an image for an active unit, and no KL has ever moved it."""
    registry, links = local_registry
    run = registry.get(registry.start(RunConfig(device="cpu", epochs=1000, frozen="encoder"), "ann", paused=True))
    assert run is not None
    first, seen = steps(registry, links, run, 1), steps(registry, links, run, 99)
    np.testing.assert_array_equal(first.mu, seen.mu)
    assert not seen.active.any() and run.diagnosis is not None
    assert run.diagnosis.name == "encoder frozen" and "0 of 2 units active" in run.diagnosis.sentence
