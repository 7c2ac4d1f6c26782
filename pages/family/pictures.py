"""What a shipped model looks like, beside others: copies, draws and its latent space, from one snapshot of it."""

import base64
import colorsys
import io

import numpy as np
import torch
from PIL import Image

from pages.ui.once import computed_once
from pages.ui.palette import colours_of
from pages.ui.shipped import checkpoint
from vae_core.config import RunConfig
from vae_core.data import load
from vae_core.export.latent_map import latent_map_file
from vae_core.export.pictures import data_uri
from vae_core.inspect.snapshot import Snapshot, SnapshotTaker

PER_ROW = 10
DRAWN = 20  # of the snapshot's draws
KEPT = 64  # drawings of each kind, 0.1 MB each: a class asks for the same
_SHARP = "display:block;width:100%;image-rendering:pixelated"
# A square that ends with the window, below what stands above it.
_SQUARE = "display:block;width:max(13rem,min(28vw,100vh - 26.2rem + var(--present,0) * 11.6rem))"


@computed_once(None)
def snapshot_of(name: str) -> Snapshot:
    """The shipped model as a run of it would show it; once a server."""
    shipped = checkpoint(name)
    config = RunConfig.from_dict(shipped.card["config"])
    return SnapshotTaker(config, load(config.dataset, torch.device("cpu"))).look(shipped.model, shipped.card["steps"])


def sheet(rows: list[np.ndarray]) -> np.ndarray:
    """(N, 28, 28) uint8 each, N a multiple of PER_ROW, to one picture, row below row."""
    lines = [part for row in rows for part in np.split(row, len(row) // PER_ROW)]  # (PER_ROW, 28, 28) each
    return np.concatenate([np.concatenate(list(line), axis=1) for line in lines])


@computed_once(KEPT)
def copies(name: str) -> str:
    """The ten images, what the encoder saw of them where that is something else, and what the model makes of it."""
    shot = snapshot_of(name)
    rows = [shot.originals, *([shot.inputs] if len(shot.inputs) else []), shot.reconstructions]
    return _img(data_uri(sheet(rows)), "ten test images, below them their copies")


@computed_once(KEPT)
def draws(name: str) -> str:
    """What the decoder makes of draws from N(0, I)."""
    shot = snapshot_of(name)
    return _img(data_uri(sheet([shot.prior_draws[:DRAWN]])), f"{DRAWN} pictures decoded from draws of N(0, I)")


@computed_once(KEPT)
def latent_space(name: str, dark: bool) -> str:
    """The codes of 5,000 test images; with more than two latents in the plane of their principal axes."""
    svg = base64.b64encode(latent_map_file(snapshot_of(name), colours_of(dark)).encode()).decode()
    return _img(f"data:image/svg+xml;base64,{svg}", "latent map: codes of 5,000 test images by class", _SQUARE)


@computed_once(KEPT)
def code_maps(name: str) -> str:
    """The code maps of the ten images side by side, each vector of the codebook in its colour."""
    shot = snapshot_of(name)
    beside = np.concatenate(
        list(np.pad(shot.code_maps.astype(int), ((0, 0), (0, 0), (0, 1)), constant_values=-1)), axis=1
    )
    palette = np.array([colour_of_code(code) for code in range(int(beside.max()) + 1)] + [(255, 255, 255)], np.uint8)
    file = io.BytesIO()
    Image.fromarray(palette[beside[:, :-1]]).save(file, "PNG")
    address = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    return _img(address, "code maps of the ten images")


def colour_of_code(code: int) -> tuple[int, ...]:
    """Red, green and blue, as pages/ui/lib/code_maps.js has it."""
    rgb = colorsys.hls_to_rgb(code * 137.508 % 360 / 360, (0.38, 0.62, 0.82)[code % 3], 0.65)
    return tuple(round(255 * part) for part in rgb)


def _img(address: str, alt: str, style: str = _SHARP) -> str:
    """Streamlit removes inline SVG from HTML; as the source of an image it stays."""
    return f'<img alt="{alt}" src="{address}" style="{style}">'
