"""Three ways to the bound, every line with its value for the image and the model at hand.

    bayes     from KL(q ‖ p(z given x)) >= 0, by Bayes' theorem
    multiply  from log p(x), times one and times q / q
    jensen    from log p(x), with Jensen's inequality

Neighbours are estimated in different ways, or from different draws, so that a tick says something: log p(x) and
the two divergences by quadrature, the expectations by Monte Carlo, each from draws of its own. Where the formula for
the KL to the prior comes in, it is held besides against the integral that it stands for, to a millionth of a nat: the
noise of the other terms would hide a formula that is slightly wrong.

No line can see a wrong likelihood: each holds for whatever function of z stands in its place. What can is
`density.total_probability`, with `density.stray_moments`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from vae_core import losses
from vae_core.exact import monte_carlo
from vae_core.exact.bounds import KL, Bound, bound, kl_to_prior
from vae_core.exact.estimate import Estimate, rounding, sample_mean
from vae_core.exact.expectation import expectation
from vae_core.exact.kl_integral import density_over, integrate_kl
from vae_core.exact.lines import LIMIT, Derivation, Line
from vae_core.exact.monte_carlo import Draws
from vae_core.exact.quadrature import Evidence

Q, POSTERIOR, PRIOR, LIKELIHOOD = r"q(z\mid x)", r"p(z\mid x)", r"p(z)", r"p(x\mid z)"
EXPECT = r"\mathbb{E}_{q}"
RECONSTRUCTION = rf"\reconstruction{{{EXPECT}[\log {LIKELIHOOD}]}}"
KL_PRIOR = rf"\kl{{\mathrm{{KL}}({Q}\,\|\,{PRIOR})}}"
KL_POSTERIOR = rf"\gap{{\mathrm{{KL}}({Q}\,\|\,{POSTERIOR})}}"
JOINT_OVER_Q = rf"{EXPECT}\Bigl[\log \tfrac{{p(x, z)}}{{{Q}}}\Bigr]"
OTHERS = (((-6.0, 5.0), (-12.0, 4.0)), ((0.2, -0.1), (-0.3, 0.2)))  # mu and log_var, far off and close to the prior
ELBO = rf"{RECONSTRUCTION} - {KL_PRIOR} = \total{{\mathrm{{ELBO}}}}"


def derive(
    name: str,
    model: Any,
    x: Tensor,
    evidence: Evidence,
    mu: Tensor,
    log_var: Tensor,
    samples: int = 2000,
    seed: int = 0,
    kl: KL = losses.gaussian_kl,
    known: Bound | None = None,
) -> Derivation:
    """One of WAYS with its values.

    Args:
        name: a key of WAYS.
        model, x, evidence: as for bounds.bound.
        mu, log_var: (1, 2) of q, the encoder's or any other.
        samples: draws from q for every Monte Carlo value, >= 2.
        seed: of all draws of this derivation.
        kl: (mu, log_var) to KL(q ‖ prior), (1,) nats: give a wrong one and see which line breaks.
        known: the bound of this q, if it is there already, so that it is not computed again; its KL is not used.
    Raises:
        ValueError: an unknown name.
    """
    if name not in WAYS:
        raise ValueError(f"no derivation {name!r}: choose one of {', '.join(WAYS)}.")
    title, way = WAYS[name]
    terms = Terms(model, x, evidence, mu, log_var, samples, seed, kl, known)
    return Derivation(name, title, tuple(way(terms)), samples, seed)


class Terms:
    """The values that lines are made of. Every Monte Carlo value takes fresh draws from one generator.

    `bound` has log p(x), E_q[log p(x given z)] and both divergences, by quadrature and in closed form.
    """

    def __init__(
        self,
        model: Any,
        x: Tensor,
        evidence: Evidence,
        mu: Tensor,
        log_var: Tensor,
        samples: int,
        seed: int,
        kl: KL,
        known: Bound | None,
    ) -> None:
        self.model, self.x, self.evidence = model, x, evidence
        self.mu, self.log_var, self.samples = mu, log_var, samples
        self.generator = torch.Generator(x.device).manual_seed(seed)
        known = known or bound(model, x, evidence, mu, log_var)
        self.kl = kl
        self.bound = replace(known, kl=kl_to_prior(mu, log_var, kl))

    def draws(self) -> Draws:
        """S fresh draws from q."""
        return monte_carlo.from_q(self.model, self.x, self.mu, self.log_var, self.samples, self.generator)

    def mean(self, term: Callable[[Draws], Tensor]) -> Estimate:
        """E_q of a term, from fresh draws, with its standard error and the rounding of the net."""
        values = term(self.draws())
        value = sample_mean(values)
        return value + Estimate(0.0, rounding(self.x.dtype, value.value))

    def log_posterior(self, d: Draws) -> Tensor:
        """(S,) log p(z given x), normalised by the lattice of the cells' centres."""
        return d.log_joint - self.evidence.normaliser.value

    @property
    def normaliser_error(self) -> Estimate:
        """0, with the error that comes in with log_posterior."""
        return Estimate(0.0, self.evidence.normaliser.error, self.evidence.normaliser.how)

    def integraldensity_over(self) -> Estimate:
        """∫ q(z given x) log p(x) dz on q's own lattice, whose weights are q as it should be."""
        log_p, mu, log_var = self.evidence.log_p, self.mu.double(), self.log_var.double()

        def share(z: Tensor) -> Tensor:
            return density_over(losses.gaussian_log_prob(z, mu, log_var), z, mu, log_var)

        one = expectation(share, self.mu, self.log_var).estimate()
        return Estimate(one.value * log_p.value, abs(log_p.value) * one.error + log_p.error, log_p.how)

    @property
    def kl_by_formula(self) -> tuple[Estimate, Estimate]:
        """KL(q ‖ prior) as the integral that it is, and by the formula that takes its place.

        Of this q; but where the formula fails for it in a batch, or for another q there, then of that one: a formula
        that mixes images, or clamps what this image does not reach, is as wrong.
        """
        mus = torch.cat([self.mu, self.mu.new_tensor([mu for mu, _ in OTHERS])])
        log_vars = torch.cat([self.log_var, self.log_var.new_tensor([log_var for _, log_var in OTHERS])])
        integrals = [integrate_kl(mus, log_vars, i) for i in range(len(mus))]
        values = self.kl(mus, log_vars).expand(len(mus)).tolist()
        for integral, value in zip(integrals, values, strict=True):
            formula = Estimate(value, rounding(self.mu.dtype, value))
            off = integral - formula
            if not abs(off.value) <= LIMIT * off.error:  # so that NaN is off as well
                return integral, formula
        return integrals[0], self.bound.kl

    def log_mean_weight(self) -> Estimate:
        """log E_q[p(x, z) / q(z given x)] from fresh draws; its error knows what q cannot reach."""
        unseen = monte_carlo.reach_error(self.evidence, self.mu, self.log_var, self.samples)
        return monte_carlo.log_mean(self.draws().log_weight, unseen)


