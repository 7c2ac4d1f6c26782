"""The ELBO page, sections 1 to 4: its values against torch.distributions and brute force, its link, its crosses."""

import math
import re
from dataclasses import replace

import pytest
import torch
from streamlit.testing.v1 import AppTest
from torch.distributions import Bernoulli, Normal, kl_divergence

from pages.elbo.derivation import judged, std_for_variance, without_half, written
from pages.elbo.evidence import written_size
from pages.elbo.settings import SECTIONS, WAYS
from pages.elbo.subject import names, subject
from pages.ui.shipped import PLANE, title_of
from tests.pages.conftest import ROUTER, checked
from tests.pages.elbo_sections import figure, figures_of
from vae_core.exact.estimate import EXACT, MONTE_CARLO, Estimate
from vae_core.exact.lines import Line, check
from vae_core.runs.registry import Registry


@pytest.fixture
def elbo(home: AppTest) -> AppTest:
    home.switch_page("elbo/page.py")
    return checked(home.run())


def section(at: AppTest, name: str) -> AppTest:
    return checked(at.segmented_control(key="elbo section").set_value(name).run())


def cells(at: AppTest) -> dict[str, list[float]]:
    """The rows of the section's table as numbers; what is none is NaN."""
    found = re.compile(r"-?[\d.]+")
    rows = {}
    for name, row in at.table[0].value.iterrows():
        texts = [str(text).replace("−", "-").replace(",", "") for text in row]
        rows[str(name)] = [float(m.group()) if (m := found.match(t)) else float("nan") for t in texts]
    return rows


def brute_force(digit: int = 7, redraw: int | None = None) -> float:
    """log p(x) on a plain grid with torch.distributions, nothing of ours but the decoder; step 0.02 over ±4."""
    s = subject(PLANE, digit, 0, redraw)
    axis = torch.arange(-4, 4, 0.02)
    total = []
    for z1 in axis.split(20):
        z = torch.cartesian_prod(z1, axis)
        with torch.no_grad():
            p = Bernoulli(logits=s.model.decode(z), validate_args=False)
            log_joint = p.log_prob(s.x).sum((1, 2, 3)) + Normal(0.0, 1.0).log_prob(z).sum(-1)
        total.append(log_joint.double().logsumexp(0))
    return (torch.stack(total).logsumexp(0) + 2 * torch.tensor(0.02).double().log()).item()


def test_it_opens_on_p_of_x_whose_exact_value_is_that_of_brute_force(elbo: AppTest) -> None:
    rows = cells(elbo)
    exact = rows["exactly, by quadrature"][2]
    assert exact == pytest.approx(brute_force(), abs=0.01)
    draws, effective, estimate = rows["from q(z | x), weighted"]
    assert draws == 1000 and 1 <= effective <= 1000 and estimate == pytest.approx(exact, abs=1)
    assert rows["from the prior p(z)"][1] < effective


def test_more_draws_from_the_prior_come_nearer(elbo: AppTest) -> None:
    elbo.segmented_control(key="elbo digit").set_value(0)  # of a 7 not even these see anything
    checked(elbo.select_slider(key="elbo draws").set_value(10_000).run())
    rows = cells(elbo)
    assert rows["from the prior p(z)"][:2] == [10_000, pytest.approx(rows["from the prior p(z)"][1])]
    assert rows["from the prior p(z)"][2] == pytest.approx(rows["exactly, by quadrature"][2], abs=0.7)


def test_the_stage_says_the_estimate_and_shows_the_draws_that_carry_it(elbo: AppTest) -> None:
    """Also after New draws, which is the one thing to press."""
    for seed in range(2):
        s = subject(PLANE, 7, 0)
        z = torch.randn(1000, 2, generator=torch.Generator().manual_seed(seed))
        with torch.no_grad():
            p = Bernoulli(logits=s.model.decode(z), validate_args=False)
            log_lik = p.log_prob(s.x).sum((1, 2, 3)).double()
        said = next(h.proto.body for h in elbo.get("html") if "in-large" in h.proto.body).replace("−", "-")
        assert f"<b>{log_lik.logsumexp(0).item() - math.log(1000):.1f} nats</b>" in said
        traces = figure(elbo)["data"]
        carry = {round(x, 4) for x in figures_of(traces[1]["x"])}
        share = log_lik.softmax(0)
        theirs = [i for i in range(1000) if round(z[i, 0].item(), 4) in carry]
        assert len(figures_of(traces[0]["x"])) == 1000 and len(theirs) == len(carry)
        assert share[theirs].sum() >= 0.9 > share[theirs].sum() - share[theirs].min()
        assert f"<b>{len(carry)} draw{'' if len(carry) == 1 else 's'}</b>" in said
        checked(elbo.button(key="elbo new draws").click().run())


