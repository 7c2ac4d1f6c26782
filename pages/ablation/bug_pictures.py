"""What the class sees before it is told: the right code and the wrong one on the same weights, one A, one B.

Both are called as they run, with the weights of the shipped model, the same images and the same noise; nothing is drawn
to look wrong.
"""

import random
from collections.abc import Callable

import plotly.graph_objects as go
import torch
from plotly.subplots import make_subplots
from torch import Tensor

from pages.ablation.bugs import DRAWS, Bug
from pages.ui.shipped import PLANE, checkpoint, images
from vae_core import losses, models
from vae_core.data import prepare
from vae_core.export.colours import Colours
from vae_core.export.pictures import data_uri
from vae_core.inspect.snapshot import to_uint8
from vae_core.models.vae import VAE

IMAGES, ACROSS = 20, 5
SIDES = ("A", "B")  # from left to right
_STD = 2  # of the ellipse


def wrong_side(bug: Bug) -> str:
    """Where the wrong one stands: by lot, and the same at every visit."""
    return random.Random(f"lot of {bug.key}").choice(SIDES)


def picture(bug: Bug, colours: Colours) -> go.Figure:
    """Two panels on the same scales."""
    panels = [bug.faulty_model if side == wrong_side(bug) else "vae" for side in SIDES]
    plot = make_subplots(1, 2, subplot_titles=SIDES, horizontal_spacing=0.06)
    _KINDS[bug.shows](plot, bug, panels, colours)
    plot.update_layout(
        dragmode=False,  # a finger scrolls
        height=250,
        margin={"l": 10, "r": 10, "t": 36, "b": 10},
        font={"size": 17, "color": colours.ink},
        showlegend=False,
    )
    plot.update_annotations(font={"size": 20, "color": colours.ink})
    axes = {
        "tickfont": {"size": 16, "color": colours.ink},
        "title_font": {"size": 17, "color": colours.ink},
        "zeroline": False,
    }
    plot.update_xaxes(**axes)
    return plot.update_yaxes(**axes)


def shares(weight: float, model: VAE, x: Tensor, eps: Tensor) -> tuple[float, float]:
    """What share of the loss is reconstruction, and what is KL, in percent; weight: of the reconstruction."""
    mu, log_var = model.encode(x)
    nll = weight * losses.bernoulli_nll(model.decode(model.sample(mu, log_var, eps)), x).mean()
    kl = losses.gaussian_kl(mu, log_var).mean()
    return (100 * nll / (nll + kl)).item(), (100 * kl / (nll + kl)).item()


def draws_of_z(model: VAE, x: Tensor, eps: Tensor) -> Tensor:
    """(DRAWS, 2) z of one image, as the model draws them to train."""
    return model(x[:1].expand(len(eps), -1, -1, -1), eps).z


def new_pictures(model: VAE, x: Tensor, eps: Tensor) -> Tensor:
    """(IMAGES, 1, 28, 28) what the model calls new, after a step on the images x."""
    model.train()
    model(x, eps[: len(x)])
    return model.generate(eps[: len(x)])


def built(name: str) -> VAE:
    """A model of this family with the weights that ship."""
    kept = checkpoint(PLANE)
    model = models.build(kept.config.with_(model=name))
    assert isinstance(model, VAE)
    model.load_state_dict(kept.model.state_dict(), strict=False)  # a mistake may keep tensors of its own
    return model


def batch() -> tuple[Tensor, Tensor]:
    """Training images and noise, always the same."""
    generator = torch.Generator().manual_seed(3)
    return prepare(images().x_train[:IMAGES], "grey", generator), torch.randn(DRAWS, 2, generator=generator)


Show = Callable[[go.Figure, Bug, list[str], Colours], None]


@torch.no_grad()
def _show_shares(plot: go.Figure, bug: Bug, panels: list[str], colours: Colours) -> None:
    x, eps = batch()
    for column, side in enumerate(SIDES, 1):
        found = shares(bug.overlay["alpha"] if side == wrong_side(bug) else 1.0, built("vae"), x, eps[: len(x)])
        plot.add_bar(
            x=["reconstruction", "KL"],
            y=found,
            text=[f"{share:.0f}%" for share in found],
            textfont={"color": colours.ink},
            textposition="outside",  # inside it would be written on the colour of its term
            marker={"color": [colours.reconstruction, colours.kl]},
            row=1,
            col=column,
        )
    plot.update_yaxes(range=[0, 119], title_text="share of the loss (%)")


@torch.no_grad()
def _show_draws_of_z(plot: go.Figure, bug: Bug, panels: list[str], colours: Colours) -> None:
    x, eps = batch()
    mu, log_var = built("vae").encode(x[:1])
    turn = torch.linspace(0, 2 * torch.pi, 90)
    std = (0.5 * log_var).exp()
    ring = mu + _STD * std * torch.stack([turn.cos(), turn.sin()], dim=-1)  # (90, 2)
    dots = {"mode": "markers", "marker": {"color": colours.kl, "size": 6}}
    ink, reach = {"color": colours.ink, "width": 3}, 3.5 * std.max()
    for column, name in enumerate(panels, 1):
        z = draws_of_z(built(name), x, eps)
        for points, look in ((z, dots), (ring, {"mode": "lines", "line": ink})):
            plot.add_scatter(x=points[:, 0].numpy(), y=points[:, 1].numpy(), row=1, col=column, **look)
    ends = torch.stack([mu[0] - reach, mu[0] + reach])  # (2, 2)
    plot.update_xaxes(range=ends[:, 0].tolist(), title_text="z₁")
    plot.update_yaxes(range=ends[:, 1].tolist(), title_text="z₂")
    for column in (1, 2):
        plot.update_yaxes(scaleanchor="x" if column == 1 else "x2", row=1, col=column)


@torch.no_grad()
def _show_new_pictures(plot: go.Figure, bug: Bug, panels: list[str], colours: Colours) -> None:
    x, eps = batch()
    for column, name in enumerate(panels, 1):
        made = to_uint8(new_pictures(built(name), x, eps)).reshape(-1, ACROSS, 28, 28).transpose(0, 2, 1, 3)
        plot.add_image(source=data_uri(made.reshape(-1, ACROSS * 28)), hoverinfo="skip", row=1, col=column)
    plot.update_xaxes(visible=False)
    plot.update_yaxes(visible=False)


_KINDS: dict[str, Show] = {"shares": _show_shares, "draws of z": _show_draws_of_z, "new pictures": _show_new_pictures}
