"""The states in the order in which they are asked: a cause that explains the figures comes before what they show."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from vae_core.evaluate import ACTIVE_VARIANCE
from vae_core.metrics.states import sentences as say
from vae_core.metrics.states.case import BEGINNING, FAR_FROM_PRIOR, FAR_OUT, ONE_IMAGE_UNTIL, SAME_PICTURE, WORSE, Case


@dataclass(frozen=True)
class State:
    """One name.

    Attributes:
        name: the field's. holds: its rule, asked after those of all states above it.
        says: one sentence with the number that it rests on.
        means: what the name says. cure: what to do about it; empty where there is nothing to be done.
        unlike: states that look like it, by name, each with the figure that tells them apart.
    """

    name: str
    holds: Callable[[Case], bool]
    says: Callable[[Case], str]
    means: str
    cure: str = ""
    unlike: Mapping[str, str] = field(default_factory=dict)

    @property
    def explained(self) -> str:
        """Its whole text."""
        return " ".join(filter(None, [self.means, *self.unlike.values(), self.cure]))


_ACTIVE = f"A unit is active when the variance of its mu over the test images exceeds {ACTIVE_VARIANCE}"

STATES = (
    State(
        "diverged",
        lambda c: c.ran_away,
        say.say_diverged,
        f"Training has driven the weights away. The reconstruction is more than {WORSE} times as far from perfect "
        "copies as that of the mean image, which needs no z at all, or a loss is no number any more.",
        "Take a smaller learning rate, and begin anew or branch from a moment before it happened.",
        {
            "posterior collapse": "No unit may be active, as in a posterior collapse, but there the decoder has "
            "learned the mean image.",
        },
    ),
    State(
        "beginning",
        lambda c: c.beginning,
        say.say_beginning,
        f"The first {BEGINNING} steps decide nothing: the figures still jump from one to the next.",
        unlike={
            "posterior collapse": f"Until step {ONE_IMAGE_UNTIL} a healthy run, too, may have no active unit and draw "
            "little but the mean image.",
        },
    ),
    State(
        "decoder never trained",
        lambda c: not c.decoder_trained,
        say.say_never_trained,
        "No update ever reaches the decoder, as the reconstruction is off (alpha = 0) or the decoder frozen: it is the "
        "random network of the first moment. With the KL alone codes collapse: it is 0 only where every image has the "
        "same q, the prior.",
        "Switch the reconstruction on, or train both halves.",
        {"posterior collapse": "In such a collapse both terms are on, and the decoder has learned the mean image."},
    ),
    State(
        "training",
        lambda c: not (c.has_bound or c.plain),
        lambda c: f"{c.figures.told}.",
        "This loss is not −ELBO as a reconstruction and a KL, so no name of the field fits. It makes the weighted sum "
        "of its terms small, each a mean over the test images; down is good.",
    ),
    State(
        "reconstruction off",
        lambda c: c.settings.alpha == 0,
        say.say_alone,
        "The decoder has learned, and now stands still. The KL alone pulls every code to 0 and every std to 1, until "
        "no code says which image it came from.",
        "Switch the reconstruction on, or branch from a moment before it was switched off.",
        {"posterior collapse": "It ends like a posterior collapse, but whatever beta is."},
    ),
    State(
        "encoder frozen",
        lambda c: c.settings.frozen == "encoder",
        say.say_frozen,
        "No term moves the encoder, so the KL stays what it is. A random one gives all images nearly the same code: "
        "the less the codes tell, the nearer every picture is to the mean image.",
        "Train both halves.",
        {"posterior collapse": "No KL closed its units: what is not active never was, or had collapsed before."},
    ),
    State(
        "encoder ignores x",
        lambda c: c.ignored,
        say.say_ignored,
        f"Every image has the same code. {_ACTIVE}, and none is. Mostly a learning rate far above 0.002 did it.",
        "Take a smaller one, and begin anew or branch from a moment before it happened.",
        {
            "posterior collapse": "z says nothing about x, as in a posterior collapse, yet it is not the KL that did "
            f"it: q is one Gaussian, but not the prior, as the KL is above {FAR_FROM_PRIOR} nats.",
        },
    ),
    State(
        "posterior collapse",
        lambda c: c.dead,
        say.say_collapse,
        f"q(z | x) has become the prior, whatever the image. {_ACTIVE}, and none is. Then z says nothing about x, "
        "and the best picture is the mean image.",
        "Where beta is large, try a smaller one or a KL warm-up. Or branch from a moment before it happened.",
        {"encoder ignores x": f"The KL is at most {FAR_FROM_PRIOR} nats, as q is the prior."},
    ),
    State(
        "plain autoencoder",
        lambda c: c.plain,
        say.say_plain,
        "Nothing is drawn and nothing is asked of the codes but that images can be told apart: they lie at a scale of "
        "their own, and many draws from the prior fall between them or beside them. There is no ELBO.",
        unlike={"KL off": "A VAE with its KL off still draws z, and has to drown that noise."},
    ),
    State(
        "KL off",
        lambda c: c.settings.beta == 0,
        say.say_kl_off,
        "Nothing asks the codes to stay near the prior or to keep their width: each cloud shrinks to a point, points "
        "move apart, and between them lie holes that decode to no digit. The reconstruction improves, and draws from "
        "the prior get worse.",
        "Switch the KL on.",
        {"plain autoencoder": "It is no plain autoencoder yet: z is drawn, and the std of q is small but not 0."},
    ),
    State(
        "mean image",
        lambda c: c.one_image,
        say.say_mean_image,
        "The decoder hardly listens to z: all pictures are near the mean of the training set, as draws from the prior "
        f"differ by less than {SAME_PICTURE} of full scale. Typical of a large beta.",
        "Try a smaller beta.",
        {"posterior collapse": "In a posterior collapse no unit is active; here some still follow the images."},
    ),
    State(
        "weak KL",
        lambda c: c.weak,
        say.say_weak,
        "Both terms are at work, but the KL hardly holds the codes: many lie where draws from the prior do not land. "
        "Copies get better, draws worse.",
        "Raise beta, or a small sigma of the likelihood.",
        {"learning": f"Where the KL holds them at most {FAR_OUT:.0%} lie outside 3 sigma, of prior draws 1%."},
    ),
    State(
        "partial collapse",
        lambda c: c.partial,
        say.say_partial,
        "Both terms are at work, and some latents are not worth their KL: in those q(z | x) has become the prior, "
        f"for every image. {_ACTIVE}. Usual where there are many latents, and no fault: the others do the work.",
        unlike={"posterior collapse": "In a posterior collapse no unit is left."},
    ),
    State(
        "learning",
        lambda c: True,
        say.say_learning,
        "Both terms are at work: the reconstruction keeps the codes apart, the KL keeps them near the prior. −ELBO is "
        "an upper bound on −log p(x); both are nats per image, down is good.",
    ),
)
EXPLAINED = {state.name: state.explained for state in STATES}
