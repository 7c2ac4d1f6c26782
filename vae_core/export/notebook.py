"""A Jupyter notebook as text: the few keys of nbformat 4.5 that a notebook without outputs has."""

import json
from dataclasses import dataclass

FORMAT = (4, 5)


@dataclass(frozen=True)
class Cell:
    """A piece of text (Markdown) or of Python."""

    kind: str  # "markdown" or "code"
    source: str


def text(source: str) -> Cell:
    return Cell("markdown", source.strip("\n"))


def code(source: str) -> Cell:
    return Cell("code", source.strip("\n"))


def write_notebook(cells: list[Cell]) -> str:
    """The file. The same cells give the same text: their ids are their places."""
    major, minor = FORMAT
    content = {
        "cells": [_entry(number, cell) for number, cell in enumerate(cells, 1)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": major,
        "nbformat_minor": minor,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _entry(number: int, cell: Cell) -> dict[str, object]:
    entry: dict[str, object] = {"cell_type": cell.kind, "id": f"cell-{number}", "metadata": {}}
    if cell.kind == "code":
        entry |= {"execution_count": None, "outputs": []}
    return entry | {"source": cell.source.splitlines(keepends=True)}
