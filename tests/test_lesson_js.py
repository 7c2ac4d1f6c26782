"""The lesson's mathematics, run under node and held against torch.distributions, torch.randn, numpy and brute force."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily, Normal, kl_divergence

from tests.node_runner import node_runner

MODULES = (
    "lib/rng",
    "lib/numbers",
    "lesson/transform",
    "lesson/chance",
    "lesson/gaussians/kl",
    "lesson/gaussians/state as gaussians_state",
)
PAIRS = [(0.0, 1.0, 0.0, 1.0), (1.5, 0.6, 0.0, 1.0), (-3.0, 0.2, 3.0, 2.0), (3.0, 2.0, -3.0, 0.2), (0.4, 1.1, 0.3, 1.0)]
BUMPS = [(4.0, 0.7, 0.7), (8.0, 0.3, 1.5), (2.0, 0.8, 0.8), (6.0, 0.5, 1.0), (0.0, 0.3, 1.5)]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    return node_runner(tmp_path_factory.mktemp("lesson"), *MODULES)


def normal(mu: float, std: float) -> Normal:
    return Normal(torch.tensor(mu, dtype=torch.float64), torch.tensor(std, dtype=torch.float64))


def gaussian(mu: float, std: float) -> dict[str, float]:
    return {"mu": mu, "std": std}


def bumps(distance: float, left: float, right: float) -> list[dict[str, float]]:
    return [{"weight": 0.5, **gaussian(-distance / 2, left)}, {"weight": 0.5, **gaussian(distance / 2, right)}]


def mixture(parts: list[dict[str, float]]) -> MixtureSameFamily:
    column = {name: torch.tensor([part[name] for part in parts], dtype=torch.float64) for name in parts[0]}
    return MixtureSameFamily(Categorical(column["weight"]), Normal(column["mu"], column["std"]))


def integral(q: Any, p: Any, reach: float = 40.0, n: int = 400_000) -> float:
    """KL(q‖p) as a plain sum over a fine grid."""
    z = torch.linspace(-reach, reach, n + 1, dtype=torch.float64)
    log_q, log_p = q.log_prob(z), p.log_prob(z)
    return float((log_q.exp() * (log_q - log_p)).sum() * (2 * reach / n))


# ---- draws


@pytest.mark.parametrize("seed", [0, 1, 5489, 4294967295])
def test_the_words_are_those_of_numpys_mersenne_twister(seed: int, node: Callable[..., Any]) -> None:
    found = node(f"const g = new rng.MersenneTwister({seed}); print(Array.from({{ length: 1500 }}, () => g.uint32()));")
    assert found == np.random.RandomState(seed).randint(0, 2**32, size=1500, dtype=np.uint32).tolist()


@pytest.mark.parametrize(("seed", "count"), [(0, 16), (7, 4000), (3, 65536), (11, 37), (4294967295, 1000)])
def test_the_draws_are_those_of_torch(seed: int, count: int, node: Callable[..., Any]) -> None:
    """As float32 there, as float64 here; counts that are no multiple of sixteen end differently."""
    found = node(f"print(Array.from(rng.normals({seed}, {count})));")
    expected = torch.randn(count, generator=torch.Generator().manual_seed(seed)).double()
    assert torch.allclose(torch.tensor(found, dtype=torch.float64), expected, rtol=0, atol=1e-5)


def test_the_draws_are_standard_normal(node: Callable[..., Any]) -> None:
    """Moments within four standard errors; Kolmogorov and Smirnov's distance below its 0.1 % point."""
    n = 65536
    z = np.array(node(f"print(Array.from(rng.normals(20, {n})));"))
    root = math.sqrt(n)
    assert abs(z.mean()) < 4 / root and abs(z.var() - 1) < 4 * math.sqrt(2) / root
    assert abs((z**3).mean()) < 4 * math.sqrt(15) / root and abs((z**4).mean() - 3) < 4 * math.sqrt(96) / root
    cdf = normal(0, 1).cdf(torch.tensor(np.sort(z))).numpy()
    steps = np.arange(n + 1) / n
    assert max((steps[1:] - cdf).max(), (cdf - steps[:-1]).max()) < 1.95 / root
    for lag in (1, 8, 16):  # 8 apart are the sine and the cosine of one angle
        assert abs((z[lag:] * z[:-lag]).mean()) < 4 / root
        assert abs((z[lag:] ** 2 * z[:-lag] ** 2).mean() - 1) < 4 * math.sqrt(8) / root


