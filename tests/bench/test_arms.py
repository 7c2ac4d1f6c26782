"""Three arms in step against three runs one after the other, and against one batched computation of three models."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from vae_core import losses
from vae_core.config import RunConfig
from vae_core.runs.messages import Command
from vae_core.runs.scheduler import Scheduler
from vae_core.trainer import Trainer

LOSSES = {"full": {}, "no KL": {"beta": 0.0}, "no reconstruction": {"alpha": 0.0}}
EPOCHS = 1
ROUNDS = 3
STEPS = 60


def seconds(folder: Path, names: list[str], group: str, device: str = "cpu", epochs: int = EPOCHS) -> float:
    """Of an engine that trains these arms to the end, with all their snapshots, meters and states.

    Args:
        group: of all of them; a run alone is a group of one, so that it takes the same figures.
    Raises:
        RuntimeError: an arm has not come to its end.
    """
    engine = Scheduler()
    for name in names:
        config = RunConfig(epochs=epochs, device=device, **LOSSES[name]).to_dict()  # type: ignore[arg-type]
        own = {"config": config, "folder": str(folder / name), "group": group}
        engine.handle(Command(f"{group} {name}", "open", own | {"generation": 0, "resume": (), "status": "running"}))
    started = time.perf_counter()
    while any(task.status == "running" for task in engine.tasks.values()):
        engine.work()
    took = time.perf_counter() - started
    if [task.status for task in engine.tasks.values()] != ["finished"] * len(names):
        raise RuntimeError(f"an arm has not come to its end: {[task.message for task in engine.tasks.values()]}")
    return took


def test_lockstep_against_separate_runs(tmp_path, capsys) -> None:
    alone, together = [], []
    for i in range(ROUNDS):  # by turns, so that a busy neighbour disturbs both
        alone.append(sum(seconds(tmp_path / f"a{i}{j}", [name], "alone") for j, name in enumerate(LOSSES)))
        together.append(seconds(tmp_path / f"g{i}", list(LOSSES), "group"))
    one, three = statistics.median(alone), statistics.median(together)
    with capsys.disabled():
        print(
            f"\nthree arms, {EPOCHS} epoch each, medians of {ROUNDS}: one after the other {one:.1f} s, "
            f"in step {three:.1f} s: ratio {three / one:.2f} (goal: at most 1)"
        )
    assert one > 0


def test_turns_against_one_batched_computation(capsys) -> None:
    trainers = [Trainer(RunConfig(device="cpu", **changes)) for changes in LOSSES.values()]  # type: ignore[arg-type]
    batched = batched_gradients(trainers)
    turns, vmapped = [], []
    for _ in range(ROUNDS):
        turns.append(timed(lambda: [gradients(trainer) for trainer in trainers]))
        vmapped.append(timed(batched))
    a, b = statistics.median(turns), statistics.median(vmapped)
    with capsys.disabled():
        print(
            f"\nforward and backward of three mlps, batch 256, {torch.get_num_threads()} threads: "
            f"by turns {1e3 * a:.1f} ms, torch.func.vmap {1e3 * b:.1f} ms: ratio {b / a:.2f}"
        )
    assert a > 0


def timed(work: Callable[[], object]) -> float:
    work()
    started = time.perf_counter()
    for _ in range(STEPS):
        work()
    return (time.perf_counter() - started) / STEPS


def gradients(trainer: Trainer) -> None:
    x, eps = trainer.batch()
    terms = trainer.model(x, eps)
    sum(trainer.weights[name] * term for name, term in terms.terms.items()).mean().backward()


def batched_gradients(trainers: list[Trainer]) -> Callable[[], object]:
    """The same gradients for all models at once: weights stacked, the batch shared."""
    model = trainers[0].model
    stacked, buffers = torch.func.stack_module_state([t.model for t in trainers])  # type: ignore[arg-type]
    alpha = torch.tensor([t.settings.alpha for t in trainers])
    beta = torch.tensor([t.settings.beta for t in trainers])

    def loss(weights: dict[str, Tensor], x: Tensor, eps: Tensor, a: Tensor, b: Tensor) -> Tensor:
        state = {**weights, **{k: v[0] for k, v in buffers.items()}}
        terms = torch.func.functional_call(model, state, (x, eps))
        return (a * losses.bernoulli_nll(terms.logits, x) + b * terms.terms["kl"]).mean()

    grad = torch.func.vmap(torch.func.grad(loss), in_dims=(0, None, None, 0, 0))
    return lambda: grad(stacked, *trainers[0].batch(), alpha, beta)
