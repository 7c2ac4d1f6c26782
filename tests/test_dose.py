"""The dose plot: its numbers against cards on disk and by hand, its lines, its labels, and what it leaves out."""

import json
import math
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from pages.ablation.dose import COLUMNS, dose_figure, effect, points, too_short
from pages.ablation.dose_seeds import NAMES, lowest, seed_table
from pages.ui import shipped
from tests.test_metrics_table import GOOD
from vae_core import train
from vae_core.config import LiveSettings, RunConfig
from vae_core.inspect.snapshot import Snapshot
from vae_core.runs.messages import FINISHED, RUNNING, Update
from vae_core.runs.registry import Registry
from vae_core.runs.snapshot_file import read_frame

# beta, nll, kl: two shipped points on one line of equal −ELBO (150), the best between them, two collapsed ones together
ROWS = [(0.5, 138.0, 12.0), (1.0, 140.0, 7.0), (4.0, 146.0, 4.0), (16.0, 206.0, 0.001), (32.0, 206.1, 0.0)]

# Other seeds of beta 0.5, 1 and 32: those of 0.5 reach down to 146.9, where beta 1 lies.
SEEDS = pd.DataFrame(
    [
        (0.5, 1, 136.0, 10.9, 146.9),
        (1.0, 1, 139.0, 7.5, 146.5),
        (1.0, 2, 139.0, 8.5, 147.5),
        (32.0, 1, 206.0, 0.0, 206.0),
    ],
    columns=NAMES,
)


@pytest.fixture
def table() -> pd.DataFrame:
    rows = [(beta, nll, kl, nll + kl, f"run-{beta:g}", "shipped", 10.0) for beta, nll, kl in ROWS]
    known = pd.DataFrame([*rows, (2.0, 150.0, 5.0, 155.0, "mine", "live", 2.5)], columns=list(COLUMNS[:7]))
    return known.reindex(columns=list(COLUMNS))


@pytest.fixture
def split(table: pd.DataFrame) -> pd.DataFrame:
    """Of 5,000 images; the live run and beta 16 have not been measured, beta 32 lies above the picture."""
    measured = {"information": [8.0, 6.0, 3.8, None, 0.0, None], "information_error": [0.02] * 3 + [None, 0.0, None]}
    rest = {"marginal_kl": [4.0, 1.0, 0.2, None, 0.0, None], "images": [5000.0] * 3 + [None, 5000.0, None]}
    return table.assign(**measured, **rest)


@pytest.fixture
def live(fake_registry: Registry, links: list[Any]) -> Callable[..., str]:
    """A visitor's run that has made 20 steps of 8 an epoch; returns its id."""

    def made(status: str = RUNNING, final: Any = None, snapshot: Snapshot | None = None, **config: Any) -> str:
        run_id = fake_registry.start(RunConfig(device="cpu", **config), "ann")
        rows = np.array([[20, 1, 1, 2]], np.float32)[:, : 3 if config.get("model") == "ae" else 4]
        links[-1].tell(
            Update(
                run_id,
                0,
                status,
                step=20,
                steps_per_epoch=8,
                total_steps=800,
                rows=rows,
                final=final,
                settings=LiveSettings(config.get("alpha", 1.0), config.get("beta", 1.0)),
                snapshot=snapshot,
            )
        )
        return run_id

    return made


@pytest.fixture
def taken(snapshot_of_new_model: Snapshot) -> Snapshot:
    return snapshot_of_new_model


def lines(figure: go.Figure) -> list[Any]:
    return [trace for trace in figure.data if trace.mode == "lines"]


# ---- the table


def test_a_shipped_point_has_the_figures_of_its_card(fake_registry: Registry) -> None:
    found = points(shipped.shipped_dose())
    for row in found.to_dict("records"):
        card = json.loads((shipped.CHECKPOINTS / "dose" / row["run_id"] / "card.json").read_text())
        assert (row["beta"], row["epochs"]) == (card["config"]["beta"], card["config"]["epochs"])
        assert (row["nll"], row["kl"]) == (card["test"]["nll"], card["test"]["kl"]) and row["kind"] == "shipped"
        assert row["neg_elbo"] == pytest.approx(card["test"]["neg_elbo"], abs=1e-3)
        folder = shipped.CHECKPOINTS / "dose" / row["run_id"] / "film"
        meter = read_frame(next(folder.iterdir()))[0]["meter"]
        assert (row["information"], row["marginal_kl"]) == (meter["information"], meter["marginal_kl"])
        assert row["information"] < math.log(5000) and meter["kl"] == pytest.approx(row["kl"], rel=0.02, abs=0.001)
        assert row["information"] + row["marginal_kl"] == pytest.approx(meter["kl"], abs=4 * row["information_error"])
    assert found["beta"].tolist() == [0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32]


