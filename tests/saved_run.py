"""A run as the tests of storage save it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vae_core.config import LiveSettings, RunConfig
from vae_core.inspect.snapshot import Snapshot
from vae_core.runs.messages import FINISHED, RUNNING, Update
from vae_core.runs.run_record import RunRecord
from vae_core.trainer import Mark

CONFIG = RunConfig(device="cpu", epochs=1000)
MARK = Mark(7, "beta 1 → 0 at step 7", LiveSettings(alpha=1.0, beta=0.0, learning_rate=2e-3))

FINAL: dict[str, Any] = {  # as evaluate.final_metrics gives them
    **{"split": "test", "protocol": "grey", "images": 10_000, "samples": 1},
    **{"neg_elbo": 150.5, "nll": 144.25, "kl": 6.25, "kl_dims": [4.25, 2.0], "active_units": 2, "mean_std": 0.5},
    **{"neg_iw_bound": 147.0, "iw_neg_elbo": 151.0, "iw_samples": 50, "iw_images": 200},
}


def some_rows(first: int, last: int) -> np.ndarray:
    steps = np.arange(first, last + 1)
    return np.column_stack([steps, 200 - steps, steps / 7, 200 - steps * 6 / 7]).astype(np.float32)


def an_update(run_id: str, last: int = 20, status: str = RUNNING, **values: Any) -> Update:
    """Its state has been saved, too, so that the run can be saved as one."""
    rows = some_rows(1, last)
    usual = {"device": "CPU", "saved": last}
    return Update(run_id, 0, status, "", last, 8, 8000, 9.0, LiveSettings(beta=0.0), rows, **usual | values)


def a_run(root: Path, snapshot: Snapshot, status: str = RUNNING) -> RunRecord:
    run = RunRecord("ann", CONFIG, root)
    for step in (0, 10, 20):
        run.take(an_update(run.run_id, step, status, snapshot=replace(snapshot, step=step)))
    run.take(an_update(run.run_id, 20, status, marks=(MARK,), final=FINAL if status == FINISHED else None))
    return run
