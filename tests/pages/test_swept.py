"""A sweep in the dose plot: means and whiskers by hand, and a word of all that is left out."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pages.ablation.dose import COLUMNS, dose_figure
from pages.ablation.dose_seeds import NAMES
from pages.ablation.swept import NO_SWEEP, read_swept
from tests.pages.test_sizes import opened
from vae_core.config import RunConfig
from vae_core.runs.registry import Registry
from vae_core.sweep.grid import Grid
from vae_core.sweep.record import make_record, write_record

# nll, kl of beta 0.5 and 4 with seeds 0 and 1
FIGURES = {(0.5, 0): (138.0, 8.0), (0.5, 1): (140.0, 7.0), (4.0, 0): (150.0, 3.0), (4.0, 1): (151.0, 5.0)}
NONE = pd.DataFrame(columns=list(COLUMNS)), pd.DataFrame(columns=NAMES)


def written(folder: Path, dims: tuple[int, ...] = (2,), without: tuple[str, ...] = (), **settings: Any) -> Path:
    """A sweep's record of these figures, the same for all sizes."""
    grid = Grid(RunConfig(**settings), (0.5, 4.0), dims, (0, 1))
    cards = {}
    for name, config in grid.cells().items():
        nll, kl = FIGURES[config.beta, config.seed]
        test = {"nll": nll, "kl": kl, "neg_elbo": nll + kl, "active_units": 2}
        if name not in without:
            cards[name] = {"test": test, "device": "CPU"}
    write_record(folder, make_record(grid, cards, {}))
    return folder


def test_means_stand_between_the_least_and_the_most_of_the_seeds(tmp_path: Path) -> None:
    swept = read_swept(written(tmp_path))
    assert swept.said == "The sweep: vae (mlp), 5 epochs, means and ranges over seeds (2)."
    figure = dose_figure(*NONE, dark=False, swept=swept)
    (drawn,) = [trace for trace in figure.data if trace.name == "sweep, all seeds"]
    assert list(drawn.x) == [7.5, 4.0] and list(drawn.y) == [139.0, 150.5]
    assert list(drawn.error_x.array) == list(drawn.error_x.arrayminus) == [0.5, 1.0]
    assert list(drawn.error_y.array) == list(drawn.error_y.arrayminus) == [1.0, 0.5]
    assert [row[0] for row in drawn.customdata] == [0.5, 4.0]  # no ids of runs, which a point would open


def test_other_sizes_and_what_is_missing_are_told(tmp_path: Path) -> None:
    swept = read_swept(written(tmp_path, (2, 8), without=("beta-4-dim-2-seed-1",), steps=30))
    assert len(swept.bands) == 2 and "30 steps" in swept.said and "over seeds (1–2)." in swept.said
    assert "1 of its trainings are not finished. Its 8 latents are left out: here all have 2." in swept.said


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"likelihood": "gaussian"}, "likelihood gaussian"), ({"protocol": "static"}, "protocol static")],
)
def test_what_cannot_be_compared_is_not_drawn(settings: dict[str, str], said: str, tmp_path: Path) -> None:
    swept = read_swept(written(tmp_path, **settings))
    assert swept.bands == () and f"its {said} cannot be compared" in swept.said


def test_without_a_sweep_or_with_none_that_can_be_read_the_plot_stands(tmp_path: Path) -> None:
    assert read_swept(None) == NO_SWEEP
    assert read_swept(tmp_path).said.startswith("No sweep is drawn: ") and not read_swept(tmp_path).bands


def test_the_page_draws_the_sweep_that_the_server_was_told_of(
    registry: Registry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ELBO_ROOM_SWEEP", str(written(tmp_path)))
    assert any("The sweep: vae (mlp), 5 epochs" in caption.value for caption in opened().caption)
