"""Equal in distribution is not equal: coins and codes whose figures are known in closed form."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Categorical, Independent, MixtureSameFamily, Normal, kl_divergence

from vae_core.exact.coins import compare_codes, compare_coins, log_density, toss
from vae_core.exact.estimate import Estimate


def within(found: Estimate, truth: float, errors: float = 4.0) -> bool:
    return abs(found.value - truth) <= errors * found.error + 1e-12


def test_a_coin_and_its_relabelling_are_never_equal_and_tell_all_of_each_other() -> None:
    x, _ = toss(10_000, 0)
    tie = compare_coins(x, 1 - x)
    assert within(tie.apart, 0) and tie.apart.error == pytest.approx(0.01, rel=0.01)  # √(1 / n): Y − X is ±1
    assert tie.equal is not None and (tie.equal.value, tie.equal.error) == (0, 0)
    assert tie.information.value == pytest.approx(math.log(2), abs=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_two_coins_are_equal_half_the_time_and_tell_nothing(seed: int) -> None:
    tie = compare_coins(*toss(10_000, seed))
    assert tie.equal is not None and within(tie.equal, 0.5) and within(tie.apart, 0)
    assert within(tie.information, 0, 5) and tie.information.error < 3 / 10_000


def test_a_coin_equals_itself() -> None:
    tie = compare_coins(*2 * (toss(1000, 3)[0],))
    assert tie.equal is not None and (tie.apart.value, tie.equal.value) == (0, 1)
    assert tie.information.value == pytest.approx(math.log(2), abs=3e-3)


def test_a_biased_coin_and_its_relabelling_differ_in_distribution() -> None:
    """P(heads) 0.3: the distance is |1 − 2p|, and Y tells the entropy of X."""
    x = (torch.rand(40_000, generator=torch.Generator().manual_seed(1)) < 0.3).long()
    tie = compare_coins(x, 1 - x)
    assert within(tie.apart, 0.4) and 0 < tie.apart.error < 0.01
    assert within(tie.information, Bernoulli(0.3).entropy().item()) and 0 < tie.information.error < 0.01


def test_two_coins_of_different_bias_that_know_nothing_of_each_other() -> None:
    x, y = (torch.rand(2, 40_000, generator=torch.Generator().manual_seed(7)) < torch.tensor([[0.2], [0.7]])).long()
    tie = compare_coins(x, y)
    assert tie.equal is not None and within(tie.equal, 0.2 * 0.7 + 0.8 * 0.3)
    assert within(tie.apart, 0.5) and within(tie.information, 0)


def test_coins_that_agree_three_times_in_four() -> None:
    """I = ln 2 − H(¼): a binary symmetric channel."""
    x, _ = toss(40_000, 2)
    y = torch.where(torch.rand(40_000, generator=torch.Generator().manual_seed(3)) < 0.25, 1 - x, x)
    tie = compare_coins(x, y)
    assert tie.equal is not None and within(tie.equal, 0.75)
    assert within(tie.information, math.log(2) - Bernoulli(0.25).entropy().item())


def test_the_correction_takes_away_the_bias_of_few_tosses() -> None:
    """So small a sample still leaves a little of it. And the errors that are said are those that occur."""
    found = [compare_coins(*toss(20, seed)).information for seed in range(2000)]
    values = torch.tensor([one.value for one in found])
    assert abs(values.mean().item()) < 0.004  # uncorrected: 1 / 40
    said = torch.tensor([one.error for one in found]).square().mean().sqrt().item()
    assert said == pytest.approx(values.std().item(), rel=0.5)


def test_of_two_tosses_alike_nothing_is_told() -> None:
    same = torch.ones(2, dtype=torch.int64)
    tie = compare_coins(same, same)
    assert (tie.information.value, tie.apart.value) == (0, 0) and tie.information.error > 0.3


def test_codes_that_are_the_prior_are_equal_to_it_and_tell_nothing() -> None:
    tie = compare_codes(torch.zeros(10, 2), torch.zeros(10, 2), 1000, 0)
    assert tie.equal is None
    assert tie.apart.value == pytest.approx(0, abs=1e-12) and tie.information.value == pytest.approx(0, abs=1e-12)


def test_codes_far_apart_tell_which_image_it_was() -> None:
    mu = 100 * torch.arange(8).double()[:, None].expand(8, 2)
    tie = compare_codes(mu, torch.full((8, 2), -2.0), 1000, 0)
    assert tie.information.value == pytest.approx(math.log(8), abs=1e-9)
    assert tie.apart.value == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("length", [0.2, 1.0, 3.0])
def test_one_gaussian_beside_the_prior(length: float) -> None:
    """Total variation of N(m, I) and N(0, I) is 2 Φ(|m| / 2) − 1."""
    mu = length * torch.tensor([[0.6, 0.8]])
    tie = compare_codes(mu, torch.zeros(1, 2), 20_000, 1)
    truth = 2 * Normal(0.0, 1.0).cdf(torch.tensor(length / 2)).item() - 1
    assert within(tie.apart, truth) and tie.apart.error < 0.01
    assert tie.information.value == pytest.approx(0, abs=1e-12)


def test_what_codes_tell_and_what_sets_them_apart_add_up_to_the_kl() -> None:
    """Hoffman and Johnson 2016: mean KL(q(z|x) ‖ p) = I(x; z) + KL(q(z) ‖ p), the second drawn from torch's mixture."""
    generator = torch.Generator().manual_seed(4)
    mu, log_var = (torch.randn(10, 2, dtype=torch.float64, generator=generator) for _ in range(2))
    parts = Independent(Normal(mu, (0.5 * log_var).exp()), 1)
    prior = Independent(Normal(torch.zeros(2).double(), torch.ones(2).double()), 1)
    whole = MixtureSameFamily(Categorical(torch.ones(10)), parts)
    torch.manual_seed(5)
    z = whole.sample((100_000,))
    ratio = whole.log_prob(z) - prior.log_prob(z)
    tie = compare_codes(mu, log_var, 100_000, 6)
    error = math.hypot(tie.information.error, ratio.std().item() / 100_000**0.5)
    total = kl_divergence(parts, prior.expand((10,))).mean().item()
    assert error < 0.02 and abs(tie.information.value + ratio.mean().item() - total) < 4 * error
    assert torch.allclose(log_density(z[:100], mu, log_var), whole.log_prob(z[:100]))
