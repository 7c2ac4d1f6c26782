"""Reports of families whose loss is not −ELBO in two terms: each in its words, units and terms, by its own numbers."""

import functools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from tests.report_reader import Element, chart_values, parse, value_of
from tests.told import tell
from vae_core import rng
from vae_core.config import RunConfig
from vae_core.data import Images, prepare
from vae_core.export.bundle import bundle
from vae_core.export.run_report import RunReport
from vae_core.models.base import Family
from vae_core.trainer import Trainer

STEPS = 12
SETTINGS: dict[str, dict[str, Any]] = {
    "vq": {"net": "conv", "latent_dim": 4, "codebook_size": 16},
    "dae": {"widths": "64", "corruption": 0.3},
    "iwae": {"widths": "64", "samples": 4},
    "cvae": {"widths": "64"},
    "beta-tc": {"widths": "64", "latent_dim": 3},
}
Told = Callable[[str], tuple[RunReport, Element, Trainer]]


@pytest.fixture(scope="module")
def told(small: Images) -> Told:
    """A short run of a family: its story, the report, and the trainer as it is afterwards."""

    @functools.cache
    def make(model: str) -> tuple[RunReport, Element, Trainer]:
        config = RunConfig(model=model, device="cpu", epochs=9, batch_size=32, **SETTINGS[model])
        trainer = Trainer(config, small)
        story = tell(trainer, STEPS, every=6, bound_of=20)
        return story, parse(story), trainer

    return make


def head(report: Element) -> dict[str, tuple[float, str]]:
    """The figures at the head of a report: value and unit by label."""
    spans = report.all("p", "sum")[0].all("span")
    return {
        span.text.strip(): (
            value_of(span.all("b")[0].text.partition(" ± ")[0]),
            " ".join(small.text for small in span.all("small")),
        )
        for span in spans
    }


