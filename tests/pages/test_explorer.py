"""The explorer page around its component: models, ways, uploads, links, and the code it shows."""

import base64
import io
import json
import re

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.explorer.ways import WAYS
from pages.ui import shipped
from pages.ui.shipped import PLANE
from tests.pages.conftest import ROUTER, checked, own_components
from tests.waiting import wait_for
from vae_core.config import RunConfig
from vae_core.data import load
from vae_core.inspect.snapshot import map_numbers
from vae_core.runs.registry import Registry
from vae_core.runs.storage import steps_in

STATE = "explorer state"


@pytest.fixture
def explorer(home: AppTest) -> AppTest:
    home.switch_page("explorer/page.py")
    return checked(home.run())


def linked(**query: str) -> AppTest:
    """The page, opened by a link."""
    at = AppTest.from_file(str(ROUTER), default_timeout=60).run()
    for name, value in query.items():
        at.query_params[name] = value
    at.switch_page("explorer/page.py")
    return checked(at.run())


def way(at: AppTest, name: str) -> AppTest:
    return checked(at.segmented_control(key="explorer way").set_value(name).run())


def texts(at: AppTest) -> str:
    return "\n".join(e.value for e in [*at.caption, *at.markdown, *at.warning])


def png(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def test_it_opens_on_the_shipped_plane_and_names_its_figure(explorer: AppTest) -> None:
    card = shipped.checkpoint(PLANE).card
    said = texts(explorer)
    assert f"−ELBO {card['test']['neg_elbo']:.1f} ± 0.5 nats per image" in said and f"seed {card['seed']}" in said
    assert len(own_components(explorer)) == 1
    assert explorer.selectbox(key="explorer model").options[0].startswith("VAE, mlp, 2 latents")


def test_every_shipped_model_is_offered(explorer: AppTest) -> None:
    offered = explorer.selectbox(key="explorer model")
    for name in ("mnist-vae-beta4-mlp-2", "mnist-vae-conv-32", "mnist-ae-mlp-2"):
        checked(offered.set_value(name).run())
        test = shipped.checkpoint(name).card["test"]
        value = test["nll"] if test["neg_elbo"] is None else test["neg_elbo"]
        said = texts(explorer)
        assert re.search(rf" {value:.1f} ± 0\.\d nats per image", said) and shipped.title_of(name) in said
        assert explorer.query_params["model"] == name


@pytest.mark.parametrize("name", [name for name, way in WAYS.items() if way.needs == "codes"])
def test_every_way_says_what_to_see_and_shows_the_code_that_runs(explorer: AppTest, name: str) -> None:
    explorer.session_state["code of the way"] = True
    way(explorer, name)
    (asked,) = [m for m in explorer.markdown if m.value == f"**{WAYS[name].ask}**"]
    assert asked.help == WAYS[name].see and WAYS[name].ask.count("?") == 1  # one question; what is to see is folded
    code = "\n".join(block.value for block in explorer.code)
    needed = {
        "pad": "def mlp_decoder",
        "encode": "def as_mnist",
        "interpolate": "def spherical",
        "arithmetic": "def attribute_vectors",
        "traverse": "def map_plane",
        "prior": "def quantile_grid",
    }
    assert needed[name] in code
    assert len(explorer.file_uploader) == (1 if name == "encode" else 0)


def test_what_rests_in_the_component_goes_into_the_link_and_comes_back(registry: Registry) -> None:
    pad = {"z": [0.5, -1.25], "pins": [[1, 1]]}
    first = linked(way="pad", pad=json.dumps(pad), prior=json.dumps({"seed": 3}))
    assert first.session_state[STATE] == {"pad": pad, "prior": {"seed": 3}}
    assert json.loads(first.query_params["pad"]) == pad and "prior" not in first.query_params
    way(first, "prior")
    assert json.loads(first.query_params["prior"]) == {"seed": 3} and first.query_params["way"] == "prior"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"way": "fly"}, "way 'fly' is not offered here: choose pad, encode"),
        ({"pad": '{"z": [1'}, "'pad' cannot be read"),
        ({"view": "[" * 100_000}, "'view' cannot be read"),
        ({"encode": "3"}, "'encode' cannot be read"),
        ({"pad": '{"z": [1e999, 0]}'}, "'pad' cannot be read"),
        ({"pad": '{"z": 3}'}, "its z is no list of numbers"),
        ({"pad": '{"z": null}'}, "its z is no list of numbers"),
        ({"pad": '{"z": [1, 2, 3]}'}, "its z has 3 numbers, and the model 2 latents"),
    ],
)
def test_a_link_that_does_not_hold_says_so_and_the_rest_is_shown(
    query: dict[str, str], words: str, registry: Registry
) -> None:
    at = linked(**query)
    assert [w for w in at.warning if words in w.value and "The rest is shown" in w.value]
    assert f"by {shipped.title_of(PLANE)}." in texts(at)


