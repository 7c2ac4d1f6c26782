"""The family page: figures of the cards, pictures of the models themselves, and a link that brings the same ones."""

import base64
import inspect
import io
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image, ImageColor
from streamlit.testing.v1 import AppTest

from pages.family.pictures import colour_of_code
from pages.family.settings import FIRST, link
from pages.ui.shipped import cards, checkpoint, images, title_of
from tests.node_runner import node_runner
from tests.pages.conftest import checked
from tests.pages.linked import shown
from vae_core import rng
from vae_core.evaluate import mean_iw_bound
from vae_core.models import family
from vae_core.runs.registry import Registry

AE = "mnist-ae-mlp-2"
AE_FORWARD = family("ae").forward


def pictures(at: AppTest) -> list[tuple[str, bytes]]:
    """What the page draws: the kind of each picture, and its file."""
    found = [re.findall(r'src="data:image/([\w+]+);base64,([^"]+)"', html.proto.body) for html in at.get("html")]
    return [(kind, base64.b64decode(data)) for pairs in found for kind, data in pairs]


@pytest.fixture
def opened(registry: Registry) -> AppTest:
    return shown("family", {})


def test_it_opens_on_three_models_each_with_its_loss_and_its_paper(opened: AppTest) -> None:
    assert [head.value for head in opened.header] == [title_of(name) for name in FIRST]
    kinds = [family(cards()[name]["config"]["model"]) for name in FIRST]
    assert [formula.value.strip("$\n ") for formula in opened.latex] == [kind.about.loss for kind in kinds]
    for kind in kinds:
        assert any(kind.about.address in text.value for text in opened.markdown)


def test_the_table_has_the_figures_of_the_cards_and_a_dash_for_what_is_not_defined(opened: AppTest) -> None:
    table = opened.table[0].value
    for name in FIRST:
        test, row = cards()[name]["test"], table.loc[title_of(name)]
        for column, key in (("reconstruction (nats)", "nll"), ("KL (nats)", "kl"), ("−ELBO (nats)", "neg_elbo")):
            if key in test and test[key] is not None:
                value, error = (float(part) for part in row[column].split(" ± "))
                assert value == pytest.approx(test[key], abs=10 * error) and abs(value - test[key]) <= 0.5
                assert error == pytest.approx(test["errors"][key], rel=0.5)
            else:
                assert row[column] == "–"
    assert table.loc[title_of(AE), "bounds log p(x)"] == "nothing here"


def test_the_copies_are_those_of_the_model(opened: AppTest) -> None:
    files = [np.asarray(Image.open(io.BytesIO(data))) for kind, data in pictures(opened) if kind == "png"]
    assert [file.shape for file in files] == [(56, 280)] * 6
    of_ae = files[2]  # copies and draws of each
    data = images()
    x = torch.cat([data.x_test[data.y_test == digit][:1] for digit in range(10)]).float() / 255
    with torch.no_grad():
        model = checkpoint(AE).model
        x_hat = model.decode(model.encode(x)[0]).sigmoid()
    for row, wanted in ((of_ae[:28], x), (of_ae[28:], x_hat)):
        beside = torch.cat(list(wanted[:, 0]), dim=1).numpy() * 255
        assert np.abs(row - beside).max() <= 1


def test_each_map_is_a_drawing_by_itself(opened: AppTest) -> None:
    maps = [ElementTree.fromstring(data) for kind, data in pictures(opened) if kind == "svg+xml"]
    assert len(maps) == 3
    for drawing in maps:
        assert "var(--class-0)" in ElementTree.tostring(drawing, "unicode")
        style = drawing.find("{http://www.w3.org/2000/svg}style")
        assert style is not None and "--class-0: #" in (style.text or "")


def test_other_models_are_in_the_link_and_none_is_a_sentence(registry: Registry) -> None:
    at = shown("family", {"models": f"{AE},mnist-vae-conv-32"})
    assert [head.value for head in at.header] == [title_of(AE), title_of("mnist-vae-conv-32")]
    checked(at.multiselect(key=link.key("models")).set_value([AE]).run())
    assert at.query_params["models"] == AE and len(at.header) == 1
    checked(at.multiselect(key=link.key("models")).set_value([]).run())
    assert "Choose one to three models." in at.info[0].value


def test_a_model_that_is_not_here_is_named(registry: Registry) -> None:
    at = shown("family", {"models": "nobody"})
    assert any("models 'nobody' are not offered here" in warning.value for warning in at.warning)
    assert len(at.header) == len(FIRST)


def test_the_source_that_is_shown_is_that_of_the_family(registry: Registry) -> None:
    at = shown("family", {"models": AE})
    assert not at.code
    at.session_state[f"source of {AE}"] = True
    checked(at.run())
    assert inspect.getsource(AE_FORWARD).strip().splitlines()[-1].strip() in at.code[0].value


