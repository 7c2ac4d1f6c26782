"""The sources that the bug lab shows, read from the files that run: a line on the page cannot drift from them."""

import ast
import difflib
import inspect
import textwrap
from collections.abc import Callable, Sequence
from typing import Any


def code_lines(function: Callable[..., Any]) -> list[str]:
    """The source of a function without its docstring, indented from 0."""
    source = textwrap.dedent(inspect.getsource(function))
    (parsed,) = ast.parse(source).body
    assert isinstance(parsed, ast.FunctionDef)
    lines, first = source.splitlines(), parsed.body[0]
    if ast.get_docstring(parsed) is not None:
        del lines[first.lineno - 1 : first.end_lineno]
    return lines


def changed(right: Sequence[str], wrong: Sequence[str]) -> tuple[list[str], list[str]]:
    """The lines that only the first has, and those that only the second has, without their indentation."""
    lines = list(difflib.ndiff(right, wrong))
    removed, added = ([line[2:].strip() for line in lines if line.startswith(mark)] for mark in ("- ", "+ "))
    return removed, added


def as_diff(right: Sequence[str], wrong: Sequence[str], names: tuple[str, str]) -> str:
    """Both functions as one unified diff under the names of the two; the line numbers, which mean nothing, go."""
    lines = difflib.unified_diff(right, wrong, *names, n=len(right), lineterm="")
    return "\n".join(line for line in lines if not line.startswith("@@"))
