"""The figures that answer the questions, each computed from a shipped model or run when it is first asked for."""

import contextlib
import functools
import math
import threading
from typing import NamedTuple

import torch

from pages.ui.once import computed_once
from pages.ui.passage.view import moments, shown_number
from pages.ui.shipped import ARMS_FOLDER, CHECKPOINTS, PLANE, checkpoint, images, title_of
from pages.ui.words import image_name
from vae_core import losses, rng
from vae_core.checkpoints import CheckpointError
from vae_core.data import prepare
from vae_core.evaluate import Evaluation, evaluate
from vae_core.exact.bounds import bound
from vae_core.exact.likelihood import reduced
from vae_core.exact.quadrature import evidence
from vae_core.runs.snapshot_file import read_frame
from vae_core.runs.storage import film_folder, frame_file, frames_in

IMAGES = 1_000  # of the test images, where a mean over them is told
FULL, NO_KL = "arm-full", "arm-no-kl"


class Figure(NamedTuple):
    """values: what is measured, by its name. says: of what, by which model, with which seed."""

    values: dict[str, str]
    says: str


@functools.cache
def compute_ahead() -> None:
    """The figure that takes seconds, once, in a thread: while the first question is read."""
    threading.Thread(target=_gap_if_it_can_be, name="figure of question 2", daemon=True).start()


def _gap_if_it_can_be() -> None:
    with contextlib.suppress(OSError, CheckpointError):  # the page says it where the figure is wanted
        gap_of_the_prior()


@computed_once(1)
def rising_kl() -> Figure:
    """Both terms at the first and at the last kept step of the main model's training."""
    film = moments(PLANE)
    rows = {"step": (f"{m.step:,}" for m in (film[0], film[-1]))}
    rows |= {"KL": (f"{m.kl:.2f}" for m in (film[0], film[-1]))}
    rows |= {"−ELBO": (f"{m.nll + m.kl:.1f}" for m in (film[0], film[-1]))}
    return Figure({name: " → ".join(two) for name, two in rows.items()}, f"5,000 test images, {_by(PLANE)}.")


@computed_once(1)
def gap_of_the_prior() -> Figure:
    """The bound of one image with q = N(0, I), where every integral can be computed."""
    model, number = checkpoint(PLANE).model, shown_number(None)
    x = prepare(images().x_test[number : number + 1], "grey", torch.Generator())
    with torch.no_grad():
        seen = evidence(model, x, tolerance=0.05, starts=model.encode(x)[0])
        none = torch.zeros(1, 2)
        found = bound(model, x, seen, none, none, tolerance=1.0)
    values = {
        "KL(q ‖ prior)": f"{found.kl.value:.1f}",
        "ELBO": f"−{-found.elbo.value:.0f}",
        "log p(x)": f"−{-found.log_p.value:.0f}",
        "gap": f"{found.gap.value:.0f}",
    }
    name = image_name(number, int(images().y_test[number]))
    return Figure(values, f"{name[0].upper()}{name[1:]}, by quadrature in {_by(PLANE)}.")


@computed_once(1)
def mean_for_a_sample() -> Figure:
    """−ELBO of some test images with a sample of z each, and what comes out with its mean in place of it."""
    found, x = checkpoint(PLANE), prepare(images().x_test[:IMAGES], "grey", torch.Generator())
    measured = _measured()
    with torch.no_grad():
        mu, log_var = found.model.encode(x)
        of_mean = losses.bernoulli_nll(found.model.decode(mu), x) + losses.gaussian_kl(mu, log_var)
    values = {"z a sample: −ELBO": f"{sum(measured.terms.values()):.1f}", "z = mu": f"{of_mean.mean():.1f}"}
    return Figure(values, f"{IMAGES:,} test images, K = 1, {_by(PLANE)}.")


@computed_once(1)
def noise_without_kl() -> Figure:
    """How wide the clouds are and how far the codes lie, at the end of two trainings with and without the KL."""
    values = {}
    for name, says in ((FULL, "beta 1"), (NO_KL, "beta 0")):
        folder = film_folder(CHECKPOINTS / ARMS_FOLDER / name, 0)
        told, arrays = read_frame(frame_file(folder, frames_in(folder)[-1]))
        codes = arrays["xy"] * told["xyUnit"]  # (N, 2)
        far = math.sqrt((codes.astype(float) ** 2).sum(1).mean())
        values[f"{says}: std"] = f"{told['meanStd']:.3f}"
        values[f"{says}: |mu|"] = f"{far:.1f}"
    return Figure(values, "Mean std and root mean square |mu|, 5,000 test images, two short runs of seed 0.")


@computed_once(1)
def mean_over_pixels() -> Figure:
    """What the reduction makes of the terms of the main model."""
    terms, config = _measured().terms, checkpoint(PLANE).config
    pixels = images().x_test[0].numel()
    other = reduced("pixels", terms["nll"], terms["kl"], pixels, config.latent_dim)
    values = {
        "sum: nll + KL": f"{terms['nll']:.1f} + {terms['kl']:.2f}",
        "mean: nll + KL": f"{other.nll:.3f} + {other.kl:.2f}",
        "beta": f"{other.implied_beta:g}",
    }
    return Figure(values, f"{IMAGES:,} test images, K = 1, {_by(PLANE)}.")


@computed_once(1)
def _measured() -> Evaluation:
    found = checkpoint(PLANE)
    return evaluate(found.model, images().x_test[:IMAGES], "grey", rng.stream_seed(found.config.seed, "eval"))


def _by(name: str) -> str:
    return f"{title_of(name)}, seed {checkpoint(name).config.seed}"