def test_the_colours_of_codes_are_those_of_the_browser(tmp_path: Path) -> None:
    script = "print([...Array(64).keys()].map((code) => code_maps.colourOfCode(code)));"
    said = node_runner(tmp_path, "lib/code_maps")(script)
    for code, text in enumerate(said):
        hue, saturation, lightness = (float(part) for part in re.findall(r"[\d.]+", text))
        wanted = ImageColor.getrgb(f"hsl({hue:.1f}, {saturation:.0f}%, {lightness:.0f}%)")
        assert np.abs(np.subtract(colour_of_code(code), wanted)).max() <= 1, code


def test_a_denoising_model_shows_the_noisy_images_that_its_copies_come_from(registry: Registry) -> None:
    """The copies of what is shown are those that are shown; between the originals and the noisy ones lies the noise."""
    at = shown("family", {"models": "mnist-dae-mlp-2"})
    file = np.asarray(Image.open(io.BytesIO(pictures(at)[0][1]))).astype(np.float32)
    assert file.shape == (84, 280)
    clean, noisy, copied = (np.stack(np.split(row, 10, axis=1)) for row in np.split(file, 3))
    inside = (noisy > 0) & (noisy < 255)
    assert 0.25 < (noisy - clean)[inside].std() / 255 < 0.5
    model = checkpoint("mnist-dae-mlp-2").model
    with torch.no_grad():
        again = model.decode(model.encode(torch.from_numpy(noisy)[:, None] / 255)[0]).sigmoid()[:, 0] * 255
    assert np.abs(again.numpy() - copied).max() < 4
    assert any("with noise" in caption.value for caption in at.caption)


def test_a_bound_of_samples_says_of_how_many_and_what_more_of_them_do(registry: Registry) -> None:
    """The card's own figures; under the table the same weights with 1, 5 and 50, each by the core's functions."""
    name = "mnist-iwae-mlp-2"
    at = shown("family", {"models": name})
    test, row = cards()[name]["test"], at.table[0].value.iloc[0]
    for column, key in (("−ELBO (nats)", "neg_elbo"), ("−L_K (nats)", "iw")):
        assert float(row[column].split(" ± ")[0]) == pytest.approx(test[key], abs=0.06)
    assert test["iw"] < test["neg_elbo"] - 5 and row["bounds log p(x)"] == "L_K, and the ELBO below it"
    assert any("K = 1 (−L_K: K = 5)" in caption.value for caption in at.caption)
    at.session_state[f"samples of {name}"] = True
    checked(at.run())
    (under,) = [table.value for table in at.table if "signal, encoder" in table.value.columns]
    assert list(under.index) == ["K = 1", "K = 5", "K = 50"]
    found, data = checkpoint(name), images()
    bound = mean_iw_bound(found.model, data.x_test[:200], "grey", rng.stream_seed(0, "eval"), 50)
    assert float(under.loc["K = 50", "−L_K (nats)"]) == pytest.approx(-bound, abs=0.06)
    bounds, encoder, decoder = (under[column].astype(float).tolist() for column in under.columns)
    assert bounds == sorted(bounds, reverse=True) and encoder[0] > encoder[2] and decoder[0] < decoder[2]


def test_the_straight_through_gradient_stands_open_on_the_page(registry: Registry) -> None:
    at = shown("family", {"models": "mnist-vq"})
    assert "return z_e + (z_q - z_e).detach()" in at.code[0].value and len(at.code) == 1


def test_a_model_with_code_maps_has_these_and_no_map_and_no_draws(registry: Registry) -> None:
    at = shown("family", {"models": "mnist-vq"})
    copied, maps = (np.asarray(Image.open(io.BytesIO(data))) for _, data in pictures(at))
    assert copied.shape == (56, 280) and maps.shape == (7, 79, 3)
    data = images()
    x = torch.cat([data.x_test[data.y_test == digit][:1] for digit in range(10)]).float() / 255
    codes = checkpoint("mnist-vq").model.quantise_images(x)  # (10, 7, 7)
    for digit, code_map in enumerate(codes.tolist()):
        wanted = np.array([[colour_of_code(code) for code in row] for row in code_map])
        assert (maps[:, 8 * digit : 8 * digit + 7] == wanted).all()
    row = at.table[0].value.iloc[0]
    assert row["bounds log p(x)"] == "nll and the prior's nats" and "codebook (squared distance)" in row.index
    learned = cards()["mnist-vq"]["prior"]["test"]
    assert float(row["with the prior, at most (nats)"]) == pytest.approx(
        learned["prior_nats"] + learned["nll"], abs=0.06
    )
