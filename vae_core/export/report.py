"""A run as one HTML file: opens without a network, prints well, and asks nothing of anybody."""

from __future__ import annotations

from typing import Any

import numpy as np

from vae_core.cards import HELP, command
from vae_core.export.bars import bars_svg
from vae_core.export.curves import curves_svg
from vae_core.export.latent_map import REACH, latent_map_svg, outside, reach
from vae_core.export.pictures import data_uri
from vae_core.export.run_report import FAILED, FINISHED, RunReport, versions
from vae_core.export.style import DARK, LIGHT, Colours, style_sheet
from vae_core.export.svg import escape, number
from vae_core.inspect.snapshot import Snapshot

_LIKELIHOODS = {
    "bernoulli": "a Bernoulli likelihood",
    "gaussian": "a Gaussian likelihood of fixed sigma",
    "gaussian-learned": "a Gaussian likelihood with a learned sigma",
}
# The browser itself forbids what the report promises not to do: no script, no request.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def html_report(story: RunReport, title: str, light: Colours = LIGHT, dark: Colours = DARK) -> str:
    """The report, a complete HTML document.

    Args:
        title: of the document; any text.
        light: the colours on paper and on light screens. dark: those on screens that ask for dark.
    """
    sections = [_header(story, title), _figures(story), _changed(story), _curves(story)]
    sections += [_snapshot(story.snapshot)] if story.snapshot else []
    sections += [_settings(story), _again(story), _footer()]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style_sheet(light, dark)}</style>\n</head>\n"
        "<body>\n<main>\n" + "\n".join(s for s in sections if s) + "\n</main>\n</body>\n</html>\n"
    )


def _header(story: RunReport, title: str) -> str:
    config = story.config
    dims = f"{config.latent_dim} latent dimension{'s' if config.latent_dim > 1 else ''}"
    what = f"A variational autoencoder (network {config.net}, {dims}, {_LIKELIHOODS[config.likelihood]})"
    extent = f"{story.steps:,} steps of {config.batch_size:,} images"
    ending = {FINISHED: "finished", FAILED: "ended by a failure"}.get(story.status, story.status)
    return (
        f"<header><h1>{escape(title)}</h1>\n<p>{escape(what)} on {escape(_data(story))}: "
        f"{extent}, {escape(ending)}. Computed on: {escape(story.device or 'unknown device')}.</p></header>"
    )


def _figures(story: RunReport) -> str:
    """−ELBO and its terms, with data protocol, split and number of samples; then what else was measured."""
    final, s = story.final, story.snapshot
    if final is not None:
        where = f"{_data(story)}, {final['split']}, {final['images']:,} images, K = {final['samples']}"
        return _sum(final["neg_elbo"], final["nll"], final["kl"], where, _facts(final, s))
    if s is not None:
        where = f"{_data(story)}, {len(s.labels):,} fixed test images, K = 1, at step {s.step:,}"
        facts = _fact("Active units", f"{int(s.active.sum())} of {len(s.active)}", "variance of mu above 0.01")
        return _sum(sum(s.terms.values()), s.terms["nll"], s.terms["kl"], where, facts)
    return '<section class="card"><p>No test figures: the run ended before the first was computed.</p></section>'


def _sum(neg_elbo: float, nll: float, kl: float, where: str, facts: str) -> str:
    return (
        '<section class="card">\n<p class="sum">'
        f'<span class="total">−ELBO <b>{number(neg_elbo)}</b></span> <i>=</i> '
        f'<span class="reconstruction">reconstruction <b>{number(nll)}</b></span> <i>+</i> '
        f'<span class="kl">KL <b>{number(kl)}</b></span></p>\n'
        f'<p class="note">nats per image ({escape(where)}); lower is better</p>\n'
        f'<dl class="facts">{facts}</dl></section>'
    )


def _facts(final: dict[str, Any], s: Snapshot | None) -> str:
    bound = (
        f"importance-weighted bound, K = {final['iw_samples']:,}, first {final['iw_images']:,} test images, "
        f"whose −ELBO is {number(final['iw_neg_elbo'])}"
    )
    facts = [
        _fact("−log p(x), at most", f"{number(final['neg_iw_bound'])} nats", bound),
        _fact("Active units", f"{final['active_units']} of {len(final['kl_dims'])}", "variance of mu above 0.01"),
        _fact("Posterior std", number(final["mean_std"], 3), "mean over images and dimensions; the prior's is 1"),
    ]
    if s is not None and s.sigma is not None:
        facts.append(_fact("Sigma of a pixel", number(s.sigma, 3), "of the Gaussian likelihood"))
    return "".join(facts)


def _fact(name: str, value: str, note: str) -> str:
    return f"<div><dt>{escape(name)}</dt><dd>{escape(value)}<small>{escape(note)}</small></dd></div>"