def test_a_seed_names_its_draws(node: Callable[..., Any]) -> None:
    script = "const at = (s) => Array.from(rng.normals(s, 64)); print([at(5), at(5), at(6)]);"
    first, again, other = node(script)
    assert first == again and not set(first) & set(other)


def test_what_is_no_seed_and_no_count_is_refused(node: Callable[..., Any]) -> None:
    script = (
        "const fails = (f) => { try { f(); return false; } catch (e) { return e instanceof RangeError; } };\n"
        "print([-1, 0.5, 2 ** 32, NaN, '1'].map((s) => fails(() => rng.normals(s, 16)))"
        ".concat([15, 0, 20.5].map((n) => fails(() => rng.normals(0, n)))));"
    )
    assert node(script) == [True] * 8


# ---- divergences


@pytest.mark.parametrize(("q_mu", "q_std", "p_mu", "p_std"), PAIRS)
def test_kl_of_two_gaussians(q_mu: float, q_std: float, p_mu: float, p_std: float, node: Callable[..., Any]) -> None:
    """In closed form, and as the area between z → q log(q/p) and zero, by sign."""
    q, p = normal(q_mu, q_std), normal(p_mu, p_std)
    found = node(
        "const [q, p] = given, logs = given.map((g) => (z) => kl.logNormal(g, z));"
        " print([kl.klNormal(q, p), kl.areas(...logs, kl.support([q]))]);",
        [gaussian(q_mu, q_std), gaussian(p_mu, p_std)],
    )
    exact, areas = found
    expected = float(kl_divergence(q, p))
    assert exact == pytest.approx(expected, abs=1e-12, rel=1e-12)
    assert areas["kl"] == pytest.approx(expected, abs=1e-9, rel=1e-9)
    z = torch.linspace(-40, 40, 1_000_001, dtype=torch.float64)
    integrand = q.log_prob(z).exp() * (q.log_prob(z) - p.log_prob(z))
    for name, sign in (("positive", 1), ("negative", -1)):
        assert areas[name] == pytest.approx(float((sign * integrand).clamp(min=0).sum() * 8e-5), abs=1e-5, rel=1e-5)


@pytest.mark.parametrize(("mu", "std"), [(0.0, 1.0), (1.5, 0.6), (-2.0, 0.2), (0.3, 2.0)])
def test_terms_of_the_kl_against_the_prior(mu: float, std: float, node: Callable[..., Any]) -> None:
    terms = node("print(kl.priorTerms(given));", gaussian(mu, std))
    assert terms["kl"] == pytest.approx(float(kl_divergence(normal(mu, std), normal(0, 1))), abs=1e-12)
    shown = [terms[name] for name in ("muSquared", "variance", "one", "minusLogVar")]
    assert sum(shown) / 2 == pytest.approx(terms["kl"], abs=1e-12)
    assert shown == pytest.approx([mu**2, std**2, -1, -math.log(std**2)], abs=1e-12)


@pytest.mark.parametrize(("q_mu", "q_std", "p_mu", "p_std"), PAIRS)
def test_monte_carlo_is_torchs_with_the_same_draws(
    q_mu: float, q_std: float, p_mu: float, p_std: float, node: Callable[..., Any]
) -> None:
    q, p = normal(q_mu, q_std), normal(p_mu, p_std)
    given = [gaussian(q_mu, q_std), gaussian(p_mu, p_std)]
    found = node("print(kl.monteCarlo(...given, rng.normals(9, 4096)));", given)
    z = q_mu + q_std * torch.randn(4096, generator=torch.Generator().manual_seed(9)).double()
    ratios = q.log_prob(z) - p.log_prob(z)
    assert found["mean"] == pytest.approx(float(ratios.mean()), abs=1e-4, rel=1e-5)
    assert found["standardError"] == pytest.approx(float(ratios.std()) / 64, abs=1e-6, rel=1e-4)
    assert found["draws"] == 4096


