"""README is run: its Python, its command lines, the files that it names, and the figures that the code has, too."""

import os
import re
import runpy
import shlex
import subprocess
import sys
import warnings
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from vae_core import thinning, train
from vae_core.inspect import snapshot
from vae_core.runs import environment, held_runs, progress

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MADE = {"model.safetensors", "card.json", "history.csv", ".runs", ".venv"}  # named, but made by whoever runs something
SUFFIXES = {".py", ".js", ".css", ".md", ".txt", ".toml"}


@dataclass(frozen=True)
class Block:
    """A code block: what its fence says of the language, "" where it is indented, and its text."""

    language: str
    text: str

    @property
    def is_python(self) -> bool:
        return self.language in ("python", "py") or (
            not self.language and re.search(r"^(import|from) \w", self.text, re.MULTILINE) is not None
        )


def blocks(markdown: str) -> list[Block]:
    """The fenced and the indented code blocks, in order (CommonMark 4.4 and 4.5; those within lists are left out)."""
    pattern = re.compile(
        r"^(?P<fence>`{3,}|~{3,})[ ]*(?P<language>[\w-]*)[^\n]*\n(?P<fenced>.*?)^(?P=fence)[ ]*$"
        r"|(?:\A|(?<=\n\n))(?P<indented>(?:[ ]{4}[^\n]*(?:\n|\Z)|\n(?=\n*[ ]{4}))+)",
        re.MULTILINE | re.DOTALL,
    )
    return [
        Block(found["language"] or "", found["fenced"])
        if found["fence"]
        else Block("", re.sub("^    ", "", found["indented"], flags=re.MULTILINE))
        for found in pattern.finditer(markdown)
    ]


def test_blocks_of_both_kinds_are_found() -> None:
    text = "\n\n".join(
        [
            "Words,\n    no code as no line is left free",
            "    import a\n\n\n    b()",
            "```python\nc()\n\n    d\n```",
            "~~~\nfrom e\n```\n~~~",
            "- a list\n  of two lines",
            "    make f",
        ]
    )
    found = blocks(text)
    assert [block.text.strip() for block in found] == [
        "import a\n\n\nb()",
        "c()\n\n    d",
        "from e\n```",
        "make f",
    ]
    assert [block.is_python for block in found] == [True, True, True, False]


PYTHON = [block.text for block in blocks(README) if block.is_python]


def test_readme_has_python_to_run() -> None:
    assert len(PYTHON) >= 1 and any("checkpoints.load" in text for text in PYTHON)


@pytest.mark.parametrize("text", PYTHON)
def test_the_python_of_readme_runs(text: str) -> None:
    """As it stands, from the root of the repository; it trains an epoch, which takes seconds."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    result = subprocess.run(
        [sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, timeout=250, env=environment
    )
    assert result.returncode == 0 and result.stderr == "", result.stderr
    assert 140 < float(result.stdout) < 220  # −ELBO after one epoch, in nats


COMMANDS = [
    line.split(" #")[0].strip()
    for block in blocks(README)
    for line in block.text.splitlines()
    if re.match(r"(\.venv/bin/)?python[\d.]* -m ", line)
]


def test_readme_has_command_lines() -> None:
    assert sum("vae_core.train" in command for command in COMMANDS) >= 1 and len(COMMANDS) >= 3


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_lines_of_readme_are_understood(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module, *options = shlex.split(command)[2:]
    if module == "vae_core.train":
        settings, folder, *_ = train.parsed(options)
        named = dict(pairwise(options)).get("--dataset")
        asked = {"--dataset": ("dataset", named)} if named else {"--latent-dim": ("latent_dim", 2)}
        assert str(folder) == "DIR" and all(settings[name] == value for name, value in asked.values())
        return
    asked = [module, *options, "--help"]  # an unknown option before it is an error all the same
    monkeypatch.setattr(sys, "argv", asked)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended, warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        runpy.run_module(module, run_name="__main__")  # again, if it was imported before: that is the warning
    said = capsys.readouterr()
    assert ended.value.code == 0 and "sage:" in said.out, said.err
    assert list(tmp_path.iterdir()) == []


def test_the_torch_that_readme_installs_is_the_one_that_is_required() -> None:
    required = re.findall(r"^torch==([\d.]+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert len(required) == 1 and set(re.findall(r"torch==([\d.]+\d)", README)) == set(required)


def named_files() -> set[str]:
    """Links, what looks like a file or a folder in code spans, and the first column of the tree of folders."""
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if not link.startswith("http")]
    spans = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", README)
    files = [s for s in spans if " " not in s and not s.startswith("/") and ("/" in s or Path(s).suffix in SUFFIXES)]
    tree = re.findall(r"^    (\S+(?:/|\.py)) {2,}", README, re.MULTILINE)
    return {*links, *files, *tree} - MADE


def test_what_readme_names_is_there() -> None:
    names = named_files()
    assert {"LICENSE", "app.py", "checkpoints/", ".streamlit/config.toml", "pages/ui/live", "rng.py"} <= names
    there = [path for folder in ("pages", "vae_core", "tests") for path in (ROOT / folder).rglob("*")]
    here = {path.name for path in there if "node_modules" not in path.parts}
    assert [name for name in sorted(names) if not (ROOT / name).exists() and name not in here] == []


def test_the_targets_of_make_that_readme_names_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"(?:^ {4}|`)make (?:[A-Z]+=\S+ )?([a-z]+)", README, re.MULTILINE))
    assert {"app", "test", "lint", "bench"} <= targets
    assert [name for name in sorted(targets) if not re.search(rf"^{name}:", makefile, re.MULTILINE)] == []


SPOKEN = {3: "three", 6: "six", 10: "ten"}
FIGURES = {
    "runs kept": (
        f"{SPOKEN.get(held_runs.RUNS_PER_VISITOR)} runs and {SPOKEN.get(held_runs.GROUPS_PER_VISITOR)} experiments for "
        f"a visitor, and {environment.DISK_GB:.0f} GB in all (ELBO_ROOM_DISK_GB)"
    ),
    "visitor gone": f"it stops {SPOKEN.get(int(environment.GONE_AFTER_S / 60))} minutes after your last window",
    "film and states": f"{thinning.FRAMES} frames of its film and {progress.STATES} states",
    "images of the map": f"random {snapshot.MAP_IMAGES:,} of the 10,000 test images",
}


@pytest.mark.parametrize("sentence", FIGURES.values(), ids=FIGURES.keys())
def test_the_figures_of_readme_are_those_of_the_code(sentence: str) -> None:
    assert sentence in " ".join(README.split())
