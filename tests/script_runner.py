"""A script that repeats a run, run in an interpreter of its own, or in a namespace of its own in this one."""

import contextlib
import io
import os
import runpy
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import torch


@dataclass(frozen=True)
class Ended:
    """How a script has ended: its exit status and what it said."""

    returncode: int
    stdout: str
    stderr: str


def run_alone(file: Path, folder: Path, *arguments: str) -> Ended:
    """In a fresh interpreter that cannot see this repository, from a folder; it takes seconds to import torch."""
    bare = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    command = [sys.executable, "-I", str(file), *arguments]
    result = subprocess.run(command, cwd=folder, env=bare, capture_output=True, text=True, timeout=250)
    return Ended(result.returncode, result.stdout, result.stderr)


def run_here(file: Path, folder: Path, *arguments: str) -> Ended:
    """The same in this interpreter: all names are its own, and what it changes of torch and the system is put back."""
    out, err, threads, code = io.StringIO(), io.StringIO(), torch.get_num_threads(), None
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=[]))
        stack.enter_context(mock.patch.object(sys, "argv", [str(file), *arguments]))
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        try:
            runpy.run_path(str(file), run_name="__main__")
        except SystemExit as end:
            code = end.code
        finally:
            torch.set_num_threads(threads)
    if isinstance(code, str):  # as the interpreter does it
        print(code, file=err)
    return Ended(code if isinstance(code, int) else int(code is not None), out.getvalue(), err.getvalue())
