"""The conditional VAE: labels reach both halves, its bound is one on log p(x given y), and a wrong label costs."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from pages.ui.explore.package import package_bytes
from pages.ui.explore.sources import Source, find
from pages.ui.shipped import images
from vae_core import models
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.evaluate import evaluate, iw_bound
from vae_core.exact.quadrature import evidence
from vae_core.inspect.snapshot import map_numbers
from vae_core.metrics.labels import cost_of_labels
from vae_core.models.cvae import CVAE
from vae_core.trainer import Trainer


@pytest.fixture(scope="module")
def trained(small: Images) -> Trainer:
    """After 120 steps with two latents."""
    config = RunConfig(model="cvae", device="cpu", latent_dim=2, epochs=50, batch_size=200, widths="128")
    trainer = Trainer(config, small)
    for _ in range(120):
        trainer.step()
    trainer.model.eval()
    return trainer


def test_the_label_is_ten_more_inputs_of_either_half() -> None:
    """By hand: the one-hot at the end of the first layer's inputs, the image or z before it."""
    model = models.build(RunConfig(model="cvae", latent_dim=2))
    x, z, y = torch.rand(3, 1, 28, 28), torch.randn(3, 2), torch.tensor([4, 0, 9])
    one_hot = torch.zeros(3, 10).index_put((torch.arange(3), y), torch.tensor(1.0))
    mu, log_var = model.given(y).encode(x)
    torch.testing.assert_close(torch.cat([mu, log_var], 1), model.encoder(torch.cat([x.flatten(1), one_hot], 1)))
    torch.testing.assert_close(model.given(y).decode(z), model.decoder(torch.cat([z, one_hot], 1)))
    conv = models.build(RunConfig(model="cvae", latent_dim=2, net="conv")).eval()
    planes = one_hot[:, :, None, None] * torch.ones(1, 1, 28, 28)
    mu, _ = conv.given(y).encode(x)
    torch.testing.assert_close(mu, conv.encoder(torch.cat([x, planes], 1))[:, :2])


def test_labels_go_with_samples_of_each_and_with_nothing_else() -> None:
    model = models.build(RunConfig(model="cvae", latent_dim=2))
    z, y = torch.randn(6, 2), torch.tensor([1, 2, 3])
    each = torch.cat([model.given(int(label)).decode(code[None]) for label, code in zip(y.repeat(2), z, strict=True)])
    torch.testing.assert_close(model.given(y).decode(z), each)
    with pytest.raises(ValueError, match="4 rows and 3 labels"):
        model.given(y).decode(z[:4])
    with pytest.raises(ValueError, match=r"ask model\.given"):
        model.decode(z)
    assert model.given(None) is model and isinstance(model, CVAE) and model.y is None


def test_a_step_sees_the_labels_of_its_own_batch(small: Images, make_trainer: Callable[..., Trainer]) -> None:
    """The recorded loss is that of the images with their labels; found by looking each image of the batch up."""
    trainer = make_trainer(model="cvae", batch_size=30)
    x, eps = trainer.batch()
    flat = small.x_train.flatten(1)
    places = [int((flat == (image * 255).round().to(torch.uint8).flatten()).all(1).nonzero()[0]) for image in x]
    with torch.no_grad():
        terms = trainer.model.given(small.y_train[places])(x, eps).terms
    trainer.step()
    row = dict(zip(trainer.columns, trainer.flush()[0].tolist(), strict=True))
    assert row["nll"] == pytest.approx(terms["nll"].mean().item(), rel=1e-6)
    assert row["loss"] == pytest.approx((terms["nll"] + terms["kl"]).mean().item(), rel=1e-6)


def test_it_bounds_the_evidence_given_the_label(trained: Trainer, small: Images) -> None:
    """Against the integral over both latents: −ELBO lies above −log p(x given y), 500 samples come close to it."""
    for number in range(3):
        x, y = small.x_test[number : number + 1].float() / 255, int(small.y_test[number])
        model = trained.model.given(y)
        log_p = evidence(model, x, tolerance=0.01, starts=model.encode(x)[0].detach()).log_p.value
        with torch.no_grad():
            elbos = torch.stack([iw_bound(model, x, 1, torch.Generator().manual_seed(s)) for s in range(200)])
            tight = iw_bound(model, x, 500, torch.Generator().manual_seed(0)).item()  # type: ignore[arg-type]
        assert elbos.mean() + 5 * elbos.std() / 200**0.5 < log_p
        assert abs(tight - log_p) < 0.5


