"""What the claims of the pages promise, as questions to the figures that tests/bench/claims.py has committed.

Each takes the cases of one seed, `f["usual"]` and so on, and says whether what was promised came. A promise holds when
it came with all three seeds, or with as many as its words ask for (OFTEN).
"""

from collections.abc import Callable, Mapping
from typing import Any

from vae_core.metrics.states.case import SAME_PICTURE

Case = dict[str, Any]
Promise = Callable[[Mapping[str, Case]], bool]
COLLAPSED = 0.05  # nats
OFTEN = 2  # of three seeds


def at(case: Case, step: int) -> dict[str, Any]:
    return case["at"][str(step)]


def end(case: Case) -> dict[str, Any]:
    """The test figures of the last moment."""
    return case["at"][max(case["at"], key=int)]


def curve(case: Case) -> list[float]:
    """Reconstruction of the training batches, means of 20 steps."""
    return case["train"]["nll by 20 steps"]


def fell_fast_then_slowly(case: Case) -> bool:
    """More in the 60 steps after the first 20 than in all after them."""
    c = curve(case)
    return c[0] - c[4] > 2 * (c[4] - c[-1]) > 0


def has_jumps(case: Case) -> bool:
    """A batch beyond what batches differ by: 15 nats above the median of the twenty before it."""
    return case["train"]["largest jump"] > 15


def one_q_for_all(case: Case) -> bool:
    return end(case)["active_units"] == 0


def is_collapsed(case: Case) -> bool:
    m = case["metrics"]
    return m["active"] == 0 and m["kl"] < COLLAPSED and m["mean_std"] > 0.95


def one_picture(case: Case) -> bool:
    return case["metrics"]["variety"] < SAME_PICTURE


def fainter(case: Case, beside: Case) -> bool:
    """Edges of the copies, by a twentieth at least."""
    return case["sharpness"]["copies"] < 0.95 * beside["sharpness"]["copies"]


def nearer_to_the_centre(case: Case, beside: Case) -> bool:
    return case["metrics"]["spread"] < 0.9 * beside["metrics"]["spread"]


def rate(case: Case, step: int) -> float:
    return at(case, step)["kl"]


def _share(kl_dims: list[float], bars: int) -> float:
    """What the highest bars have of the whole."""
    return sum(sorted(kl_dims)[-bars:]) / sum(kl_dims)


