"""Equal in distribution is not equal: unfolds below arms of which one has no reconstruction.

Without it nothing but the KL is left, which only compares distributions; and a code whose distribution is the prior
may say nothing of its image. A coin shows it, then the codes of the arms on the page do.
"""

import math
from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
import torch
from plotly.subplots import make_subplots

from pages.ablation import actions
from pages.ablation.settings import TOSSES, link
from pages.ui.once import computed_once
from pages.ui.palette import colours_of, is_dark
from vae_core.exact.coins import Tie, compare_codes, compare_coins, toss
from vae_core.exact.estimate import Estimate, sample_mean
from vae_core.export.colours import Colours
from vae_core.inspect.snapshot import Snapshot
from vae_core.losses import gaussian_log_prob, standard_normal_log_prob
from vae_core.runs.run_record import RunRecord
from vae_core.runs.snapshot_file import read_snapshot
from vae_core.runs.storage import StorageError, frame_file

TITLE = "Equal in distribution, not equal"
DRAWS = 20_000  # of z, for the codes' figures
_NATS = "mutual information (nats)"
_COLUMNS = ("distributions apart (total variation)", "share that are equal", _NATS, "at most")


def equal_in_distribution(runs: Sequence[RunRecord]) -> None:
    """The expander, where one of the arms has no reconstruction; computed once it is open."""
    if not any(run.settings.alpha == 0 for run in runs):
        return
    with st.expander(TITLE, icon=":material/casino:", key=link.key("equal"), on_change="rerun") as box:
        if not box.open:
            return
        row = st.container(horizontal=True, vertical_alignment="bottom")
        row.segmented_control("Tosses", TOSSES, required=True, format_func=lambda n: f"{n:,}", **link.kept("tosses"))
        row.button(
            "Toss again", icon=":material/casino:", key="equal toss", on_click=_toss_again, help="The next seed."
        )
        found = {actions.name_of(run): seen for run in runs if (seen := last_codes(run)) is not None}
        count, seed = link.get("tosses"), link.get("toss")
        st.plotly_chart(
            figure(count, seed, found, is_dark()),
            key="equal histograms",
            config={"displayModeBar": False},
            alt=f"Histograms of X and of both coins over {count:,} tosses, and of the codes of each arm.",
        )
        coins, codes = of_coins(count, seed), {name: of_codes(seen, seed) for name, seen in found.items()}
        st.table(table(coins, codes))
        st.caption(
            f"Both coins have the distribution of X. **Y = 1 − X** never equals X and tells all of it; the other coin "
            "often equals it and tells nothing. So KL(q(z) ‖ p(z)) = 0 does not tie z to x: only the reconstruction "
            f"asks for that. Codes: q(z | x) of the arms' ten images at their last step, {DRAWS:,} draws; "
            f"{count:,} tosses, seed {seed}; ± standard error. The coins' information is less its bias (Miller and "
            "Madow 1955)."
        )


def _toss_again() -> None:
    """Callback: the next seed."""
    st.session_state[link.key("toss")] += 1


def last_codes(run: RunRecord) -> Snapshot | None:
    """The last that is known of the codes of an arm; None without a posterior, or before the first snapshot."""
    found = run.now.snapshot
    if found is None and run.film:
        try:
            found = _frame(str(frame_file(run.film_folder, run.film[-1])))
        except StorageError:
            return None
    return found if found is not None and found.ten_log_var.size else None


@computed_once(32)
def _frame(path: str) -> Snapshot:
    return read_snapshot(path)


def of_coins(count: int, seed: int) -> dict[str, Tie]:
    """What the tosses say of X and its relabelling, and of X and another coin."""
    x, other = toss(count, seed)
    return {"coin X, and Y = 1 − X": compare_coins(x, 1 - x), "coin X, and another coin": compare_coins(x, other)}


def of_codes(seen: Snapshot, seed: int) -> Tie:
    """What the codes of ten images say of the prior, and of the images."""
    return compare_codes(torch.from_numpy(seen.ten_mu), torch.from_numpy(seen.ten_log_var), DRAWS, seed)