def test_a_wrong_label_raises_the_reconstruction(trained: Trainer, small: Images) -> None:
    wrong = (small.y_test + 1) % 10
    right, told_wrong = (evaluate(trained.model, small.x_test, "grey", 0, labels=y) for y in (small.y_test, wrong))
    assert told_wrong.terms["nll"] > right.terms["nll"] + 5


def test_one_z_gives_ten_labels(trained: Trainer) -> None:
    """The same z under ten labels: ten pictures, any two of them further apart than nothing."""
    with torch.no_grad():
        drawn = torch.cat([trained.model.given(y).generate(torch.zeros(1, 2)) for y in range(10)]).flatten(1)
    apart = torch.cdist(drawn, drawn) + 10 * torch.eye(10)
    assert apart.min() > 1.0


@pytest.mark.parametrize("net", ["mlp", "conv"])
def test_its_package_is_the_whole_model_with_the_label_that_it_is_told(
    net: str, trained: Trainer, tmp_path: Path
) -> None:
    """Read by safetensors; each image of the map is encoded with its own label, pictures are drawn with that told."""
    config = trained.config.with_(net=net)
    model = (trained.model if net == "mlp" else models.build(config)).eval()
    file = tmp_path / "model.safetensors"
    save_file(model.state_dict(), file)
    packed = package_bytes(Source("one", "One", "", config, 120, file, label=7)) or b""
    (tmp_path / "packed").write_bytes(packed)
    with safe_open(tmp_path / "packed", "pt") as opened:
        about, arrays = json.loads(opened.metadata()["about"]), {k: opened.get_tensor(k) for k in opened.keys()}  # noqa: SIM118
    assert (about["name"], about["labels"], about["label"]) == ("one~7", 10, 7)
    state = {k: v for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
    found = {k.removeprefix("model."): v for k, v in arrays.items() if k.startswith("model.")}
    assert found.keys() == state.keys() and all(torch.equal(found[k], v) for k, v in state.items())
    places = map_numbers(images())[:3]
    with torch.no_grad():
        own = model.given(images().y_test[places]).encode(images().x_test[places].float() / 255)[0]
    torch.testing.assert_close(arrays["mu"][:3], own, atol=1e-5, rtol=1e-5)


def test_a_wrong_label_costs_what_the_bound_of_each_image_says(trained: Trainer, small: Images) -> None:
    """By hand, image by image with its own noise; every wrong label is another than the right one."""
    pixels, y = small.x_test[:40], small.y_test[:40]
    told: list[torch.Tensor] = []
    model = trained.model

    class Listening(CVAE):
        def given(self, labels: torch.Tensor) -> CVAE:
            told.append(labels)
            return model.given(labels)

    listening = Listening("mlp", 2, widths="128")
    right, wrong = cost_of_labels(listening, pixels, y, "grey", seed=4)
    assert torch.equal(told[0], y) and not (told[1] == y).any() and len(told[1].unique()) > 5
    eps = torch.randn(40, 2, generator=torch.Generator().manual_seed(4))
    for found, labels in ((right, told[0]), (wrong, told[1])):
        with torch.no_grad():
            each = [model.given(int(labels[i]))(pixels[i : i + 1].float() / 255, eps[i : i + 1]) for i in range(40)]
        sums = [sum(term.item() for term in out.terms.values()) for out in each]
        assert found.neg_elbo == pytest.approx(sum(sums) / 40, rel=1e-4)
    assert wrong.neg_elbo > right.neg_elbo + 10


def test_a_label_is_a_part_of_the_name_only_where_there_are_labels() -> None:
    assert find("mnist-vae-mlp-2") is not None and find("mnist-vae-mlp-2~3") is None and find("nosuch~3") is None
