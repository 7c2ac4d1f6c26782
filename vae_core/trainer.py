"""The trainer: one batch at a time, knowing no model family.

    loss = (alpha * nll + beta * kl).mean()

The terms come from the model, the weights from the config, and both weights may change at any step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vae_core import devices, models, rng
from vae_core.config import CHANGEABLE, FROZEN, RunConfig, check_changes
from vae_core.data import Images, load, prepare
from vae_core.divergence import Diverged, RunError, all_finite, count_sane, explain
from vae_core.evaluate import Evaluation, evaluate
from vae_core.row_buffer import ROW, RowBuffer


@dataclass(frozen=True)
class Mark:
    """A change of settings during the run; `weights` are the CHANGEABLE ones in force from the step after it."""

    step: int
    text: str
    weights: dict[str, Any]


class Trainer:
    """Trains one model. The same config on the same CPU gives the same curve, bit for bit.

    Attributes:
        config: the settings it began with. alpha, beta, learning_rate, frozen: those in force now.
        step_count: updates made. model: the model in training.
        marks: changes of settings made on the way.
    """

    def __init__(self, config: RunConfig, images: Images | None = None) -> None:
        """
        Args:
            config: all settings.
            images: data on the right device; loaded when left out.
        Raises:
            ConfigError: the device is not there.
        """
        self.config = config
        self.device = devices.resolve(config.device)
        self.images = images or load(config.dataset, self.device)
        self.model = models.build(config).to(self.device)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=config.learning_rate, fused=True)
        self.alpha, self.beta, self.learning_rate = config.alpha, config.beta, config.learning_rate
        self.frozen = config.frozen
        self.step_count = 0
        self.marks: list[Mark] = []
        self._waiting = RowBuffer(self.device)
        self._read: list[np.ndarray] = []
        self._noise = torch.Generator(self.device)
        self._order = (-1, torch.empty(0))  # epoch, (N,) permutation
        self._good = (0, self._parameters())

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(len(self.images.x_train) / self.config.batch_size)

    @property
    def total_steps(self) -> int:
        return self.config.epochs * self.steps_per_epoch

    @property
    def done(self) -> bool:
        return self.step_count >= self.total_steps

    @property
    def images_seen(self) -> int:
        epoch, index = divmod(self.step_count, self.steps_per_epoch)
        return epoch * len(self.images.x_train) + index * self.config.batch_size

    @property
    def beta_now(self) -> float:
        """beta after linear warm-up (Bowman et al. 2016; Sønderby et al. 2016)."""
        warmup = self.config.warmup_steps
        return self.beta if warmup == 0 else self.beta * min(1.0, self.step_count / warmup)

    def step(self) -> None:
        """One batch: forward, both terms, backward, Adam. Losses are read later, by `flush`.

        Raises:
            Diverged: noticed when the buffer of losses is full.
            RunError: the GPU is out of memory.
        """
        try:
            self._update(*self.batch())
        except torch.OutOfMemoryError:
            raise RunError(
                f"The GPU ran out of memory: lower the batch size (now {self.config.batch_size}), "
                "or take fewer runs at once."
            ) from None
        self.step_count += 1
        if self._waiting.full:
            self._read_rows()

    def flush(self) -> np.ndarray:
        """The history since the last flush: (n, 4) float32, columns ROW, in nats per image.

        Raises:
            Diverged: a loss or a weight is no number any more. The model is back at its last good weights.
        """
        self._read_rows()
        rows = np.concatenate(self._read) if self._read else np.zeros((0, len(ROW)), np.float32)
        self._read = []
        return rows

    @property
    def weights(self) -> dict[str, Any]:
        """The CHANGEABLE settings in force."""
        return {name: getattr(self, name) for name in CHANGEABLE}

    def set(self, **changes: Any) -> Mark | None:
        """Change CHANGEABLE settings from the next step on.

        Returns:
            The mark for the curves, such as "beta 1 → 0 at step 812", or None where nothing changed.
        Raises:
            ConfigError: a value out of range, or both weights 0; nothing is changed then.
        """
        old, new = self.weights, self.weights | changes
        check_changes(new, self.config)
        texts = [f"{k.replace('_', ' ')} {_short(old[k])} → {_short(new[k])}" for k in CHANGEABLE if new[k] != old[k]]
        if not texts:
            return None
        self._apply(new)
        self.marks.append(Mark(self.step_count, f"{', '.join(texts)} at step {self.step_count}", new))
        return self.marks[-1]

    def evaluate(self) -> Evaluation:
        """−ELBO and its terms over all test images, one sample each, with the evaluation noise."""
        seed = rng.stream_seed(self.config.seed, "eval")
        return evaluate(self.model, self.images.x_test, self.config.protocol, seed)

    def state(self) -> dict[str, Tensor]:
        """All that training depends on, as tensors on the CPU: `restore` goes on bit for bit."""
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        names = [name for name, _ in self.model.named_parameters()]
        for i, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{names[i]}.{k}": v for k, v in moments.items()}
        weights = [self.step_count, self.alpha, self.beta, self.learning_rate, FROZEN.index(self.frozen)]
        tensors["trainer"] = torch.tensor(weights, dtype=torch.float64)
        return {k: v.detach().cpu().clone() for k, v in tensors.items()}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Go back to what `state` returned, of a trainer with the same config."""
        self.model.load_state_dict(_below("model.", tensors))
        names = [name for name, _ in self.model.named_parameters()]
        moments = {i: _below(f"adam.{name}.", tensors) for i, name in enumerate(names)}
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": {i: m for i, m in moments.items() if m}, "param_groups": groups})
        step, alpha, beta, learning_rate, frozen = tensors["trainer"].tolist()
        self.step_count = int(step)
        self._apply({"alpha": alpha, "beta": beta, "learning_rate": learning_rate, "frozen": FROZEN[int(frozen)]})
        self._waiting, self._read = RowBuffer(self.device), []
        self._good = (self.step_count, self._parameters())

    def _apply(self, weights: dict[str, Any]) -> None:
        for name, value in weights.items():
            setattr(self, name, value)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate

    def batch(self) -> tuple[Tensor, Tensor]:
        """x (B, 1, 28, 28) and eps (B, D) of the coming step: functions of the seed and the step alone."""
        epoch, index = divmod(self.step_count, self.steps_per_epoch)
        if self._order[0] != epoch:
            generator = rng.generator(torch.device("cpu"), self.config.seed, "order", epoch)
            order = torch.randperm(len(self.images.x_train), generator=generator)
            self._order = (epoch, order.to(self.device))
        chosen = self._order[1][index * self.config.batch_size :][: self.config.batch_size]  # (B,)
        self._noise.manual_seed(rng.stream_seed(self.config.seed, "noise", self.step_count))
        x = prepare(self.images.x_train[chosen], self.config.protocol, self._noise)
        eps = torch.randn(len(x), self.model.latent_dim, generator=self._noise, device=self.device)
        return x, eps

    def _update(self, x: Tensor, eps: Tensor) -> None:
        self.model.set_trainable(self.alpha > 0, self.frozen)
        terms = self.model(x, eps)
        # A term of weight 0 is left out, not multiplied by 0: what only it would train gets no gradient at
        # all, so Adam does not touch it, not even by the momentum of earlier steps.
        weighted = [w * t for w, t in ((self.alpha, terms.nll), (self.beta_now, terms.kl)) if w != 0]
        loss = sum(weighted, torch.zeros_like(terms.nll)).mean()
        self.optimizer.zero_grad(set_to_none=True)
        if loss.requires_grad:  # not so in the first step of a warm-up without reconstruction
            loss.backward()
            self.optimizer.step()
        self._waiting.add(self.step_count + 1, torch.stack([terms.nll.mean(), terms.kl.mean(), loss]).detach())

    def _read_rows(self) -> None:
        rows, parameters = self._waiting.read(), self._parameters()
        sane = count_sane(rows)
        self._read.append(rows[:sane])
        if sane < len(rows) or not all_finite(parameters):
            raise self._go_back(rows[sane] if sane < len(rows) else None)
        self._good = (self.step_count, parameters)

    def _go_back(self, row: np.ndarray | None) -> Diverged:
        """Put the last good weights back; the error says what ran away."""
        noticed = self.step_count
        self.step_count, parameters = self._good
        self.model.load_state_dict(parameters)
        return Diverged(explain(row, noticed, self.step_count, self.weights, self.config))

    def _parameters(self) -> dict[str, Tensor]:
        return {k: v.detach().clone() for k, v in self.model.state_dict().items()}


def _short(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
