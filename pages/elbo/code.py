"""From mathematics to code: each box and each formula beside the very source that computes it."""

import streamlit as st
import torch

from pages.elbo.settings import link
from pages.elbo.subject import Subject, subject
from pages.ui.lesson.code_map import Step, code_map_view
from pages.ui.once import computed_once
from pages.ui.shipped import title_of
from vae_core import losses
from vae_core.config import RunConfig
from vae_core.export.elbo_notebook import elbo_bundle
from vae_core.export.templating import escape_markdown
from vae_core.models.vae import VAE
from vae_core.trainer import Trainer

SEED = 0  # of the one sample of z
_BERNOULLI = "nll = −log p(x | z) = −Σ [x log x̂ + (1 − x) log(1 − x̂)]"
_PER_PIXEL = "p(x | z):   x̂ = sigmoid(a), sigma = 0.01 + softplus(b),   (a, b) = decoder(z)"
_GAUSSIAN = "nll = −log p(x | z) = Σ [(x − x̂)² / (2 sigma²) + log sigma + ½ log 2π]"


def section(subject: Subject) -> None:
    """The picture, the formulas and the sources."""
    st.markdown(
        "Every box is a formula, and every formula a few lines of Python. Point at one: its box, its formula and the "
        "code that really runs light up together."
    )
    steps = steps_of(*subject.key)
    st.session_state[link.key("code")] = code_map_view(steps, key="code map", chosen=link.get("code"))
    st.caption(f"{subject.caption} One sample of z, seed {SEED}.")
    st.download_button(
        "As a notebook",
        lambda: take_notebook(subject),
        "elbo.zip",
        "application/zip",
        on_click="ignore",
        icon=":material/download:",
        help="Every term of the bound for this image, in plain PyTorch, with the weights of the model.",
    )


def take_notebook(subject: Subject) -> bytes:
    """The notebook of the bound with the image on the page, zipped with the weights that it needs."""
    config = RunConfig.from_dict(subject.card["config"])
    label = f"{subject.label}, {subject.colours} pixels, in {title_of(subject.key.model)} ({subject.trained})."
    label = f"{label[0].upper()}{label[1:]}"
    return elbo_bundle(subject.model, config, subject.x, escape_markdown(label), subject.meaning)


@computed_once(64)
@torch.no_grad()
def steps_of(model: str, digit: int, which: int, redraw: int | None = None) -> tuple[Step, ...]:
    """The six steps of one pass with the numbers of the image on the page."""
    s = subject(model, digit, which, redraw)
    config = s.card["config"]
    eps = torch.randn(s.mu.shape, generator=torch.Generator().manual_seed(SEED))
    out = s.model(s.x, eps)
    x_hat = s.model.mean_image(out.logits)
    nll, kl = out.terms["nll"].item(), out.terms["kl"].item()
    alpha, beta = config["alpha"], config["beta"]
    bernoulli = config["likelihood"] == "bernoulli"
    return (
        Step(
            "encode",
            "encoder",
            f"mu {_pair(out.mu)}\nstd {_pair((0.5 * out.log_var).exp(), 3)}",
            "q(z | x) = N(mu, std²),   (mu, log_var) = encoder(x)",
            "q",
            (VAE.encode,),
        ),
        Step(
            "sample",
            "sample",
            f"z {_pair(out.z)}",
            "z = mu + std · eps,   eps ~ N(0, I),   std = exp(½ log_var)",
            "q",
            (VAE.sample,),
        ),
        Step(
            "decode",
            "decoder",
            f"x̂ {x_hat.min():.2f} to {x_hat.max():.2f}",
            _PER_PIXEL if config["likelihood"] == "gaussian-per-pixel" else "p(x | z):   x̂ = sigmoid(decoder(z))",
            "decoder",
            (VAE.decode,),
        ),
        Step(
            "reconstruction",
            "reconstruction",
            f"{_minus(nll)} nats",
            _BERNOULLI if bernoulli else _GAUSSIAN,
            "reconstruction",
            (losses.bernoulli_nll if bernoulli else losses.gaussian_nll,),
        ),
        Step(
            "kl",
            "KL",
            f"{_minus(kl)} nats",
            "kl = KL(q ‖ p(z)) = ½ Σ (mu² + std² − 1 − log_var)",
            "kl",
            (losses.gaussian_kl_dims, losses.gaussian_kl),
        ),
        Step(
            "update",
            "loss and update",
            f"{alpha:g} · nll + {beta:g} · kl = {_minus(alpha * nll + beta * kl)} nats",
            "loss = mean over the batch of alpha · nll + beta · kl",
            "total",
            (Trainer._update,),
        ),
    )


def _pair(row: torch.Tensor, digits: int = 2) -> str:
    return "(" + ", ".join(_minus(v, digits) for v in row[0].tolist()) + ")"


def _minus(value: float, digits: int = 2) -> str:
    return f"{value:.{digits}f}".replace("-", "−")
