"""`python -m tests.bench.quick_epoch`: what the quicker layers make of −ELBO after one epoch, beside torch's own.

The same settings and seeds by both; figures over the test images, in nats per image, grey MNIST, K = 1. It prints a
table, writes JSON with `--json PATH`, fails nothing. The goal is 0.3 nats at most.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import torch

from vae_core.config import RunConfig
from vae_core.evaluate import evaluate_test
from vae_core.runs.quick import quick_trainer
from vae_core.trainer import Trainer

MAKES = {"torch's own layers": Trainer, "quick layers": quick_trainer}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.quick_epoch")
    parser.add_argument("--latent-dim", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=1024)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="PATH")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    figures: dict[str, list[float]] = {name: [] for name in MAKES}
    for seed in options.seeds:
        settings = {"latent_dim": options.latent_dim, "batch_size": options.batch_size, "seed": seed}
        for name, make in MAKES.items():
            trainer = make(RunConfig(net="conv", epochs=1, device="cpu", **settings))
            while not trainer.done:
                trainer.step()
            trainer.flush()
            figures[name].append(evaluate_test(trainer.model, trainer.images, trainer.config).neg_elbo)
            print(f"seed {seed}, {name}: −ELBO {figures[name][-1]:.3f} nats", flush=True)
    plain, quick = figures.values()
    apart = [b - a for a, b in zip(plain, quick, strict=True)]
    print("quick − torch's own: " + ", ".join(f"{d:+.3f}" for d in apart) + " nats")
    if options.json:
        options.json.write_text(json.dumps({"neg_elbo": figures, "apart": apart}, indent=1) + "\n")


if __name__ == "__main__":
    main()
