"""The command line in this process, on few images, and what it leaves behind."""

import csv
import json
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from vae_core import cards, evaluate, train
from vae_core.trainer import Trainer

ROOT = Path(__file__).resolve().parents[1]
# 8 steps on the small images.
TINY = ["--device", "cpu", "--epochs", "2", "--batch-size", "500", "--latent-dim", "3", "--seed", "6"]


def run_main(*arguments: str) -> int:
    """The exit status of the command line in this process; its importance-weighted bound is that of 20 images."""
    try:
        with patch.object(cards, "final_metrics", partial(evaluate.final_metrics, iw_images=20)):
            return train.main(list(arguments))
    except SystemExit as ended:
        return int(ended.code or 0)


def rows_of(folder: Path, split: str) -> list[dict[str, str]]:
    with (folder / "history.csv").open(newline="") as file:
        return [row for row in csv.DictReader(file) if row["split"] == split]


def card_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "card.json").read_text(encoding="utf-8"))


def raise_at(step: int, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trainer's step number `step` + 1 raises."""
    original = Trainer.step

    def stepping(trainer: Trainer) -> None:
        if trainer.step_count == step:
            raise error
        original(trainer)

    monkeypatch.setattr(Trainer, "step", stepping)
