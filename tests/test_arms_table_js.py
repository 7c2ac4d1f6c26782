"""The table of arms under node: its ranks and texts are those of vae_core.metrics."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.node_runner import node_runner
from tests.oracles.ranking import best_and_worst
from vae_core.metrics.definitions import METRICS, Metrics

MODULES = (
    "lib/plane",
    "arms/pulls",
    "arms/origin",
    "lib/distances",
    "arms/meter",
    "arms/words",
    "arms/axes",
    "lib/kl_bars",
    "lib/tensors",
    "net/model",
)


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., Any]:
    return node_runner(tmp_path, *MODULES)


# ---- the table


def some_meter(seed: int, **changes: Any) -> Metrics:
    """Values with few digits, so that ties happen."""
    r = np.random.RandomState(seed)
    values = {f.key: round(float(r.randint(0, 6)) / 8, 3) for f in METRICS if f.key != "active"}
    active = tuple(bool(a) for a in r.randint(0, 2, 2))
    return Metrics(**{**values, "kl_dims": (1.0, 2.0), "active_dims": active, **changes})


def metrics_of(seed: int) -> dict[str, Metrics]:
    nothing = dict.fromkeys(("kl", "kl_dims", "mean_std", "information", "marginal_kl"))
    return {
        "full": some_meter(3 * seed),
        "no KL": some_meter(3 * seed + 1),
        "no reconstruction": some_meter(3 * seed + 2, active_dims=(False, False)),
        "plain autoencoder": some_meter(100 + seed, **nothing),
    }


def figures() -> list[dict[str, Any]]:
    return [
        {
            "key": f.key,
            "label": f.label,
            "unit": f.unit,
            "better": f.better,
            "digits": f.digits,
            "needsCodes": f.needs_codes,
        }
        for f in METRICS
    ]


@pytest.mark.parametrize("seed", range(8))
def test_best_and_worst_and_the_texts_are_those_of_vae_core(seed: int, node: Callable[..., Any]) -> None:
    arms = metrics_of(seed)
    found = node(
        "print(given.figures.map((f) => ({ ...meter.bestAndWorst(f, given.meters),"
        " unranked: given.meters.map((m) => meter.isUnranked(f, m)),"
        " texts: given.meters.map((m) => meter.textOf(f, m[f.key])) })));",
        {"figures": figures(), "meters": [m.to_dict() for m in arms.values()]},
    )
    names, wanted = list(arms), best_and_worst(arms)
    for figure, row in zip(METRICS, found, strict=True):
        ranking = wanted[figure.key]
        assert tuple(names[i] for i in row["best"]) == ranking.best, figure.key
        assert tuple(names[i] for i in row["worst"]) == ranking.worst, figure.key
        assert row["texts"] == [figure.text(m) for m in arms.values()]
        left_out = figure.key in ("outside", "prior_gap", "holes")
        assert row["unranked"] == [left_out and not any(m.active_dims) for m in arms.values()], figure.key


def test_numbers_are_rounded_as_python_rounds(node: Callable[..., Any]) -> None:
    values = [0.125, 0.375, 2.5, 3.5, 0.5, 1e-9, 1234.5678, 0.045, 2.675, 99.95, 0.0, -0.375, 12.0]
    found = node("print(given.map((v) => [0, 1, 2, 3].map((d) => meter.rounded(v, d))));", values)
    assert found == [[f"{v:.{d}f}" for d in range(4)] for v in values]


def test_holes_of_an_older_film_are_not_shown_as_what_they_are_now(node: Callable[..., Any]) -> None:
    new = some_meter(1, holes=0.25, images=5000).to_dict()
    old = {key: value for key, value in new.items() if key != "images"}
    assert node("print(given.map(meter.asOfToday));", [new, old]) == [new, {**old, "holes": None}]
    assert Metrics.from_dict(old).holes is None and Metrics.from_dict(new).holes == 0.25


def test_bars_are_split_where_it_was_measured(node: Callable[..., Any]) -> None:
    """Heights of 56 for 4 nats; the pale part is what is not information, never more than the bar."""
    picture: dict[str, Any] = {"kl_dims": {"data": [4, 2, 0.01]}, "active": {"data": [1, 1, 0]}}
    dims = {"information_dims": [3.0, -0.01, 0.005], "information_dims_error": [0.05, 0.04, 0.001]}
    script = (
        "print(given.map((p) => { const svg = { setAttribute() {} };"
        " kl_bars.drawKlBars(svg, p, { top: 4, width: 338, every: 1 }); return svg.innerHTML; }));"
    )
    plain, split = node(script, [{**picture, "meter": None}, {**picture, "meter": dims}])

    def bars(html: str) -> list[tuple[str, float]]:
        return [(kind, float(height)) for kind, height in re.findall(r'rect class="(\w+)".*?height="([\d.]+)"', html)]

    assert bars(plain) == [("active", 56), ("active", 28), ("inactive", 1)]
    assert bars(split) == [("active", 56), ("marginal", 14), ("active", 28), ("marginal", 28), ("inactive", 1)]
    assert "dimension 1: 4.000 nats, of them I(n; z1) 3.00 ± 0.05<" in split and "± " not in plain


def test_an_arm_without_a_meter_yet_is_not_ranked(node: Callable[..., Any]) -> None:
    found = node(
        "const f = { key: 'v', unit: '', better: 'low', digits: 2, needsCodes: false };"
        "print([meter.bestAndWorst(f, [null, { v: 1 }, { v: 2 }]), meter.bestAndWorst(f, [null, { v: 1 }])]);"
    )
    assert found == [{"best": [1], "worst": [2]}, {"best": [], "worst": []}]


def test_the_csv_file_reads_back_whatever_the_arms_are_called(node: Callable[..., Any]) -> None:
    names = ["full", 'beta 0.1, "soft"', "=SUM(A1)", "two\nlines"]
    rows = [
        {"label": "KL", "unit": "nats", "values": [1.23456789, 0.0, None, "not defined"]},
        {"label": "holes", "unit": "%", "values": [0.5, 0.25, 1e-7, None]},
    ]
    text = node(
        "print(meter.csvOf(given.names.map((name, i) => ({ name, step: i ? 470 : null })), given.rows));",
        {"names": names, "rows": rows},
    )
    table = list(csv.reader(io.StringIO(text, newline="")))
    assert table[0] == ["figure", "unit", "full", 'beta 0.1, "soft"', "'=SUM(A1)", "two\nlines"]
    assert table[1] == ["step of the figures", "steps", "", "470", "470", "470"]
    assert table[2] == ["KL", "nats", "1.23456789", "0", "", "not defined"]
    assert table[3][:2] == ["holes", "share, 0 to 1"] and float(table[3][4]) == 1e-7
    assert len(table) == 4
