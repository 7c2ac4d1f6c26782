"""Somebody else's state dict, opened: the oracle is the plain model that wrote it; what cannot be opened is refused."""

import io
import os
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pages.ui import shipped
from tests.plain_vae import PlainVAE, plain_vae, saved
from vae_core import checkpoints, foreign, models
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.evaluate import evaluate_test
from vae_core.foreign import ForeignError, open_bytes, open_model, read
from vae_core.foreign.match import readings_of

VAE = plain_vae()
WEIGHTS = VAE.state_dict()
X = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(1))


def agrees(opened: foreign.Opened, plain: PlainVAE) -> bool:
    """Codes and pictures of both are the same, on images and at places of latent space."""
    z = torch.randn(5, plain.fc3.in_features, generator=torch.Generator().manual_seed(2))
    ours, theirs = opened.model.encode(X), plain.encode(X)
    x_hat = opened.model.mean_image(opened.model.decode(z)).flatten(1)
    pairs = [*zip(ours, theirs, strict=True), (x_hat, plain.decode(z))]
    return all(torch.allclose(a, b, atol=1e-6) for a, b in pairs)


def half(weights: dict[str, Tensor], kind: torch.dtype) -> dict[str, Tensor]:
    return {name: tensor.to(kind) for name, tensor in weights.items()}


