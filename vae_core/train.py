"""The trainer: one batch at a time, knowing no model family. `python -m vae_core.train` is its command line.

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
from vae_core.config import CHANGEABLE, FROZEN, ConfigError, RunConfig, check_changes
from vae_core.data import Images, load, prepare
from vae_core.evaluate import Evaluation, evaluate, mean_iw_bound
from vae_core.slow_motion import SlowStep, look, look_back
from vae_core.snapshot import Photographer, Snapshot

ROW = ("step", "nll", "kl", "loss")  # the columns of the train history, one row a step
RUNAWAY = 1e8  # nats per image; beyond it a loss counts as infinite
NEED_POSTERIOR = ("neg_elbo", "kl", "kl_dims", "mean_std", "neg_iw_bound", "iw_neg_elbo")  # of final_metrics
_BUFFER = 256  # steps whose losses wait on the device before they are read


class RunError(RuntimeError):
    """A run that cannot go on; the message says why and what to do."""


class Diverged(RunError):
    """A loss or a weight stopped being a number."""


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
        self._rows = torch.zeros(_BUFFER, len(ROW), device=self.device)
        self._waiting = 0
        self._flushed: list[np.ndarray] = []
        self._noise = torch.Generator(self.device)
        self._order = (-1, torch.empty(0))  # epoch, (N,) permutation
        self._good = (0, self._weights())
        self._photographer: Photographer | None = None

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
            self._update(*self._batch())
        except torch.OutOfMemoryError:
            raise RunError(
                f"The GPU ran out of memory: lower the batch size (now {self.config.batch_size}), "
                "or take fewer runs at once."
            ) from None
        self.step_count += 1
        self._waiting += 1
        if self._waiting == _BUFFER:
            self._read_rows()

    def slow_step(self) -> SlowStep:
        """One step like any other, and everything that happened in it.

        Raises:
            Diverged, RunError: as `step`.
        """
        x, eps = self._batch()
        self.model.attend(self.alpha > 0, self.frozen)
        before, seen = self._weights(), look(self.model, x, eps, self.alpha, self.beta_now)
        self.step()
        return look_back(seen, self, before, x, eps)

    def flush(self) -> np.ndarray:
        """The history since the last flush: (n, 4) float32, columns ROW, in nats per image.

        Raises:
            Diverged: a loss or a weight is no number any more. The model is back at its last good weights.
        """
        self._read_rows()
        rows = np.concatenate(self._flushed) if self._flushed else np.zeros((0, len(ROW)), np.float32)
        self._flushed = []
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

    def snapshot(self, metered: bool = False) -> Snapshot:
        """What the run looks like now, with the figures of meter.py if wished; training is not disturbed."""
        self._photographer = self._photographer or Photographer(self.config, self.images)
        return self._photographer.take(self.model, self.step_count, metered)

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
        self._waiting, self._flushed = 0, []
        self._good = (self.step_count, self._weights())

    def _apply(self, weights: dict[str, Any]) -> None:
        for name, value in weights.items():
            setattr(self, name, value)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate

    def _batch(self) -> tuple[Tensor, Tensor]:
        """x (B, 1, 28, 28) and eps (B, D) of this step: functions of the seed and the step alone."""
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
        self.model.attend(self.alpha > 0, self.frozen)
        terms = self.model(x, eps)
        # A term of weight 0 is left out, not multiplied by 0: what only it would train gets no gradient at
        # all, so Adam does not touch it, not even by the momentum of earlier steps.
        weighted = [w * t for w, t in ((self.alpha, terms.nll), (self.beta_now, terms.kl)) if w != 0]
        loss = sum(weighted, torch.zeros_like(terms.nll)).mean()
        self.optimizer.zero_grad(set_to_none=True)
        if loss.requires_grad:  # not so in the first step of a warm-up without reconstruction
            loss.backward()
            self.optimizer.step()
        row = self._rows[self._waiting]
        row[0] = self.step_count + 1
        row[1:] = torch.stack([terms.nll.mean(), terms.kl.mean(), loss]).detach()

    def _read_rows(self) -> None:
        rows = self._rows[: self._waiting].cpu().numpy().copy()
        self._waiting = 0
        sane = (np.abs(rows[:, 1:3]) < RUNAWAY).all(axis=1) & np.isfinite(rows[:, 3])  # False for NaN too
        if not sane.all():
            bad = int(sane.argmin())
            self._flushed.append(rows[:bad])
            raise self._diverged(rows[bad])
        self._flushed.append(rows)
        weights = self._weights()
        sums = torch.stack([w.sum() for w in weights.values() if w.is_floating_point()])  # one NaN makes its sum NaN
        if not bool(sums.isfinite().all()):
            raise self._diverged(None)
        self._good = (self.step_count, weights)

    def _diverged(self, row: np.ndarray | None) -> Diverged:
        """Put the last good weights back and say which settings did it."""
        what, step = "A weight", self.step_count
        if row is not None:
            step, nll, kl = int(row[0]), abs(row[1]), abs(row[2])
            if nll < RUNAWAY and kl < RUNAWAY:
                what = "The weighted loss"
            else:
                what = "The KL term" if nll < RUNAWAY or kl > nll else "The reconstruction term"
        self.step_count, weights = self._good
        self.model.load_state_dict(weights)
        return Diverged(
            f"{what} ran away to infinity at step {step}, with {', '.join(self._suspects())}. "
            f"Training stopped; the last good weights (step {self.step_count}) are kept. "
            "Change what is named here and start again."
        )

    def _suspects(self) -> list[str]:
        """The settings most likely behind a divergence: those beyond the usual range, else all that matter."""
        gaussian = self.config.likelihood != "bernoulli"
        usual = [
            (f"learning rate {self.learning_rate:g}", self.learning_rate > 0.01),
            (f"beta {self.beta:g}", self.beta > 100),
            (f"alpha {self.alpha:g}", self.alpha > 100),
            (f"sigma {self.config.sigma:g}", gaussian and self.config.sigma < 0.05),
        ]
        return [text for text, odd in usual if odd] or [text for text, _ in usual[:3]]

    def _weights(self) -> dict[str, Tensor]:
        return {k: v.detach().clone() for k, v in self.model.state_dict().items()}


def final_metrics(trainer: Trainer, iw_samples: int = 100, iw_images: int = 1_000) -> dict[str, Any]:
    """The test figures of a card: −ELBO over all test images, and the importance-weighted bound.

    Args:
        iw_samples: K of the bound. iw_images: over the first so many test images.
    Returns:
        JSON-ready; what needs a posterior is None for a model without one.
    """
    config = trainer.config
    seed = rng.stream_seed(config.seed, "eval")
    pixels = trainer.images.x_test[:iw_images]
    bound = mean_iw_bound(trainer.model, pixels, config.protocol, seed, iw_samples)
    same = evaluate(trainer.model, pixels, config.protocol, seed)
    figures = {
        "split": "test",
        "protocol": config.protocol,
        "images": len(trainer.images.x_test),
        "samples": 1,
        **trainer.evaluate().to_dict(),
        "neg_iw_bound": -bound,
        "iw_neg_elbo": same.neg_elbo,
        "iw_samples": iw_samples,
        "iw_images": len(pixels),
    }
    return figures if trainer.model.stochastic else figures | dict.fromkeys(NEED_POSTERIOR)


def _short(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


__all__ = ["ROW", "ConfigError", "Diverged", "Mark", "RunError", "Trainer", "final_metrics"]

if __name__ == "__main__":
    import sys

    from vae_core.cli import main

    sys.exit(main())