def test_a_run_under_way_has_the_figures_of_its_last_test_row(live: Callable[..., str], taken: Snapshot) -> None:
    (row,) = points([live(beta=2.5, snapshot=taken)]).to_dict("records")
    assert (row["beta"], row["kind"], row["epochs"]) == (2.5, "live", 2.5)
    assert row["nll"] == pytest.approx(taken.terms["nll"], rel=1e-6) and row["kl"] == pytest.approx(
        taken.terms["kl"], rel=1e-6
    )
    assert row["neg_elbo"] == pytest.approx(taken.terms["nll"] + taken.terms["kl"], rel=1e-6)


def test_a_finished_run_has_the_figures_of_its_end(live: Callable[..., str], taken: Snapshot) -> None:
    final = {"nll": 140.5, "kl": 6.25}
    (row,) = points([live(status=FINISHED, final=final, snapshot=taken)]).to_dict("records")
    assert (row["nll"], row["kl"], row["neg_elbo"]) == (140.5, 6.25, 146.75)


@pytest.mark.parametrize(
    "config",
    [
        {"model": "ae", "beta": 0.0},
        {"alpha": 0.0},
        {"likelihood": "gaussian"},
        {"protocol": "threshold"},
    ],
)
def test_what_has_no_comparable_distortion_is_left_out(
    config: dict[str, Any], live: Callable[..., str], taken: Snapshot
) -> None:
    seen = replace(taken, scales={"sigma": 0.1, "rmse": 0.2} if config.get("likelihood") else {})
    found = points([live(snapshot=seen, **config), "nobody"])
    assert found.empty and list(found.columns) == list(COLUMNS)


def test_a_run_without_a_figure_yet_is_left_out(live: Callable[..., str]) -> None:
    assert points([live()]).empty
    assert points([live(status=FINISHED, final={"nll": None, "kl": 1.0})]).empty


def test_points_come_in_the_order_of_beta(live: Callable[..., str], taken: Snapshot) -> None:
    ids = [live(beta=beta, snapshot=taken) for beta in (4.0, 0.5, 1.0)]
    assert points(ids)["run_id"].tolist() == [ids[1], ids[2], ids[0]]


# ---- the figure


@pytest.mark.parametrize("dark", [False, True])
def test_points_are_drawn_where_they_are_and_live_ones_in_another_shape(table: pd.DataFrame, dark: bool) -> None:
    traces = [trace for trace in dose_figure(table, SEEDS, dark).data if "markers" in trace.mode]
    shipped_trace, others, live_trace = (trace for trace in traces if trace.name != "above")
    assert list(zip(others.x, others.y, strict=True)) == [(10.9, 136.0), (7.5, 139.0), (8.5, 139.0)]  # in the picture
    assert others.marker.symbol == "circle-open" and others.marker.size < shipped_trace.marker.size
    assert list(zip(shipped_trace.x, shipped_trace.y, strict=True)) == [(kl, nll) for _, nll, kl in ROWS]
    assert shipped_trace.mode == "lines+markers" and live_trace.mode == "markers"
    assert (list(live_trace.x), list(live_trace.y)) == ([5.0], [150.0])
    assert shipped_trace.marker.symbol != live_trace.marker.symbol
    assert [row[0] for row in shipped_trace.customdata] == [f"run-{beta:g}" for beta, _, _ in ROWS]


def test_along_a_line_the_sum_is_the_same_and_is_written_at_it(table: pd.DataFrame) -> None:
    figure = dose_figure(table, SEEDS, dark=False)
    labels = {(note.x, note.y): note.text for note in figure.layout.annotations}
    assert len(lines(figure)) >= 4 and {line.name for line in lines(figure)} == {
        "equal −ELBO",
        "lowest −ELBO, 147.0 nats",
    }
    for line in lines(figure):
        total = line.x[0] + line.y[0]
        assert line.x[1] + line.y[1] == pytest.approx(total) and line.x[1] > line.x[0]
        ends = [labels.get((x, y)) for x, y in zip(line.x, line.y, strict=True)]
        assert line.line.width == 3 or f"{total:g}" in ends


