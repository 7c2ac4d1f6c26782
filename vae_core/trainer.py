"""The trainer: one batch at a time, knowing no model family.

    loss = Σ weight of a term · term, mean over the batch      a VAE's: (alpha * nll + beta * kl).mean()

The terms come from the model by name, the weights from the settings, and they may change at any step.
"""

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from vae_core import devices, models, rng
from vae_core.config import FROZEN, LETTERS, ConfigError, LiveSettings, RunConfig
from vae_core.data import Images, load, prepare
from vae_core.divergence import Diverged, RunError, all_finite, count_sane, explain
from vae_core.models.base import Family
from vae_core.row_buffer import RowBuffer


@dataclass(frozen=True)
class Mark:
    """A change of settings during the run; `settings` are in force from the step after it."""

    step: int
    text: str
    settings: LiveSettings

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"step": self.step, "text": self.text, "weights": self.settings.to_dict()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """What `to_dict` wrote."""
        return cls(values["step"], values["text"], LiveSettings(**values["weights"]))


class Trainer:
    """Trains one model. The same config on the same CPU gives the same curve, bit for bit.

    Attributes:
        config: the settings it began with. settings: of those that may change, the ones in force now.
        step_count: updates made. model: the model in training. columns: of its history.
        marks: changes of settings made on the way.
    """

    def __init__(self, config: RunConfig, images: Images | None = None) -> None:
        """
        Args:
            config: all settings.
            images: data on the right device; loaded when left out.
        Raises:
            ConfigError: the device is not there, or the model's family cannot use a setting.
        """
        self.config = config
        self.device = devices.resolve(config.device)
        self.images = images or load(config.dataset, self.device)
        self.model = models.build(config, self.images.shape).to(self.device)
        if self.model.has.labels and self.images.classes != 10:
            raise ConfigError(
                f"{config.model} is told one of ten labels, and {config.dataset} has others: take another set."
            )
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=config.learning_rate, fused=True)
        self.settings = config.live
        self.columns = self.model.columns()
        self.step_count = 0
        self.marks: list[Mark] = []
        self._waiting = RowBuffer(len(self.columns), self.device)
        self._read: list[np.ndarray] = []
        self._noise = torch.Generator(self.device)
        self._order = (-1, torch.empty(0))  # epoch, (N,) permutation
        self._good = (0, self._parameters())

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(len(self.images.x_train) / self.config.batch_size)

    @property
    def total_steps(self) -> int:
        return self.config.steps or self.config.epochs * self.steps_per_epoch

    @property
    def done(self) -> bool:
        return self.step_count >= self.total_steps

    @property
    def images_seen(self) -> int:
        return self.images_by(self.step_count)

    def images_by(self, step: int) -> int:
        """How many images the first so many steps take; the last batch of an epoch holds what is left of it."""
        epoch, index = divmod(step, self.steps_per_epoch)
        return epoch * len(self.images.x_train) + index * self.config.batch_size

    @property
    def weights(self) -> dict[str, float]:
        """Of the terms in the coming step; beta as far as its warm-up has come."""
        weights, config = self.settings.weights_of(self.model.TERMS), self.config
        if "kl" in weights and config.warmup_steps:
            weights["kl"] *= warm_up(self.step_count, config.warmup_steps, config.warmup_cycles, self.total_steps)
        return weights

    @property
    def conditioned(self) -> Family:
        """The model, conditioned on the labels of the coming batch where they play a part in it."""
        return self.model.given(self.images.y_train[self._chosen()]) if self.model.has.labels else self.model

    def step(self) -> None:
        """One batch: forward, the terms, backward, Adam. Losses are read later, by `flush`.

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
        """The history since the last flush: (n, columns) float32, in nats per image.

        Raises:
            Diverged: a loss or a weight is no number any more. The model is back at its last good weights.
        """
        self._read_rows()
        rows = np.concatenate(self._read) if self._read else np.zeros((0, len(self.columns)), np.float32)
        self._read = []
        return rows

    def set(self, **changes: Any) -> Mark | None:
        """Change settings from the next step on.

        Args:
            changes: of LiveSettings, by name.
        Returns:
            The mark for the curves, such as "beta 1 → 0 at step 812", or None where nothing changed.
        Raises:
            ConfigError: a value out of range, or all weights 0; nothing is changed then.
        """
        new = models.change(self.settings, changes, self.config)
        old, now = self._named(self.settings), self._named(new)
        texts = [f"{name} {_short(old[name])} → {_short(now[name])}" for name in now if now[name] != old[name]]
        if not texts:
            return None
        self._apply(new)
        self.marks.append(Mark(self.step_count, f"{', '.join(texts)} at step {self.step_count}", new))
        return self.marks[-1]

    def state(self) -> dict[str, Tensor]:
        """All that training depends on, as tensors on the CPU: `restore` goes on bit for bit."""
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        names = [name for name, _ in self.model.named_parameters()]
        for i, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{names[i]}.{k}": v for k, v in moments.items()}
        now = self.settings
        numbers = [self.step_count, now.alpha, now.beta, now.learning_rate, FROZEN.index(now.frozen)]
        tensors["trainer"] = torch.tensor(numbers, dtype=torch.float64)
        tensors["weights"] = torch.tensor(list(now.weights.encode()), dtype=torch.uint8)
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
        own = bytes(tensors.get("weights", torch.empty(0)).tolist()).decode()  # older files have none
        self._apply(LiveSettings(alpha, beta, own, learning_rate, FROZEN[int(frozen)]))
        self._waiting, self._read = RowBuffer(len(self.columns), self.device), []
        self._good = (self.step_count, self._parameters())

    def _named(self, settings: LiveSettings) -> dict[str, float | str]:
        """What is in force, by the names that a mark uses."""
        own: dict[str, float | str] = {
            term: w for term, w in settings.weights_of(self.model.TERMS).items() if term not in LETTERS
        }
        ends: dict[str, float | str] = {"learning rate": settings.learning_rate, "frozen": settings.frozen}
        return {"alpha": settings.alpha, "beta": settings.beta, **own, **ends}

    def _apply(self, settings: LiveSettings) -> None:
        self.settings = settings
        for group in self.optimizer.param_groups:
            group["lr"] = settings.learning_rate

    def batch(self) -> tuple[Tensor, Tensor]:
        """x (B, 1, 28, 28) and eps (B, D) of the coming step: functions of the seed and the step alone.

        eps is as the model's `noise_shape` says, (D,) an image by default.
        """
        chosen = self._chosen()
        self._noise.manual_seed(rng.stream_seed(self.config.seed, "noise", self.step_count))
        x = prepare(self.images.x_train[chosen], self.config.protocol, self._noise)
        return x, torch.randn(len(x), *self.model.noise_shape(), generator=self._noise, device=self.device)

    def _chosen(self) -> Tensor:
        """(B,) the training images of the coming step."""
        epoch, index = divmod(self.step_count, self.steps_per_epoch)
        if self._order[0] != epoch:
            generator = rng.generator(torch.device("cpu"), self.config.seed, "order", epoch)
            order = torch.randperm(len(self.images.x_train), generator=generator)
            self._order = (epoch, order.to(self.device))
        return self._order[1][index * self.config.batch_size :][: self.config.batch_size]

    def _update(self, x: Tensor, eps: Tensor) -> None:
        weights = self.weights
        self.model.set_trainable(weights, self.settings.frozen)
        out = self.conditioned(x, eps)
        terms, minimised = out.terms, self.model.minimised(out, self.config.free_bits)
        # A term of weight 0 is left out, not multiplied by 0: what only it would train gets no gradient at
        # all, so Adam does not touch it, not even by the momentum of earlier steps.
        weighted = [weight * minimised[name] for name, weight in weights.items() if weight != 0]
        loss = sum(weighted, torch.zeros(len(x), device=self.device)).mean()
        self.optimizer.zero_grad(set_to_none=True)
        if loss.requires_grad:  # not so in the first step of a warm-up without reconstruction
            loss.backward()
            self.optimizer.step()
        means = [terms[name].mean() for name in weights]
        self._waiting.add(self.step_count + 1, torch.stack([*means, loss]).detach())

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
        weights = self.settings.weights_of(self.model.TERMS)
        config = self.config.with_(learning_rate=self.settings.learning_rate)
        named = None if row is None else dict(zip(self.columns, row.tolist(), strict=True))
        return Diverged(explain(named, noticed, self.step_count, weights, config))

    def _parameters(self) -> dict[str, Tensor]:
        return {k: v.detach().clone() for k, v in self.model.state_dict().items()}


def warm_up(step: int, steps: int, cycles: int, total: int) -> float:
    """The share of beta after `step` updates, 0 to 1: it rises linearly (Bowman 2016; Sønderby 2016), or anew in each
    of `cycles` equal parts of the run (Fu et al. 2019, "Cyclical annealing schedule", eq. 6).

    Args:
        steps: over which it rises, > 0. cycles: 0 or 1: once. total: steps of the run.
    """
    begun = step % math.ceil(total / cycles) if cycles > 1 else step  # updates since this rise began
    return min(1.0, begun / steps)


def _short(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