def table(coins: dict[str, Tie], codes: dict[str, Tie]) -> pd.DataFrame:
    """A row for each pair; the coins first."""
    rows = {name: _row(tie, 2) for name, tie in coins.items()}
    rows |= {f"z of “{name}”, and which of ten images": _row(tie, 10) for name, tie in codes.items()}
    return pd.DataFrame(rows, index=list(_COLUMNS)).T


def _row(tie: Tie, values: int) -> list[str]:
    equal = "–" if tie.equal is None else written(tie.equal)
    return [written(tie.apart), equal, written(tie.information), f"ln {values} = {math.log(values):.3f}"]


def written(found: Estimate) -> str:
    """A figure and its standard error, to the digit that the error bears; what is exact alone."""
    if found.error < 5e-4:
        return "0" if found.value == 0 else f"{found.value:.3f}".replace("-0.000", "0.000").replace("-", "−")
    digits = max(0, -math.floor(math.log10(found.error)))
    return f"{found.value:.{digits}f} ± {found.error:.{digits}f}".replace("-", "−")


def figure(count: int, seed: int, found: dict[str, Snapshot], dark: bool) -> go.Figure:
    """Side by side: how often each coin showed heads, and of each arm the density of its z₁ beside the prior's.

    Thin: a tenth of each image's q, which add up to the thick one, that of all.
    """
    colours = colours_of(dark)
    titles = ["share of heads", *(f"z₁ of “{name}”" for name in found)]
    plot = make_subplots(1, len(titles), subplot_titles=titles, horizontal_spacing=0.05)
    x, other = toss(count, seed)
    heads = [sample_mean(coin.double()) for coin in (x, 1 - x, other)]
    plot.add_bar(
        x=["X", "Y = 1 − X", "other coin"],
        y=[share.value for share in heads],
        error_y={"array": [share.error for share in heads], "color": colours.kl, "thickness": 2},
        marker={"color": colours.rule},
        showlegend=False,
        row=1,
        col=1,
    )
    for column, seen in enumerate(found.values(), 2):
        _add_codes(plot, seen, colours, column)
    plot.update_layout(height=250, margin={"l": 10, "r": 10, "t": 30, "b": 10}, font={"size": 14, "color": colours.ink})
    plot.update_layout(legend={"orientation": "h", "x": 1, "xanchor": "right", "y": -0.15, "yanchor": "top"})
    plot.update_layout(dragmode=False)  # a finger scrolls
    plot.update_annotations(font={"size": 15, "color": colours.ink})
    plot.update_xaxes(tickfont={"size": 14, "color": colours.ink}, zeroline=False)
    plot.update_yaxes(tickfont={"size": 14, "color": colours.ink}, range=[0, 0.6])
    return plot.update_yaxes(range=[0, 1], col=1)


def _add_codes(plot: go.Figure, seen: Snapshot, colours: Colours, column: int) -> None:
    z = torch.linspace(-4, 4, 321, dtype=torch.float64)
    mu, log_var = (torch.from_numpy(values[:, :1]).double() for values in (seen.ten_mu, seen.ten_log_var))
    one = gaussian_log_prob(z.view(-1, 1, 1), mu, log_var).exp() / len(mu)  # (321, 10)
    every = torch.cat([one, torch.full((1, len(mu)), torch.nan)]).T.flatten()  # a gap after each
    prior = standard_normal_log_prob(z.unsqueeze(1)).exp()
    lines = (
        ("q(z₁), ten images", z, one.sum(1), {"width": 4, "color": colours.kl}),
        (
            "a tenth of each q(z₁ | x)",
            torch.cat([z, z[-1:]]).repeat(len(mu)),
            every,
            {"width": 1, "color": colours.ink},
        ),
        ("prior", z, prior, {"width": 2, "color": colours.ink, "dash": "dot"}),
    )
    for name, across, up, line in lines:
        only = {"legendgroup": name, "showlegend": column == 2, "hoverinfo": "skip", "mode": "lines"}
        plot.add_scatter(x=across.numpy(), y=up.numpy(), name=name, line=line, row=1, col=column, **only)
