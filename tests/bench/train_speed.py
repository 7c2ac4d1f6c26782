"""`python -m tests.bench.train_speed`: how fast the trainer is beside what it could be measured against.

Contestants take turns, a step each (mlp: an epoch, as its steps are short), so that what else the machine does meets
all alike, and each has a process of its own, so that none works in the memory, or with the settings, of another: the
trainer as the lab uses it; the same with torch's own layers, and the notebook's loop (conv); a plain loop over tensors
that are loaded already, and pythae's trainer where it is installed (mlp); a matrix product for the machine's own rate.
`--processor-time` counts the processor's seconds, not the clock's: on a busy machine these are steady.
It prints a table, writes JSON with `--json PATH`, fails nothing. The last line: `images/s NUMBER`, of the trainer.
"""

import argparse
import importlib.util
import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from tests.bench import notebook_loop
from tests.bench.pythae_loop import pythae_epochs
from vae_core import devices, rng
from vae_core.config import RunConfig
from vae_core.data import Images, load
from vae_core.models import build
from vae_core.runs.quick import quick_trainer
from vae_core.trainer import Trainer

SIZE = 2048  # of the matrices whose product gives the machine's rate
WARM_UP = 3
PYTHAE = "pythae's trainer"


def conv_flops(latent_dim: int) -> float:
    """Of a training step an image with the conv net: multiply-adds count two, and twice again for the backward."""
    encoder = 13 * 13 * 16 * 16 + 5 * 5 * 16 * 32 * 16 + 32 * 2 * latent_dim * 16
    decoder = latent_dim * 256 * 9 + 3 * 3 * 256 * 128 * 16 + 6 * 6 * 128 * 64 * 9 + 13 * 13 * 64 * 16
    return 6.0 * (encoder + decoder)


def mlp_flops(latent_dim: int) -> float:
    """As conv_flops, of the mlp 784-400-200."""
    return 6.0 * (2 * (784 * 400 + 400 * 200) + 3 * 200 * latent_dim)


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    device = devices.resolve(options.device)
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.contestant:
        return serve(*make_turn(options.contestant, options, device), device, options.processor_time)
    asked = list(sys.argv[1:] if arguments is None else arguments)
    others = {name: Contestant([*asked, "--contestant", name]) for name in names(options.net)}
    try:
        seconds = take_turns(others, options.steps)
    finally:
        for other in others.values():
            other.close()
    report = tell(options, device, seconds)
    print_table(report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    print(f"images/s {report['images_per_second']['trainer']:.0f}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.train_speed", description="Measure training.")
    parser.add_argument("--net", choices=("conv", "mlp"), default="conv")
    parser.add_argument("--latent-dim", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=20, help="turns of each, after a warm-up")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, help="torch's own number when left out")
    parser.add_argument("--processor-time", action="store_true", help="not the clock's")
    parser.add_argument("--contestant", help=argparse.SUPPRESS)  # to be this one, and take turns when told to
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures here")
    return parser


def names(net: str) -> tuple[str, ...]:
    """Who takes part."""
    conv, mlp = ("torch's own layers", "notebook's loop"), ("plain preloaded loop", *([PYTHAE] if has_pythae() else []))
    return ("trainer", *(conv if net == "conv" else mlp), "matrix product")


def has_pythae() -> bool:
    return importlib.util.find_spec("pythae") is not None


def make_turn(name: str, options: argparse.Namespace, device: torch.device) -> tuple[Callable[[], object], int]:
    """What makes a turn of a contestant, and how many steps that is."""
    if name == "matrix product":
        a, b = (torch.randn(SIZE, SIZE, device=device) for _ in range(2))
        return lambda: a @ b, 1
    images = load("mnist", device)
    steps = 1 if options.net == "conv" else math.ceil(len(images.x_train) / options.batch_size)
    config = RunConfig(
        net=options.net,
        latent_dim=options.latent_dim,
        batch_size=options.batch_size,
        learning_rate=notebook_loop.LEARNING_RATE,
        steps=(WARM_UP + options.steps) * steps,
        device=options.device,
    )
    if name == PYTHAE:
        return partial(next, pythae_epochs(images.x_train.float() / 255, config)), steps
    step = make_step(name, config, images, device)
    return lambda: [step() for _ in range(steps)], steps