def noise_of(model: Family, config: RunConfig, count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(rng.stream_seed(config.seed, "eval"))
    return torch.randn(count, *model.noise_shape(), generator=generator)


@pytest.mark.parametrize("model", list(SETTINGS))
def test_each_is_told_by_its_own_terms_and_units(model: str, told: Told) -> None:
    story, report, trainer = told(model)
    kind, final, found = type(trainer.model), story.final, head(report)
    assert final is not None
    named = {
        "vq": {"reconstruction": "nll", "codebook": "codebook", "commitment": "commitment"},
        "dae": {"reconstruction": "nll"},
        "iwae": {"−L_K": "iw", "−ELBO": "neg_elbo"},
        "cvae": {"−ELBO given the label": "neg_elbo", "reconstruction": "nll", "KL": "kl"},
        "beta-tc": {
            "−ELBO": "neg_elbo",
            "reconstruction": "nll",
            "index-code information": "index_code",
            "total correlation": "total_correlation",
            "dimension-wise KL": "dimension_kl",
        },
    }[model]
    assert list(found) == list(named)
    for label, name in named.items():
        value, unit = found[label]
        assert value == pytest.approx(final[name], abs=max(0.6 * final["errors"][name] + 0.06, 0.006))
        assert unit == ("squared distance" if name in ("codebook", "commitment") else "")
    signs = [sign.text for sign in report.all("p", "sum")[0].all("i")]
    assert signs == (["=", *["+"] * (len(named) - 2)] if kind.has.bound else [])
    assert ("ELBO" in report.all("section", "card")[0].words().replace("no ELBO", "")) == kind.has_elbo()
    assert bundle(story)  # with its events and its model card


@pytest.mark.parametrize("model", list(SETTINGS))
def test_its_curves_are_those_of_its_terms_each_unit_on_an_axis(model: str, told: Told) -> None:
    story, report, trainer = told(model)
    terms = list(trainer.model.TERMS)
    css = {"nll": "reconstruction", "kl": "kl"}
    own = [name for name in terms if name not in css]
    css |= {name: f"other{i}" for i, name in enumerate(own)}
    charts = [svg for svg in report.all("svg") if "training steps" in svg.attrs["aria-label"]]
    units = [svg.all("text")[0].text for svg in charts]
    wanted = {"vq": ["nats per image", "squared distance per image"], "cvae": ["nats per image"] * 2}
    assert units == wanted.get(model, ["nats per image"])
    for i, name in enumerate(terms):
        chart = charts[1] if name in ("codebook", "commitment", "kl") else charts[0]
        read = chart_values(chart, f"{css[name]} test")
        scale = np.abs(story.test[:, 1 + i]).max()
        np.testing.assert_allclose(read[:, 1], story.test[:, 1 + i], atol=0.004 * scale + 0.3)
    total = charts[0].all("path", "total test")
    assert len(total) == trainer.model.has.bound
    if total:
        np.testing.assert_allclose(
            chart_values(charts[0], "total test")[:, 1], story.test[:, 1 : 1 + len(terms)].sum(1), rtol=0.01
        )


def test_a_codebook_is_no_variational_autoencoder_and_has_no_map(told: Told) -> None:
    _, report, trainer = told("vq")
    words = report.words()
    assert "A VQ-VAE (network conv, 7 × 7 codes an image, a codebook of 16 vectors with 4 numbers each," in words
    assert "Nothing here is a bound on log p(x), so there is no ELBO." in words and "no nats" in words
    assert "K = 1" not in report.all("section", "card")[0].words()
    assert [title.words() for title in report.all("h3")] == [
        "Codebook, Commitment on their own axis: no nats",
        "Reconstructions",
    ]
    assert "latent" not in report.all("header")[0].words()
    x = trainer.images.x_test.float() / 255
    with torch.no_grad():
        codes = trainer.model.eval().quantise_images(x)
    share = torch.bincount(codes.flatten(), minlength=16) / codes.numel()
    perplexity = torch.distributions.Categorical(share).entropy().exp().item()
    assert f"{len(codes.unique())} of 16" in words and f"perplexity {perplexity:.1f}:" in words


def test_a_denoising_one_shows_what_it_saw_and_asks_its_draws_nothing(told: Told) -> None:
    story, report, trainer = told("dae")
    words, shot = report.words(), story.snapshot
    assert shot is not None
    assert "A denoising autoencoder (network mlp, 2 latent dimensions, noise of std 0.3," in words
    assert "Nothing here is a bound" in words and "Posterior std" not in words and "it has no prior" in words
    assert "Between: what the encoder saw of it." in words and "from a sample of z" not in words
    pictures = [figure for figure in report.all("figure") if "Reconstructions" in figure.words()]
    assert [len(row.all("img")) for row in pictures[0].all("div", "digits")] == [10, 10, 10]
    clean = shot.originals.astype(float) / 255
    noise = shot.inputs.astype(float) / 255 - clean
    inside = (shot.inputs > 0) & (shot.inputs < 255)  # elsewhere it was clipped
    assert 0.1 < noise[inside].std() < 0.35 and (shot.inputs != shot.originals).mean() > 0.3
    with torch.no_grad():  # the copies are those of what is shown
        seen = torch.from_numpy(shot.inputs).float()[:, None] / 255
        copies = trainer.model.eval().decode(trainer.model.encode(seen)[0]).sigmoid()[:, 0].numpy() * 255
    assert np.abs(copies - shot.reconstructions).max() < 3


def test_a_tighter_bound_is_told_beside_minus_elbo_and_is_no_sum(told: Told) -> None:
    """Both by hand: −L_4 as the mean of weights of torch.distributions, −ELBO of its first sample."""
    _, report, trainer = told("iwae")
    words = report.words()
    assert "An IWAE (network mlp, 2 latent dimensions, K = 4 samples in its loss," in words
    assert "−ELBO: K = 1, −L_K: K = 4" in words and "It is no sum of a reconstruction and a KL." in words
    model, images = trainer.model.eval(), trainer.images
    assert len(images.x_test) <= 500  # one chunk of the evaluation: its noise in one draw
    eps = noise_of(model, trainer.config, len(images.x_test))
    x = prepare(images.x_test, "grey", torch.Generator())
    with torch.no_grad():
        mu, log_var = model.encode(x)
        q, prior = Normal(mu, (log_var / 2).exp()), Normal(0.0, 1.0)
        z = q.mean + q.stddev * eps.transpose(0, 1)  # (4, B, D)
        p = [Bernoulli(logits=model.decode(k), validate_args=False).log_prob(x).flatten(1).sum(-1) for k in z]
        log_w = torch.stack(p) + prior.log_prob(z).sum(-1) - q.log_prob(z).sum(-1)
        iw = -(log_w.double().logsumexp(0) - np.log(4)).mean()
        elbo = (-p[0] + kl_divergence(q, prior).sum(-1)).mean()
    found = head(report)
    assert found["−L_K"][0] == pytest.approx(iw.item(), abs=1.5) and iw < elbo
    assert found["−ELBO"][0] == pytest.approx(elbo.item(), abs=1.5)


def test_a_conditional_one_bounds_what_it_is_given(told: Told) -> None:
    words = told("cvae")[1].words()
    assert "A conditional variational autoencoder, told the label y, (network mlp" in words
    assert "an upper bound on −log p(x | y), not on −log p(x)." in words and "−log p(x | y), at most" in words
    assert "In a row one z, told each label in turn." in words
    assert re.search(r"MNIST, test, \d+ images, K = 1", words)
