"""A notebook without Jupyter: its code cells one after the other, in a fresh interpreter that knows no repository."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat

_RUN = """
import ast, json, sys
names = json.loads(sys.argv[2])
scope, shown = {"__name__": "__main__"}, []
for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"]:
    if cell["cell_type"] != "code":
        continue
    tree = ast.parse("".join(cell["source"]))
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, cell["id"], "exec"), scope)
    if last is not None:  # what Jupyter would show
        value = eval(compile(ast.Expression(last.value), cell["id"], "eval"), scope)
        shown += [type(value).__name__] if value is not None else []
plain = lambda v: v.tolist() if hasattr(v, "tolist") else json.loads(v.to_json()) if hasattr(v, "to_json") else v
print("\\n" + json.dumps({name: plain(scope[name]) for name in names} | {"shown": shown}))
"""


def cells_of(notebook: str, kind: str) -> list[str]:
    """The sources of its cells of one kind; a notebook that nbformat does not take is an error."""
    content = nbformat.reads(notebook, as_version=nbformat.NO_CONVERT)
    nbformat.validate(content)
    assert (content.nbformat, content.nbformat_minor) == (4, 5)
    return [cell.source for cell in content.cells if cell.cell_type == kind]


def run_cells(notebook: str, folder: Path, *names: str) -> tuple[dict[str, Any], str]:
    """Values that its cells leave behind, with the kinds of what they show last ("shown"), and what they print."""
    cells_of(notebook, "code")
    (folder / "it.ipynb").write_text(notebook, encoding="utf-8")
    bare = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"MNIST_MIRROR": "http://127.0.0.1:9"}
    command = [sys.executable, "-I", "-c", _RUN, "it.ipynb", json.dumps(names)]
    result = subprocess.run(command, cwd=folder, env=bare, capture_output=True, text=True, timeout=250)
    assert result.returncode == 0, result.stderr
    said, _, values = result.stdout.rstrip("\n").rpartition("\n")
    return json.loads(values), said
