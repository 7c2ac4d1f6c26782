"""The way of the data as a picture: x → mu, log_var → z → x̂, with the two terms in their colours."""

import base64
import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from pages.home.example import Codes, Passage
from pages.ui.palette import colours_of
from pages.ui.words import image_name
from vae_core.export.colours import Colours

_CSS = Path(__file__).with_suffix(".css").read_text()
_REACH = 3.4  # the plane shows -3.4 to 3.4 prior standard deviations


def diagram(p: Passage, codes: Codes, dark: bool) -> str:
    """HTML of the whole figure. Every number in it comes from the passage."""
    colours = colours_of(dark)
    variables = "".join(f"--{name}: {colour};" for name, colour in colours.terms.items())
    return f"""
<style>{_CSS}</style>
<div class="way" style="{variables}">
  <figure>{_image(p.x, "the image x")}<figcaption><b>x</b> {image_name(p.number, p.digit)}</figcaption></figure>
  {_arrow("encoder", "q(z | x)")}
  <figure>{_plane(p, codes, colours)}<figcaption>{_posterior(p)}</figcaption></figure>
  {_arrow("decoder", "p(x | z)")}
  <figure>{_image(p.x_hat, "the reconstruction")}<figcaption><b>x̂</b> decoded from z</figcaption></figure>
</div>
<div class="terms" style="{variables}">
  <p class="reconstruction"><b>reconstruction {p.nll:.1f}</b><br>−log p(x | z): how badly x̂ explains x</p>
  <i>+</i>
  <p class="kl"><b>KL {p.kl:.2f}</b><br>KL(q ‖ prior): how far the code is from N(0, I)</p>
  <i>=</i>
  <p class="total"><b>−ELBO {p.nll + p.kl:.1f}</b> nats<br>what training makes small</p>
</div>"""


def _posterior(p: Passage) -> str:
    """mu, std, eps and z: std with three digits and the others to the same place, so that all can be computed again."""
    places = [max(2, 2 - math.floor(math.log10(std))) for std in p.std.tolist()]
    rows = (
        ("mu", "centre of the cloud", p.mu, places),
        ("std", "width, exp(½ log_var)", p.std, places),
        ("eps", "noise", p.eps, (2, 2)),
        ("z", "mu + std · eps", p.z, places),
    )
    return "<br>".join(f"<b>{name}</b> = ({_pair(value, at)}) {text}" for name, text, value, at in rows)


def _pair(values: np.ndarray, places: Sequence[int]) -> str:
    return ", ".join(f"{v:.{n}f}" for v, n in zip(values, places, strict=True)).replace("-", "−")


def _arrow(name: str, what: str) -> str:
    return f'<div class="arrow"><b>{name}</b><span>⟶</span><small>{what}</small></div>'


def _image(pixels: np.ndarray, alt: str) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return _img(alt, "image/png", file.getvalue(), "pixels")


def _img(alt: str, kind: str, content: bytes, name: str) -> str:
    """Streamlit removes inline SVG from HTML; as the source of an image it stays."""
    return f'<img class="{name}" alt="{alt}" src="data:{kind};base64,{base64.b64encode(content).decode()}">'


def _plane(p: Passage, codes: Codes, colours: Colours) -> str:
    """The latent plane in prior units: all codes by class, the prior's 1, 2, 3 sigma circles, this image's cloud."""
    r, ink = _REACH, colours.ink
    circles = "".join(
        f'<circle r="{s}"/><text x="0.06" y="{-s - 0.08}" fill="{ink}" stroke="none">{s}σ</text>' for s in (1, 2, 3)
    )
    others = "".join(
        f'<path stroke="{colour}" d="{_points(codes.mu[codes.labels == digit])}"/>'
        for digit, colour in enumerate(colours.classes)
    )
    svg = f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="{-r} {-r} {2 * r} {2 * r}" font-family="sans-serif">
<g stroke-width="0.045" stroke-linecap="round" stroke-opacity="0.5">{others}</g>
<g fill="none" stroke="{ink}" stroke-width="0.018" stroke-opacity="0.6" font-size="0.3">
<path d="M{-r} 0H{r}M0 {-r}V{r}"/><g stroke-dasharray="0.1 0.08">{circles}</g></g>
{_cloud(p, colours)}{_lens(p, colours)}</svg>"""
    return _img("the latent plane with the cloud of codes of this image", "image/svg+xml", svg.encode(), "plane")


def _points(mu: np.ndarray) -> str:
    return "".join(f"M{x:.2f} {-y:.2f}h0" for x, y in mu)


def _cloud(p: Passage, colours: Colours, ring: bool = True) -> str:
    """The posterior as two ellipses (1 and 2 std) and the sample, at true scale; a ring shows where to look."""
    (x, y), (u, v), (a, b) = p.mu, p.std, p.z
    cloud, ink = colours.kl, colours.ink
    ellipses = "".join(
        f'<ellipse cx="{x:.4f}" cy="{-y:.4f}" rx="{k * u:.4f}" ry="{k * v:.4f}" fill="{cloud}" fill-opacity="{o}"/>'
        for k, o in ((2, 0.35), (1, 0.7))
    )
    if ring:
        return f'{ellipses}<circle cx="{x:.3f}" cy="{-y:.3f}" r="0.22" fill="none" stroke="{ink}" stroke-width="0.04"/>'
    return f'{ellipses}<circle cx="{a:.4f}" cy="{-b:.4f}" r="{0.16 * max(u, v):.4f}" fill="{ink}"/>'


def _lens(p: Passage, colours: Colours) -> str:
    """The same cloud under a lens in the lower right corner; the magnification is written on it."""
    centre, radius = _REACH - 1.25, 1.15
    zoom = radius / (3.5 * float(p.std.max()))
    (x, y), ink = p.mu, colours.ink
    return f"""<clipPath id="lens"><circle cx="{centre}" cy="{centre}" r="{radius}"/></clipPath>
<circle cx="{centre}" cy="{centre}" r="{radius}" fill="{colours.ground}"/>
<g clip-path="url(#lens)"><g transform="translate({centre} {centre}) scale({zoom:.3f}) translate({-x:.4f} {y:.4f})">
{_cloud(p, colours, ring=False)}</g></g>
<circle cx="{centre}" cy="{centre}" r="{radius}" fill="none" stroke="{ink}" stroke-width="0.04"/>
<text x="{centre}" y="{centre - radius + 0.36}" fill="{ink}" font-size="0.3" text-anchor="middle">× {zoom:.0f}</text>"""
