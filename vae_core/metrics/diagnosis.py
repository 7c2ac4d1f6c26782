"""What a snapshot says about a run, in words, each with the number that it rests on."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from vae_core.config import NAMES, LiveSettings
from vae_core.evaluate import ACTIVE_VARIANCE

BEGINNING = 40  # steps within which nothing can be said yet
ONE_IMAGE_UNTIL = 200  # steps; until then a healthy run, too, may have no active unit and draw the mean image
OUTSIDE, FAR_OUT = (
    3.0,
    0.2,
)  # prior std; the share of codes beyond it that beta 1 does not reach: 0.01 is the prior's own
SPREAD, NARROWED = 1.0, 0.5  # prior std of mu, and of q: between them a plain autoencoder begins to show
FAR_FROM_PRIOR = 0.5  # nats of KL: units that are not active weigh less than 0.02 each as long as q is about the prior
SAME_PICTURE = 0.03  # mean over pixels of their std over prior draws, of 1; decoders that learned are above 0.07

EXPLAINED = {
    "beginning": f"The first {BEGINNING} steps decide nothing: the figures still jump from one to the next. Until step "
    f"{ONE_IMAGE_UNTIL} a healthy run, too, may have no active unit and draw little but the mean image.",
    "decoder never trained": "With alpha = 0, or the decoder frozen, no update ever reaches the decoder: it is the "
    "random network of the first moment. That is no collapse of the posterior, though the KL may fall to 0 as well. "
    "Switch the reconstruction on, or train both halves.",
    "posterior collapse": "q(z given x) has become the prior, whatever the image: a unit is active when the variance "
    f"of its mu over the test images exceeds {ACTIVE_VARIANCE}, and none is. Then z says nothing about x, and the best "
    "picture is the mean image. Where beta is large, try a smaller one or a KL warm-up. Or branch from a moment before "
    "it happened.",
    "encoder ignores x": "q(z given x) is one Gaussian, the same for every image, but not the prior: the KL is above "
    f"{FAR_FROM_PRIOR} nats, though no unit is active (no mu has a variance above {ACTIVE_VARIANCE} over the images). "
    "z says nothing about x, as in a posterior collapse, yet it is not the KL that did it: mostly a learning rate far "
    "above 0.002. Take a smaller one, and begin anew or branch from a moment before it happened.",
    "reconstruction off": "The decoder has learned, and now stands still. The KL alone pulls every code to 0 and every "
    "std to 1, until no code says which image it came from, whatever beta is. Switch the reconstruction on, or branch "
    "from a moment before it was switched off.",
    "encoder frozen": "A unit is active when the variance of its mu over the test images exceeds "
    f"{ACTIVE_VARIANCE}, and none is. No term moves the encoder: a random one gives all images nearly the same code, "
    "and one that had collapsed stays so. Train both halves.",
    "KL off": "Nothing asks the codes to stay near the prior or to keep their width: each cloud shrinks to a point, "
    "points move apart, and between them lie holes that decode to no digit. The reconstruction improves, and draws "
    "from the prior get worse.",
    "mean image": "Some units still follow the images, but the decoder hardly listens: all pictures are near the mean "
    "of the training set. Typical of a large beta.",
    "weak KL": "Both terms are at work, but the KL hardly holds the codes: many lie where draws from the prior do not "
    "land. Copies get better, draws worse. Raise beta.",
    "training": "This model has no ELBO: nothing here bounds log p(x), so no name of the field fits. "
    "It makes the weighted sum of its terms small, each a mean over the test images in nats per image; down is good.",
    "learning": "Both terms are at work: the reconstruction keeps the codes apart, the KL keeps them near the prior. "
    "−ELBO is an upper bound on −log p(x); both are nats per image, down is good.",
}


class Seen(Protocol):
    """What is looked at: the figures and pictures of a snapshot, as inspect.snapshot names them."""

    @property
    def step(self) -> int: ...
    @property
    def terms(self) -> dict[str, float]: ...
    @property
    def neg_elbo(self) -> float | None: ...
    @property
    def mean_std(self) -> float | None: ...
    @property
    def active(self) -> np.ndarray: ...
    @property
    def xy(self) -> np.ndarray: ...
    @property
    def prior_draws(self) -> np.ndarray: ...


@dataclass(frozen=True)
class Diagnosis:
    """A name from the field, and one sentence with its number."""

    name: str
    sentence: str


def diagnose(s: Seen, settings: LiveSettings, decoder_trained: bool) -> Diagnosis:
    """The most serious thing that the figures of the test set show, with its cause.

    What has been switched off or frozen is asked first: it explains the figures whatever the other settings are.

    Args:
        settings: those in force.
        decoder_trained: whether the decoder could learn at any step so far.
    """
    if s.step < BEGINNING:
        return Diagnosis("beginning", f"{s.step} steps made: too early to say anything.")
    if not decoder_trained:
        return Diagnosis(
            "decoder never trained",
            f"Nothing has ever trained the decoder: its pictures are those of its initial weights. {_figures(s)}.",
        )
    if "kl" not in s.terms or s.neg_elbo is None or s.mean_std is None:  # the rest is about a bound
        return Diagnosis("training", f"{_figures(s)}.")
    if settings.alpha == 0:
        return Diagnosis(
            "reconstruction off",
            f"The decoder stands still, and the KL acts alone; it is down to {s.terms['kl']:.2f} nats, {_units(s)}: "
            "switch the reconstruction on.",
        )
    if not s.active.any():
        return _no_active_unit(s, settings)
    return _with_active_units(s, settings)


def _no_active_unit(s: Seen, settings: LiveSettings) -> Diagnosis:
    if settings.frozen == "encoder":
        return Diagnosis("encoder frozen", f"The encoder stands still, and {_figures(s)}.")
    if s.step < ONE_IMAGE_UNTIL:
        return Diagnosis("beginning", f"{s.step} steps made: no unit is active yet.")
    same = _variety(s) < SAME_PICTURE
    pictures = "one mean image for all" if same else "the pictures no longer depend on the input"
    if s.terms["kl"] > FAR_FROM_PRIOR:
        return Diagnosis("encoder ignores x", f"{_figures(s)}: {pictures}.")
    return Diagnosis("posterior collapse", f"{_figures(s)}: {pictures}.")


def _with_active_units(s: Seen, settings: LiveSettings) -> Diagnosis:
    assert s.mean_std is not None
    spread = float(s.xy[:, : len(s.active)].std())
    if settings.beta == 0:
        figures = f"Codes have a std of {spread:.1f}, the posterior std is {s.mean_std:.3f}"
        there = spread > SPREAD and s.mean_std < NARROWED
        return Diagnosis("KL off", f"{figures}: {'' if there else 'not yet '}towards a plain autoencoder.")
    if _variety(s) < SAME_PICTURE:
        if s.step < ONE_IMAGE_UNTIL:
            return Diagnosis("beginning", f"{s.step} steps made: prior draws are still one mean image.")
        return Diagnosis(
            "mean image", f"Draws from the prior differ by {_variety(s):.3f} of full scale only: one mean image."
        )
    outside = float((np.linalg.norm(s.xy, axis=1) > OUTSIDE).mean())
    if outside > FAR_OUT:
        far = f"{outside:.0%} of the codes lie more than {OUTSIDE:g} prior std out"
        return Diagnosis("weak KL", f"{far}, {_units(s)}: beta {settings.beta:g} hardly holds them.")
    return Diagnosis("learning", f"−ELBO {s.neg_elbo:.1f} nats, {_units(s)}.")


def _figures(s: Seen) -> str:
    """The KL, or all terms of a model that has none, and how many units are active."""
    shown = {"kl": s.terms["kl"]} if "kl" in s.terms else s.terms
    terms = [f"{NAMES.get(name, name)} {value:.2f} nats" for name, value in shown.items()]
    return ", ".join([*([_units(s)] if len(s.active) else []), *terms])


def _units(s: Seen) -> str:
    return f"{int(s.active.sum())} of {len(s.active)} units active"


def _variety(s: Seen) -> float:
    """Mean over pixels of their std over prior draws, of 1."""
    return float(s.prior_draws.std(axis=0).mean()) / 255