def bayes(t: Terms) -> list[Line]:
    """From KL(q ‖ p(z given x)) >= 0."""
    log_p, gap = t.evidence.log_p, t.bound.gap
    definition = t.mean(lambda d: d.log_q - t.log_posterior(d)) + t.normaliser_error
    replaced = t.mean(lambda d: d.log_q - d.log_lik - d.log_prior) + log_p
    grouped = t.mean(lambda d: d.log_q - d.log_prior) - t.mean(lambda d: d.log_lik) + log_p
    elbo = t.mean(lambda d: d.log_lik) - t.bound.kl
    return [
        Line(None, "0", "A KL divergence says how far apart two distributions lie: never below 0.", Estimate(0.0)),
        Line(
            "≤", KL_POSTERIOR, "This one: how far q lies from the true posterior, which is intractable.", gap, spare=gap
        ),
        Line(
            "=",
            rf"{EXPECT}\bigl[\log {Q} - \log {POSTERIOR}\bigr]",
            "Definition of the KL divergence, written as an expectation under q.",
            definition,
        ),
        Line(
            "=",
            rf"{EXPECT}\bigl[\log {Q} - \log {LIKELIHOOD} - \log {PRIOR} + \log p(x)\bigr]",
            "The key step: Bayes' theorem replaces the posterior by likelihood, prior and evidence.",
            replaced,
        ),
        Line(
            "=",
            rf"\kl{{{EXPECT}\bigl[\log {Q} - \log {PRIOR}\bigr]}} - {RECONSTRUCTION} + \log p(x)",
            "log p(x) does not depend on z, so it leaves the expectation; the other terms are grouped.",
            grouped,
        ),
        Line(
            "=",
            rf"{KL_PRIOR} - {RECONSTRUCTION} + \log p(x)",
            "Definition of the KL divergence again, now to the prior: for two Gaussians a simple formula.",
            t.bound.kl - t.bound.reconstruction + log_p,
            t.kl_by_formula,
        ),
        Line(None, r"\log p(x)", "Now move log p(x) to one side and the divergence to the other.", log_p),
        Line(
            "≥",
            rf"\log p(x) - {KL_POSTERIOR}",
            "Taking away something that is never negative makes it no larger.",
            log_p - gap,
            spare=gap,
        ),
        Line("=", ELBO, "By the chain above only tractable terms are left: the evidence lower bound.", elbo),
    ]


