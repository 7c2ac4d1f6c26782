"""The card of a trained model: how it is made, and what it must hold so that whoever shows it may rely on it."""

import math
import platform
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

import vae_core
from vae_core import devices
from vae_core.any_path import AnyPath
from vae_core.checkpoints import CheckpointError, config_of, read_card
from vae_core.config import RunConfig, term_name
from vae_core.data.sets import describe
from vae_core.digits import with_error
from vae_core.evaluate import final_metrics
from vae_core.inspect.points import exact_figures
from vae_core.models import family
from vae_core.models.base import Family
from vae_core.thinning import FRAMES
from vae_core.trainer import Trainer

HELP = {  # one line a setting, for the command line and the report
    "dataset": "image set",
    "protocol": "how pixels become data: grey, dynamic, static or threshold",
    "model": "model family",
    "net": "network: mlp or conv",
    "widths": "hidden layers of the mlp's encoder, such as 400-200; the decoder mirrors them",
    "activation": "of the mlp: relu, elu or tanh",
    "latent_dim": "number of latent dimensions, or of those of a codebook's vectors",
    "codebook_size": "vectors of a codebook, for a family that has one",
    "likelihood": "bernoulli, gaussian, gaussian-learned or gaussian-per-pixel",
    "sigma": "sigma of the Gaussian likelihood (a learned one starts there)",
    "alpha": "weight of the reconstruction term",
    "beta": "weight of the KL term",
    "weights": "of a family's other terms, such as codebook=1,commitment=0.5",
    "samples": "K of the bound that iwae minimises",
    "corruption": "std of the noise on the images that dae sees",
    "warmup_steps": "steps over which beta rises linearly from 0",
    "warmup_cycles": "equal parts of the run, in each of which beta rises anew; 0 or 1: once",
    "free_bits": "nats below which the KL of a dimension, mean over the batch, is not minimised; 0: off",
    "learning_rate": "of Adam",
    "frozen": "the half that keeps its weights: encoder, decoder or none",
    "batch_size": "images in a step",
    "epochs": "passes over the training images",
    "steps": "in all, whatever the epochs say; 0: as many as they take",
    "seed": "of init, batch order, training noise and evaluation noise",
    "device": "auto, cpu, cuda or mps",
}


@dataclass(frozen=True)
class Keeping:
    """What is kept of a run besides its card.

    Attributes:
        film: whether the live view can show it. frames: of the film, from its first step to its last; 1 is the last.
        only_run: the film, the curves and the decoder in place of the model and its history.
        decoder: whether such a run keeps its decoder.
        half: whether the model is rounded to float16 and kept so; its test figures are those of the rounded model.
        state: whether what training goes on from is kept, too, where it has reached its end.
    """

    film: bool = False
    frames: int = FRAMES
    only_run: bool = False
    decoder: bool = True
    half: bool = False
    state: bool = False

    @property
    def options(self) -> str:
        """As they are given to the command line; empty for a plain checkpoint."""
        given = {
            "--film": self.film,
            f"--frames {self.frames}": self.frames != FRAMES,
            "--only-run": self.only_run,
            "--no-decoder": not self.decoder,
            "--half": self.half,
            "--keep-state": self.state,
        }
        return " ".join(option for option, chosen in given.items() if chosen)

    @property
    def sentence(self) -> str:
        """For the card of a run that is kept alone."""
        decoder = "the decoder's weights in float16" if self.decoder else "no weights, not even the decoder's"
        return f"Kept: curves, film and {decoder}. The command trains the whole model again."


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _are_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(_is_number(item) for item in value)


_CARD: dict[str, Callable[[Any], bool]] = {"steps": _is_whole, "seed": _is_whole}
_POSTERIOR_FIGURES: dict[str, Callable[[Any], bool]] = {"kl_dims": _are_numbers, "mean_std": _is_number}
_BOUND_FIGURES: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("neg_iw_bound", "iw_neg_elbo"), _is_number),
    **dict.fromkeys(("iw_samples", "iw_images"), _is_whole),
}


def _figures_of(kind: type[Family]) -> dict[str, Callable[[Any], bool]]:
    """What evaluate.final_metrics gives of a family, each figure with what it must be."""
    gaussian = kind.has.posterior == "gaussian"
    return {
        **dict.fromkeys(("split", "protocol"), _is_text),
        **dict.fromkeys(("images", "samples"), _is_whole),
        **dict.fromkeys(kind.TERMS, _is_number),
        **({"neg_elbo": _is_number} if kind.has_elbo() else {}),
        **({"active_units": _is_whole} if kind.has.codes else {}),
        **({"perplexity": _is_number, "used": _is_whole} if kind.has.code_map else {}),
        **(_POSTERIOR_FIGURES if gaussian else {}),
        **(_BOUND_FIGURES if gaussian and kind.has_elbo() and kind.has.prior else {}),
    }


