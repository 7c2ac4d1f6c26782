"""The named states of an arm, each in one sentence with its number. Different causes get different names.

The live page's words are those of diagnosis.diagnose, for a snapshot. Here the same thresholds come in the same
order, so the two agree: "posterior collapse" there is "posterior collapse" here, or "over-regularised" where
a large beta did it; "KL off" is "autoencoder-like" once the figures show it; "mean image" is "over-regularised";
"weak KL" is "between"; "reconstruction off" is "between" until no unit is active.
"""

import math

from vae_core.config import LiveSettings
from vae_core.metrics.definitions import Metrics
from vae_core.metrics.diagnosis import FAR_FROM_PRIOR, SAME_PICTURE, Diagnosis

NARROW = 0.1  # posterior std, of the prior's: a cloud of a hundredth of the prior's area in two dimensions
FAR = 1.0  # sliced distance to the prior; all codes at 0 would be as far
NAMES_TEN = math.log(10)  # nats: the KL bounds what z tells about x, and to name one of ten digits takes so much

MEANINGS = {
    "decoder never trained": "No update ever reached the decoder: it is the random network of the first moment. The KL "
    "may be 0 and no unit active as well, but nothing the decoder did led there.",
    "reconstruction off": "The decoder had learned and stands still; the KL alone has made every q(z given x) the "
    "prior, whatever beta is. Switch the reconstruction on.",
    "encoder frozen": "No term moves the encoder, and it gives all images nearly the same code. Train both halves.",
    "posterior collapse": "q(z given x) has become the prior whatever the image, so z says nothing about x.",
    "encoder ignores x": "q(z given x) is the same Gaussian for every image, and not the prior, so z says nothing "
    "about x. It is not the KL that did it, mostly a large learning rate: take a smaller one.",
    "over-regularised": "The weight of the KL is so large that the codes are not worth their price: the decoder "
    "ignores z and shows the mean image of the training set.",
    "autoencoder-like": "Nothing asks the codes to stay near the prior or to keep their width: each is nearly a point, "
    "far from the others, and draws from the prior fall between them or beside them.",
    "balanced": "Both terms are at work: codes tell the digits apart and lie where draws from the prior land.",
    "between": "On the way to one of the named states, but not there.",
}


def collapse_of(metrics: Metrics, settings: LiveSettings, decoder_trained: bool) -> Diagnosis:
    """The most serious thing that the figures show, with its cause. Its name is a key of MEANINGS.

    What has been switched off or frozen is asked first: it explains the figures whatever the other settings are.

    Args:
        metrics: of a trained arm; a plain autoencoder is known by its figures that are not defined.
        settings: those in force.
        decoder_trained: whether the decoder could learn at any step so far.
    """
    if not decoder_trained:
        return Diagnosis(
            "decoder never trained",
            f"Nothing has ever trained the decoder, so its pictures are {metrics.draw_fidelity:.2f} of full scale away "
            f"from the nearest test image: {_codes(metrics)}.",
        )
    if settings.alpha == 0:
        name = "between" if metrics.active else "reconstruction off"
        return Diagnosis(
            name, f"The decoder stands still, and the KL acts alone: {_codes(metrics)}. Switch the reconstruction on."
        )
    if metrics.active == 0:
        return _collapsed(metrics, settings)
    if metrics.mean_std is None or settings.beta == 0:
        return _without_kl(metrics)
    if metrics.variety < SAME_PICTURE:
        name = "over-regularised" if _large(settings) else "between"
        return Diagnosis(name, f"Beta {settings.beta:g}, {_codes(metrics)}: {_one_image(metrics)}.")
    return _learning(metrics)


def _large(settings: LiveSettings) -> bool:
    """Whether beta is to blame: doubling alpha is like halving beta."""
    return settings.beta > max(1, settings.alpha)


def _collapsed(metrics: Metrics, settings: LiveSettings) -> Diagnosis:
    """No active unit. A plain autoencoder has no posterior, so it cannot have a posterior collapse."""
    if settings.frozen == "encoder":
        return Diagnosis("encoder frozen", f"The encoder stands still, and {_codes(metrics)}.")
    if metrics.kl is None:
        return Diagnosis("between", f"{_codes(metrics)}: the encoder gives every image the same code.")
    if metrics.kl > FAR_FROM_PRIOR:
        return Diagnosis("encoder ignores x", f"{_codes(metrics)}: q is the same for every image, and not the prior.")
    if metrics.variety >= SAME_PICTURE:
        return Diagnosis("posterior collapse", f"{_codes(metrics)}: the pictures no longer depend on the input.")
    if _large(settings):
        made = f"Beta {settings.beta:g} has made the posterior collapse"
        return Diagnosis("over-regularised", f"{made} ({_codes(metrics)}): {_one_image(metrics)}.")
    return Diagnosis("posterior collapse", f"{_codes(metrics)}: {_one_image(metrics)}.")


def _without_kl(metrics: Metrics) -> Diagnosis:
    apart = f"codes spread to a std of {metrics.spread:.1f}, {metrics.outside:.0%} of them outside 3 sigma"
    if metrics.mean_std is None or metrics.holes is None:
        return Diagnosis("autoencoder-like", f"Without a posterior each image is one point, and {apart}.")
    if metrics.mean_std < NARROW and metrics.prior_gap > FAR:
        return Diagnosis(
            "autoencoder-like",
            f"The posterior std falls to {metrics.mean_std:.3f} and {apart}: "
            f"{metrics.holes:.0%} of the prior draws fall into holes.",
        )
    return Diagnosis("between", f"The KL is off, so far with a posterior std of {metrics.mean_std:.3f}; {apart}.")


def _learning(metrics: Metrics) -> Diagnosis:
    assert metrics.kl is not None
    if metrics.kl < NAMES_TEN:
        little = (
            f"{_codes(metrics)}: a draw of z tells less than the ln 10 = {NAMES_TEN:.2f} nats that naming a digit takes"
        )
        if metrics.neighbours < 0.5:
            return Diagnosis("between", f"{little}, so towards a posterior collapse.")
        return Diagnosis(
            "between", f"{little}; mu without noise tells more, {metrics.neighbours:.0%} by its neighbour."
        )
    if metrics.prior_gap > FAR or metrics.outside > 0.5:
        return Diagnosis(
            "between",
            f"{_codes(metrics)}, and {metrics.outside:.0%} of the codes lie outside 3 sigma: towards an autoencoder.",
        )
    return Diagnosis(
        "balanced",
        f"{_codes(metrics)}, and the codes as a whole are {metrics.prior_gap:.2f} prior std from the prior.",
    )


def _codes(metrics: Metrics) -> str:
    active = f"{metrics.active} of {metrics.units} units active"
    return active if metrics.kl is None else f"KL {metrics.kl:.2f} nats, {active}"


def _one_image(metrics: Metrics) -> str:
    return f"prior draws differ by {metrics.variety:.3f} of full scale only, one mean image for all"
