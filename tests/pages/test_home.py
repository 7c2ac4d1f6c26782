"""The home page shows numbers of the shipped model, checked against torch.distributions."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest
from torch.distributions import Bernoulli, Normal, kl_divergence

from pages.ui.shipped import PLANE, checkpoint, images, title_of
from tests.pages.conftest import checked
from tests.pages.linked import encoded, opened_by, query_of
from tests.pages.linked import shown as shown_page

NUMBER = r"(−?[\d.]+)"


def diagram(at: AppTest) -> str:
    (html,) = (h.proto.body for h in at.get("html") if 'class="way"' in h.proto.body)
    return html


def shown(at: AppTest) -> dict[str, float]:
    html = diagram(at)
    names = ("reconstruction", "KL", "−ELBO")
    return {name: float(re.search(f"<b>{name} {NUMBER}</b>", html).group(1).replace("−", "-")) for name in names}


def pictures(at: AppTest) -> list[np.ndarray]:
    found = re.findall(r"data:image/png;base64,([^\"]+)", diagram(at))
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) for data in found]


def by_hand(digit: int, which: int, draw: int) -> dict[str, float]:
    """The terms of one image, with torch.distributions instead of our losses."""
    model, data = checkpoint(PLANE).model, images()
    index = np.flatnonzero(data.y_test.numpy() == digit)[which]
    x = data.x_test[index][None].float() / 255
    with torch.no_grad():
        mu, log_var = model.encode(x)
        q = Normal(mu, (log_var / 2).exp())
        eps = torch.randn(1, 2, generator=torch.Generator().manual_seed(draw))
        p = Bernoulli(logits=model.decode(q.loc + q.scale * eps), validate_args=False)
        nll = -p.log_prob(x).sum().item()
        kl = kl_divergence(q, Normal(0.0, 1.0)).sum().item()
    return {"reconstruction": nll, "KL": kl, "−ELBO": nll + kl}


def assert_shows(at: AppTest, digit: int, which: int, draw: int) -> None:
    expected = by_hand(digit, which, draw)
    for name, value in shown(at).items():
        assert value == pytest.approx(expected[name], abs=0.06), name


def test_terms_are_those_of_the_image_that_is_shown(home: AppTest) -> None:
    assert_shows(home, digit=3, which=0, draw=0)
    x, _ = pictures(home)
    first_three = images().x_test[(images().y_test == 3).nonzero()[0, 0], 0].numpy()
    assert np.array_equal(x, first_three)


def test_another_digit_image_and_sample(home: AppTest) -> None:
    home.segmented_control(key="home digit").set_value(7).run()
    assert_shows(home, digit=7, which=0, draw=0)
    home.button(key="home_image").click().run()
    assert_shows(home, digit=7, which=1, draw=0)
    before = pictures(home)
    home.button(key="home_sample").click().run()
    assert_shows(home, digit=7, which=1, draw=1)
    after = pictures(home)
    assert np.array_equal(before[0], after[0]) and not np.array_equal(before[1], after[1])


FIGURE = r"<b>{}</b> = \((−?[\d.]+), (−?[\d.]+)\)"


def figures(at: AppTest, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """(2,) numbers as they are shown, and (2,) what each may be off by: half of its last place."""
    found = re.search(FIGURE.format(name), diagram(at))
    assert found is not None, name
    texts = [text.replace("−", "-") for text in found.groups()]
    half = [0.5 * 10.0 ** -len(text.partition(".")[2]) for text in texts]
    return torch.tensor([float(text) for text in texts], dtype=torch.float64), torch.tensor(half, dtype=torch.float64)


@pytest.mark.parametrize("digit", [1, 3, 5])
def test_z_and_the_kl_can_be_computed_again_from_what_is_shown(home: AppTest, digit: int) -> None:
    """Of narrow and of wide clouds, as far as the digits bear."""
    checked(home.segmented_control(key="home digit").set_value(digit).run())
    (mu, d_mu), (std, d_std), (eps, d_eps), (z, d_z) = (figures(home, name) for name in ("mu", "std", "eps", "z"))
    assert ((z - mu - std * eps).abs() <= d_z + d_mu + std * d_eps + eps.abs() * d_std + 1e-9).all()
    kl = kl_divergence(Normal(mu, std), Normal(0.0, 1.0)).sum().item()
    bears = (mu.abs() * d_mu + (std - 1 / std).abs() * d_std).sum().item() + 0.005
    assert bears < 0.03 and shown(home)["KL"] == pytest.approx(kl, abs=1.1 * bears)


def test_its_links_open_the_same_image_elsewhere(home: AppTest) -> None:
    home.segmented_control(key="home digit").set_value(7).run()
    checked(home.button(key="home_image").click().run())
    number = int((images().y_test == 7).nonzero()[1])
    assert f"<b>x</b> test image {number}, a 7" in diagram(home)
    elbo = shown_page("elbo", query_of(home, "Its ELBO") | {"section": "kl"})
    assert any(f"for test image {number}, a 7, grey pixels" in c.value for c in elbo.caption)
    explorer = opened_by(home, "Its cloud", "explorer")
    assert encoded(explorer) == number and explorer.selectbox(key="explorer model").value == PLANE


def test_caption_names_model_seed_protocol_and_samples(home: AppTest) -> None:
    card = checkpoint(PLANE).card
    caption = home.caption[0].value
    for text in (
        title_of(PLANE),
        f"seed {card['seed']}",
        f"{card['test']['neg_elbo']:.1f} nats",
        "grey",
        "test",
        "K = 1",
    ):
        assert text in caption


def test_shipped_model_reaches_the_published_band() -> None:
    assert 136 <= checkpoint(PLANE).card["test"]["neg_elbo"] <= 142
