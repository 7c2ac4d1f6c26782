"""`python -m tests.bench.pythae_epochs`: epochs of the mlp by pythae's own trainer and by ours, by turns.

Pythae is no requirement of the project: `pip install pythae==0.1.2` beside it, or it is said that it is missing.
Same layers, batches of 256, Adam, binary cross-entropy, 2 threads or `--threads N`; pythae with its progress bar, as it
comes. Fails nothing; the last line: `times NUMBER`, ours beside pythae's, the median of the turns.
"""

import argparse
import contextlib
import importlib.util
import logging
import os
import statistics
import tempfile
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from vae_core.config import RunConfig
from vae_core.data import load
from vae_core.runs.quick import quick_trainer

LATENT, BATCH, RATE = 32, 256, 1e-3


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.pythae_epochs", description="Measure beside pythae.")
    parser.add_argument("--turns", type=int, default=3, help="epochs of each, after one to warm up")
    parser.add_argument("--threads", type=int, help="torch's own number when left out")
    options = parser.parse_args()
    if not importlib.util.find_spec("pythae"):
        return print("pythae is not installed here: pip install pythae==0.1.2")
    if options.threads:
        torch.set_num_threads(options.threads)
    images = load("mnist", torch.device("cpu"))
    ours = quick_trainer(RunConfig(latent_dim=LATENT, batch_size=BATCH, learning_rate=RATE, device="cpu"), images)
    per_epoch = ours.steps_per_epoch
    pairs = []
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as nowhere:
        theirs = pythae_epoch(images.x_train.float() / 255, folder)
        for _ in range(1 + options.turns):
            with contextlib.redirect_stderr(nowhere):
                pairs.append((seconds(lambda: [ours.step() for _ in range(per_epoch)]), seconds(theirs)))
    count = len(images.x_train)
    for name, taken in zip(("ours", "pythae"), zip(*pairs[1:], strict=True), strict=True):
        print(f"{name:8}{count / statistics.median(taken):8.0f} images/s")
    print(f"times {statistics.median(b / a for a, b in pairs[1:]):.2f}")


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def pythae_epoch(x: Tensor, folder: str) -> Callable[[], object]:
    """An epoch by pythae's trainer of its VAE with our layers. x: (N, 1, 28, 28) in [0, 1]."""
    from pythae.data.datasets import BaseDataset
    from pythae.models import VAE, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Flatten(), nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 200), nn.ReLU())
            self.mu, self.log_var = nn.Linear(200, LATENT), nn.Linear(200, LATENT)

        def forward(self, x: Tensor) -> ModelOutput:
            h = self.body(x)  # (B, 200)
            return ModelOutput(embedding=self.mu(h), log_covariance=self.log_var(h))

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            layers = (nn.Linear(LATENT, 200), nn.ReLU(), nn.Linear(200, 400), nn.ReLU(), nn.Linear(400, 784))
            self.body = nn.Sequential(*layers, nn.Sigmoid(), nn.Unflatten(-1, (1, 28, 28)))

        def forward(self, z: Tensor) -> ModelOutput:
            return ModelOutput(reconstruction=self.body(z))

    logging.disable(logging.INFO)
    shape = VAEConfig(input_dim=(1, 28, 28), latent_dim=LATENT, reconstruction_loss="bce")
    sizes = {"per_device_train_batch_size": BATCH, "per_device_eval_batch_size": BATCH}
    settings = BaseTrainerConfig(output_dir=folder, num_epochs=1, learning_rate=RATE, no_cuda=True, **sizes)
    model = VAE(shape, Encoder(), Decoder())
    trainer = BaseTrainer(model, train_dataset=BaseDataset(x, torch.zeros(len(x))), training_config=settings)
    trainer.prepare_training()
    return lambda: trainer.train_step(1)


if __name__ == "__main__":
    main()
