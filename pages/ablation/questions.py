"""What the page asks before an arm trains or its film plays: four maps that might come, one of which does."""

from dataclasses import dataclass

from vae_core.claims import Claim


@dataclass(frozen=True)
class Option:
    """One answer: its sketch (a key of SKETCHES), its name in a few words, and the reason somebody might give."""

    picture: str
    short: str
    because: str


@dataclass(frozen=True)
class Question:
    """What is asked of one arm.

    Attributes:
        key: of the arm. asks: the question.
        happens: the answer that training gives. others: what many expect in its place.
        reveal: what happened and which rows of the metrics show it, for beside the result; holds for 2 and 16 latents.
    """

    key: str
    asks: str
    happens: Option
    others: tuple[Option, Option, Option]
    reveal: Claim

    @property
    def options(self) -> tuple[Option, ...]:
        """The four from the tightest map to the widest: a map stands at the same side of another in every question."""
        return tuple(sorted((self.happens, *self.others), key=lambda option: _ORDER.index(option.picture)))


_ORDER = ("point", "small", "patches", "islands", "cloud", "far")
_FAR = "far beyond 3 sigma"
_POINT = "one point at 0"
_PATCHES = "patches round 0"
_ISLANDS = "ten islands"
_CLOUD = "one mixed cloud"
NAMES = {"far": _FAR, "point": _POINT, "patches": _PATCHES, "islands": _ISLANDS, "cloud": _CLOUD}

_ALL = (
    Question(
        "full",
        "Both terms count. Where will the codes of the ten digits lie?",
        Option("patches", _PATCHES, "the copy keeps digits apart, the KL keeps them near 0"),
        (
            Option("islands", _ISLANDS, "one for each digit, with gaps between"),
            Option("point", _POINT, "training makes the KL small, and 0 is smallest"),
            Option("far", _FAR, "digits are easier to tell apart there"),
        ),
        Claim(
            "question full",
            "Codes of like images lie together in patches round 0 that run into each other; no label was used. The KL "
            "does not go to 0: what is left is what z tells about x. Table: KL and Aggregate posterior to prior.",
            ("bench: usual", "bench: 16 latents"),
        ),
    ),
    Question(
        "no-kl",
        "No KL, and z is still drawn from q. Where will the codes lie?",
        Option("far", _FAR, "the further apart, the less the noise of z matters"),
        (
            Option("patches", _PATCHES, "as with both terms: the KL is a small part of the loss"),
            Option("cloud", _CLOUD, "nothing keeps the noise small any more"),
            Option("point", _POINT, "nothing keeps the codes apart any more"),
        ),
        Claim(
            "question no-kl",
            "Noise only harms the copy now, so the clouds shrink and the codes move apart, past the circles. "
            "Draws from the prior miss many. Table: Mean posterior std, Spread of mu and Prior draws in a hole.",
            ("bench: no KL", "bench: no KL, 16 latents", "bench: usual, one epoch", "bench: 16 latents"),
        ),
    ),
    Question(
        "no-reconstruction",
        "No reconstruction: the KL is all there is. Where will the codes lie?",
        Option("point", _POINT, "every image gets the prior itself"),
        (
            Option("cloud", _CLOUD, "the codes have to look like the prior"),
            Option("patches", _PATCHES, "the encoder still sees which digit it is"),
            Option("far", _FAR, "nothing tells the encoder where a digit belongs"),
        ),
        Claim(
            "question no-reconstruction",
            "The KL is 0 only where every image has the same q, the prior, and no other term pays for telling images "
            "apart: mu 0 and std 1, whatever x. A z fills the circles, but it says nothing. The decoder got no "
            "gradient: its pictures are its random first weights. Table: KL, Active units and Mean posterior std.",
            ("bench: no reconstruction", "bench: no reconstruction, 16 latents"),
        ),
    ),
    Question(
        "autoencoder",
        "No KL and no noise: z is mu. Where will the codes lie?",
        Option("far", _FAR, "at a scale of their own, with gaps"),
        (
            Option("cloud", _CLOUD, "like the prior, so that draws from it give digits"),
            Option("islands", _ISLANDS, "without noise nothing overlaps"),
            Option("patches", _PATCHES, "as with both terms, only without noise"),
        ),
        Claim(
            "question autoencoder",
            "Nothing ties the codes to the prior: their scale is their own, and many lie far out. There is no std and "
            "no KL here; with no KL but sampling the std shrinks. Table: Spread of mu and Mean posterior std.",
            (
                "bench: autoencoder",
                "bench: autoencoder, 16 latents",
                "bench: no KL",
                "bench: no KL, 16 latents",
                "bench: usual, one epoch",
                "bench: 16 latents",
            ),
        ),
    ),
    Question(
        "beta",
        "The KL counts beta times. What does a larger beta do to the map?",
        Option("small", "drawn in towards 0", "each nat of KL costs more; at some beta none is worth it"),
        (
            Option("far", _FAR, "more weight on the KL means more KL"),
            Option("islands", _ISLANDS, "a stronger prior brings order"),
            Option("patches", "nothing changes", "it only makes the loss larger"),
        ),
        Claim(
            "question beta",
            "The larger beta, the nearer the codes lie to 0, the wider each q, and the more alike the pictures. At the "
            "largest no unit is active, and every picture is one mean image; below 1 it goes the other way. "
            "Table: KL, Mean posterior std and Variety of prior draws.",
            (
                "bench: beta 8",
                "bench: usual, one epoch",
                "bench: beta 32",
                "bench: beta 32, 16 latents",
                "test: tests/test_shipped_arms.py::test_more_beta_gives_less_kl_and_a_larger_nll",
            ),
        ),
    ),
)
QUESTIONS = {question.key: question for question in _ALL}