def read_whole_card(path: AnyPath) -> dict[str, Any]:
    """A card that holds all that is shown of a model; settings that are newer than the card stand at their defaults.

    Raises:
        CheckpointError: it cannot be read, or something in it is missing or of a wrong type.
    """
    path = Path(path)
    card = read_card(path)
    config = config_of(card, path)
    for name, fits in _CARD.items():
        if not fits(card.get(name)):
            raise CheckpointError(f"{path} has no usable {name}: restore or retrain it.")
    check_figures(card.get("test"), config.model, path)
    return card | {"config": config.to_dict()}


def check_figures(figures: Any, model: str, path: AnyPath) -> None:
    """Hold figures of a test split to what evaluate.final_metrics gives.

    Args:
        model: family, whose terms and capabilities say which figures there are.
        path: of the file in which they stand, for the message.
    Raises:
        CheckpointError: a figure is missing or of a wrong type.
    """
    if not isinstance(figures, dict):
        raise CheckpointError(f"{path} has no test figures: restore or retrain it.")
    for name, fits in _figures_of(family(model)).items():
        if not fits(figures.get(name)):
            raise CheckpointError(f"{path} has no usable {name} among its test figures: restore or retrain it.")


def make_card(trainer: Trainer, seconds: float, keeping: Keeping) -> dict[str, Any]:
    """What is to be known of the model: settings, test figures with protocol and K, and how to build it again."""
    config = trainer.config
    return {
        "name": f"{config.dataset} {config.model} {config.net}, {config.latent_dim} latents",
        "config": config.to_dict(),
        "data": describe(trainer.images),
        "command": command(config, keeping),
        **({"kept": keeping.sentence} if keeping.only_run else {}),
        **({"weights": "float16, rounded before the test figures were taken"} if keeping.half else {}),
        "steps": trainer.step_count,
        "finished": trainer.done,
        "test": final_metrics(trainer.model, trainer.images, config)
        | exact_figures(trainer.model, trainer.images, config),
        "seed": config.seed,
        "device": devices.describe(trainer.device),
        "seconds": round(seconds, 1),
        "versions": {
            "vae_core": vae_core.__version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }


def command(config: RunConfig, keeping: Keeping | None = None) -> str:
    """The command that trains this config again, and keeps the same of it."""
    defaults, values = RunConfig().to_dict(), config.to_dict()
    named = {"net", "latent_dim", "epochs", "seed"}
    chosen = [
        f"--{k.replace('_', '-')} {shlex.quote(str(v))}" for k, v in values.items() if k in named or v != defaults[k]
    ]
    kept = keeping.options.split() if keeping else []
    return " ".join(["python -m vae_core.train", *chosen, *kept, "--out DIR"])


def table(test: dict[str, Any], terms: Sequence[str], units: Mapping[str, str] | None = None) -> str:
    """The test figures as text, in nats per image ± their standard errors; what the model has not is left out.

    Args:
        test: of a card. terms: of the model's family. units: of those that are no nats.
    """
    units = units or {}
    what = "points" if test["protocol"] == "points" else "images"
    data = "" if what == "points" else f"{test['protocol']} data, "
    where = f"K=1, {data}test, {test['images']:,} {what}"
    rows = [(f"−ELBO ({where})", "neg_elbo")]
    notes = {"nll": ", nll"} | {term: f", {unit}, no nats" for term, unit in units.items()}
    rows += [(f"  {term_name(term)}{notes.get(term, '')}", term) for term in terms]
    if "iw_samples" in test:
        rows += [
            (f"−importance-weighted bound (K={test['iw_samples']}, {test['iw_images']:,} {what})", "neg_iw_bound"),
            (f"  −ELBO of the same {what}", "iw_neg_elbo"),
        ]
    errors = test.get("errors", {})
    lines = [(label, with_error(test[name], errors.get(name))) for label, name in rows if test.get(name) is not None]
    if "exact_log_p" in test:
        lines.append(("log p(x), by quadrature", with_error(test["exact_log_p"], test["exact_error"])))
        lines.append(("  ELBO, by quadrature", with_error(test["exact_elbo"], test["exact_error"])))
    if "active_units" in test:
        of = f" of {len(test['kl_dims'])}" if test.get("kl_dims") else ""
        lines.append(("active units", f"{test['active_units']}{of}"))
    if "perplexity" in test:
        lines.append(("codes in use; perplexity", f"{test['used']}; {test['perplexity']:.1f}"))
    width, wide = (max(len(pair[i]) for pair in lines) for i in (0, 1))
    return "\n".join(f"{name:<{width}}  {value:>{wide}}" for name, value in lines) + f"   nats per {what[:-1]}"
