"""The way of the data as a picture: x → mu, log_var → z → x̂, with the two terms in their colours."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

from pages.home.example import Passage
from pages.ui.palette import DARK, LIGHT

_CSS = Path(__file__).with_suffix(".css").read_text()
_REACH = 3.4  # the plane shows -3.4 to 3.4 prior standard deviations


def diagram(p: Passage, dark: bool) -> str:
    """HTML of the whole figure. Every number in it comes from the passage."""
    colours = DARK if dark else LIGHT
    variables = "".join(f"--{name}: {colour};" for name, colour in colours.items())
    return f"""
<style>{_CSS}</style>
<div class="way" style="{variables}">
  <figure>{_image(p.x, "the image x")}<figcaption><b>x</b> the image</figcaption></figure>
  {_arrow("encoder", "q(z given x)")}
  <figure>{_plane(p, colours)}<figcaption>{_posterior(p)}</figcaption></figure>
  {_arrow("decoder", "p(x given z)")}
  <figure>{_image(p.x_hat, "the reconstruction")}<figcaption><b>x̂</b> drawn again from z</figcaption></figure>
</div>
<div class="terms" style="{variables}">
  <p class="reconstruction"><b>reconstruction {p.nll:.1f}</b><br>−log p(x given z): how badly x̂ explains x</p>
  <i>+</i>
  <p class="kl"><b>KL {p.kl:.2f}</b><br>KL(q ‖ prior): how far the code is from N(0, I)</p>
  <i>=</i>
  <p class="total"><b>−ELBO {p.nll + p.kl:.1f}</b> nats<br>what training makes small</p>
</div>"""


def _posterior(p: Passage) -> str:
    rows = (
        ("mu", "the centre of the cloud", p.mu),
        ("std", "its width, exp(½ log_var)", p.std),
        ("z", "a sample, mu + std · eps", p.z),
    )
    return "<br>".join(f"<b>{n}</b> = ({v[0]:.2f}, {v[1]:.2f}) {text}" for n, text, v in rows).replace("-", "−")


def _arrow(name: str, what: str) -> str:
    return f'<div class="arrow"><b>{name}</b><span>⟶</span><small>{what}</small></div>'


def _image(pixels: np.ndarray, alt: str) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return f'<img alt="{alt}" src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}">'


def _plane(p: Passage, colours: dict[str, str]) -> str:
    """The latent plane in prior units: the prior's 1, 2, 3 sigma circles, the posterior's ellipses, the sample."""
    r = _REACH
    circles = "".join(f'<circle r="{s}" class="prior"/><text x="0.06" y="{-s - 0.08}">{s}σ</text>' for s in (1, 2, 3))
    mu, std, z = p.mu, p.std, p.z
    ellipses = "".join(
        f'<ellipse cx="{mu[0]:.3f}" cy="{-mu[1]:.3f}" rx="{k * std[0]:.3f}" ry="{k * std[1]:.3f}" '
        f'fill="{colours["kl"]}" fill-opacity="{opacity}"/>'
        for k, opacity in ((2, 0.3), (1, 0.6))
    )
    return f"""<svg viewBox="{-r} {-r} {2 * r} {2 * r}" role="img" aria-label="the latent plane">
<path d="M{-r} 0H{r}M0 {-r}V{r}" class="prior"/>{circles}{ellipses}
<circle cx="{z[0]:.3f}" cy="{-z[1]:.3f}" r="0.07" class="z"/></svg>"""
