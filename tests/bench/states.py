"""`python -m tests.bench.states`: trains the cells of tests/states_matrix.py and keeps their figures in states.json.

On one thread of the CPU, a cell after the other; cells that are there already are left as they are, unless `--anew`.
It ends with the matrix: each cell, its figures, and the name that the present rule gives.
"""

import argparse
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from tests.states_matrix import CELLS, Cell, Change
from vae_core.config import LiveSettings, RunConfig
from vae_core.data import load
from vae_core.data.images import Images
from vae_core.divergence import Diverged
from vae_core.inspect.snapshot import take_snapshot
from vae_core.metrics.states import Diagnosis, Figures, decoder_trained, name_state
from vae_core.trainer import Mark, Trainer

KEPT = Path(__file__).parent / "states.json"


class Trained:
    """Trains cells; one that goes on from where another stands takes its trainer."""

    def __init__(self, images: Images) -> None:
        self.images = images
        self._at: dict[str, tuple[Trainer, str]] = {}  # by what decides a run: the trainer, and how it failed

    def figures(self, cell: Cell) -> dict[str, Any]:
        """The figures of a cell by both sources, the settings in force, and what training said if it failed.

        Returns:
            JSON-ready: "snapshot" and "metrics" (Figures), "settings", "marks", "failed".
        """
        trainer, failed = self._train(cell.config, cell.changed, cell.step)
        seen = take_snapshot(trainer, measured=True)
        return {
            "snapshot": Figures.of(replace(seen, metrics=None)).to_dict(),
            "metrics": Figures.of(seen).to_dict(),
            "settings": trainer.settings.to_dict(),
            "marks": [mark.to_dict() for mark in trainer.marks],
            "failed": failed,
        }

    def _train(self, config: Mapping[str, Any], changed: Change | None, step: int) -> tuple[Trainer, str]:
        key = json.dumps([dict(config), changed])
        trainer, failed = self._at.get(key, (None, ""))
        if trainer is None or trainer.step_count > step:
            trainer = Trainer(RunConfig(device="cpu", epochs=100, **config), self.images)
            if changed is not None:
                after, change = changed
                trainer.restore(self._train(config, None, after)[0].state())
                trainer.set(**change)
        try:
            while trainer.step_count < step and not failed:
                trainer.step()
            trainer.flush()
        except Diverged as error:
            failed = str(error)
        self._at[key] = trainer, failed
        return trainer, failed


def judge(cell: Cell, kept: Mapping[str, Any], source: str) -> Diagnosis:
    """What the present rule says of kept figures; source: "snapshot" or "metrics"."""
    figures, marks = Figures.from_dict(kept[source]), [Mark.from_dict(mark) for mark in kept["marks"]]
    trained = decoder_trained(RunConfig(device="cpu", **cell.config), marks, figures.step)
    return name_state(figures, LiveSettings(**kept["settings"]), trained, bool(kept["failed"]))


def print_matrix(kept: Mapping[str, Mapping[str, Any]]) -> None:
    """One line a cell: whether its name is allowed, the name, and the sentence."""
    for cell in CELLS:
        if cell.name in kept:
            said = judge(cell, kept[cell.name], "metrics")
            right = "ok   " if said.name in cell.allowed else "WRONG"
            print(f"{right} {cell.name:<40} {said.name:<22} {said.sentence}  [{' | '.join(cell.allowed)}]")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--anew", action="store_true", help="train all cells again")
    anew = parser.parse_args().anew
    torch.set_num_threads(1)
    images = load("mnist", torch.device("cpu"))
    kept: dict[str, Any] = {} if anew or not KEPT.exists() else json.loads(KEPT.read_text())
    trained = Trained(images)
    for cell in CELLS:
        if cell.name not in kept:
            kept[cell.name] = trained.figures(cell)
            KEPT.write_text(json.dumps({c.name: kept[c.name] for c in CELLS if c.name in kept}, indent=1) + "\n")
            print(f"trained {cell.name}", flush=True)
    print_matrix(kept)


if __name__ == "__main__":
    main()
