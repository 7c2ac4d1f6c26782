"""Five questions on what people get wrong about VAEs: one of three options is right, and a figure shows why."""

from collections.abc import Callable
from dataclasses import dataclass

from pages.check import figures
from pages.check.figures import Figure


@dataclass(frozen=True)
class Question:
    """options: three. right: the number of the right one, from 1 on. why: one sentence. figure: computed when asked."""

    text: str
    options: tuple[str, str, str]
    right: int
    why: str
    figure: Callable[[], Figure]


QUESTIONS = (
    Question(
        "While a VAE learns, its [[KL]] rises from 0. What does that say?",
        (
            "The training goes wrong: both terms should fall.",
            "The codes begin to tell images apart.",
            "The prior moves away from the codes.",
        ),
        2,
        "The KL is the price of codes that differ between images; the sum, −[[ELBO]], falls all the same.",
        figures.rising_kl,
    ),
    Question(
        "For one image the encoder says q(z | x) = p(z), so its [[KL]] is 0. Is the [[ELBO]] equal to log p(x)?",
        (
            "Yes: the KL is the gap between the two.",
            "Yes, if the decoder is trained well.",
            "No: the gap is another KL, to the true posterior.",
        ),
        3,
        "The gap is KL(q ‖ p(z | x)), and the [[prior]] is far from the [[posterior]] of an image.",
        figures.gap_of_the_prior,
    ),
    Question(
        "A test loss is computed with z = mu in place of a sample. What is reported?",
        (
            "Less than −ELBO: the noise that z has is left out.",
            "−ELBO, with less noise.",
            "More than −ELBO: mu is only one of many z.",
        ),
        1,
        "Without the noise the decoder copies better, so the sum is too low to be −[[ELBO]].",
        figures.mean_for_a_sample,
    ),
    Question(
        "With beta = 0, z is still sampled. Is this the plain autoencoder?",
        (
            "Yes: without the KL nothing else is left.",
            "No: the noise stays, and the encoder learns to drown it.",
            "No: without the KL nothing can be learned.",
        ),
        2,
        "The std shrinks and the codes spread, until the noise no longer matters: that is close to it, and learned.",
        figures.noise_without_kl,
    ),
    Question(
        "The loss takes the mean over 784 pixels, and the sum over latents for the [[KL]]. What is that?",
        (
            "The same minimum in other units.",
            "A VAE with a beta of 1/784.",
            "A VAE with a beta of 784.",
        ),
        3,
        "Times 784 it is the sum over pixels plus 784 times the KL.",
        figures.mean_over_pixels,
    ),
)
