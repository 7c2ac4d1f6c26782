"""Four classic mistakes: the line that makes each, what it does to the panels, and the test that would have caught it.

Every one of them trains without an error.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pages.ablation.bug_sources import as_diff, changed, code_lines
from vae_core import losses
from vae_core.bugs import checks
from vae_core.bugs.models.draws import DrawsFromPosterior
from vae_core.bugs.models.log_var import LogVarAsLogStd
from vae_core.bugs.models.mean import MeanForSample
from vae_core.claims import Claim
from vae_core.models.vae import VAE

PIXELS = 784
DRAWS = 300  # of z, in a picture
_OVER_PIXELS = (".sum(-1)", ".mean(-1)")


@dataclass(frozen=True)
class Bug:
    """One mistake, as it runs.

    Attributes:
        key: names it in links. name: above its panel. wrong: what is wrong, in one sentence.
        overlay: for RunConfig.with_, makes the run with the mistake out of the right one.
        right, faulty: the function as it should be and as it is; None where the mistake is made by the weights.
        symptom: what to look at in the panels. check: catches it.
        shows: the kind of picture that gives it away, one of bug_pictures; asks: what is seen there.
        note: how the run makes the mistake, where the diff does not say it.
    """

    key: str
    name: str
    wrong: str
    overlay: dict[str, Any]
    right: Callable[..., Any]
    faulty: Callable[..., Any] | None
    symptom: Claim
    check: Callable[..., None]
    shows: str
    asks: str
    note: str = ""

    @property
    def faulty_model(self) -> str:
        """The family with the mistake; the right one where the mistake is made by the weights of the loss."""
        return str(self.overlay.get("model", "vae"))

    @property
    def diff(self) -> tuple[str, str]:
        """The wrong line and the right one."""
        right, wrong = changed(*self._sources())
        return "\n".join(wrong), "\n".join(right)

    @property
    def unified(self) -> str:
        """The whole function with the two lines in it: what is wrong goes, what is right comes."""
        wrong = f"{self.right.__name__}, mean over pixels" if self.faulty is None else self.faulty.__qualname__
        return as_diff(*self._sources()[::-1], (wrong, self.right.__qualname__))

    @property
    def catch(self) -> str:
        """The source of the check that would have caught it."""
        return inspect.getsource(self.check).rstrip()

    def _sources(self) -> tuple[list[str], list[str]]:
        right = code_lines(self.right)
        if self.faulty is not None:
            return right, code_lines(self.faulty)
        return right, [line.replace(*_OVER_PIXELS) for line in right]


BUGS = (
    Bug(
        "mean-pixels",
        "mean over pixels",
        "The reconstruction is averaged over the 784 pixels, while the KL is summed over the latents.",
        {"alpha": 1 / PIXELS},
        losses.bernoulli_nll,
        None,
        Claim(
            "bug mean-pixels",
            "The **KL** stays near 0, the **mean posterior std** near 1, and after an epoch **no unit is "
            "active**: all codes lie at 0. Every copy and every prior draw is the same mean image, so the **variety "
            "of prior draws** is near 0. This is a collapse under beta = 784. The loss that is minimised looks small, "
            "as its larger term was divided by 784.",
            ("bench: mean over pixels",),
        ),
        checks.check_the_loss_of_a_step_is_minus_the_elbo,
        "shares",
        "Of what the loss consists, over twenty images.",
        f"The run beside it has alpha = 1/{PIXELS}: the mean of {PIXELS} pixels is their sum times 1/{PIXELS}, so the "
        f"gradient is the same. Times {PIXELS}, the loss is nll + {PIXELS} · KL. The panels show the nll as a sum.",
    ),
    Bug(
        "log-var",
        "exp(log_var) as std",
        "exp(log_var) is the variance, and it is used as the standard deviation.",
        {"model": "bug-log-var"},
        VAE.sample,
        LogVarAsLogStd.sample,
        Claim(
            "bug log-var",
            "The pictures are as good as the right ones. The **KL** reads lower, and after an epoch or two so does "
            "the **−ELBO**: too good. The encoder learns to make exp(log_var) the width that it needs, while the KL "
            "takes exp(½ log_var). So the **mean posterior std**, exp(½ log_var), reads too wide: the noise that is "
            "added has its square. The sum bounds nothing: the same weights in the right code have a higher −ELBO "
            "than the right run.",
            ("bench: bug log-var", "bench: usual"),
        ),
        checks.check_z_has_the_variance_that_log_var_says,
        "draws of z",
        f"Dots: {DRAWS} draws of z for one image. Line: two std of its q(z | x).",
    ),
    Bug(
        "mean",
        "mu for the sample",
        "The decoder is given mu in place of a sample of z, and the KL is still added.",
        {"model": "bug-mean"},
        VAE.sample,
        MeanForSample.sample,
        Claim(
            "bug mean",
            "Noise no longer hurts the copies, so only the KL decides the width: the **mean posterior std** goes to "
            "1, and the **KL** falls to what mu alone costs, ½ Σ mu². Yet the digits on the map are still apart, and "
            "the copies are no worse. A q of width 1 could not do that, so the **−ELBO** shown is far too low and "
            "bounds nothing: the same weights in the right code have a far higher one than the right run. The prior "
            "draws do not give it away.",
            ("bench: bug mean", "bench: usual, one epoch"),
        ),
        checks.check_the_reconstruction_is_an_expectation_over_q,
        "draws of z",
        f"Dots: {DRAWS} times the z that is decoded for one image. Line: two std of its q(z | x).",
    ),
    Bug(
        "draws",
        "draws from the posterior",
        "The “new” pictures are decoded from codes of the batch that was trained on last, not from draws of the prior.",
        {"model": "bug-draws"},
        VAE.generate,
        DrawsFromPosterior.generate,
        Claim(
            "bug draws",
            "Training is untouched: curves, map, copies and **every metric** are the same, as metrics "
            "always draw from the prior. Only the pictures called **prior draws** differ, and they look better than "
            "the right ones: they are copies of training images, and no hole of the latent space ever shows.",
            ("test: tests/test_bugs.py::test_symptom_of_draws_from_the_posterior",),
        ),
        checks.check_new_pictures_come_from_the_prior,
        "new pictures",
        "Twenty pictures that are called new.",
    ),
)
