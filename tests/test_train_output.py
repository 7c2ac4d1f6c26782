"""What the command line prints on a terminal that lacks letters, or that has gone: readable, and never a traceback."""

import ast
import io
import os
import pty
import subprocess
import sys
import termios
from dataclasses import replace
from pathlib import Path

import pytest

from tests.command_line import ROOT, TINY, run_main
from tests.test_export_script import every_kind
from tests.test_train_ends import WITH_FEW_IMAGES
from tests.told import tell
from vae_core import checkpoints, console
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.trainer import Trainer

FEW = [sys.executable, "-c", WITH_FEW_IMAGES, "--device", "cpu", "--epochs", "3", "--latent-dim", "3"]
BARE = {**os.environ, "OMP_NUM_THREADS": "1"}


def stream_of(encoding: str, errors: str = "strict") -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding, errors, write_through=True)


def written(stream: io.TextIOWrapper) -> bytes:
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_a_training_ends_well_whatever_the_terminal_can_show(
    encoding: str, small_data: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, err = stream_of(encoding), stream_of(encoding, "backslashreplace")
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    assert run_main(*TINY, "--out", str(tmp_path / "out")) == 0
    said = written(out).decode(encoding)
    minus = "−" if encoding == "utf-8" else "-"
    assert said.startswith(f"{minus}ELBO (K=1, grey data, test, 500 images)") and "?" not in said
    assert said.endswith(f"saved to {tmp_path / 'out'}\n") and b"\\u" not in written(err)
    assert checkpoints.load(tmp_path / "out").config.latent_dim == 3


def test_the_real_command_ends_well_in_the_c_locale_and_names_a_folder_of_other_letters(tmp_path: Path) -> None:
    folder = tmp_path / "réseau"
    environment = {**BARE, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    result = subprocess.run([*FEW, "--out", folder], capture_output=True, cwd=ROOT, env=environment, timeout=120)
    assert (result.returncode, result.stderr) == (0, b"")
    assert b"\n-importance-weighted bound (K=100" in result.stdout
    assert result.stdout.endswith(b"saved to " + os.fsencode(folder) + b"\n")  # its bytes, as they are
    assert checkpoints.load(folder).config.epochs == 3


def test_on_a_terminal_the_bar_and_the_table_are_plain_letters(tmp_path: Path) -> None:
    """A pseudo-terminal: there the progress bar is drawn."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    environment = {**BARE, "PYTHONIOENCODING": "ascii", "TERM": "xterm"}
    process = subprocess.Popen(
        [*FEW, "--out", str(tmp_path / "out")], stdout=theirs, stderr=theirs, cwd=ROOT, env=environment
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            said += os.read(ours, 65_536)
        except OSError:  # the other end is closed: the command has ended
            break
    assert process.wait(timeout=60) == 0
    text = said.decode("ascii")
    assert " images/s" in text and "nats]" in text and "-ELBO (K=1" in text and "Traceback" not in text


def test_a_reader_that_has_gone_costs_no_result(tmp_path: Path) -> None:
    """As `| head -1` does: the pipe is closed while the command still has its table to print."""
    process = subprocess.Popen(
        [*FEW, "--out", str(tmp_path / "out")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=BARE
    )
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline() == b"begun\n"
    process.stdout.close()
    assert process.stderr.read() == b"" and process.wait(timeout=120) == 0
    assert checkpoints.load(tmp_path / "out").config.epochs == 3


def test_help_and_refusals_are_plain_letters_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    out, err = stream_of("ascii"), stream_of("ascii")
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    assert run_main("--help") == 0 and b"--overwrite" in written(out)
    assert run_main("--net", "mlp−2", "--out", str(tmp_path / "out")) == 2
    assert written(err) == b"error: net 'mlp-2' is unknown: choose mlp or conv.\n"


def test_a_letter_is_replaced_by_what_looks_like_it_and_a_byte_of_a_file_name_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = stream_of("ascii")
    monkeypatch.setattr(sys, "stdout", out)
    console.accept_all_letters()
    console.say("−1.5 → 2 × ‖z‖ … é Ø ½ 中 \udcff \ud800")
    assert written(out) == b"-1.5 -> 2 x ||z|| ... e ? 12 ? \xff ?\n"


def test_what_is_no_stream_of_letters_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A notebook's stdout has no encoding to speak of; a program without a console has none at all."""
    notebook = io.StringIO()
    monkeypatch.setattr(sys, "stdout", notebook)
    monkeypatch.setattr(sys, "stderr", None)
    console.accept_all_letters()
    console.say("−ELBO")
    assert notebook.getvalue() == "−ELBO\n"


def test_the_script_that_repeats_a_run_prints_plain_letters(small: Images) -> None:
    """It is run wherever its owner likes: whatever it prints is ASCII, the figures of the run included."""
    story = tell(Trainer(RunConfig(device="cpu"), small), 2, {1: {"beta": 0.0}})
    assert story.final is not None
    below = replace(story, final=story.final | {"neg_elbo": -176.86})
    prints = 0
    for script in every_kind(below):
        for node in ast.walk(ast.parse(script)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "sys.exit"):
                prints += 1
                assert ast.unparse(node).isascii()
    assert prints > 50