def make_step(name: str, config: RunConfig, images: Images, device: torch.device) -> Callable[[], object]:
    """What makes one step of a contestant that makes them one by one."""
    if name == "notebook's loop":
        on_cpu = (images.x_train.cpu(), images.y_train.cpu())
        return partial(next, notebook_loop.steps(*on_cpu, config.latent_dim, config.batch_size, device))
    if name == "plain preloaded loop":
        return partial(next, plain_steps(config, images, device))
    return (quick_trainer if name == "trainer" else Trainer)(config, images).step


def plain_steps(config: RunConfig, images: Images, device: torch.device) -> Iterator[None]:
    """The same model in a loop that does nothing else: floats at hand, no history, no seed for each step."""
    model = build(config, images.shape).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate, fused=True)
    x_train = images.x_train.float() / 255
    shuffle = rng.generator(torch.device("cpu"), config.seed, "order", 0)
    while True:
        for chosen in torch.randperm(len(x_train), generator=shuffle).to(device).split(config.batch_size):
            x = x_train[chosen]
            out = model(x, torch.randn(len(x), config.latent_dim, device=device))
            loss = (out.terms["nll"] + out.terms["kl"]).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            yield


class Contestant:
    """One in a process of its own, which makes a turn whenever it is asked to."""

    def __init__(self, arguments: list[str]) -> None:
        command = [sys.executable, "-m", "tests.bench.train_speed", *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def turn(self) -> float:
        """Seconds of one step of a turn, by that process's own clock."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write("turn\n")
        self._process.stdin.flush()
        told = self._process.stdout.readline()
        if not told:
            raise SystemExit("A contestant has ended; what it said stands above.")
        return float(told)

    def close(self) -> None:
        """The process ends when nothing more can be asked."""
        self._process.communicate()


def serve(turn: Callable[[], object], steps: int, device: torch.device, processor_time: bool) -> None:
    """Make a turn for each line that is read, and print the seconds of one of its steps, until a GPU has done it."""
    clock = time.process_time if processor_time else time.perf_counter
    for _ in sys.stdin:
        begun = clock()
        turn()
        if device.type == "cuda":
            torch.cuda.synchronize()
        print((clock() - begun) / steps, flush=True)


def take_turns(contestants: dict[str, Contestant], turns: int) -> dict[str, list[float]]:
    """Seconds of a step by name, turn after turn."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(WARM_UP + turns):
        for name, contestant in contestants.items():
            taken = contestant.turn()
            if turn >= WARM_UP:
                seconds[name].append(taken)
    return seconds


def tell(options: argparse.Namespace, device: torch.device, seconds: dict[str, list[float]]) -> dict[str, Any]:
    """Medians of what was measured: images/s, ratios turn by turn, and the share of the machine's matrix rate."""
    matrix = seconds.pop("matrix product")
    flops = (conv_flops if options.net == "conv" else mlp_flops)(options.latent_dim) * options.batch_size
    shares = [flops / t / (2 * SIZE**3 / m) for t, m in zip(seconds["trainer"], matrix, strict=True)]
    return {
        "machine": devices.describe(device),
        "torch": torch.__version__,
        "left_out": "" if options.net == "conv" or has_pythae() else "; pythae is not installed here, so not measured",
        "settings": {k: v for k, v in vars(options).items() if k not in ("json", "contestant")},
        "images_per_second": {name: options.batch_size / statistics.median(s) for name, s in seconds.items()},
        "trainer_times_as_fast_as": {
            name: statistics.median(b / a for a, b in zip(seconds["trainer"], s, strict=True))
            for name, s in seconds.items()
            if name != "trainer"
        },
        "matrix_gflops": 2 * SIZE**3 / statistics.median(matrix) / 1e9,
        "share_of_matrix_rate": statistics.median(shares),
    }


def print_table(report: dict[str, Any]) -> None:
    print(f"{report['machine']}, torch {report['torch']}{report['left_out']}")
    print(f"{'':24}{'images/s':>10}{'trainer is':>12}")
    for name, rate in report["images_per_second"].items():
        ratio = report["trainer_times_as_fast_as"].get(name)
        print(f"{name:24}{rate:10.0f}{f'{ratio:.2f} x' if ratio else '':>12}")
    print(
        f"matrix product {report['matrix_gflops']:.0f} GFLOP/s in float32; "
        f"the trainer makes {report['share_of_matrix_rate']:.2f} of it"
    )


if __name__ == "__main__":
    main()