def shuffled(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return OrderedDict(sorted(weights.items(), reverse=True))


GOOD: dict[str, tuple[str, bytes]] = {
    "a state dict": ("vae.pt", saved(WEIGHTS)),
    "in the old format": ("vae.pth", saved(WEIGHTS, _use_new_zipfile_serialization=False)),
    "safetensors": ("vae.safetensors", safetensors.torch.save(WEIGHTS)),
    "of a training": ("last.pt", saved({"epoch": 3, "model_state_dict": WEIGHTS, "loss": 104.2})),
    "twice wrapped": ("last.pt", saved({"model": {"state_dict": WEIGHTS}})),
    "of DataParallel": ("vae.pt", saved({f"module.{name}": tensor for name, tensor in WEIGHTS.items()})),
    "compiled": ("vae.pt", saved({f"_orig_mod.vae.{name}": tensor for name, tensor in WEIGHTS.items()})),
    "in another order": ("vae.pt", saved(shuffled(WEIGHTS))),
    "float64": ("vae.pt", saved(half(WEIGHTS, torch.float64))),
}


@pytest.mark.parametrize("kind", GOOD)
def test_a_plain_state_dict_is_the_same_model(kind: str) -> None:
    opened = open_bytes(*GOOD[kind])
    assert agrees(opened, VAE) and opened.card is None
    config = opened.config
    assert (config.model, config.net, config.widths, config.latent_dim) == ("vae", "mlp", "400", 20)
    said = " ".join(opened.said)
    assert "fc21 is taken to give mu, fc22 to give log_var" in said and "taken to give logits" in said
    assert "relu is computed, as was asked" in said and "taken to be bernoulli" in said
    assert ("float64" in said) == (kind == "float64")


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_weights_of_half_precision_are_read_as_they_are(kind: torch.dtype) -> None:
    opened = open_bytes("vae.safetensors", safetensors.torch.save(half(WEIGHTS, kind)))
    rounded = plain_vae()
    rounded.load_state_dict(half(WEIGHTS, kind))
    assert agrees(opened, rounded) and not agrees(opened, VAE)
    assert str(kind).removeprefix("torch.") in opened.said[0] and opened.model.encoder[1].weight.dtype == torch.float32


@pytest.mark.parametrize("activation", ["relu", "elu", "tanh"])
def test_what_is_asked_for_is_computed(activation: str) -> None:
    opened = open_bytes("vae.pt", saved(WEIGHTS), activation, "gaussian", 0.5)
    expected = VAE.fc21(getattr(F, activation)(VAE.fc1(X.flatten(1))))
    assert torch.allclose(opened.model.encode(X)[0], expected, atol=1e-6)
    logits = opened.model.decode(torch.zeros(5, 20))
    normal = torch.distributions.Normal(logits.sigmoid(), 0.5)
    assert torch.allclose(opened.model.nll(logits, X), -normal.log_prob(X).flatten(1).sum(1), rtol=1e-5)
    assert "gaussian, sigma 0.5" in opened.said[-1]


def test_the_figures_are_those_of_the_plain_model(small: Images) -> None:
    """−ELBO by torch.distributions, over the same images with noise of its own: within five standard errors."""
    plain = plain_vae(2, 64, pixels=small.x_train)
    opened = open_bytes("vae.pt", saved(plain.state_dict()))
    found = evaluate_test(opened.model, small, opened.config)
    x = small.x_test.float().flatten(1) / 255
    with torch.no_grad():
        mu, logvar = plain.encode(x)
        q = torch.distributions.Normal(mu, (0.5 * logvar).exp())
        kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(1)
        nll = F.binary_cross_entropy(plain.decode(q.sample()), x, reduction="none").sum(1)
    assert found.terms["kl"] == pytest.approx(kl.mean().item(), rel=1e-5)
    assert found.neg_elbo == pytest.approx((nll + kl).mean().item(), abs=5 * found.errors["neg_elbo"])
    assert found.terms["nll"] == pytest.approx(nll.mean().item(), rel=0.02)


@pytest.mark.parametrize("ending", [".pt", ".safetensors"])
@pytest.mark.parametrize(
    "settings",
    [
        {"widths": "30-30-30-30", "latent_dim": 30},  # by shape alone it could be read in a million ways
        {"widths": "50-30", "likelihood": "gaussian-learned"},
        {"widths": "20", "likelihood": "gaussian-per-pixel"},
        {"net": "conv", "latent_dim": 5},
        {"net": "conv", "latent_dim": 2, "likelihood": "gaussian-per-pixel"},
    ],
)
def test_our_own_tensors_without_a_card(settings: dict[str, Any], ending: str) -> None:
    model = models.build(RunConfig(seed=4, **settings)).eval()
    weights = model.state_dict()
    opened = open_bytes(f"x{ending}", saved(weights) if ending == ".pt" else safetensors.torch.save(weights))
    assert all(getattr(opened.config, name) == value for name, value in settings.items())
    assert all(torch.equal(tensor, weights[name]) for name, tensor in opened.model.state_dict().items())


def renamed(net: nn.Module, split: str, names: tuple[str, str]) -> dict[str, Tensor]:
    """A model of ours with two heads of their own, under other names."""
    found: dict[str, Tensor] = {}
    for key, tensor in net.state_dict().items():
        path, _, part = key.rpartition(".")
        heads = zip(names, tensor.chunk(2), strict=True) if path == split else [(path, tensor)]
        found |= {f"{name}.{part}".replace("coder.", "_net."): piece for name, piece in heads}
    return found


@pytest.mark.parametrize("names", [("fc_mu", "fc_logvar"), ("a_logvar", "b_mu"), ("mu", "log_std")])
@pytest.mark.parametrize(("net", "split"), [("mlp", "encoder.5"), ("conv", "encoder.6")])
def test_two_heads_are_joined_as_their_names_say(net: str, split: str, names: tuple[str, str]) -> None:
    model = models.build(RunConfig(net=net, latent_dim=3, seed=2)).eval()
    opened = open_bytes("x.pt", saved(renamed(model, split, names)))
    mu, log_var = model.encoder(X).chunk(2, -1)
    if names[0] == "a_logvar":
        mu, log_var = log_var, mu
    expected = (mu, 2 * log_var if names[1] == "log_std" else log_var)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(opened.model.encode(X), expected, strict=True))


@pytest.mark.parametrize("bias", [True, False])
def test_a_head_of_one_code_is_a_plain_autoencoder(bias: bool) -> None:
    parts = [nn.Linear(784, 30, bias), nn.ReLU(), nn.Linear(30, 4, bias), nn.Linear(4, 30, bias), nn.ReLU()]
    plain = nn.Sequential(*parts, nn.Linear(30, 784, bias), nn.Sigmoid())
    opened = open_bytes("ae.pt", saved(plain.state_dict()))
    assert opened.config.model == "ae" and opened.config.latent_dim == 4
    assert torch.allclose(
        opened.model.mean_image(opened.model.decode(*opened.model.encode(X))).flatten(1), plain(X.flatten(1))
    )