def _changed(story: RunReport) -> str:
    if not story.changes:
        return ""
    texts = "; ".join(mark.text for mark in story.changes)
    return (
        f'<section class="card changed"><p><b>Changed by hand on the way:</b> {escape(texts)}. The figures and curves '
        "are those of the run as changed, not of the settings alone.</p></section>"
    )


def _curves(story: RunReport) -> str:
    early = " The first 20 steps may lie above the frame." if story.steps > 60 else ""
    return (
        '<section><h2>Loss terms</h2>\n<figure><div class="wide">'
        f"{curves_svg(story, ('total', 'reconstruction', 'kl'), 'all')}</div>\n<figcaption>Bold: 5,000 fixed test "
        "images, K = 1, with the last value beside the line. Faint: training batches. Each line is the term itself, "
        f"whatever its weight in the loss.{early}</figcaption></figure>\n"
        '<figure><h3><span class="kl">KL</span> on its own axis</h3>'
        f'<div class="wide">{curves_svg(story, ("kl",), "kl-only", 240)}</div></figure></section>'
    )


def _snapshot(s: Snapshot) -> str:
    return (
        f'<section><h2>What was learned, at step {s.step:,}</h2>\n<div class="pair">\n{_map(s)}\n<div>'
        f"<figure><h3>Reconstructions</h3>{_images(s.originals, 'ten test images')}"
        f"{_images(s.reconstructions, 'their reconstructions')}\n"
        "<figcaption>Above: one test image of each class. Below: its reconstruction from a sample of z."
        "</figcaption></figure>\n"
        f"<figure><h3>Draws from the prior</h3>{_images(s.prior_draws, 'decoded draws from the prior')}\n"
        "<figcaption>The decoder's mean at fixed draws z ~ N(0, I).</figcaption></figure>\n"
        f'<figure><h3><span class="kl">KL</span> per dimension: {int(s.active.sum())} of {len(s.active)} active</h3>'
        f"{bars_svg(s.kl_dims, s.active)}\n"
        "<figcaption>Filled: active units, whose mu has a variance above 0.01 over the test images."
        "</figcaption></figure>\n</div></div></section>"
    )


def _map(s: Snapshot) -> str:
    dims, lost = s.mu.shape[1], outside(s)
    plane = f", the plane of its two principal axes ({s.explained:.0%} of the variance)" if dims > 2 else ""
    frame = "" if reach(s.xy) == REACH else " The axes reach further than the usual 4, because the codes do."
    missing = f" {lost:,} of {len(s.labels):,} codes lie outside the frame." if lost else ""
    return (
        f"<figure><h3>Latent map</h3>{latent_map_svg(s)}{_key()}\n"
        f"<figcaption>mu of {len(s.labels):,} test images{plane}, in units of the prior's standard deviation; a digit "
        f"stands at the mean of its class. Circles: 1, 2 and 3 sigma of the prior.{frame}{missing}"
        "</figcaption></figure>"
    )


def _key() -> str:
    """The digits in the colours of their classes: on the map one may hide another."""
    digits = "".join(f'<span style="color: var(--class-{digit})">{digit}</span>' for digit in range(10))
    return f'<p class="key">{digits}</p>'


def _images(images: np.ndarray, label: str) -> str:
    """(N, 28, 28) uint8, ten to a row."""
    parts = "".join(f'<img alt="" width="28" height="28" src="{data_uri(image)}">' for image in images)
    return f'<div class="digits" role="img" aria-label="{escape(label)}">{parts}</div>'


def _settings(story: RunReport) -> str:
    rows = "\n".join(
        f'<tr><th scope="row">{escape(name.replace("_", " "))}</th><td class="value">{escape(_shown(value))}</td>'
        f"<td>{escape(HELP.get(name, ''))}</td></tr>"
        for name, value in story.config.to_dict().items()
    )
    return f'<section><h2>Settings</h2>\n<div class="wide"><table>\n{rows}\n</table></div></section>'


def _again(story: RunReport) -> str:
    """How to repeat it, and with what it was made."""
    note = "It trains a model with these settings on a machine with ELBO Room."
    if story.changes:
        note += " It knows nothing of the changes by hand: the script repeat.py, from the same bundle, makes them too."
    if story.status != FINISHED:
        note += f" It trains to the end; this run ended at step {story.steps:,}."
    used = ", ".join(f"{name} {version}" for name, version in versions().items())
    return (
        f"<section><h2>Repeat it</h2>\n<pre><code>{escape(command(story.config))}</code></pre>\n"
        f"<p>{escape(note)} The same seed gives the same curve, bit for bit on one CPU with one number of threads, "
        f"closely elsewhere.</p>\n<p>Versions: {escape(used)}.</p></section>"
    )


def _footer() -> str:
    return (
        "<footer><small>Made by ELBO Room. Every curve, picture and number was computed by the model described here. "
        "MNIST: Yann LeCun, Corinna Cortes, Christopher J. C. Burges; licence CC BY-SA 3.0.</small></footer>"
    )


def _data(story: RunReport) -> str:
    return f"{story.config.protocol} {story.config.dataset.upper()}"


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
