"""The curves of a run as a table that any program reads."""

import csv
import io
from typing import Any

import numpy as np

from vae_core.export.run_report import RunReport
from vae_core.models import family


def history_csv(story: RunReport) -> str:
    """One line a training step or test evaluation, by step; nats per image.

    Columns: split, step, the terms, neg_elbo where their sum is a bound, loss, and what only a test row knows. A cell
    is empty where a split does not have it. Numbers are as short as they can be while a float32 read from them is the
    float32 of the run.
    """
    kind = family(story.config.model)
    bound, in_test = ("neg_elbo",) if kind.has.bound else (), kind.evaluation_columns(story.config)
    newer = kind.scales(story.config)  # in a run from before they were recorded they are no numbers
    columns = dict.fromkeys(("split", "step", *kind.TERMS, *bound, *kind.columns(), *in_test))
    rows: list[dict[str, Any]] = []
    for split, names, table in (
        ("train", kind.columns(), story.train),
        ("test", in_test, story.test),
    ):
        for values in table:
            found = zip(names, values, strict=True)
            row: dict[str, Any] = {k: v for k, v in found if k not in newer or not np.isnan(v)}
            whole: dict[str, Any] = {name: int(row[name]) for name in ("step", "active") if name in row}
            total = dict.fromkeys(bound, sum(row[term] for term in kind.TERMS))
            rows.append({"split": split, **row, **total, **whole})
    rows.sort(key=lambda row: row["step"])  # stable: test after train
    text = io.StringIO()
    writer = csv.DictWriter(text, tuple(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