def test_every_reading_uses_each_layer_once() -> None:
    """Against all permutations: layers of the classic VAE are read in one way but for the order of the heads."""
    shapes = [(784, 9), (9, 2), (9, 2), (2, 9), (9, 784)]
    assert [reading.all for reading in readings_of(shapes)] == [(0, 1, 2, 3, 4)]
    alike = [(784, 4), (4, 4), (4, 4), (4, 4), (4, 784)]
    assert sorted(r.all for r in readings_of(alike)) == [(0, 1, 2, 3, 4), (0, 1, 3, 2, 4), (0, 2, 3, 1, 4)]


# ---- a folder and a zip of ours


@pytest.fixture(scope="module")
def folder() -> Path:
    return shipped.CHECKPOINTS / "mnist-ae-conv-32"


@pytest.mark.parametrize("inside", ["", "run/"])
def test_a_checkpoint_of_ours_is_what_its_card_says(folder: Path, inside: str) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("model.safetensors", "card.json", "history.csv"):
            archive.write(folder / name, inside + name)
    expected = checkpoints.load(folder)
    for opened in (open_model(folder), open_bytes("run.zip", packed.getvalue())):
        assert opened.config == expected.config and opened.card == expected.card
        weights = expected.model.state_dict()
        assert all(torch.equal(tensor, weights[name]) for name, tensor in opened.model.state_dict().items())


# ---- what is refused


