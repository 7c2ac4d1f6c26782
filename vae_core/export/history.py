"""The curves of a run as a table that any program reads."""

from __future__ import annotations

import csv
import io
from typing import Any

from vae_core.checkpoints import HISTORY_COLUMNS
from vae_core.export.run_report import RunReport

COLUMNS = (*HISTORY_COLUMNS, "mean_std", "active")  # those of every checkpoint, and what only a test row knows


def history_csv(story: RunReport) -> str:
    """One line a training step or test evaluation, by step; nats per image.

    Columns COLUMNS; a cell is empty where a split does not have it. Numbers are as short as they can be while a
    float32 read from them is the float32 of the run.
    """
    rows: list[dict[str, Any]] = []
    for step, nll, kl, loss in story.train:
        rows.append({"split": "train", "step": int(step), "nll": nll, "kl": kl, "neg_elbo": nll + kl, "loss": loss})
    for step, nll, kl, std, active in story.test:
        values = {"nll": nll, "kl": kl, "neg_elbo": nll + kl, "mean_std": std, "active": int(active)}
        rows.append({"split": "test", "step": int(step), **values})
    rows.sort(key=lambda row: row["step"])  # stable: test after train
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