@pytest.mark.parametrize("digit", [0, 7])
def test_the_words_say_how_much_the_draws_are_worth(elbo: AppTest, digit: int) -> None:
    checked(elbo.segmented_control(key="elbo digit").set_value(digit).run())
    rows = cells(elbo)
    worth = rows["from the prior p(z)"][1]
    (said,) = [m.value for m in elbo.markdown if ", all are worth" in m.value]
    of_q = rows["from q(z | x), weighted"]
    for _, effective, log_p in (rows["from the prior p(z)"], of_q):
        assert f"nine tenths, all are worth **{written_size(effective)}**" in said
        assert f"say **{log_p:.1f}**".replace("-", "−") in said
    assert f"log p(x) is **{rows['exactly, by quadrature'][2]:.1f}**".replace("-", "−") in said
    assert ("almost every z draws another picture" in said) == (worth < 20)


def test_a_grid_that_is_too_coarse_is_said(elbo: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not elbo.warning
    s = subject(PLANE, 7, 0)
    coarse = replace(s.evidence, converged=False)
    monkeypatch.setattr(type(s), "evidence", property(lambda _: coarse))
    checked(elbo.run())
    assert "too coarse for this posterior" in elbo.warning[0].value


def values(at: AppTest) -> list[float]:
    """The values of the lines of a derivation, nats."""
    found = [re.match(r"\*\*(−?[\d.]+)\*\*", m.value) for m in at.markdown]
    return [float(m.group(1).replace("−", "-")) for m in found if m]


@pytest.mark.parametrize("way", list(WAYS))
def test_every_way_ends_at_the_elbo_of_torch_and_every_line_holds(elbo: AppTest, way: str) -> None:
    section(elbo, "derivation")
    elbo.segmented_control(key="elbo way").set_value(way).run()
    assert len(values(elbo)) == 1
    checked(elbo.button(key="elbo All lines").click().run())
    assert "Every line holds" in elbo.success[0].value
    s = subject(PLANE, 7, 0)
    with torch.no_grad():
        q = Normal(s.mu, (0.5 * s.log_var).exp())
        z = q.sample((4000,)).squeeze(1)
        log_lik = Bernoulli(logits=s.model.decode(z), validate_args=False).log_prob(s.x).sum((1, 2, 3))
    expected = (log_lik.mean() - kl_divergence(q, Normal(0.0, 1.0)).sum()).item()
    *_, elbo_of_the_lines, all_images = values(elbo)
    assert elbo_of_the_lines == pytest.approx(expected, abs=0.2)
    gap = s.bound.gap.value
    assert any(f"{gap:.3f} nats to spare: KL(q ‖ p(z | x))" in m.value for m in elbo.markdown)
    assert all_images == 0 and any("over all black-or-white images x it sums to one" in m.value for m in elbo.markdown)
    ticks = [m.value for m in elbo.markdown if "material/check" in m.value]
    assert len(ticks) >= len(values(elbo)) - 2


def test_lines_come_one_by_one_and_go_again(elbo: AppTest) -> None:
    section(elbo, "derivation")
    for count in (2, 3):
        elbo.button(key="elbo Next").click().run()
        assert len(values(elbo)) == count
    elbo.button(key="elbo Back").click().run()
    assert len(values(elbo)) == 2 and elbo.query_params["line"] in ("2", ["2"])


@pytest.mark.parametrize(("slip", "said"), [(1, "without its ½"), (2, "standard deviation in place of the variance")])
@pytest.mark.parametrize("way", list(WAYS))
def test_a_wrong_kl_turns_ticks_into_crosses(elbo: AppTest, way: str, slip: int, said: str) -> None:
    section(elbo, "derivation")
    elbo.segmented_control(key="elbo way").set_value(way).run()
    elbo.segmented_control(key="elbo wrong").set_value(slip).run()
    checked(elbo.button(key="elbo All lines").click().run())
    assert said in elbo.error[0].value and not elbo.success
    assert any("does not hold" in m.value for m in elbo.markdown)


def test_the_slips_are_what_they_are_called() -> None:
    mu, log_var = torch.tensor([[0.5, -2.0]]), torch.tensor([[-1.0, 0.6]])
    exact = kl_divergence(Normal(mu, (0.5 * log_var).exp()), Normal(0.0, 1.0)).sum(-1)
    assert without_half(mu, log_var).item() == pytest.approx(2 * exact.item(), rel=1e-5)
    rooted = kl_divergence(Normal(mu, (0.25 * log_var).exp()), Normal(0.0, 1.0)).sum(-1)
    assert std_for_variance(mu, log_var).item() == pytest.approx(rooted.item(), rel=1e-5)


def test_the_kl_section_has_todays_numbers(elbo: AppTest) -> None:
    section(elbo, "kl")
    rows = cells(elbo)
    s = subject(PLANE, 7, 0)
    expected = kl_divergence(Normal(s.mu, (0.5 * s.log_var).exp()), Normal(0.0, 1.0))[0]
    for d in range(2):
        mu, sigma, mu2, var, minus_log, kl = rows[f"dimension {d + 1}"]
        assert mu == pytest.approx(s.mu[0, d].item(), abs=6e-4)
        assert kl == pytest.approx(expected[d].item(), abs=2e-3)
        assert 0.5 * (mu2 + var - 1 + minus_log) == pytest.approx(kl, abs=2e-3) and sigma > 0
    assert rows["sum"][5] == pytest.approx(expected.sum().item(), abs=2e-3)


@pytest.mark.parametrize("name", list(SECTIONS))
def test_every_section_opens_by_its_address_with_every_model(registry: Registry, name: str) -> None:
    for model in names():
        at = AppTest.from_file(str(ROUTER), default_timeout=60)
        at.run().switch_page("elbo/page.py")
        for key, value in {"section": name, "likelihood": "sigma", "model": model, "digit": "9", "image": "1"}.items():
            at.query_params[key] = value
        checked(at.run())
        assert at.segmented_control(key="elbo section").value == name and not at.warning
        assert any(f"by {title_of(model)} (" in c.value and "test image 9, a 9" in c.value for c in at.caption)


@pytest.mark.parametrize(
    ("key", "value"),
    [("digit", "11"), ("section", "<b>"), ("line", "-1"), ("seed", "x"), ("q", "{"), ("model", "../x")],
)
def test_an_address_that_does_not_hold_is_said(registry: Registry, key: str, value: str) -> None:
    at = AppTest.from_file(str(ROUTER), default_timeout=60)
    at.run().switch_page("elbo/page.py")
    at.query_params[key] = value
    checked(at.run())
    assert key in at.warning[0].value and "The rest is shown" in at.warning[0].value


@pytest.mark.parametrize(
    "q",
    [
        "3",
        "[]",
        '{"mu":[1],"log_var":[0]}',
        '{"mu":["a",1],"log_var":[0,0]}',
        '{"mu":[1e9,0]}',
        '{"mu":[0,0],"log_var":[0,0],"rho":1}',
    ],
)
def test_a_q_of_a_link_that_is_none_is_the_encoders(registry: Registry, q: str) -> None:
    at = AppTest.from_file(str(ROUTER), default_timeout=60)
    at.run().switch_page("elbo/page.py")
    at.query_params["section"], at.query_params["q"] = "bound", q
    checked(at.run())


def test_a_full_covariance_offers_an_image_where_it_matters(registry: Registry) -> None:
    at = AppTest.from_file(str(ROUTER), default_timeout=60)
    at.run().switch_page("elbo/page.py")
    at.query_params["section"] = "bound"
    checked(at.run())
    assert not [b for b in at.button if b.label.startswith("Where it matters")]  # mean-field
    there = subject(PLANE, 1, 8).label
    at.session_state["elbo q"] = {"mu": [0.0, 0.0], "log_var": [0.0, 0.0], "rho": 0.5}
    checked(at.run())
    next(b for b in at.button if b.label == f"Where it matters: {there}").click().run()
    assert any(there in c.value for c in checked(at).caption)
    assert (at.query_params["digit"], at.query_params["image"]) == ("1", "8")  # its q: tests/browser/test_elbo.py


def test_another_image_is_another_subject_everywhere(elbo: AppTest) -> None:
    first = cells(elbo)["exactly, by quadrature"][2]
    next(b for b in elbo.button if b.label == "Another image").click().run()
    assert cells(elbo)["exactly, by quadrature"][2] != first
    elbo.segmented_control(key="elbo digit").set_value(4).run()
    assert cells(elbo)["exactly, by quadrature"][2] == pytest.approx(brute_force(4), abs=0.01)


def test_rounding_is_no_error_and_no_distance() -> None:
    """Who reads "exact" beside an error, or zero standard errors, asks which of the two holds."""
    assert written(Estimate(-2e-16, 5e-12, EXACT)) == "**0.000** nats  \n:small[exact]"
    assert written(Estimate(12.34, 0.1, MONTE_CARLO)).startswith("**12.3** ± 0.1 nats")
    equal = Line("=", "0", "", Estimate(1.0), (Estimate(1.0), Estimate(1.0)))
    outcome = check(Line(None, "1", "", Estimate(1.0)), equal)
    assert outcome is not None and "within 0.1 standard errors" in judged(outcome)


def test_one_line_does_not_and_two_do_not_hold(elbo: AppTest) -> None:
    section(elbo, "derivation")
    checked(elbo.button(key="elbo All lines").click().run())
    for wrong in (1, 2):
        checked(elbo.segmented_control(key="elbo wrong").set_value(wrong).run())
        found = re.match(r"(\d) of \d lines (does|do) not hold", elbo.error[0].value)
        assert found and (found[1] == "1") == (found[2] == "does"), elbo.error[0].value
