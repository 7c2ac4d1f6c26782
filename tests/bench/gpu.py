"""`python -m tests.bench.gpu`: what a GPU changes, in a few minutes and in tables.

It needs torch, numpy, safetensors and tqdm, and pytest for its first part. Without a GPU: `--device cpu --quick`.
`--json PATH` and `--markdown PATH` write what it prints (once a GPU has been measured, tests/bench/RESULTS.md). A part
that fails is named in the table, and the others go on. Exit status: 0, 1 where a part has failed, 2 where it could not
begin.
"""

import argparse
import datetime
import json
import math
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from tests.bench.gpu_parts import PARTS, Budget, Result, Table, quick
from vae_core import devices
from vae_core.config import ConfigError

NEEDED = "There is no CUDA GPU here: run this on a machine that has one, or give --device cpu (and --quick)."


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.device is None and not torch.cuda.is_available():
        print(NEEDED, file=sys.stderr)
        return 2
    try:
        device = devices.resolve(options.device or "cuda")
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    report: dict[str, Any] = {"machine": machine(device), "quick": options.quick, "parts": {}}
    if options.quick:
        torch.set_num_threads(1)  # two that spin for each other on a busy machine take many times as long
    budget = quick(device) if options.quick else Budget(device)
    for name in options.parts:
        print(f"{name} …", file=sys.stderr, flush=True)
        report["parts"][name] = guarded(PARTS[name], budget)
        write(report, options)  # after every part: who stops it keeps what there is
    print(markdown(report))
    return int(not all(part["ok"] for part in report["parts"].values()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.gpu", description="Measure what a GPU changes.")
    parser.add_argument("--device", choices=("cuda", "mps", "cpu"), help="cuda when left out")
    parser.add_argument("--quick", action="store_true", help="a look of seconds")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures here")
    parser.add_argument("--markdown", type=Path, metavar="PATH", help="write the tables here")
    parser.add_argument("--parts", nargs="+", choices=tuple(PARTS), default=tuple(PARTS), help="all when left out")
    return parser


def machine(device: torch.device) -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "device": devices.describe(device),
        "cpu": devices.describe(torch.device("cpu")),
        "cores": os.cpu_count(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "date": datetime.date.today().isoformat(),
    }


def guarded(part: Callable[[Budget], Result], budget: Budget) -> dict[str, Any]:
    """What a part has found, JSON-ready; its error where it has failed."""
    started = time.perf_counter()
    try:
        result = part(budget)
        failed = result.failed or _no_number(result.tables)
    except Exception as error:  # noqa: BLE001  (the other parts go on)
        result, failed = Result([]), f"{type(error).__name__}: {error}"
    return {
        "ok": not failed,
        "error": failed,
        "seconds": time.perf_counter() - started,
        "tables": [_as_dict(table) for table in result.tables],
        "notes": result.notes,
    }


def _no_number(tables: Sequence[Table]) -> str:
    """Names of the rows with a figure that is none."""
    bad = [what for table in tables for what, values in table.rows if not all(math.isfinite(v) for v in values)]
    return f"no finite figure: {', '.join(bad)}" if bad else ""


def _as_dict(table: Table) -> dict[str, Any]:
    rows = [{"what": what, **dict(zip(table.columns, values, strict=True))} for what, values in table.rows]
    return {"title": table.title, "columns": list(table.columns), "rows": rows}


def write(report: dict[str, Any], options: argparse.Namespace) -> None:
    if options.json:
        options.json.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if options.markdown:
        options.markdown.write_text(markdown(report), encoding="utf-8")


def markdown(report: dict[str, Any]) -> str:
    """All parts as a page."""
    m = report["machine"]
    budget = ", the quick look" if report["quick"] else ""
    lines = [
        f"# Measured on {m['device']}",
        "",
        f"`python -m tests.bench.gpu`{budget}, {m['date']}: torch {m['torch']}, Python {m['python']}; beside it "
        f"{m['cpu']}, {m['cores']} cores. Times differ from machine to machine: read the ratios.",
    ]
    for name, part in report["parts"].items():
        lines += ["", f"## {name}: {'done' if part['ok'] else 'FAILED'} after {part['seconds']:.0f} s"]
        if part["error"]:
            lines += ["", f"**{' '.join(part['error'].split())}**"]
        for table in part["tables"]:
            lines += _table(table)
        if part["notes"]:
            lines += ["", *(f"- {note}" for note in part["notes"])]
    return "\n".join(lines) + "\n"


def _table(table: dict[str, Any]) -> list[str]:
    columns = table["columns"]
    rows = [[row["what"], *(_short(row[column]) for column in columns)] for row in table["rows"]]
    lines = [[table["title"], *columns], ["---", *["---:"] * len(columns)], *rows]
    return ["", *(f"| {' | '.join(cells)} |" for cells in lines)]


def _short(value: float) -> str:
    """Three digits, and whole numbers whole."""
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main())
