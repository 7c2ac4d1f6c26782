"""What the explorer saves, under node, held against Pillow and Python's csv."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.node_runner import node_runner


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., Any]:
    return node_runner(tmp_path, "explore/gif", "lib/csv", "explore/files", "explore/pad/way as pad")


@pytest.mark.parametrize(("width", "height", "times"), [(28, 28, 6), (280, 112, 3), (1000, 3, 1)])
def test_a_gif_holds_every_frame_as_it_went_in(width: int, height: int, times: int, node: Callable[..., Any]) -> None:
    rng = np.random.RandomState(0)
    frames = rng.randint(0, 256, (4, height, width)).astype(np.uint8)
    frames[2] = frames[1]  # equal neighbours stay two frames
    script = (
        "const all = new Uint8Array(file()), [width, height] = given, size = width * height, told = [];"
        "const frames = Array.from({ length: 4 }, (_, k) => all.subarray(k * size, (k + 1) * size));"
        "const bytes = await gif.gifOf({ width, height, frames, delayMs: 80 }, (share) => told.push(share));"
        "print({ bytes: Array.from(bytes), told });"
    )
    found = node(script, [width, height], frames.tobytes())
    picture = Image.open(io.BytesIO(bytes(found["bytes"])))
    assert (picture.n_frames, picture.size, picture.info["loop"]) == (4, (width * times, height * times), 0)
    for k in range(4):
        picture.seek(k)
        got = np.asarray(picture.convert("RGB"))
        assert (got == np.kron(frames[k], np.ones((times, times), np.uint8))[..., None]).all(), k
        assert picture.info["duration"] == 80
    assert found["told"] == [0.25, 0.5, 0.75, 1]


def test_a_table_is_read_back_as_it_was(node: Callable[..., Any]) -> None:
    rows = [["what", "z1", "z2"], ['a "b", c', -1.25, 1e-9], ["two\nlines", 0, 3], ["=1+1", -0.5, 2]]
    text = node("print(csv.csv(given));", rows)
    back = list(csv.reader(io.StringIO(text, newline="")))
    assert back[0] == rows[0] and back[1] == ['a "b", c', "-1.25", "1e-9"] and back[2] == ["two\nlines", "0", "3"]
    assert back[3] == ["'=1+1", "-0.5", "2"]  # no spreadsheet runs it
    assert node("print(csv.columnsOf('z', 3));") == ["z1", "z2", "z3"]


def test_the_pads_table_has_stops_here_and_pins(node: Callable[..., Any]) -> None:
    script = (
        "const pad_ = Object.create(pad.PadWay.prototype);"
        "const place = { rest: [-1.5, 0.25], stops: [[0, 1]] };"
        "Object.assign(pad_, { place, state: { pins: [[2, 2], [0, 0]] } });"
        "print({ table: pad_.table(), legs: pad_.legs() });"
    )
    found = node(script)
    head, *rows = csv.reader(io.StringIO(found["table"], newline=""))
    assert head == ["what", "z1", "z2", "quantile1", "quantile2"]
    assert [row[0] for row in rows] == ["stop 1", "here", "pin A", "pin B"]
    z = torch.tensor([[float(v) for v in row[1:3]] for row in rows], dtype=torch.float64)
    assert z.tolist() == [[0, 1], [-1.5, 0.25], [2, 2], [0, 0]]
    shares = [[float(v) for v in row[3:]] for row in rows]
    assert np.allclose(shares, torch.special.ndtr(z), atol=1e-12)
    assert found["legs"] == [[[0, 1], [-1.5, 0.25]], [[2, 2], [0, 0]]]


def test_a_file_is_named_by_its_model(node: Callable[..., Any]) -> None:
    """A shipped one by its folder; a visitor's run, whose id says nothing, by its title, shortened."""
    abouts = [
        {"name": "mnist-vae-mlp-2", "title": "VAE", "shipped": True},
        {"name": "3f2a", "title": "Мой первый: VAE, 2 latents/β = 1", "shipped": False},
        {"name": "3f2a", "title": "../" + "x" * 500, "shipped": False},
    ]
    name = "files.nameOf({ about, way: 'pad' }, 'png')"
    found = node(f"print(given.map((about) => {name}));", abouts)
    assert found[:2] == ["elbo-room-mnist-vae-mlp-2-pad.png", "elbo-room-Мой_первый_VAE_2_latents_β_1-pad.png"]
    assert found[2] == f"elbo-room-.._{'x' * 57}-pad.png"