def test_the_heavy_line_goes_through_the_best_shipped_point(table: pd.DataFrame) -> None:
    (heavy,) = [line for line in lines(dose_figure(table, SEEDS, dark=False)) if line.line.width == 3]
    assert heavy.x[0] + heavy.y[0] == pytest.approx(147.0)  # beta 1; a live run with less would not move it
    better = pd.concat([table, table.tail(1).assign(nll=100.0, kl=5.0, neg_elbo=105.0)])
    (heavy,) = [line for line in lines(dose_figure(better, SEEDS, dark=False)) if line.line.width == 3]
    assert heavy.x[0] + heavy.y[0] == pytest.approx(147.0)


def test_everything_lies_in_the_picture_but_points_far_above(table: pd.DataFrame) -> None:
    figure = dose_figure(table, SEEDS, dark=False)
    (left, right), (low, high) = figure.layout.xaxis.range, figure.layout.yaxis.range
    for trace in figure.data:
        inside = [y for y in trace.y if y < 200]
        assert left <= min(trace.x) and max(trace.x) <= right and low - 1e-9 <= min(inside) and max(inside) <= high


def test_a_point_far_above_stands_at_the_upper_edge_with_its_true_figures(table: pd.DataFrame) -> None:
    figure = dose_figure(table, SEEDS, dark=False)
    (edge,) = [trace for trace in figure.data if trace.name == "above"]
    assert set(edge.y) == {figure.layout.yaxis.range[1]} and list(edge.x) == [0.001, 0.0]
    assert [(row[0], row[4]) for row in edge.customdata] == [("run-16", 206.0), ("run-32", 206.1)]
    assert "206" in " ".join(note.text for note in figure.layout.annotations)


def betas_written(table: pd.DataFrame) -> list[str]:
    notes = dose_figure(table, SEEDS, dark=False).layout.annotations
    return sorted(note.text for note in notes if note.text.startswith("beta"))


def test_every_beta_is_written_once_and_those_that_lie_together_in_one_label(table: pd.DataFrame) -> None:
    written = [
        note.text for note in dose_figure(table, SEEDS, dark=False).layout.annotations if note.text.startswith("beta")
    ]
    assert sorted(written) == ["beta 0.5", "beta 1", "beta 16, 32: nll 206, above", "beta 2", "beta 4"]
    near = table.assign(nll=table["nll"].clip(upper=150.0))
    written = [
        note.text for note in dose_figure(near, SEEDS, dark=False).layout.annotations if note.text.startswith("beta")
    ]
    assert sorted(written) == ["beta 0.5", "beta 1", "beta 16, 32", "beta 2", "beta 4"]


@pytest.mark.parametrize("dark", [False, True])
def test_it_can_be_read_from_the_back_row(table: pd.DataFrame, dark: bool) -> None:
    figure = dose_figure(table, SEEDS, dark)
    sizes = [note.font.size for note in figure.layout.annotations]
    sizes += [figure.layout.xaxis.tickfont.size, figure.layout.yaxis.tickfont.size, figure.layout.legend.font.size]
    assert min(sizes) >= 14
    assert "nats" in figure.layout.xaxis.title.text and "nats" in figure.layout.yaxis.title.text


def test_a_rate_is_split_where_it_was_measured(split: pd.DataFrame) -> None:
    figure = dose_figure(split, SEEDS, dark=False)
    named = {trace.name: trace for trace in figure.data}
    marks, across, most = named["I(n; z)"], named["KL(q(z) ‖ p(z))"], named["ln 5,000"]
    assert list(zip(marks.x, marks.y, strict=True)) == [(8.0, 138.0), (6.0, 140.0), (3.8, 146.0)]
    ends = list(zip(across.x, across.y, strict=True))
    assert ends[:2] == [(8.0, 138.0), (12.0, 138.0)] and ends[3:5] == [(6.0, 140.0), (7.0, 140.0)]
    assert ends[6:8] == [(3.8, 146.0), (4.0, 146.0)] and set(ends[2::3]) == {(None, None)} and len(ends) == 9
    assert set(most.x) == {math.log(5000)} and list(most.y) == list(figure.layout.yaxis.range)
    assert "ln 5,000 = 8.5" in [note.text for note in figure.layout.annotations]
    (hover,) = [row[6] for row in named["shipped"].customdata if row[0] == "run-0.5"]
    assert hover == "<br>KL = I(n; z) 8.0 ± 0.02 + KL(q(z) ‖ p(z)) 4.0"
    assert [row[6] for row in named["live, fewer epochs"].customdata] == [""]


def test_without_a_measured_point_nothing_is_split(table: pd.DataFrame) -> None:
    assert not {trace.name for trace in dose_figure(table, SEEDS, dark=True).data} & {"I(n; z)", "KL(q(z) ‖ p(z))"}


