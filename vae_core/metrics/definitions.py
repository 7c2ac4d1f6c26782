"""What is measured: each metric with its unit, its better end and the reason. The browser ranks the arms."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from vae_core.claims import Claim


@dataclass(frozen=True)
class Metrics:
    """The metrics of one model on test images; None where a metric is not defined (a model without noise).

    kl, kl_dims, information*, marginal_kl in nats per image; mean_std, spread, prior_gap in prior standard deviations;
    outside, holes and neighbours are shares, 0 to 1; draw_*, continuity and variety of full scale: black to white is 1.
    METRICS says what they are. Those of which some are older than others stand last, and are None where they were not
    measured.
    """

    kl: float | None
    kl_dims: tuple[float, ...] | None  # (D,)
    active_dims: tuple[bool, ...]  # (D,)
    mean_std: float | None
    spread: float
    outside: float
    prior_gap: float
    holes: float | None  # None in what was saved before a hole was what it is now
    neighbours: float | None  # None of images without labels
    draw_fidelity: float
    draw_coverage: float
    draw_gap: float
    variety: float
    images: int | None = None  # that were measured: information is at most ln images
    information: float | None = None
    information_error: float | None = None  # standard error, of marginal_kl as well
    marginal_kl: float | None = None
    information_dims: tuple[float, ...] | None = None  # (D,)
    information_dims_error: tuple[float, ...] | None = None  # (D,)
    continuity: float | None = None

    @property
    def active(self) -> int:
        """How many units are active."""
        return sum(self.active_dims)

    @property
    def units(self) -> int:
        """D, the number of latent dimensions."""
        return len(self.active_dims)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: one entry a metric, and the two lists per dimension."""
        values = {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}
        return {**values, "active": self.active}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """What `to_dict` wrote. What an earlier version did not measure is None; its holes were another figure."""
        older = {} if "images" in values else {"holes": None}
        known = {f.name: values[f.name] for f in fields(cls) if f.name in values} | older
        found: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in known.items()}
        return cls(**found)


@dataclass(frozen=True)
class Metric:
    """One row of the table.

    Attributes:
        key: of Metrics.
        label, unit: for the row.
        better: "high", "low", or None where neither end is better.
        why: the reason for `better`.
        says: one sentence on what it is.
        digits: after the point; values that look equal are equal.
        needs_codes: a model with no active unit is not ranked, as its codes match the prior by saying nothing.
        held: what holds the two sentences, see claims.Claim.
    """

    key: str
    label: str
    unit: str
    better: str | None
    why: str
    says: str
    digits: int = 2
    needs_codes: bool = False
    held: tuple[str, ...] = ()

    @property
    def claim(self) -> Claim:
        """Its two sentences, where they state more than what is computed."""
        return Claim(f"metric {self.key}", f"{self.says} {self.why}", self.held)

    def text(self, metrics: Metrics) -> str:
        """The value as it is shown, without the unit; "not defined" where there is none."""
        value = getattr(metrics, self.key)
        if value is None:
            return "not defined"
        return f"{value:.{self.digits}%}" if self.unit == "%" else f"{value:.{self.digits}f}"


COLLAPSED = "A model with no active unit is left out: its codes match the prior because they say nothing."

_DRAWS = "test: tests/test_metrics.py::test_what_each_figure_of_the_draws_can_and_cannot_tell"

