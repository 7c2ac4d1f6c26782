"""A sweep in the dose plot: its means over seeds, with whiskers from least to most."""

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from vae_core.any_path import AnyPath
from vae_core.checkpoints import CheckpointError
from vae_core.models import family
from vae_core.sweep.record import read_record

LATENTS = 2  # as all other points of the plot have


@dataclass(frozen=True)
class Swept:
    """What a sweep gives to the plot.

    Attributes:
        bands: of each beta, by beta, see vae_core.sweep.record.make_record. said: what it is, and what is left out.
    """

    bands: tuple[dict[str, Any], ...] = ()
    said: str = ""


NO_SWEEP = Swept()


def read_swept(folder: AnyPath | None) -> Swept:
    """The sweep of a folder, as far as it belongs into the plot; where it cannot be read, its sentence says so."""
    if folder is None:
        return NO_SWEEP
    try:
        record = read_record(folder)
    except CheckpointError as error:
        return Swept(said=f"No sweep is drawn: {error}")
    config = record["config"]
    fits = {"dataset": ("mnist",), "protocol": ("grey", "dynamic"), "likelihood": ("bernoulli",), "alpha": (1.0,)}
    other = [f"{name} {config[name]}" for name, allowed in fits.items() if config[name] not in allowed]
    if "kl" not in family(config["model"]).TERMS:
        other.append(f"model {config['model']}")
    if other:
        return Swept(said=f"The sweep is not drawn: its {' and '.join(other)} cannot be compared with the points here.")
    drawn = [band for band in record["bands"] if band["latent_dim"] == LATENTS]
    sizes = sorted({band["latent_dim"] for band in record["bands"]} - {LATENTS})
    return Swept(tuple(drawn), _say(record, drawn, sizes))


def _say(record: dict[str, Any], drawn: list[dict[str, Any]], sizes: list[int]) -> str:
    config = record["config"]
    counts = [band["seeds"] for band in drawn] or [0]
    seeds = "–".join(map(str, sorted({min(counts), max(counts)})))
    length = f"{config['steps']} steps" if config["steps"] else f"{config['epochs']} epochs"
    words = [f"The sweep: {config['model']} ({config['net']}), {length}, means and ranges over seeds ({seeds})."]
    if record["missing"]:
        words.append(f"{len(record['missing'])} of its trainings are not finished.")
    if sizes:
        words.append(f"Its {', '.join(map(str, sizes))} latents are left out: here all have {LATENTS}.")
    return " ".join(words)


def add_swept(figure: go.Figure, bands: tuple[dict[str, Any], ...], colour: str, high: float) -> None:
    """A square at the means of each beta, whiskers to the least and the most of its seeds; none above the picture.

    Args:
        high: the upper end of the nll axis.
    """
    shown = [band for band in bands if band["nll"]["mean"] <= high]
    if not shown:
        return
    figure.add_scatter(
        x=[band["kl"]["mean"] for band in shown],
        y=[band["nll"]["mean"] for band in shown],
        error_x=_whiskers(shown, "kl"),
        error_y=_whiskers(shown, "nll"),
        name="sweep, all seeds",
        mode="lines+markers",
        marker={"color": colour, "symbol": "square", "size": 9},
        line={"color": colour, "width": 1, "dash": "dash"},
        customdata=[
            [band["beta"], band["seeds"], *(band["kl"][k] for k in _ENDS), *(band["nll"][k] for k in _ENDS)]
            for band in shown
        ],
        hovertemplate="beta %{customdata[0]:~g}, seeds: %{customdata[1]}<br>KL %{x:.1f} (%{customdata[2]:.1f} to "
        "%{customdata[3]:.1f})<br>nll %{y:.1f} (%{customdata[4]:.1f} to %{customdata[5]:.1f})",
    )


_ENDS = ("min", "max")


def _whiskers(bands: list[dict[str, Any]], name: str) -> dict[str, Any]:
    more = [band[name]["max"] - band[name]["mean"] for band in bands]
    less = [band[name]["mean"] - band[name]["min"] for band in bands]
    return {"type": "data", "symmetric": False, "array": more, "arrayminus": less, "thickness": 2, "width": 5}