def test_the_tick_comes_from_the_numbers(node: Callable[..., Any]) -> None:
    """Nearly every right value is believed and a wrong one is not; where q = p there is nothing to be off by."""
    given = [gaussian(1.5, 0.6), gaussian(0, 1)]
    exact = float(kl_divergence(normal(1.5, 0.6), normal(0, 1)))
    script = (
        "const [pair, exact] = given, estimate = (s) => kl.monteCarlo(...pair, rng.normals(s, 1024));\n"
        "const all = Array.from({ length: 300 }, (_, s) => estimate(s));\n"
        "const agree = (value) => all.filter((e) => kl.judge(e, value).agrees).length;\n"
        "const same = kl.monteCarlo(pair[0], pair[0], rng.normals(0, 16));\n"
        "const two = kl.judge(all[0], all[0].mean + 2 * all[0].standardError);\n"
        "print([agree(exact), agree(exact + 0.2), kl.judge(same, 0), two]);"
    )
    right, wrong, same, two = node(script, [given, exact])
    assert right >= 295 and wrong <= 5  # 0.2 nats are 6 standard errors
    assert same == {"distance": 0, "agrees": True}
    assert two["distance"] == pytest.approx(2) and two["agrees"]


# ---- fits


@pytest.mark.parametrize("shape", BUMPS)
def test_densities_of_mixtures_and_their_kls(shape: tuple[float, float, float], node: Callable[..., Any]) -> None:
    parts = bumps(*shape)
    p, q = mixture(parts), normal(0.5, 1.3)
    z = [-30.0, -4.0, -0.1, 0.0, 1.7, 30.0]
    script = "const [parts, q, z] = given; print([z.map((v) => kl.logMixture(parts, v)), kl.bothKls(q, parts)]);"
    logs, kls = node(script, [parts, gaussian(0.5, 1.3), z])
    assert logs == pytest.approx(p.log_prob(torch.tensor(z, dtype=torch.float64)).tolist(), rel=1e-12)
    assert kls["reverse"] == pytest.approx(integral(q, p), abs=2e-4)
    assert kls["forward"] == pytest.approx(integral(p, q), abs=2e-4)


@pytest.mark.parametrize("shape", BUMPS)
def test_no_gaussian_has_a_smaller_forward_kl_than_the_fit(
    shape: tuple[float, float, float], node: Callable[..., Any]
) -> None:
    parts = bumps(*shape)
    fit = node("print(kl.fitForward(given));", parts)
    p = mixture(parts)
    assert [fit["mu"], fit["std"] ** 2] == pytest.approx([float(p.mean), float(p.variance)], abs=1e-9)
    best = integral(p, normal(**fit_of(fit)))
    for mu, std in neighbours(fit):
        assert integral(p, normal(mu, std)) > best


