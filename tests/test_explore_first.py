"""What the explorer shows before the package is here, against the models themselves."""

import gzip
import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load
from starlette.applications import Starlette
from starlette.testclient import TestClient

from pages.ui import shipped
from pages.ui.arms.routes import WHOLE
from pages.ui.explore.first import packed_first
from pages.ui.explore.routes import explore_routes
from pages.ui.explore.sources import find
from pages.ui.map_pictures import pictures_of

PLANE, CONV = "mnist-vae-mlp-2", "mnist-vae-conv-32"


@pytest.mark.parametrize("name", [PLANE, CONV, "mnist-ae-mlp-2", "circles-vae-mlp-3", "mnist-cvae-mlp-2~3"])
def test_it_is_the_map_and_the_picture_of_the_model(name: str, tmp_path) -> None:
    source = find(name)
    assert source
    packed = packed_first(source)
    assert packed and len(packed) < 40_000
    (tmp_path / "first").write_bytes(gzip.decompress(packed))
    with safe_open(tmp_path / "first", framework="pt") as file:
        assert json.loads(file.metadata()["classNames"]) == list(pictures_of(source.config.dataset).class_names)
    first = load(gzip.decompress(packed))
    shown, model = pictures_of(source.config.dataset), shipped.checkpoint(source.name).model
    assert torch.equal(first["labels"], shown.labels) and first["xy"].shape == (len(shown.labels), 2)
    with torch.no_grad():
        of_image = model.given(int(shown.labels[0])) if source.family.has.labels else model
        mu = of_image.encode(shown.pixels[:1].float() / 255)[0]
        z = mu if mu.shape[1] > 4 else torch.zeros_like(mu)
        told = model.given(source.label) if source.family.has.labels else model
        x_hat = told.mean_image(told.decode(z)).flatten() * 255
    assert (first["picture"].float() - x_hat).abs().max() < 1.5
    if mu.shape[1] == 2:
        assert torch.allclose(first["xy"][:1].float(), mu, atol=5e-3, rtol=2e-3)


def test_it_is_sent_packed_with_the_length_that_a_browser_counts() -> None:
    client = TestClient(Starlette(routes=explore_routes()))
    for path in (f"/explore/{PLANE}/first", f"/explore/{PLANE}"):
        answer = client.get(path)
        assert answer.headers["content-encoding"] == "gzip"
        assert int(answer.headers[WHOLE]) == len(answer.content)
    assert client.get("/explore/nothing/first").status_code == 404
    assert client.get("/explore/mnist-vq/first").status_code == 404  # its package is small