PROMISES: dict[str, Promise] = {
    # ---- chips
    "chip usual": lambda f: (
        fell_fast_then_slowly(f["usual"])
        and rate(f["usual"], 100) < rate(f["usual"], 470)
        and 5 < rate(f["usual"], 470) < 7
    ),
    "chip learning rate 0.1: often jumps": lambda f: has_jumps(f["learning rate 0.1"]),
    "chip learning rate 0.1: often one q": lambda f: one_q_for_all(f["learning rate 0.1"]),
    "chip beta 8": lambda f: (
        fainter(f["beta 8"], f["usual, one epoch"])
        and nearer_to_the_centre(f["beta 8"], f["usual, one epoch"])
        and rate(f["beta 8"], 235) < 0.6 * rate(f["usual, one epoch"], 235)
    ),
    "chip 32 latents": lambda f: (
        end(f["32 latents"])["neg_elbo"] < end(f["usual"])["neg_elbo"] - 20
        and _share(end(f["32 latents"])["kl_dims"], 12) > 0.8
    ),
    "chip sigma 0.05": lambda f: (
        rate(f["sigma 0.05"], 235) < 0.01 * abs(at(f["sigma 0.05"], 235)["nll"])
        and 0.05 < at(f["sigma 0.05"], 235)["mean_std"] / at(f["usual, one epoch"], 235)["mean_std"] < 0.15
    ),
    "chip mean over pixels": lambda f: is_collapsed(f["mean over pixels"]),
    "chip encoder frozen": lambda f: (
        one_q_for_all(f["encoder frozen"])
        and one_picture(f["encoder frozen"])
        and rate(f["encoder frozen"], 100) == end(f["encoder frozen"])["kl"]
    ),
    "chip decoder never trained": lambda f: not f["no reconstruction"]["moved"]["decoder"],
    # ---- help
    "net": lambda f: f["a step of mlp and conv"]["conv"] > 5 * f["a step of mlp and conv"]["mlp"],
    "latent_dim": lambda f: (
        f["usual, one epoch"]["metrics"]["neighbours"] < 0.8  # digits overlap
        and at(f["16 latents"], 235)["neg_elbo"] < at(f["usual, one epoch"], 235)["neg_elbo"] - 15
    ),
    "sigma": lambda f: rate(f["sigma 0.05"], 235) < 0.01 * abs(at(f["sigma 0.05"], 235)["nll"]),
    "warmup_steps": lambda f: (
        rate(f["warm-up"], 100) > 1.2 * rate(f["usual"], 100) and rate(f["warm-up"], 100) > rate(f["warm-up"], 235)
    ),
    "recon_on": lambda f: is_collapsed(f["no reconstruction"]) and not f["no reconstruction"]["moved"]["decoder"],
    "kl_on": lambda f: (
        f["no KL"]["metrics"]["spread"] > 1.5 * f["usual, one epoch"]["metrics"]["spread"]
        and at(f["no KL"], 235)["mean_std"] < at(f["no KL"], 100)["mean_std"] < at(f["usual"], 100)["mean_std"]
        and rate(f["no KL"], 235) > rate(f["no KL"], 100) > rate(f["usual, one epoch"], 235)
    ),
    "beta": lambda f: (
        fainter(f["beta 8"], f["usual, one epoch"])
        and f["beta 32, 16 latents"]["metrics"]["active"] < f["16 latents"]["metrics"]["active"]
    ),
    "learning_rate: 0.002 is safe": lambda f: not has_jumps(f["usual"]) and not one_q_for_all(f["usual"]),
    "learning_rate: often jumps at 0.1": lambda f: has_jumps(f["learning rate 0.1"]),
    "learning_rate: often one q": lambda f: one_q_for_all(f["learning rate 0.1"]),
    "encoder frozen": lambda f: (
        one_q_for_all(f["encoder frozen"]) and rate(f["encoder frozen"], 100) == end(f["encoder frozen"])["kl"]
    ),
    "decoder frozen": lambda f: (
        not f["decoder frozen"]["moved"]["decoder"]
        and f["decoder frozen"]["moved"]["encoder"]
        and end(f["decoder frozen"])["nll"] > 500  # 543 is what an untrained decoder gives
    ),
    # ---- questions before an arm trains
    "question full": lambda f: all(
        f[case]["metrics"]["neighbours"] > 0.4  # by chance 0.1
        and end(f[case])["kl"] > 1
        and f[case]["metrics"]["prior_gap"] < 0.8
        for case in ("usual", "16 latents")
    ),
    "question no-kl": lambda f: all(
        wild["metrics"]["mean_std"] < 0.3 * kept["metrics"]["mean_std"]
        and wild["metrics"]["spread"] > 1.5 * kept["metrics"]["spread"]
        and wild["metrics"]["outside"] > 0.2
        for wild, kept in ((f["no KL"], f["usual, one epoch"]), (f["no KL, 16 latents"], f["16 latents"]))
    ),
    "question no-reconstruction": lambda f: all(
        is_collapsed(f[case]) and not f[case]["moved"]["decoder"]
        for case in ("no reconstruction", "no reconstruction, 16 latents")
    ),
    "question autoencoder": lambda f: all(
        plain["metrics"]["kl"] is None
        and plain["metrics"]["mean_std"] is None
        and plain["metrics"]["spread"] > 1.5 * usual["metrics"]["spread"]
        and plain["metrics"]["outside"] > 0.2
        and drawn["metrics"]["mean_std"] < 0.1 * usual["metrics"]["mean_std"]
        for plain, drawn, usual in (
            (f["autoencoder"], f["no KL"], f["usual, one epoch"]),
            (f["autoencoder, 16 latents"], f["no KL, 16 latents"], f["16 latents"]),
        )
    ),
    "question beta": lambda f: (
        all(is_collapsed(f[case]) and one_picture(f[case]) for case in ("beta 32", "beta 32, 16 latents"))
        and rate(f["beta 8"], 235) < rate(f["usual, one epoch"], 235)
        and f["beta 8"]["metrics"]["mean_std"] > f["usual, one epoch"]["metrics"]["mean_std"]
        and f["beta 8"]["metrics"]["variety"] < f["usual, one epoch"]["metrics"]["variety"]
    ),
    # ---- bug lab
    "bug mean-pixels": lambda f: is_collapsed(f["mean over pixels"]) and one_picture(f["mean over pixels"]),
    "bug log-var": lambda f: (
        end(f["bug log-var"])["kl"] < end(f["usual"])["kl"]
        and end(f["bug log-var"])["neg_elbo"] < end(f["usual"])["neg_elbo"]
        and f["bug log-var"]["in the right code"]["neg_elbo"] > end(f["usual"])["neg_elbo"]
        and end(f["bug log-var"])["mean_std"] > 1.5 * end(f["usual"])["mean_std"]
    ),
    "bug mean": lambda f: (
        0.9 < end(f["bug mean"])["mean_std"] < 1.1
        and rate(f["bug mean"], 235) < 0.6 * rate(f["usual, one epoch"], 235)
        and at(f["bug mean"], 235)["nll"] < at(f["usual, one epoch"], 235)["nll"]
        and at(f["bug mean"], 235)["neg_elbo"] < at(f["usual, one epoch"], 235)["neg_elbo"]
        and f["bug mean"]["in the right code"]["neg_elbo"] > at(f["usual, one epoch"], 235)["neg_elbo"] + 20
    ),
}
