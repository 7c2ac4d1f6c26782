"""What a rule may look at, and what several rules ask of it."""

from dataclasses import dataclass

from vae_core.config import LiveSettings
from vae_core.metrics.states.figures import Figures

BEGINNING = 40  # steps within which nothing can be said yet
ONE_IMAGE_UNTIL = 200  # steps; until then a healthy run, too, may have no active unit and draw the mean image
FAR_OUT = 0.2  # share of codes outside 3 sigma that beta 1 does not reach: 0.01 is the prior's own
SPREAD, NARROWED = 1.0, 0.5  # prior std of mu, and of q: between them a plain autoencoder begins to show
FAR_FROM_PRIOR = 0.5  # nats of KL: units that are not active weigh less than 0.02 each as long as q is about the prior
SAME_PICTURE = 0.03  # mean over pixels of their std over prior draws, of 1; decoders that learned are above 0.07
WORSE = 1.2  # deviance: the mean image has 1, and a decoder that ignores z wavers round it


@dataclass(frozen=True)
class Case:
    """The figures of a model, and the settings in force.

    Attributes:
        decoder_trained: whether the decoder could learn at any step so far.
        diverged: whether training ended because a loss was no number any more.
    """

    figures: Figures
    settings: LiveSettings
    decoder_trained: bool
    diverged: bool = False

    @property
    def early(self) -> bool:
        """Whether a healthy run may still have no active unit."""
        return self.figures.step < ONE_IMAGE_UNTIL

    @property
    def both_learn(self) -> bool:
        """Whether the reconstruction moves encoder and decoder now."""
        return self.decoder_trained and self.settings.alpha > 0 and self.settings.frozen == "none"

    @property
    def dead(self) -> bool:
        """Whether no unit is active."""
        return self.figures.in_use == 0

    @property
    def one_image(self) -> bool:
        """Whether draws from the prior all look the same."""
        return self.figures.variety < SAME_PICTURE

    @property
    def has_bound(self) -> bool:
        """Whether it is a VAE's loss: a bound on log p(x), with a KL from a posterior."""
        f = self.figures
        return "kl" in f.terms and f.neg_elbo is not None and f.mean_std is not None

    @property
    def plain(self) -> bool:
        """Whether all there is is a code and its reconstruction."""
        return bool(self.figures.active) and set(self.figures.terms) == {"nll"}

    # ---- the rules that are longer than a line, in the order of the table

    @property
    def ran_away(self) -> bool:
        """Early on a healthy reconstruction, too, is worse than the mean image's; nothing may hinder it later."""
        worse = self.figures.deviance is not None and self.figures.deviance > WORSE
        return self.diverged or not self.figures.finite or (worse and not self.early and self.both_learn)

    @property
    def beginning(self) -> bool:
        """What is switched off or frozen is told before; without a KL, draws from the prior say nothing."""
        off = not self.decoder_trained or self.settings.alpha == 0 or self.settings.frozen == "encoder"
        codes = bool(self.figures.active) and (self.has_bound or self.plain)
        same = self.dead or (self.one_image and self.settings.beta > 0 and not self.plain)
        return self.figures.step < BEGINNING or (self.early and codes and not off and same)

    @property
    def ignored(self) -> bool:
        """No unit is active, and q is not the prior either; a plain autoencoder has no q."""
        return self.dead and (self.plain or self.figures.terms["kl"] > FAR_FROM_PRIOR)

    @property
    def weak(self) -> bool:
        return self.figures.outside is not None and self.figures.outside > FAR_OUT

    @property
    def partial(self) -> bool:
        return not self.early and self.figures.in_use < len(self.figures.active)
