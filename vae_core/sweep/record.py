"""What came out of a sweep: every cell's figures, and for each beta and size their mean, least and most over seeds."""

import math
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vae_core.any_path import AnyPath
from vae_core.checkpoints import CheckpointError, card_bytes, read_card, write_files
from vae_core.config import ConfigError, RunConfig
from vae_core.models import family
from vae_core.sweep.grid import VARIED, Grid, spell

RECORD = "sweep.json"
_OTHERS = ("neg_elbo", "neg_iw_bound", "active_units")  # beside the terms of a family
_UNNAMED = (*VARIED, "device")  # settings that the config of a record leaves out


def make_record(grid: Grid, cards: Mapping[str, dict[str, Any]], failed: Mapping[str, str]) -> dict[str, Any]:
    """All that is known of a sweep, JSON-ready.

    Args:
        cards: of the finished cells, by name. failed: why other cells are none, by name.
    Returns:
        "command" makes the same again. "config": what all cells have in common. "rows": a cell each, with beta,
        latent_dim, seed and its figures on test images, in nats per image but for active_units. "bands": each beta and
        latent_dim with its "seeds", how many, and of each figure mean, min and max. "missing": the names of cells that
        are not finished. "failed": those of them that cannot be, each with a sentence.
    """
    cells = grid.cells()
    names = (*family(grid.base.model).TERMS, *_OTHERS)
    rows = []
    for cell in (name for name in cells if name in cards):
        figures = {name: cards[cell]["test"][name] for name in names if cards[cell]["test"].get(name) is not None}
        rows.append({name: getattr(cells[cell], name) for name in VARIED} | figures)
    return {
        "command": command(grid),
        "config": {name: value for name, value in grid.base.to_dict().items() if name not in _UNNAMED},
        "rows": rows,
        "bands": make_bands(rows),
        "missing": [name for name in cells if name not in cards],
        "failed": dict(failed),
        "devices": sorted({card["device"] for card in cards.values()}),
    }


def make_bands(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mean, least and most over the seeds, for each latent_dim and beta that have any; see `make_record`."""
    groups: dict[tuple[int, float], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["latent_dim"], row["beta"]), []).append(row)
    bands = []
    for (dim, beta), group in sorted(groups.items()):
        band: dict[str, Any] = {"latent_dim": dim, "beta": beta, "seeds": len(group)}
        for name in (name for name in group[0] if name not in VARIED):
            values = [row[name] for row in group]
            band[name] = {"mean": math.fsum(values) / len(values), "min": min(values), "max": max(values)}
        bands.append(band)
    return bands


def command(grid: Grid) -> str:
    """The command that trains the same again."""
    lists = {
        "betas": [spell(beta) for beta in grid.betas],
        "latent-dims": map(str, grid.latent_dims),
        "seeds": map(str, grid.seeds),
    }
    usual = RunConfig().to_dict()
    chosen = {k: v for k, v in grid.base.to_dict().items() if k not in VARIED and v != usual[k]}
    words = [f"--{name} {' '.join(values)}" for name, values in lists.items()]
    words += [f"--{name.replace('_', '-')} {shlex.quote(str(value))}" for name, value in chosen.items()]
    return " ".join(["python -m vae_core.sweep", *words, "--out DIR"])


def table(bands: list[dict[str, Any]]) -> str:
    """The bands as text: of each figure mean and, in brackets, least and most."""
    names = [name for name in bands[0] if name not in ("latent_dim", "beta", "seeds")] if bands else []
    lines = [["latents", "beta", "seeds", *({"neg_elbo": "−ELBO", "neg_iw_bound": "−L_K"}.get(n, n) for n in names)]]
    for band in bands:
        figures = [band[name] for name in names]
        ranges = [f"{f['mean']:.1f} ({f['min']:.1f} to {f['max']:.1f})" for f in figures]
        lines.append([str(band["latent_dim"]), spell(band["beta"]), str(band["seeds"]), *ranges])
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    rows = ["  ".join(text.rjust(wide) for text, wide in zip(line, widths, strict=True)) for line in lines]
    return "\n".join([*rows, "mean (least to most) over seeds, test, K=1, nats per image"])


def write_record(folder: Path, record: dict[str, Any]) -> None:
    """
    Raises:
        CheckpointError: the folder cannot be written.
    """
    write_files(folder, {RECORD: card_bytes(record)})


def read_record(folder: AnyPath) -> dict[str, Any]:
    """The record of a sweep's folder, with its bands as they follow from its rows.

    Raises:
        CheckpointError: it is not there, or something in it is missing or of a wrong type.
    """
    path = Path(folder) / RECORD
    record = read_card(path)
    try:
        base = RunConfig.from_dict(record["config"])
        rows = record["rows"]
        whole = isinstance(record["command"], str) and isinstance(record["missing"], list)
        for row in rows:
            base.with_(**{name: row[name] for name in VARIED})
            figures = [value for name, value in row.items() if name not in VARIED]
            whole &= set(family(base.model).TERMS) <= row.keys() and all(math.isfinite(value) for value in figures)
        bands = make_bands(rows)
    except (ConfigError, KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise CheckpointError(f"{path} is not whole: run its sweep again, which only reads what is finished.")
    return record | {"bands": bands}
