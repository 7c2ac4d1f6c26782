"""The explorer's way Labels under node: what each label costs an image, against torch.distributions."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save
from torch.distributions import Bernoulli, Normal, kl_divergence

from tests.node_runner import node_runner
from vae_core.models.cvae import CVAE

MODULES = ("lib/tensors", "net/model", "net/jobs", "explore/labels/math as labels", "explore/labels/words")
COSTS = (
    "const { metadata, arrays } = tensors.readTensors(file()), about = JSON.parse(metadata.about);"
    "const m = model.modelOf(about, arrays), queue = new jobs.Jobs(m);"
    "const found = Object.fromEntries(['own', 'same'].map((told) => {"
    " const { zs, ys, kl } = labels.drawsOf(m, given.x, given.y, told);"
    " queue.add({ key: told, id: 1, kind: 'means', input: zs, ys: Uint8Array.from(ys) });"
    " return [told, labels.costsOf(given.x, queue.slice(1e9).part.means, kl, about)]; }));"
    "print({ ...found, words: words.costWords(found.own, given.y, 1, [...'0123456789']) });"
)


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., Any]:
    return node_runner(tmp_path, *MODULES)


def packed(model: CVAE, likelihood: str = "bernoulli") -> bytes:
    said = {"net": "mlp", "widths": "32", "posterior": True, "dims": 2, "labels": 10, "label": 0}
    about = {"about": json.dumps(said | {"likelihood": likelihood, "sigma": None})}
    return save({f"model.{name}": value for name, value in model.state_dict().items()}, about)


def cost(model: CVAE, x: torch.Tensor, encoder: int, decoder: int) -> tuple[float, float]:
    """(nll, KL) in nats by torch's own distributions, 16 draws of the seed 0."""
    eps = torch.randn(16, 2, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        mu, log_var = model.given(encoder).encode(x)
        q = Normal(mu, (log_var / 2).exp())
        p = Bernoulli(logits=model.given(decoder).decode(q.mean + q.stddev * eps), validate_args=False)
        nll = -p.log_prob(x).flatten(1).sum(-1).mean()
        return nll.item(), kl_divergence(q, Normal(0.0, 1.0)).sum().item()


def test_an_image_costs_what_torch_says_under_each_label(node: Callable[..., Any]) -> None:
    torch.manual_seed(2)
    model, right = CVAE("mlp", 2, widths="32").eval(), 7
    with torch.no_grad():
        for parameter in model.parameters():  # labels count, and pictures are not all alike
            parameter.mul_(2)
    x = torch.rand(1, 1, 28, 28) * (torch.rand(1, 1, 28, 28) < 0.2)
    found = node(COSTS, {"x": x.flatten().tolist(), "y": right}, packed(model))
    for told in ("own", "same"):
        for y, of in enumerate(found[told]):
            nll, kl = cost(model, x, y if told == "same" else right, y)
            assert of["nll"] == pytest.approx(nll, rel=1e-4) and of["kl"] == pytest.approx(kl, rel=1e-4)
            assert of["negElbo"] == pytest.approx(nll + kl, rel=1e-4)
    own = found["own"]
    assert len({round(of["negElbo"], 2) for of in own}) == 10 and len({round(of["kl"], 6) for of in own}) == 1
    more = own[1]["negElbo"] - own[7]["negElbo"]
    assert f"given its label: −ELBO {own[7]['negElbo']:.1f} = reconstruction {own[7]['nll']:.1f}" in found["words"]
    assert f"{abs(more):.1f} nats {'less' if more < 0 else 'more'}." in found["words"]


def test_where_the_browser_knows_no_sigma_there_is_no_bound(node: Callable[..., Any]) -> None:
    model = CVAE("mlp", 2, "gaussian-per-pixel", widths="32").eval()
    found = node(COSTS, {"x": [0.5] * 784, "y": 3}, packed(model, "gaussian-per-pixel"))
    assert found["own"] == [False] * 10 and found["words"].endswith("there is no −ELBO.")


def test_what_a_link_says_becomes_whole_and_harmless(node: Callable[..., Any]) -> None:
    raws = [
        {"image": 77, "told": "same", "wrong": 3},
        {"image": 5000, "told": "x", "wrong": 10},
        {"wrong": -1},
        3,
        None,
    ]
    found = node("print(given.map((raw) => labels.cleanLabels(raw, { count: 5000 })));", raws)
    none = {"image": 0, "told": "own", "wrong": None}
    assert found == [raws[0], none, none, none, none]
    script = (
        "print([labels.wrongOf({ wrong: null }, 9), labels.wrongOf({ wrong: 4 }, 4), labels.wrongOf({ wrong: 2 }, 4)]);"
    )
    assert node(script) == [0, 5, 2]


def test_classes_are_called_by_their_names(node: Callable[..., Any]) -> None:
    found = node(
        "const costs = [3, 5].map((nll) => ({ nll, kl: 1, negElbo: nll + 1 }));"
        "const names = ['Sneaker', 'Bag'];"
        "print([words.costWords(costs, 0, 1, names), words.howWords('Sneaker', 'own'), words.howWords('7', 'own')]);"
    )
    assert found[0].startswith("This Sneaker given its label: −ELBO 4.0 =") and "Given Bag: 6.0 =" in found[0]
    assert "told Sneaker, as the image is Sneaker" in found[1] and "told 7, as the image is a 7" in found[2]