METRICS = (
    Metric(
        "kl",
        "KL",
        "nats",
        None,
        "Near 0 is collapse, and far above is a memory that the prior does not know.",
        "KL of q(z | x) from the prior, mean over the images: the rate, an upper bound on I(x; z).",
        1,
    ),
    Metric(
        "information",
        "of it I(n; z)",
        "nats",
        None,
        "What a draw of z tells about the image: at most ln N, 8.5 nats of 5,000 images, however large the KL is.",
        "Mutual information of z and the index n of a test image (Hoffman and Johnson 2016). That of single dimensions "
        "does not add up to it: some say the same, some tell only together (total correlation).",
        1,
    ),
    Metric(
        "marginal_kl",
        "of it KL(q(z) ‖ p(z))",
        "nats",
        None,
        "The rest of the KL: it tells nothing about the image, and draws from the prior miss the codes.",
        "KL of the aggregate posterior from the prior.",
        1,
    ),
    Metric(
        "active",
        "Active units",
        "units",
        None,
        "0 is collapse; more of them is not better in itself.",
        "Latent dimensions whose mu has a variance above 0.01 over the images (Burda et al. 2016).",
        0,
        held=("source: Burda 2016, section 5.2",),
    ),
    Metric(
        "mean_std",
        "Mean posterior std",
        "prior std",
        None,
        "Near 0 each code is a point, at 1 it is the prior.",
        "Width of q(z | x), mean over images and dimensions.",
        3,
    ),
    Metric(
        "spread",
        "Spread of mu",
        "prior std",
        None,
        "Near 0 all codes are alike; far above 1 they leave the prior.",
        "Standard deviation of mu over the images, root mean square over the dimensions.",
    ),
    Metric(
        "outside",
        "Codes outside 3 sigma",
        "%",
        "low",
        f"Draws from the prior hardly ever land there. {COLLAPSED}",
        "Share of mu outside the ball that holds 98.9% of the prior, radius 3 in two dimensions.",
        1,
        True,
        held=("test: tests/test_metrics.py::test_the_radius_leaves_out_what_three_sigma_leave_out_in_the_plane",),
    ),
    Metric(
        "prior_gap",
        "Aggregate posterior to prior",
        "prior std",
        "low",
        f"Where the codes lie like the prior, a draw from the prior lands among codes. {COLLAPSED}",
        "Sliced 2-Wasserstein distance between one z an image and the prior; all z at 0 give 1.",
        3,
        True,
        held=("test: tests/test_metrics.py::test_distance_to_the_prior_of_gaussians_is_the_closed_form",),
    ),
    Metric(
        "holes",
        "Prior draws in a hole",
        "%",
        "low",
        f"Completeness: each prior draw should decode to an image; the decoder rarely sees a z in a hole. {COLLAPSED}",
        "Share of prior draws to which 5 of 5,000 others are nearer than any of 5,000 codes (Naeem et al. 2020): 3% "
        "where codes lie like the prior, in 2 dimensions as in 32.",
        0,
        True,
    ),
    Metric(
        "neighbours",
        "Nearest-neighbour accuracy on mu",
        "%",
        "high",
        "Codes of one digit lie together.",
        "How often the nearest other code has the same label; the scale of the codes does not matter.",
        1,
        held=("test: tests/test_metrics.py::test_neighbour_accuracy_against_a_loop",),
    ),
    Metric(
        "draw_fidelity",
        "Prior draw to nearest test image",
        "of full scale",
        None,
        "A blank picture is nearer to some digit than another digit is, so this ranks nothing alone.",
        "Root mean square difference a pixel, mean over the draws.",
        3,
        held=(_DRAWS,),
    ),
    Metric(
        "draw_coverage",
        "Test image to nearest prior draw",
        "of full scale",
        "low",
        "Every digit should have a draw like it; but blurred digits come lower than real ones.",
        "Root mean square difference a pixel, mean over the test images.",
        3,
        held=(_DRAWS,),
    ),
    Metric(
        "draw_gap",
        "Prior draws to test images, as sets",
        "of full scale",
        "low",
        "Only draws distributed like the images reach 0 (Székely and Rizzo 2013); blur does not help.",
        "Energy distance: distances between the sets less distances within each.",
        3,
        held=(
            "test: tests/test_metrics.py::test_what_each_figure_of_the_draws_can_and_cannot_tell",
            "source: Székely 2013, proposition 1",
        ),
    ),
    Metric(
        "variety",
        "Variety of prior draws",
        "of full scale",
        None,
        "0 is one picture for all; noise would be high too.",
        "Standard deviation of a pixel over the draws, mean over the pixels.",
        3,
        held=(_DRAWS,),
    ),
    Metric(
        "continuity",
        "Change a step of 0.1",
        "of full scale",
        None,
        "One picture for all has 0, so this ranks nothing alone.",
        "Continuity: how far the pictures of a prior draw and of a point 0.1 prior std away differ, root mean square a "
        "pixel, mean over the draws.",
        3,
    ),
)
