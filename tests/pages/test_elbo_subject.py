"""What the ELBO page speaks of: grey images and redraws, the case it opens on, and the model with many latents."""

import pytest
import torch
from streamlit.testing.v1 import AppTest
from torch.distributions import Bernoulli, Normal

from pages.elbo import bound, code, evidence, likelihood
from pages.elbo.settings import SECTIONS, link
from pages.elbo.subject import Key, subject
from pages.ui.shipped import PLANE, checkpoint, images, most_latents, title_of
from tests.pages.conftest import checked
from tests.pages.linked import shown
from tests.pages.test_elbo import brute_force, cells
from vae_core.evaluate import iw_bound
from vae_core.runs.registry import Registry

GAUSSIAN = "mnist-vae-gaussian-mlp-2"
REDRAWN = {"pixels": "redrawn", "redraw": "3", "digit": "7"}


def redrawn(number: int, seed: int) -> torch.Tensor:
    grey = images().x_test[number : number + 1].float() / 255
    return torch.bernoulli(grey, generator=torch.Generator().manual_seed(seed))


def test_a_redraw_is_a_bernoulli_draw_of_the_grey_image() -> None:
    s = subject(PLANE, 7, 0, 3)
    assert s.number == 0 and torch.equal(s.x, redrawn(0, 3)) and s.is_binary
    assert torch.equal(s.pixels.float() / 255, s.x) and not torch.equal(s.x, subject(PLANE, 7, 0, 4).x)
    grey = subject(PLANE, 7, 0)
    assert not grey.is_binary and grey.key == Key(PLANE, 7, 0, None)


def test_a_density_of_grey_values_takes_them_as_they_are() -> None:
    assert subject(GAUSSIAN, 7, 0, 3) is subject(GAUSSIAN, 7, 0)
    assert "density" in subject(GAUSSIAN, 7, 0).meaning


@pytest.mark.parametrize("section", list(SECTIONS))
def test_every_section_speaks_of_the_redraw(registry: Registry, section: str) -> None:
    at = shown("elbo", REDRAWN | {"section": section, "likelihood": "sigma"})
    assert not at.warning
    named = "test image 0, a 7, redrawn (seed 3), black or white pixels"
    assert any(named in c.value for c in at.caption)
    elsewhere = {} if section == "evidence" else {"section": section}
    assert at.query_params == REDRAWN | {"likelihood": "sigma"} | elsewhere


def test_the_figures_are_those_of_the_redraw(registry: Registry) -> None:
    at = shown("elbo", REDRAWN)
    assert cells(at)["exactly, by quadrature"][2] == pytest.approx(brute_force(7, 3), abs=0.01)
    assert any("This x is black or white, and p(x) its probability." in m.value for m in at.markdown)
    key = subject(PLANE, 7, 0, 3).key
    model, x = checkpoint(PLANE).model, redrawn(0, 3)
    with torch.no_grad():
        mu = model.encode(x)[0]
        p = Bernoulli(logits=model.decode(mu), validate_args=False)
    assert likelihood.costs(*key).bernoulli == pytest.approx(-p.log_prob(x).sum().item(), abs=1e-3)
    assert likelihood.costs(*key).entropy == 0
    assert bound.data_of(*key).encoder.mu == pytest.approx(mu[0].tolist())
    assert (bound.data_of(*key).image == 255 * x[0, 0].numpy()).all()
    assert f"{mu[0, 0]:.2f}".replace("-", "−") in code.steps_of(*key)[0].value


def test_the_switch_and_another_redraw(registry: Registry) -> None:
    at = shown("elbo", {"section": "kl"})
    assert any("This x is grey" in m.value for m in shown("elbo", {}).markdown)
    at.session_state[link.key("q")] = {"mu": [1.0, 1.0], "log_var": [0.0, 0.0]}
    checked(at.segmented_control(key="elbo pixels").set_value("redrawn").run())
    assert any("redrawn (seed 0)" in c.value for c in at.caption) and link.key("q") not in at.session_state
    next(b for b in at.button if b.label == "Redraw").click()
    checked(at.run())
    assert at.query_params["redraw"] == "1" and any("redrawn (seed 1)" in c.value for c in at.caption)


def test_the_case_that_it_opens_on_shows_what_the_section_says() -> None:
    """At the usual settings the naive estimate lies clearly off the exact value, and the one from q does not."""
    key = Key(link.default("model"), link.first("digit"), link.default("image"))
    exact = subject(*key).evidence.log_p.value
    off: list[float] = []
    for seed in range(20):
        prior, q = evidence.draws(key, seed, link.default("draws"))
        weight = prior.log_weight[: link.default("draws")]
        off.append((weight.logsumexp(0) - torch.tensor(len(weight)).log()).item() - exact)
        assert (q.log_weight.logsumexp(0) - torch.tensor(len(q.log_weight)).log()).item() == pytest.approx(
            exact, abs=0.5
        )
    assert sum(abs(nats) > 1 for nats in off) >= 15 and abs(off[link.default("seed")]) > 3, off


def test_with_many_latents_prior_draws_say_nothing_and_the_bound_has_its_error() -> None:
    """What unfolds; q's estimate held by the core's bound with other draws and many more of them."""
    name = most_latents()
    assert name is not None and checkpoint(name).card["config"]["latent_dim"] == 32
    chosen = subject(PLANE, 7, 0)
    prior, q = evidence.many_draws(name, chosen.key, 0)
    model = checkpoint(name).model
    with torch.no_grad():
        mu, log_var = model.encode(chosen.x)
        exact = iw_bound(model, chosen.x, 2000, torch.Generator().manual_seed(9)).item()
        log_q = Normal(mu, (log_var / 2).exp()).log_prob(q.z).sum(-1)
    assert torch.allclose(q.log_q, log_q.double(), atol=1e-3)
    from_q, from_prior = evidence.log_mean(q.log_weight), evidence.log_mean(prior.log_weight)
    assert from_q.value == pytest.approx(exact, abs=4 * from_q.error + 0.3)
    assert from_prior.value < exact - 20
    script = AppTest.from_function(unfolded, default_timeout=60)
    rows = script.run().table[0].value["log p(x) (nats)"]
    assert rows["from q(z | x), weighted"] == f"−{-from_q.value:.1f} ± {from_q.error:.1g}"
    assert rows["from the prior p(z)"] == f"−{-from_prior.value:.1f}"
    said = " ".join(m.value for m in script.markdown)
    assert f"**about {float(f'{from_q.value - from_prior.value:.1g}'):,.0f} nats** less" in said
    assert title_of(name) in script.caption[0].value


def unfolded() -> None:
    from pages.elbo.evidence import many_latents
    from pages.elbo.subject import subject

    many_latents(subject("mnist-vae-mlp-2", 7, 0), 0)