@pytest.mark.parametrize("shape", BUMPS)
@pytest.mark.parametrize("start", [(-5.0, 1.0), (5.0, 1.0), (0.5, 2.0)])
def test_the_reverse_fit_goes_down_to_a_local_minimum(
    shape: tuple[float, float, float], start: tuple[float, float], node: Callable[..., Any]
) -> None:
    parts = bumps(*shape)
    way = node("print(kl.fitReverse(...given));", [parts, gaussian(*start)])
    p = mixture(parts)
    assert way[0] == gaussian(*start) and 5 < len(way) < 1000
    values = [integral(normal(**fit_of(q)), p, n=40_000) for q in way[:: max(1, len(way) // 20)]]
    assert all(later < earlier + 1e-6 for earlier, later in itertools.pairwise(values))
    best = integral(normal(**fit_of(way[-1])), p)
    for mu, std in neighbours(way[-1]):
        assert integral(normal(mu, std), p) > best


def test_where_the_reverse_fit_ends_depends_on_the_start(node: Callable[..., Any]) -> None:
    """Far bumps are found one by one, and are each the best on their side by brute force; near ones share one q."""
    script = "print(given.map(([parts, start]) => kl.fitReverse(parts, start).at(-1)));"
    far, near = bumps(4.0, 0.7, 0.5), bumps(1.0, 0.8, 0.8)
    starts = [gaussian(-5, 1), gaussian(5, 1)]
    left, right, one, same = node(script, [[parts, start] for parts in (far, near) for start in starts])
    assert left["mu"] < -1.9 and right["mu"] > 1.9
    assert one == pytest.approx(same, abs=1e-4)
    p = mixture(far)
    for found, side in ((left, -1), (right, 1)):
        grid = [(side * m / 50, s / 50) for m in range(80, 121) for s in range(20, 51)]
        mu, std = min(grid, key=lambda g: integral(normal(*g), p, reach=12, n=4000))
        assert [found["mu"], found["std"]] == pytest.approx([mu, std], abs=0.02)


@pytest.mark.parametrize("at", [(-5.0, 1.0), (-1.5, 0.4), (0.3, 1.8)])
def test_the_descent_follows_autograds_gradient(at: tuple[float, float], node: Callable[..., Any]) -> None:
    parts = bumps(4.0, 0.7, 1.0)
    found = node("print(kl.reverseKl(...given));", [gaussian(*at), parts])
    mu = torch.tensor(at[0], dtype=torch.float64, requires_grad=True)
    log_std = torch.tensor(math.log(at[1]), dtype=torch.float64, requires_grad=True)
    z = torch.linspace(-30, 30, 200_001, dtype=torch.float64)
    log_q = Normal(mu, log_std.exp()).log_prob(z)
    divergence = (log_q.exp() * (log_q - mixture(parts).log_prob(z))).sum() * (60 / 200_000)
    divergence.backward()
    assert mu.grad is not None and log_std.grad is not None
    assert found["value"] == pytest.approx(divergence.item(), abs=1e-4)
    assert [found["mu"], found["logStd"]] == pytest.approx([float(mu.grad), float(log_std.grad)], abs=1e-4)


def test_which_bumps_a_gaussian_covers(node: Callable[..., Any]) -> None:
    parts = bumps(4.0, 0.7, 0.7)
    tried = [gaussian(-2, 0.7), gaussian(2, 0.7), gaussian(0, 2.1), gaussian(0, 0.5)]
    assert node("print(given[1].map((q) => kl.covered(q, given[0])));", [parts, tried]) == [[0], [1], [0, 1], []]


def fit_of(fit: dict[str, float]) -> dict[str, float]:
    return {"mu": fit["mu"], "std": fit["std"]}


def neighbours(fit: dict[str, float], by: float = 0.02) -> list[tuple[float, float]]:
    mu, std = fit["mu"], fit["std"]
    return [(mu + by, std), (mu - by, std), (mu, std + by), (mu, std - by)]


# ---- a latent variable turned into data


def test_the_ring(node: Callable[..., Any]) -> None:
    """Doersch's g(z) = z/10 + z/|z|: the direction stays, the radius becomes 1 + |z|/10; at 0 nothing moves."""
    z, still, full, half = node(
        "const z = transform.draws(3).z;"
        " print([z, ...[0, 1, 0.5].map((s) => z.map((v) => transform.transformed('ring', s, v)))]);"
    )
    z, full = np.array(z), np.array(full)
    assert np.allclose(still, z) and np.allclose(half, (z + full) / 2)
    assert np.allclose(np.hypot(*full.T), 1 + np.hypot(*z.T) / 10)
    assert np.allclose(np.arctan2(*full.T), np.arctan2(*z.T))


def test_each_of_three_circles_takes_a_third_of_the_draws(node: Callable[..., Any]) -> None:
    z, x = node("const z = transform.draws(1).z; print([z, z.map((v) => transform.transformed('circles', 1, v))]);")
    radius, out = np.hypot(*np.array(z).T), np.hypot(*np.array(x).T)
    circle = out - radius / 10
    assert np.allclose(circle, circle.round()) and set(circle.round()) == {1, 2, 3}
    assert all(abs((circle.round() == k).sum() - 2000 / 3) < 4 * math.sqrt(2000 * 2 / 9) for k in (1, 2, 3))
    order = np.argsort(radius)
    assert np.all(np.diff(circle[order]) > -1e-9)  # inner draws on inner circles


def test_the_points_can_be_drawn_again_in_torch(node: Callable[..., Any]) -> None:
    found = node("print(transform.draws(12));")
    generator = torch.Generator().manual_seed(12)
    for name in ("z", "eps"):
        expected = torch.randn(2000, 2, generator=generator).numpy()
        assert np.allclose(found[name], expected, atol=1e-5), name


def test_the_origin_stays_a_number(node: Callable[..., Any]) -> None:
    names = node("print(Object.keys(transform.FUNCTIONS));")
    script = "print(given.map((name) => transform.transformed(name, 1, [0, 0])));"
    assert node(script, names) == [[0, 0]] * len(names)


# ---- what links say, and what axes show


@pytest.mark.parametrize("module", ["transform", "gaussians_state"])
def test_whatever_a_link_says_becomes_a_whole_state(module: str, node: Callable[..., Any]) -> None:
    default = node(f"print({module}.clean(null));")
    odd: list[Any] = ["<b>", "", None, [], {"a": [1]}, "1e999"]
    wild: list[Any] = [None, {}, [], "x", 3, {"strange": 1}, *({name: value for name in default} for value in odd)]
    assert node(f"print(given.map({module}.clean));", wild) == [default] * len(wild)
    huge, tiny = node(
        f"print(given.map({module}.clean));", [dict.fromkeys(default, 1e99), dict.fromkeys(default, -1e99)]
    )
    for state in (huge, tiny):
        assert state.keys() == default.keys()
        assert node(f"print({module}.clean(given));", state) == state


def test_a_link_is_clipped_to_what_the_page_offers(node: Callable[..., Any]) -> None:
    said = {"q_mu": 99, "q_std": "0.5", "p_std": 0, "log2_draws": 40, "start": "right", "shown": "pq", "distance": -1}
    state = node("print(gaussians_state.clean(given));", said)
    expected = {"q_mu": 3, "q_std": 0.5, "p_std": 0.2, "log2_draws": 16, "start": "right", "shown": "pq", "distance": 0}
    assert {name: state[name] for name in said} == expected


def test_axes_have_round_ticks_and_real_minus_signs(node: Callable[..., Any]) -> None:
    found = node(
        "const { ticks } = numbers;"
        "print([ticks(-4, 4, 8), ticks(0, 0.5, 5), ticks(-0.3, 1, 6), ticks(0, 90, 4)].concat("
        "[[0.3, 1, 1.2, 20, 21].map(numbers.niceAbove),"
        " [numbers.plain(-1.5), numbers.fixed(-0.001), numbers.plain(0.1 + 0.2)]]));"
    )
    assert found[:4] == [list(range(-4, 5)), [0, 0.1, 0.2, 0.3, 0.4, 0.5], [0, 0.5, 1], [0, 50]]
    assert found[4:] == [[0.5, 1, 2, 20, 50], ["−1.5", "0.00", "0.3"]]


@pytest.mark.parametrize("seed", [0, 7])
def test_the_open_graph_has_the_gradient_of_torch_and_the_other_draws_anew(node: Callable[..., Any], seed: int) -> None:
    """log p is −3 (z − 1)² here, on a grid so fine that its pieces do not show."""
    grid = np.linspace(-6, 8, 14_001)
    along = {"low": -6, "high": 8, "values": (-3 * (grid - 1) ** 2).tolist(), "q": {"mu": 0.4, "std": 1.3}}
    script = f"const eps = [0, 1, 20].map((i) => chance.epsOf({seed}, i));"
    found, eps = node(f"{script} print([eps.map((e) => chance.graphs(given, given.q, e, eps[0])), eps]);", along)
    first = torch.randn(16, generator=torch.Generator().manual_seed(seed))
    assert eps[:2] == pytest.approx(first[:2].tolist(), abs=1e-6) and len({*eps}) == 3
    mu, std = (torch.tensor(along["q"][name], dtype=torch.float64, requires_grad=True) for name in ("mu", "std"))
    z = mu + std * eps[0]
    value = -3 * (z - 1) ** 2
    of_mu, of_std = torch.autograd.grad(value, (mu, std))
    for one, own in zip(found, eps, strict=True):
        right, left = one["right"], one["left"]
        assert (right["z"], right["value"]) == pytest.approx((z.item(), value.item()), abs=1e-5)
        assert (right["ofMu"], right["ofStd"]) == pytest.approx((of_mu.item(), of_std.item()), abs=0.01)
        assert left["z"] == pytest.approx(0.4 + 1.3 * own) and "ofMu" not in left