class Malicious:
    """Unpickled with code allowed, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("new_format", [True, False])
def test_code_in_a_pickle_is_refused_and_not_run(tmp_path: Path, wrapped: bool, new_format: bool) -> None:
    trap = tmp_path / "executed"
    content = {"state_dict": dict(WEIGHTS) | {"x": Malicious(trap)}} if wrapped else Malicious(trap)
    data = saved(content, _use_new_zipfile_serialization=new_format)
    torch.load(io.BytesIO(data), weights_only=False)  # the trap works
    trap.rmdir()
    with pytest.raises(ForeignError, match=r"holds Python objects besides tensors \(posix.mkdir\), and none was run"):
        open_bytes("vae.pt", data)
    assert list(tmp_path.iterdir()) == []


def scripted() -> bytes:
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), file)
    return file.getvalue()


class Called:
    """Unpickled, it is whatever a function gives."""

    def __init__(self, *called: Any) -> None:
        self.called = called

    def __reduce__(self) -> Any:
        return self.called


def zipped(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def with_nan() -> dict[str, Tensor]:
    return {
        name: tensor.clone().fill_(float("nan")) if name == "fc3.bias" else tensor for name, tensor in WEIGHTS.items()
    }


BAD: dict[str, tuple[str, Any, str]] = {
    "a whole model": ("vae.pt", lambda: saved(VAE), r"\(tests.plain_vae.PlainVAE\), and none was run: save it with"),
    "TorchScript": ("vae.pt", scripted, "is a TorchScript program"),
    "truncated": ("vae.pt", lambda: saved(WEIGHTS)[:100_000], "truncated or damaged"),
    "truncated, old format": ("v.pt", lambda: GOOD["in the old format"][1][:9_000], "is damaged or holds more"),
    "truncated safetensors": ("v.safetensors", lambda: GOOD["safetensors"][1][:9_000], "truncated or no safetensors"),
    "empty": ("vae.pt", lambda: b"", "truncated or no file of PyTorch"),
    "text": ("vae.safetensors", lambda: b"no tensors at all", "truncated or no safetensors"),
    "another zip": ("vae.zip", lambda: zipped("essay.txt", b"x"), "holds neither model.safetensors with card.json nor"),
    "a number": ("vae.pt", lambda: saved(3), r"no state dict \(int\)"),
    "nothing": ("vae.pt", lambda: saved({"epoch": 3}), "holds no tensors"),
    "NaN": ("vae.pt", lambda: saved(with_nan()), r"weights that are no numbers \(fc3.bias\)"),
    "beyond float32": ("vae.pt", lambda: saved({"a": torch.tensor([1e300], dtype=torch.float64)}), "no numbers"),
    "complex": ("vae.pt", lambda: saved({"a": torch.ones(2, dtype=torch.complex64)}), "has a complex64 tensor"),
    "sparse": ("vae.pt", lambda: saved({"a": torch.ones(2).to_sparse()}), "no plain one of floats"),
    "endless": ("vae.pt", lambda: saved({"a": torch.ones(1).expand(10**5, 10**5)}), "more than 50 million weights"),
    "memory": (
        "vae.pt",
        lambda: saved({"a": Called(bytearray, (10**11,))}),
        r"besides tensors \(__builtin__.bytearray\)",
    ),
    "memory of a tensor": ("vae.pt", lambda: saved({"a": Called(torch.Tensor, (10**11,))}), r"\(torch.Tensor\)"),
    "another function": ("vae.pt", lambda: saved({"a": Called(torch.zeros, (3,))}), r"tensors \(__builtin__.getattr\)"),
    "another protocol": ("vae.pt", lambda: saved(WEIGHTS, pickle_protocol=4), "a name that it computes"),
    "no decoder": ("vae.pt", lambda: saved(nn.Linear(784, 10).state_dict()), "no encoder 784 → … → code"),
    "another conv": ("v.pt", lambda: saved(nn.Conv2d(1, 8, 3).state_dict()), "not those of our convolutional"),
    "too wide": ("vae.pt", lambda: saved(plain_vae(2, 2049).state_dict()), "widths is '2049': give 1 to 4 whole"),
    "no sigma": ("vae.pt", lambda: saved(WEIGHTS), "holds no learned sigma"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_cannot_be_opened_gets_one_sentence(kind: str) -> None:
    name, content, sentence = BAD[kind]
    likelihood = "gaussian-learned" if kind == "no sigma" else "bernoulli"
    with pytest.raises(ForeignError, match=sentence) as caught:
        open_bytes(name, content(), likelihood=likelihood)
    assert str(caught.value).startswith(name) and str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_a_file_is_too_large_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.pt").open("wb") as file:
        file.truncate(foreign.MOST_BYTES + 1)  # sparse: nothing is written
    with pytest.raises(ForeignError, match=r"huge.pt is larger than 200 MB"):
        open_model(tmp_path / "huge.pt")
    with pytest.raises(ForeignError, match="cannot be read"):
        open_model(tmp_path / "nothing.pt")
    with pytest.raises(ForeignError, match=r"card.json cannot be read"):
        open_model(tmp_path)


def test_a_zip_is_too_large_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "MOST_BYTES", 1_000_000)
    with pytest.raises(ForeignError, match=r"run\.zip unpacks to more than 1 MB"):
        open_bytes("run.zip", zipped("model.safetensors", bytes(1_000_001)))


def test_what_does_not_fit_is_shown_beside_what_is_expected() -> None:
    weights = models.build(RunConfig(net="conv", latent_dim=3)).state_dict()
    weights["encoder.3.weight"] = torch.zeros(32, 16, 5, 5)
    with pytest.raises(ForeignError) as caught:
        open_bytes("x.pt", saved(weights))
    assert ("encoder.3.weight", "(32, 16, 4, 4)", "encoder.3.weight", "(32, 16, 5, 5)") in caught.value.rows
    assert ("decoder.1.weight", "(3, 256, 3, 3)", "decoder.1.weight", "(3, 256, 3, 3)") in caught.value.rows
    with pytest.raises(ForeignError) as caught:
        open_bytes("x.pt", saved(nn.Sequential(nn.Linear(100, 50)).state_dict()))
    assert caught.value.rows[0] == ("encoder, first layer", "(h1, 784)", "0.weight", "(50, 100)")


def test_two_readings_are_no_reading() -> None:
    """In an order that speaks for neither: two square layers, of which one is the encoder's second."""
    names = ["last", "b", "code", "a", "first", "back"]
    shapes = [(784, 5), (5, 5), (4, 5), (5, 5), (5, 784), (5, 2)]
    weights = {f"{name}.weight": torch.randn(shape) for name, shape in zip(names, shapes, strict=True)}
    with pytest.raises(ForeignError, match="can be read in more than one way"):
        open_bytes("x.pt", saved(weights))
