"""Pythae's own trainer of its VAE with our layers, as `train_speed` measures it where it is installed.

It is no requirement of the project (`pip install pythae==0.1.2`). Layers of the mlp, Adam, binary cross-entropy on grey
pixels; with its progress bar, as it comes.
"""

import logging
import tempfile
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from vae_core.config import RunConfig


def pythae_epochs(x: Tensor, config: RunConfig) -> Iterator[None]:
    """One epoch after another.

    Args:
        x: (N, 1, 28, 28) in [0, 1].
    """
    from pythae.data.datasets import BaseDataset
    from pythae.models import VAE, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Flatten(), nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 200), nn.ReLU())
            self.mu, self.log_var = nn.Linear(200, config.latent_dim), nn.Linear(200, config.latent_dim)

        def forward(self, x: Tensor) -> ModelOutput:
            h = self.body(x)  # (B, 200)
            return ModelOutput(embedding=self.mu(h), log_covariance=self.log_var(h))

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            layers = (nn.Linear(config.latent_dim, 200), nn.ReLU(), nn.Linear(200, 400), nn.ReLU(), nn.Linear(400, 784))
            self.body = nn.Sequential(*layers, nn.Sigmoid(), nn.Unflatten(-1, (1, 28, 28)))

        def forward(self, z: Tensor) -> ModelOutput:
            return ModelOutput(reconstruction=self.body(z))

    logging.disable(logging.INFO)
    shape = VAEConfig(input_dim=(1, 28, 28), latent_dim=config.latent_dim, reconstruction_loss="bce")
    sizes = {"per_device_train_batch_size": config.batch_size, "per_device_eval_batch_size": config.batch_size}
    model, images = VAE(shape, Encoder(), Decoder()), BaseDataset(x, torch.zeros(len(x)))
    with tempfile.TemporaryDirectory() as folder:
        settings = BaseTrainerConfig(folder, num_epochs=1, learning_rate=config.learning_rate, no_cuda=True, **sizes)
        trainer = BaseTrainer(model, images, training_config=settings)
        trainer.prepare_training()
        while True:
            trainer.train_step(1)
            yield
