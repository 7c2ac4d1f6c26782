"""The script that repeats a run: it is run, alone, in a folder of its own, and its numbers are compared.

One of either network has an interpreter to itself that cannot see this repository; the others are run in this one.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.script_runner import Ended, run_alone, run_here
from tests.told import HALF, tell, told
from vae_core.config import LIKELIHOODS, LiveSettings, RunConfig
from vae_core.data import Images
from vae_core.data.sets.mnist import FILE
from vae_core.export.run_report import RunReport
from vae_core.export.script import repeat_script
from vae_core.trainer import Mark, Trainer

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def story() -> RunReport:
    return told()[0]


def repeat(story: RunReport, data: Path, folder: Path, run: Callable[..., Ended]) -> tuple[np.ndarray, str]:
    """The curve (n, 4) that the script writes, and what it prints."""
    file = folder / "repeat.py"
    file.write_text(repeat_script(story), encoding="utf-8")
    result = run(file, folder, str(data), "curve.csv")
    assert result.returncode == 0, result.stderr
    return np.loadtxt(folder / "curve.csv", delimiter=",", skiprows=1, ndmin=2), result.stdout


def printed(text: str) -> dict[str, float]:
    """-ELBO, nll and KL over all test images, from the line in which the script prints them."""
    (line,) = re.findall(r"^-ELBO .* nats per image .*$", text, re.MULTILINE)
    return {name: float(value) for name, value in re.findall(r"(-ELBO|nll|KL) (-?[\d.]+)", line)}


def npz(images: Images, path: Path) -> Path:
    np.savez(path, x_train=images.x_train[:, 0].cpu(), x_test=images.x_test[:, 0].cpu())
    return path


# ---- the same numbers


def test_an_epoch_with_the_kl_switched_off_on_the_way_is_repeated(story: RunReport, tmp_path: Path) -> None:
    curve, said = repeat(story, FILE, tmp_path, run_alone)
    assert curve.shape == story.train.shape == (235, 4)
    np.testing.assert_allclose(curve[:30], story.train[:30], rtol=1e-4)
    np.testing.assert_allclose(curve[HALF : HALF + 30, 3], curve[HALF : HALF + 30, 1])  # from there on loss is nll
    assert story.final is not None
    assert printed(said)["-ELBO"] == pytest.approx(story.final["neg_elbo"], abs=0.5)
    assert printed(said)["nll"] == pytest.approx(story.final["nll"], abs=0.5)
    assert printed(said)["KL"] == pytest.approx(story.final["kl"], abs=0.5)
    assert "grey MNIST, test, 10,000 images, K = 1" in said
    assert re.findall(r"^step +([\d,]+) ", said, re.MULTILINE) == ["1", "100", "200", "235"]
    assert f"-ELBO {story.final['neg_elbo']:.2f}" in said.splitlines()[-1]  # the run's own figure, to compare


VARIETY: dict[str, tuple[dict[str, Any], dict[int, dict[str, Any]]]] = {
    "conv, learned sigma, dynamic": (
        {"net": "conv", "likelihood": "gaussian-learned", "protocol": "dynamic", "latent_dim": 5, "seed": 3},
        {4: {"learning_rate": 5e-4}, 9: {"beta": 3.0}},
    ),
    "mlp, a sigma per pixel": ({"likelihood": "gaussian-per-pixel", "sigma": 0.3}, {}),
    "conv, a sigma per pixel": ({"net": "conv", "likelihood": "gaussian-per-pixel", "sigma": 0.3}, {}),
    "fixed sigma, threshold, warm-up": (
        {"likelihood": "gaussian", "sigma": 0.3, "protocol": "threshold", "warmup_steps": 12, "beta": 2.0},
        {},
    ),
    "three cycles of warm-up, free bits": (
        {"warmup_steps": 3, "warmup_cycles": 3, "free_bits": 0.4, "latent_dim": 4, "steps": 19},
        {11: {"beta": 2.0}},
    ),
    "static, other layers, elu, a number of steps": (
        {"protocol": "static", "widths": "30", "activation": "elu", "steps": 20, "batch_size": 37},
        {},
    ),
    "no reconstruction at first, warm-up": (
        {"alpha": 0.0, "warmup_steps": 5, "latent_dim": 1, "learning_rate": 0.01},
        {7: {"alpha": 2.0}, 14: {"alpha": 0.0}, 17: {"alpha": 1.0, "beta": 0.0}},
    ),
    "conv, decoder frozen, then the encoder": (
        {"net": "conv", "frozen": "decoder"},
        {5: {"frozen": "encoder"}, 12: {"frozen": "none"}},
    ),
    "conv, reconstruction off for a while": ({"net": "conv"}, {4: {"alpha": 0.0}, 12: {"alpha": 1.0}}),
}


@pytest.mark.parametrize("name", VARIETY)
def test_every_kind_of_run_is_repeated(name: str, small: Images, tmp_path: Path) -> None:
    """20 steps of 32 cross an epoch of 500 images."""
    settings, changes = VARIETY[name]
    config = RunConfig(**({"device": "cpu", "batch_size": 32} | settings))
    few = Images("mnist", small.x_train[:500], small.y_train[:500], small.x_test[:100], small.y_test[:100])
    story = tell(Trainer(config, few), 20, changes, bound_of=10)
    assert len(story.marks) == len(changes)
    run = run_alone if settings.get("net") == "conv" and config.protocol == "dynamic" else run_here
    curve, said = repeat(story, npz(few, tmp_path / "few.npz"), tmp_path, run)
    np.testing.assert_allclose(curve, story.train, rtol=1e-4, atol=1e-5)
    assert story.final is not None
    assert printed(said)["-ELBO"] == pytest.approx(story.final["neg_elbo"], abs=0.02)


@pytest.mark.requires_cuda
def test_a_run_on_cuda_is_repeated(small: Images, tmp_path: Path) -> None:
    moved = Images(small.name, *(t.to("cuda") for t in (small.x_train, small.y_train, small.x_test, small.y_test)))
    story = tell(Trainer(RunConfig(device="cuda", batch_size=128), moved), 30, {12: {"beta": 0.0}}, every=10)
    curve, said = repeat(story, npz(small, tmp_path / "small.npz"), tmp_path, run_alone)
    np.testing.assert_allclose(curve, story.train, rtol=1e-3, atol=1e-3)
    assert story.final is not None
    assert printed(said)["-ELBO"] == pytest.approx(story.final["neg_elbo"], abs=0.5)


# ---- alone, readable, harmless


def test_it_needs_only_torch_numpy_and_the_standard_library(story: RunReport) -> None:
    for script in (repeat_script(story), *every_kind(story)):
        nodes = list(ast.walk(ast.parse(script)))
        names = {a.name for node in nodes if isinstance(node, ast.Import) for a in node.names}
        names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
        roots = {name.split(".")[0] for name in names}
        assert roots - set(sys.stdlib_module_names) == {"torch", "numpy"}


def every_kind(story: RunReport) -> list[str]:
    """Scripts of all networks, likelihoods and protocols, with and without warm-up and changes."""
    scripts = []
    for net in ("mlp", "conv"):
        for likelihood in LIKELIHOODS:
            for protocol, warmup, marks in (("grey", 0, story.marks), ("dynamic", 9, ()), ("static", 9, ())):
                config = RunConfig(net=net, likelihood=likelihood, protocol=protocol, warmup_steps=warmup)
                scripts.append(repeat_script(replace(story, config=config, marks=marks)))
    return scripts


def test_every_kind_of_script_is_short_and_without_a_fault_that_ruff_finds(story: RunReport, tmp_path: Path) -> None:
    """Unused imports and undefined names are among those faults."""
    for i, script in enumerate(every_kind(story)):
        assert len(script.splitlines()) < 300
        (tmp_path / f"repeat_{i}.py").write_text(script, encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "check", "--config", str(ROOT / "pyproject.toml"), str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_only_what_this_run_used_is_in_it(story: RunReport) -> None:
    plain = repeat_script(replace(story, marks=()))
    for absent in ("conv_", "gaussian_nll", "SIGMA", "WARMUP", "CHANGES", "torch.bernoulli", "weight != 0"):
        assert absent not in plain, absent
    assert "loss = (alpha * nll + beta * kl).mean()" in plain
    assert f"    {HALF}: (1.0, 0.0, 0.002),  # beta 1 → 0 at step {HALF}" in repeat_script(story)


def test_of_two_changes_at_one_step_the_last_counts(story: RunReport) -> None:
    later = Mark(HALF, "beta 0 → 4", LiveSettings(beta=4.0, learning_rate=0.001))
    script = repeat_script(replace(story, marks=(*story.marks, later)))
    assert f"    {HALF}: (1.0, 4.0, 0.001),  # beta 1 → 0 at step {HALF}; beta 0 → 4\n" in script


def test_a_run_that_was_stopped_is_repeated_as_far_as_it_came(story: RunReport) -> None:
    script = repeat_script(replace(story, train=story.train[:88], status="stopped", final=None))
    assert "STEPS = 88  # the run ended here (stopped); planned: 1 epoch\n" in script
    assert "CHANGES" not in script and 'of the run")' not in script


def test_words_of_a_story_stay_comments(story: RunReport) -> None:
    evil = "x\nimport os\rraise SystemExit\u2028boom"
    mark = replace(story.marks[0], text=evil)
    ended = replace(story, status="stopped")
    clean, dirty = (
        repeat_script(ended),
        repeat_script(replace(ended, marks=(mark,), device=f"{story.device} {evil}", status=evil)),
    )
    assert ast.dump(ast.parse(dirty)) == ast.dump(ast.parse(clean))


@pytest.mark.parametrize(
    ("device", "line"),
    [
        ("CPU (x86_64, 3 threads)", 'DEVICE = torch.device("cpu")'),
        ("NVIDIA H200", 'DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")'),
        ("Apple GPU", 'DEVICE = torch.device("mps" if torch.backends.mps.is_available() else "cpu")'),
    ],
)
def test_it_computes_where_the_run_did_if_it_can(device: str, line: str, story: RunReport) -> None:
    script = repeat_script(replace(story, device=device))
    assert f"{line}  # the run used: {device}\n" in script
    assert ("set_num_threads(min(3, " in script) == device.startswith("CPU")


def test_what_it_prints_is_ascii(story: RunReport) -> None:
    """A Windows console may not know a true minus."""
    calls = [n for n in ast.walk(ast.parse(repeat_script(story))) if isinstance(n, ast.Call)]
    prints = [ast.unparse(call) for call in calls if ast.unparse(call.func) in ("print", "sys.exit")]
    assert len(prints) >= 4 and all(text.isascii() for text in prints)


def test_writing_a_script_leaves_the_random_state_alone(story: RunReport) -> None:
    before = torch.get_rng_state()
    repeat_script(story)
    assert torch.equal(before, torch.get_rng_state())