def test_the_split_of_a_run_is_that_of_its_last_snapshot(live: Callable[..., str], taken: Snapshot) -> None:
    values = GOOD.to_dict()
    (row,) = points([live(snapshot=replace(taken, metrics=values))]).to_dict("records")
    assert (row["information"], row["marginal_kl"], row["images"]) == (4.9, 0.6, 5000)
    old = {key: value for key, value in values.items() if not key.startswith(("information", "marginal", "images"))}
    (row,) = points([live(snapshot=replace(taken, metrics=old))]).to_dict("records")
    assert pd.isna(row["information"]) and pd.isna(row["images"])


def test_without_points_there_is_an_empty_plot_and_no_caption() -> None:
    nothing = points([])
    figure = dose_figure(nothing, SEEDS[:0], dark=True)
    assert not [trace for trace in figure.data if "markers" in trace.mode] and effect(nothing) == ""
    assert lowest(nothing, SEEDS) == ""


def test_the_caption_names_the_best_beta_with_its_seeds_and_the_ends(table: pd.DataFrame) -> None:
    best = "Beta 1 ends lowest: −ELBO 146.5 to 147.5 over 3 seeds; beta 0.5 (146.9 to 150.0) overlaps."
    assert lowest(table, SEEDS) == best
    said = effect(table)
    assert "from beta 0.5 to 32 it falls from 12.0 to 0.0" in said and "rises from 138.0 to 206.1" in said


def test_which_beta_is_lowest_is_said_only_as_far_as_the_seeds_tell(table: pd.DataFrame) -> None:
    assert lowest(table, SEEDS[1:]) == "Beta 1 ends lowest: −ELBO 146.5 to 147.5 over 3 seeds, no other beta overlaps."
    assert lowest(table, SEEDS[:0]) == "Beta 1 ends lowest: −ELBO 147.0 (one seed)."
    lower = SEEDS.assign(neg_elbo=[140.0, 146.5, 147.5, 206.0])  # the mean of beta 0.5 is below that of beta 1
    assert lowest(table, lower).startswith("Beta 0.5 ends lowest: −ELBO 140.0 to 150.0 over 2 seeds; beta 1 (")


def test_a_run_that_has_trained_less_than_the_shipped_ones_is_hollow(table: pd.DataFrame) -> None:
    """Stopped or under way after 2.5 epochs of the shipped 10, its figures are not where its beta ends."""
    whole = table.tail(1).assign(epochs=10.0, run_id="whole", kl=5.5)
    figure = dose_figure(pd.concat([table, whole], ignore_index=True), SEEDS, dark=False)
    drawn = {trace.name: [row[0] for row in trace.customdata] for trace in figure.data if trace.marker.symbol}
    assert drawn["live"] == ["whole"] and drawn["live, fewer epochs"] == ["mine"]
    (hollow,) = [trace for trace in figure.data if trace.name == "live, fewer epochs"]
    assert hollow.marker.symbol == "diamond-open"
    assert too_short(table).tolist() == [False] * 5 + [True]
    assert not too_short(table[table["kind"] == "live"]).any()  # nothing to fall short of


def test_the_shipped_seeds_are_the_cards_of_the_same_trainings() -> None:
    runs = {card["config"]["beta"]: card for card in map(dose_card, shipped.CHECKPOINTS.glob("dose/*/card.json"))}
    cards = shipped.dose_seeds()
    assert len(cards) >= 8 and {0.25, 0.5, 1.0, 2.0} <= {card["config"]["beta"] for card in cards}
    for card in cards:
        config, words = RunConfig(**card["config"]), shlex.split(card["command"])
        assert config.seed in (1, 2) and config.with_(seed=0) == RunConfig(**runs[config.beta]["config"])
        options, *_ = train.parsed(words[3:])
        assert words[:3] == ["python", "-m", "vae_core.train"] and RunConfig(**options) == config and card["finished"]
    found = seed_table(cards)
    assert (found["nll"] + found["kl"]).to_numpy() == pytest.approx(found["neg_elbo"].to_numpy(), abs=1e-3)
    assert not found.duplicated(["beta", "seed"]).any()


def dose_card(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_run_is_what_the_registry_holds(live: Callable[..., str], taken: Snapshot, fake_registry: Registry) -> None:
    run_id = live(snapshot=taken)
    assert fake_registry.get(run_id) is not None and points([run_id])["run_id"].tolist() == [run_id]
