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

from pages.ui.shipped import PLANE, checkpoint, images

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


def test_caption_names_model_seed_protocol_and_samples(home: AppTest) -> None:
    card = checkpoint(PLANE).card
    caption = home.caption[0].value
    for text in (PLANE, f"seed {card['seed']}", f"{card['test']['neg_elbo']:.1f} nats", "grey", "test", "K = 1"):
        assert text in caption


def test_shipped_model_reaches_the_published_band() -> None:
    assert 136 <= checkpoint(PLANE).card["test"]["neg_elbo"] <= 142
