"""The matrix of named states: what each cell may be called, written from theory before anything was trained.

`python -m tests.bench.states` trains the cells and keeps their figures; tests/test_states_matrix.py judges those.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

EPOCH = 235  # steps
EARLY, OK, PART, WEAK, OFF = "beginning", "learning", "partial collapse", "weak KL", "KL off"
DEAD, IGNORED, ALONE, NEVER = "posterior collapse", "encoder ignores x", "reconstruction off", "decoder never trained"
FROZEN, ONE, BAD, PLAIN = "encoder frozen", "mean image", "diverged", "plain autoencoder"
Change = tuple[int, Mapping[str, Any]]  # after which step, and what
UNNAMED = (EARLY, "training")  # what says that nothing can be said


@dataclass(frozen=True)
class Cell:
    """One model at one step.

    Attributes:
        allowed: the names that are right; any other is wrong. With UNNAMED ones among them nothing need be said.
        because: the reason, from theory or a document.
        config: what differs from the usual settings. changed: what changes, and after which step.
    """

    name: str
    step: int
    allowed: tuple[str, ...]
    because: str
    config: Mapping[str, Any] = field(default_factory=dict)
    changed: Change | None = None

    @property
    def has_state(self) -> bool:
        """Whether theory asks for a name."""
        return not set(self.allowed) & set(UNNAMED)


CELLS = (
    Cell("usual, step 0", 0, (EARLY,), "nothing has been learned, and the decoder has had no chance to be trained"),
    Cell("usual, step 40", 40, (EARLY, OK), "the mean image comes before any code: no collapse yet"),
    Cell("usual, step 80", 80, (EARLY, OK), "as at step 40"),
    Cell("usual, step 200", 200, (OK,), "both terms count and neither has won"),
    Cell("usual, step 400", 400, (OK,), "as at step 200"),
    Cell("usual, seed 1, step 150", 150, (EARLY, OK), "a unit may still be inactive at first", {"seed": 1}),
    Cell("usual, seed 2, 2 epochs", 2 * EPOCH, (OK,), "no seed of the usual settings fails", {"seed": 2}),
    Cell("beta 0", 400, (OFF,), "sigma shrinks and mu grows to drown the noise (pitfall 10)", {"beta": 0.0}),
    Cell("beta 0.001", 400, (WEAK,), "a thousandth of the KL hardly holds a code", {"beta": 0.001}),
    Cell("beta 0.1", 250, (WEAK, OK), "a weak KL: codes beyond the prior, or just inside", {"beta": 0.1}),
    Cell("beta 4", 250, (OK,), "two directions of the images are worth four times their KL", {"beta": 4.0}),
    Cell("beta 8, step 150", 150, (EARLY, OK), "the second unit may be late", {"beta": 8.0}),
    Cell("beta 8", 250, (OK, PART), "the first direction is worth its KL, the second perhaps not", {"beta": 8.0}),
    Cell("beta 32", 250, (DEAD,), "no direction is worth 32 times its KL", {"beta": 32.0}),
    Cell("alpha 0", 60, (NEVER,), "no gradient ever reaches the decoder", {"alpha": 0.0}),
    Cell("alpha 0, beta 32", 60, (NEVER,), "whatever beta is", {"alpha": 0.0, "beta": 32.0}),
    Cell("alpha off after 1 epoch, +20", EPOCH + 20, (ALONE,), "the decoder has learned", {}, (EPOCH, {"alpha": 0.0})),
    Cell("alpha off after 1 epoch, +180", EPOCH + 180, (ALONE,), "the KL alone", {}, (EPOCH, {"alpha": 0.0})),
    Cell("beta off after 1 epoch, +20", EPOCH + 20, (OFF,), "only just", {}, (EPOCH, {"beta": 0.0})),
    Cell("beta off after 1 epoch, +180", EPOCH + 180, (OFF,), "clouds shrink", {}, (EPOCH, {"beta": 0.0})),
    Cell("learning rate 0.1, seed 0", 220, (IGNORED,), "large steps close the encoder", {"learning_rate": 0.1}),
    Cell("learning rate 0.1, seed 1", 220, (IGNORED,), "as with seed 0", {"learning_rate": 0.1, "seed": 1}),
    Cell("learning rate 0.1, seed 2", 220, (OK, WEAK, PART), "it learns", {"learning_rate": 0.1, "seed": 2}),
    Cell("learning rate 10", 100, (BAD,), "no weight survives steps of 10", {"learning_rate": 10.0}),
    Cell("encoder frozen", 220, (FROZEN,), "a random code of two numbers tells nothing apart", {"frozen": "encoder"}),
    Cell(
        "encoder frozen, conv, 32 latents",
        40,
        (FROZEN,),
        "whatever 32 random numbers keep of an image, no term moves the encoder",
        {"frozen": "encoder", "net": "conv", "latent_dim": 32},
    ),
    Cell("decoder frozen", 60, (NEVER,), "the decoder is random for good", {"frozen": "decoder"}),
    Cell("decoder frozen after 1 epoch", 300, (OK,), "the encoder goes on", {}, (EPOCH, {"frozen": "decoder"})),
    Cell("16 latents, step 300", 300, (OK, PART), "the KL may not have closed any unit yet", {"latent_dim": 16}),
    Cell("16 latents, step 600", 600, (PART,), "more units than directions worth their KL", {"latent_dim": 16}),
    Cell("32 latents, 3 epochs", 705, (PART,), "as with 16", {"latent_dim": 32}),
    Cell("conv, 2 latents", 40, (EARLY, OK), "as the mlp at that step", {"net": "conv"}),
    Cell("conv, 16 latents", 40, (EARLY, OK, PART), "as the mlp", {"net": "conv", "latent_dim": 16}),
    Cell("gaussian, sigma 0.1", 220, (OK, WEAK), "1 / (2 sigma²) = 50 weighs the error", {"likelihood": "gaussian"}),
    Cell("gaussian, sigma 0.05", 220, (OK, WEAK), "as beta 1/4 at 0.1", {"likelihood": "gaussian", "sigma": 0.05}),
    Cell(
        "gaussian, sigma 1",
        220,
        (OK, PART),
        "the first two variances of the images, 5.1 and 3.7, exceed sigma² = 1 (Tipping and Bishop 1999)",
        {"likelihood": "gaussian", "sigma": 1.0},
    ),
    Cell(
        "gaussian, sigma 0.01, learning rate 0.1",
        220,
        (BAD,),
        "steps too large for a loss of 10⁵ nats: all black is worse than the mean image",
        {"likelihood": "gaussian", "sigma": 0.01, "learning_rate": 0.1},
    ),
    Cell("gaussian, learned sigma", 220, (OK, WEAK), "sigma² goes to the error", {"likelihood": "gaussian-learned"}),
    Cell(
        "bug: mu for the sample",
        250,
        (OK,),
        "digits are apart: no collapse, though the KL is small",
        {"model": "bug-mean"},
    ),
    Cell("bug: mean over pixels", 250, (DEAD,), "beta = 784 in disguise (pitfall 1)", {"alpha": 1 / 784}),
)
