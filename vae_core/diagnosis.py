"""What a snapshot says about a run, in words, each with the number that it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vae_core.evaluate import ACTIVE_VARIANCE

if TYPE_CHECKING:  # a snapshot carries the meter, whose verdict is a Diagnosis
    from vae_core.snapshot import Snapshot

BEGINNING = 40  # steps within which nothing can be said yet
SAME_PICTURE = 0.03  # mean over pixels of their std over prior draws, of 1; decoders that learned are above 0.07

EXPLAINED = {
    "beginning": f"The first {BEGINNING} steps decide nothing: the figures still jump from one to the next.",
    "decoder never trained": "With alpha = 0, or the decoder frozen, no update ever reaches the decoder: it is the "
    "random network of the first moment. That is no collapse of the posterior, though the KL may fall to 0 as well. "
    "Switch the reconstruction on, or train both halves.",
    "posterior collapse": "q(z given x) has become the prior, whatever the image: a unit is active when the variance "
    f"of its mu over the test images exceeds {ACTIVE_VARIANCE}, and none is. Then z says nothing about x, and the best "
    "picture is the mean image. Try a smaller beta or a KL warm-up, or branch from a moment before it happened.",
    "reconstruction off": "The decoder has learned, and now stands still. The KL alone pulls every code to 0 and every "
    "std to 1, until no code says which image it came from.",
    "KL off": "Nothing asks the codes to stay near the prior or to keep their width: each cloud shrinks to a point, "
    "points move apart, and between them lie holes that decode to no digit. The reconstruction improves, and draws "
    "from the prior get worse.",
    "mean image": "Some units still follow the images, but the decoder hardly listens: all pictures are near the mean "
    "of the training set. Typical of a large beta.",
    "learning": "Both terms are at work: the reconstruction keeps the codes apart, the KL keeps them near the prior. "
    "−ELBO is an upper bound on −log p(x); both are nats per image, down is good.",
}


@dataclass(frozen=True)
class Diagnosis:
    """A name from the field, and one sentence with its number."""

    name: str
    sentence: str


def diagnose(s: Snapshot, weights: dict[str, Any], decoder_trained: bool) -> Diagnosis:
    """The most serious thing that the figures of the test set show.

    Args:
        weights: alpha and beta in force, among others.
        decoder_trained: whether the decoder could learn at any step so far.
    """
    active, units = int(s.active.sum()), len(s.active)
    kl, std, spread = f"{s.kl:.2f} nats", f"{s.mean_std:.3f}", f"{float(s.xy[:, :units].std()):.1f}"
    variety = float(s.prior_draws.std(axis=0).mean()) / 255
    if s.step < BEGINNING:
        return Diagnosis("beginning", f"{s.step} steps made: too early to say anything.")
    if not decoder_trained:
        return Diagnosis(
            "decoder never trained",
            f"Nothing has ever trained the decoder: its pictures are those of its initial weights. KL {kl}, "
            f"{active} of {units} units active.",
        )
    if active == 0:
        pictures = "one mean image for all" if variety < SAME_PICTURE else "the pictures no longer depend on the input"
        return Diagnosis("posterior collapse", f"0 of {units} units active, KL {kl}: {pictures}.")
    if weights["alpha"] == 0:
        return Diagnosis("reconstruction off", f"The decoder stands still; KL is down to {kl}, {active} units active.")
    if weights["beta"] == 0:
        return Diagnosis(
            "KL off",
            f"Codes spread to a std of {spread} while the posterior std falls to {std}: towards a plain autoencoder.",
        )
    if variety < SAME_PICTURE:
        return Diagnosis(
            "mean image", f"Draws from the prior differ by {variety:.3f} of full scale only: one mean image."
        )
    return Diagnosis("learning", f"−ELBO {s.neg_elbo:.1f} nats, {active} of {units} units active.")