def multiply(t: Terms) -> list[Line]:
    """From log p(x), times one and times q / q."""
    log_p, gap = t.evidence.log_p, t.bound.gap
    ratio = t.mean(lambda d: d.log_joint - t.log_posterior(d)) + t.normaliser_error
    log_weight = t.mean(lambda d: d.log_weight)
    split = log_weight + t.mean(lambda d: d.log_q - t.log_posterior(d)) + t.normaliser_error
    named = t.mean(lambda d: d.log_weight) + gap
    tractable = t.mean(lambda d: d.log_lik) - t.bound.kl + gap
    return [
        Line(None, r"\log p(x)", "The log evidence of this image, which training would like to raise.", log_p),
        Line(
            "=",
            rf"\int {Q}\,\log p(x)\,dz",
            "Multiply by one, the integral of q; log p(x) does not depend on z, so it may go inside.",
            t.integraldensity_over(),
        ),
        Line(
            "=",
            rf"{EXPECT}\Bigl[\log \tfrac{{p(x, z)}}{{{POSTERIOR}}}\Bigr]",
            "The integral is an expectation under q; by the chain rule p(x) = p(x, z) / p(z | x), whatever z is.",
            ratio,
        ),
        Line(
            "=",
            rf"{JOINT_OVER_Q} + {EXPECT}\Bigl[\log \tfrac{{{Q}}}{{{POSTERIOR}}}\Bigr]",
            "Multiply and divide by q, and split the log of the product.",
            split,
        ),
        Line(
            "=",
            rf"{JOINT_OVER_Q} + {KL_POSTERIOR}",
            "The second term is a KL divergence, that of q from the true posterior.",
            named,
        ),
        Line(
            "=",
            rf"{RECONSTRUCTION} - {KL_PRIOR} + {KL_POSTERIOR}",
            "Split p(x, z) into likelihood and prior: the prior and q make the other KL divergence.",
            tractable,
            t.kl_by_formula,
        ),
        Line(
            "≥",
            ELBO,
            "The last divergence is never negative, so leaving it out leaves a lower bound.",
            t.bound.elbo,
            spare=gap,
        ),
    ]


def jensen(t: Terms) -> list[Line]:
    """From log p(x), with Jensen's inequality."""
    parts = t.mean(lambda d: d.log_lik) + t.mean(lambda d: d.log_prior - d.log_q)
    return [
        Line(None, r"\log p(x)", "The log evidence of this image.", t.evidence.log_p),
        Line("=", r"\log \int p(x, z)\,dz", "Marginalise: sum over all latents.", t.evidence.normaliser),
        Line(
            "=",
            rf"\log {EXPECT}\Bigl[\tfrac{{p(x, z)}}{{{Q}}}\Bigr]",
            "Multiply and divide by q: the integral becomes an expectation under q.",
            t.log_mean_weight(),
        ),
        Line(
            "≥",
            JOINT_OVER_Q,
            "Jensen: the log is concave, so the mean of the log is at most the log of the mean.",
            t.mean(lambda d: d.log_weight),
            spare=t.bound.gap,
        ),
        Line(
            "=",
            rf"{RECONSTRUCTION} + \kl{{{EXPECT}\Bigl[\log \tfrac{{{PRIOR}}}{{{Q}}}\Bigr]}}",
            "Split p(x, z) into likelihood and prior.",
            parts,
        ),
        Line(
            "=",
            ELBO,
            "The second term is minus a KL divergence, that of q from the prior.",
            t.bound.elbo,
            t.kl_by_formula,
        ),
    ]


WAYS: dict[str, tuple[str, Callable[[Terms], list[Line]]]] = {
    "bayes": ("Bayes: a KL divergence is never negative", bayes),
    "multiply": ("Multiply by q / q", multiply),
    "jensen": ("Jensen's inequality", jensen),
}
