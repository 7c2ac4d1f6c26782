"""What came out of published rows, on disk: REPRODUCED.json, and REPRODUCED.md, which is rendered from it."""

import json
import statistics
from pathlib import Path
from typing import Any

from vae_core.any_path import AnyPath
from vae_core.cards import command
from vae_core.checkpoints import CheckpointError, card_bytes, write_files
from vae_core.config import RunConfig
from vae_core.published import ROWS, Figure, Row, name_of

JSON, MARKDOWN = "REPRODUCED.json", "REPRODUCED.md"
_OF_A_RUN = ("seed", "device")  # what of the settings differs between the runs of a row

HEAD = """# Published figures, trained for again

Made by `python -m vae_core.reproduce`, rendered from `{json}`. Nats per image on test images of MNIST, lower is better.
"Obtained" is mean ± standard deviation over seeds; "apart" is how far it lies from the published figure, in nats and,
where a spread over runs was published, in standard deviations of that spread.

| row | figure | obtained | seeds | published | apart |
|---|---|---|---|---|---|
"""


def read(folder: AnyPath) -> dict[str, Any]:
    """The results of a folder by the id of their row; none where it holds none.

    Raises:
        CheckpointError: the file is there and cannot be read.
    """
    path = Path(folder) / JSON
    if not path.exists():
        return {}
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
        assert isinstance(results, dict)
        assert all(isinstance(run["figures"], dict) for result in results.values() for run in result["runs"])
    except (OSError, ValueError, RecursionError, AssertionError, KeyError, TypeError, AttributeError):
        raise CheckpointError(f"{path} is damaged: restore it, or move it away to begin anew.") from None
    return results


def add(results: dict[str, Any], row: Row, config: RunConfig, run: dict[str, Any]) -> None:
    """Put a run into the results; it takes the place of one with its seed, and of all that had other settings."""
    usual = RunConfig().to_dict()
    settings = {k: v for k, v in config.to_dict().items() if k not in _OF_A_RUN and v != usual[k]}
    known = results.get(row.id, {"runs": []})
    runs = known["runs"] if known.get("settings") == settings else []
    kept = [other for other in runs if other["seed"] != run["seed"]]
    results[row.id] = {"settings": settings, "runs": sorted([*kept, run], key=lambda r: r["seed"])}


def write(folder: AnyPath, results: dict[str, Any]) -> None:
    """Both files.

    Raises:
        CheckpointError: the folder cannot be written.
    """
    write_files(folder, {JSON: card_bytes(results), MARKDOWN: render(results).encode()})


def obtained(results: dict[str, Any], row: str, figure: str) -> list[float]:
    """A figure of all runs of a row, in the order of their seeds."""
    return [run["figures"][figure] for run in results.get(row, {"runs": []})["runs"] if figure in run["figures"]]


def agrees(values: list[float], published: Figure) -> bool | None:
    """Whether the mean lies within the margin of the published figure; None where there is none."""
    return None if published.margin is None else abs(statistics.fmean(values) - published.value) <= published.margin


def lines(row: Row, results: dict[str, Any]) -> list[str]:
    """What came out of a row, a line a figure, for the terminal."""
    seconds = sum(run["seconds"] for run in results[row.id]["runs"])
    head = f"{row.id}: {row.title} ({row.source}); {seconds:,.0f} s"
    texts = [(name_of(name), *_cells(obtained(results, row.id, name), row.figures[name])) for name in row.figures]
    return [
        head,
        *(f"  {name}: {got} (seeds: {seeds}); published {value}; {apart}" for name, got, seeds, value, apart in texts),
    ]


def render(results: dict[str, Any]) -> str:
    """REPRODUCED.md: the table of all rows, then what is to be known of each."""
    table = []
    for row in ROWS:
        for i, (name, figure) in enumerate(row.figures.items()):
            cells = _cells(obtained(results, row.id, name), figure)
            table.append(f"| {f'`{row.id}`' if i == 0 else ''} | {name_of(name)} | {' | '.join(cells)} |")
    return HEAD.format(json=JSON) + "\n".join([*table, "", *(_about(row, results.get(row.id)) for row in ROWS)])


def _cells(values: list[float], figure: Figure) -> tuple[str, str, str, str]:
    """Obtained, seeds, published, apart."""
    spread = "" if figure.spread is None else f" ± {figure.spread:g}"
    runs = "" if figure.runs is None else f" ({figure.runs} runs)"
    published = f"{'about ' if figure.agrees else ''}{figure.value:g}{spread}{runs}"
    if not values:
        return "not run", "", published, ""
    mean = statistics.fmean(values)
    own = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
    apart = f"{mean - figure.value:+.2f}".replace("-", "−")
    if figure.spread is not None:
        apart += f", {abs(mean - figure.value) / figure.spread:.1f} sd"
    verdict = {True: ": agrees", False: ": does not agree", None: ""}[agrees(values, figure)]
    return f"{mean:.2f}{own}", str(len(values)), published, apart + verdict


def _about(row: Row, result: dict[str, Any] | None) -> str:
    """What is to be known of a row, as a section."""
    settings = RunConfig.from_dict(result["settings"] if result else row.settings)
    text = [f"## `{row.id}`: {row.title}", f"Source: {row.source}. {' '.join(row.differs)}", f"    {command(settings)}"]
    if result is not None:
        text.append(_of_runs(result["runs"]))
    return "\n\n".join(text) + "\n"


def _of_runs(runs: list[dict[str, Any]]) -> str:
    seeds = ", ".join(f"{run['seed']} ({run['seconds']:,.0f} s)" for run in runs)
    where = " and ".join(sorted({f"{run['device']}, torch {run['torch']}" for run in runs}))
    names = list(runs[0]["figures"])
    by_name = {name: " / ".join(f"{run['figures'][name]:.2f}" for run in runs) for name in names}
    each = [f"{name_of(name)} {values}" for name, values in by_name.items()]
    errors = ", ".join(f"{runs[0]['errors'][name]:.2f} of {name_of(name)}" for name in names)
    return (
        f"{runs[0]['steps']:,} steps; seeds {seeds}; on {where}. One by one: {'; '.join(each)}. Standard error over "
        f"the test images (seed {runs[0]['seed']}): {errors}."
    )
