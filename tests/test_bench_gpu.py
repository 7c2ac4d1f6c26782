"""The bench for a GPU, as it runs where there is none: complete, on the core alone, and with its failures named."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.bench import gpu, gpu_parts
from tests.bench.gpu_parts import PARTS, Budget, Result, Table

ROOT = Path(__file__).resolve().parents[1]
ABSENT = ("streamlit", "plotly", "pandas", "torchvision", "PIL", "tensorboardX", "playwright", "starlette")
NOWHERE = Budget(torch.device("cpu"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def report(folder: Path) -> dict[str, Any]:
    """Of a whole run, in an interpreter that cannot import what only the pages need."""
    for name in ABSENT:
        (folder / f"{name}.py").write_text(f"raise ImportError('{name} is not here')\n")
    command = [sys.executable, "-m", "tests.bench.gpu", "--device", "cpu", "--quick"]
    command += ["--json", str(folder / "figures.json"), "--markdown", str(folder / "figures.md")]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(folder)}, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stdout.strip() == (folder / "figures.md").read_text(encoding="utf-8").strip()
    return json.loads((folder / "figures.json").read_text(encoding="utf-8"))


def rows(report: dict[str, Any], part: str, table: int = 0) -> dict[str, list[float]]:
    found = report["parts"][part]["tables"][table]
    return {row["what"]: [row[column] for column in found["columns"]] for row in found["rows"]}


def test_every_part_is_done_and_every_figure_is_a_number(report: dict[str, Any]) -> None:
    assert list(report["parts"]) == list(PARTS) and report["quick"]
    assert set(report["machine"]) == {"device", "cpu", "cores", "torch", "python", "date"}
    for part in report["parts"].values():
        assert part["ok"] and part["error"] == "" and part["seconds"] > 0 and part["tables"]
        for table in part["tables"]:
            figures = [row[column] for row in table["rows"] for column in table["columns"]]
            assert table["rows"] and all(math.isfinite(figure) and figure >= 0 for figure in figures)


def test_it_names_the_tests_that_need_a_gpu(report: dict[str, Any]) -> None:
    passed, failed, skipped = rows(report, "tests")["all"]
    named = report["parts"]["tests"]["notes"]
    assert failed == 0 and passed + skipped == len(named) >= 9
    assert any("test_training_on_cuda_reaches_a_lower_loss[conv]" in name for name in named)
    assert any("test_a_run_on_cuda_is_repeated" in name for name in named)


def test_a_cpu_makes_the_curve_of_the_cpu(report: dict[str, Any]) -> None:
    """Bit for bit, by the trainer's own promise; the model has learned by then."""
    for gaps in rows(report, "curves").values():
        assert gaps == [0, 0, 0, 0]
    for ends in rows(report, "curves", 1).values():
        assert len(set(ends)) == 1 and 100 < ends[0] < 450  # an untrained one: 784 ln 2 = 543


def test_speeds_and_ratios_are_positive_and_fit_each_other(report: dict[str, Any]) -> None:
    for what, (images, milliseconds) in rows(report, "speed").items():
        batch = int(what.partition("batch ")[2])
        assert images > 0 and images * milliseconds / 1000 == pytest.approx(batch)
    alone, together, ratio = rows(report, "arms")["three arms"]
    assert min(alone, together) > 0 and ratio == pytest.approx(together / alone)


def test_the_background_process_trained_paused_and_stopped(report: dict[str, Any]) -> None:
    found = {what: value for what, (value,) in rows(report, "engine").items()}
    assert min(found.values()) > 0 and found["step of its last snapshot"] == found["stopped at step"]
    assert found["−log p(x) at most, nats"] < found["−ELBO, test, nats"] < 543


def test_a_part_that_fails_is_named_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def broken(budget: Budget) -> Result:
        raise RuntimeError("no such kernel")

    def endless(budget: Budget) -> Result:
        return Result([Table("speeds", ("images/s",), [("mlp", (math.inf,))])])

    for name, part in (("curves", broken), ("speed", endless)):
        monkeypatch.setitem(PARTS, name, part)
    monkeypatch.setitem(PARTS, "arms", lambda budget: Result([Table("t", ("s",), [("a", (2.5,))])]))
    monkeypatch.setattr(torch, "set_num_threads", lambda n: None)
    file = tmp_path / "f.json"
    wanted = ["--device", "cpu", "--quick", "--json", str(file), "--parts", "curves", "speed", "arms"]
    assert gpu.main(wanted) == 1
    said = capsys.readouterr().out
    assert "## curves: FAILED" in said and "**RuntimeError: no such kernel**" in said
    assert "## speed: FAILED" in said and "**no finite figure: mlp**" in said
    assert "## arms: done" in said and "| a | 2.5 |" in said
    assert [part["ok"] for part in json.loads(file.read_text())["parts"].values()] == [False, False, True]


def test_a_failed_test_and_a_file_that_cannot_be_read_are_told_apart_from_the_rest(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        "<testsuites><testsuite><testcase classname='tests.a' name='x'/><testcase classname='tests.a' name='y'>"
        "<failure message='no'/></testcase><testcase classname='' name='tests.b'><error message='m'/></testcase>"
        "<testcase classname='tests.a' name='z'><skipped/></testcase></testsuite></testsuites>"
    )
    assert gpu_parts._outcomes(report) == [
        ("tests.a::x", "passed"),
        ("tests.a::y", "failed"),
        ("tests.b", "failed"),
        ("tests.a::z", "skipped"),
    ]


def test_without_pytest_the_tests_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_parts.importlib.util, "find_spec", lambda name: None)
    assert gpu_parts.tests(NOWHERE) == Result([], ["pytest is not installed: the tests were left out."])


@pytest.mark.parametrize("asked", [[], ["--device", "cuda"]])
def test_without_a_gpu_it_says_what_is_needed(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main(asked) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert "cuda" in said.lower() and "cpu" in said