def test_an_own_run_with_kept_weights_can_be_explored(registry: Registry) -> None:
    run_id = registry.start(RunConfig(epochs=1, latent_dim=3, seed=5), "tester")
    run = registry.get(run_id)
    assert run is not None
    wait_for(lambda: steps_in(run.states_folder))
    at = linked(model=run_id)
    assert "VAE, mlp, 3 latents. A run of 235 steps, seed 5" in texts(at) and not at.warning
    assert at.selectbox(key="explorer model").value == run_id == at.query_params["model"]
    later = linked(model=run_id, step="7")
    assert "made at step '7', and the run has come to step" in texts(later)


def test_an_uploaded_digit_becomes_the_picture_of_the_encoder(explorer: AppTest) -> None:
    way(explorer, "encode")
    digit = shipped.images().x_test[7, 0].numpy()
    paper = 255 - np.kron(np.pad(digit, 20), np.ones((4, 4), np.uint8))  # ink on white paper, four times as large
    checked(explorer.file_uploader[0].upload("nine.png", png(paper)).run())
    part = explorer.session_state[STATE]["encode"]
    picture = np.frombuffer(base64.b64decode(part["picture"]), np.uint8).reshape(28, 28)
    assert np.abs(picture.astype(int) - digit).mean() < 12 and part["of"] == "picture"
    assert not explorer.warning


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.png", b""),
        ("text.png", b"this is no picture"),
        ("half.png", png(np.arange(10_000, dtype=np.uint8).reshape(100, 100))[:200]),
        ("blank.png", png(np.full((50, 50), 200, np.uint8))),
    ],
)
def test_a_picture_that_cannot_be_used_gets_one_sentence_and_nothing_is_lost(
    explorer: AppTest, name: str, content: bytes
) -> None:
    way(explorer, "encode")
    before = dict(explorer.session_state[STATE])
    checked(explorer.file_uploader[0].upload(name, content).run())
    assert len(explorer.warning) == 1 and explorer.warning[0].value.count(".") >= 1
    assert explorer.session_state[STATE] == before


def test_a_model_of_other_images_takes_pictures_as_they_are_and_asks_of_no_digit(registry: Registry) -> None:
    at = linked(model="circles-beta-tc-mlp-3", way="encode", encode=json.dumps({"number": 9_999}))
    said = texts(at)
    assert WAYS["encode"].other in said and "nobody writes" not in said and "circles" in at.query_params["model"]
    circle = load("circles", torch.device("cpu")).x_test[9_999, 0].numpy()
    shown = at.session_state[STATE]["encode"]
    seen = shown["image"] if shown.get("of") == "test" else shown["picture"]
    numbers = map_numbers(load("circles", torch.device("cpu"))).tolist()
    assert (numbers[seen] == 9_999) if isinstance(seen, int) else base64.b64decode(seen) == circle.tobytes()
    grey = np.full((56, 56), 90, np.uint8)
    checked(at.file_uploader[0].upload("grey.png", png(grey)).run())
    picture = np.frombuffer(base64.b64decode(at.session_state[STATE]["encode"]["picture"]), np.uint8)
    assert (picture == 90).all() and not at.warning  # no ink is looked for, nothing cropped
    checked(at.selectbox(key="explorer model").set_value(PLANE).run())
    assert at.session_state[STATE]["encode"]["number"] is None and WAYS["encode"].ask in texts(at)
