"""The networks in the browser, run under node and held against torch and against safetensors' own writer."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from tests.node_runner import node_runner
from vae_core.models.ae import AE
from vae_core.models.cvae import CVAE
from vae_core.models.vae import LOG_VAR_RANGE, VAE

CHECKPOINTS = Path(__file__).resolve().parents[1] / "checkpoints"
CARDS = {path.parent.name: json.loads(path.read_text()) for path in sorted(CHECKPOINTS.glob("mnist-*/card.json"))}
SHIPPED = [name for name, card in CARDS.items() if card["config"]["model"] in ("vae", "ae")]  # vq: codes.js
MODULES = ("lib/tensors", "lib/images", "net/layers", "net/model", "net/jobs", "net/background")
DIMS = [1, 2, 5, 32]


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., Any]:
    return node_runner(tmp_path, *MODULES)


def images(count: int, seed: int) -> Tensor:
    """(count, 1, 28, 28) in [0, 1]: like digits, mostly black; the first is all noise, the second all black."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(count, 1, 28, 28, generator=generator)
    ink = torch.rand(count, 1, 28, 28, generator=generator) < 0.2
    ink[0], ink[1] = True, False
    return x * ink


def trained(net: str, dims: int, family: Callable[[str, int], VAE] = VAE) -> VAE:
    """A model in eval mode whose BatchNorms have seen batches and whose every parameter is off its first value."""
    torch.manual_seed(dims)
    model = family(net, dims)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.normal_(1.0, 0.5)
                module.bias.normal_(0.0, 0.5)
        model.train()
        for step in range(5):
            mu, *_ = model.encode(images(32, step))
            model.decode(mu + 3 * torch.randn_like(mu))
        last = [m for m in model.encoder.modules() if isinstance(m, nn.Linear | nn.Conv2d)][-1]
        assert last.bias is not None
        last.bias[-1] += 80.0  # beyond the range of log_var, so that the clamp counts
    return model.eval()


def about(net: str, posterior: bool, dims: int) -> dict[str, str]:
    return {"about": json.dumps({"net": net, "posterior": posterior, "dims": dims})}


def packed(model: VAE, net: str, half: bool = False) -> bytes:
    """The package of a model, as the explorer fetches it; num_batches_tracked only in the float32 ones."""
    state = {f"model.{name}": value for name, value in model.state_dict().items() if value.dim() or not half}
    if half:
        state = {name: value.half() for name, value in state.items()}
    posterior = model.has.posterior is not None
    labels = torch.zeros(3, dtype=torch.uint8)  # of the codes, which a package holds too
    return save({**state, "labels": labels}, about(net, posterior, model.latent_dim))


OPEN = (
    "const { metadata, arrays: all } = tensors.readTensors(file()); const about = JSON.parse(metadata.about);"
    "const arrays = Object.fromEntries(Object.entries(all).filter(([name]) => name.startsWith('model.')));"
)
RUN = OPEN + (
    "const m = model.modelOf(about, arrays), list = (a) => a && Array.from(a);"
    "const codes = given.x.map((x) => m.encode(x)), pictures = given.z.map((z) => m.decode(z));"
    "print({ dims: m.dims, stochastic: m.stochastic, mu: codes.map((c) => list(c.mu)),"
    " logVar: codes.map((c) => list(c.logVar)), pictures: pictures.map(list), kind: pictures[0].constructor.name });"
)


def largest_error(model: VAE, found: dict[str, Any], x: Tensor, z: Tensor) -> float:
    """Of all numbers against torch: mu and log_var relative to max(1, |value|), pixels as they are."""
    with torch.no_grad():
        mu, *log_var = model.encode(x)
        pictures = model.mean_image(model.decode(z)).flatten(1)
    assert (found["dims"], found["stochastic"]) == (model.latent_dim, (model.has.posterior is not None))
    assert found["kind"] == "Float32Array"
    assert pictures.std() > 0.01 and mu.std() > 0.001  # something was computed
    errors = [error(found["mu"], mu), float((torch.tensor(found["pictures"]) - pictures).abs().max())]
    if model.has.posterior:
        errors.append(error(found["logVar"], *log_var))
    else:
        assert found["logVar"] == [None] * len(x)
    return max(errors)


def error(found: list[list[float]], wanted: Tensor) -> float:
    return float(((torch.tensor(found) - wanted).abs() / wanted.abs().clamp(min=1)).max())


def inputs(dims: int) -> tuple[Tensor, Tensor]:
    z = 2 * torch.randn(6, dims, generator=torch.Generator().manual_seed(7))
    z[0] = 0
    return images(6, 99), z


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("dims", DIMS)
@pytest.mark.parametrize("net", ["mlp", "conv"])
def test_a_model_encodes_and_decodes_as_torch_does(net: str, dims: int, half: bool, node: Callable[..., Any]) -> None:
    model, (x, z) = trained(net, dims), inputs(dims)
    file = packed(model, net, half)
    if half:
        model = model.half().float()  # torch then computes with what the file holds
    with torch.no_grad():
        assert model.encode(x)[1].max() == LOG_VAR_RANGE[1]
    found = node(RUN, {"x": x.flatten(1).tolist(), "z": z.tolist()}, file)
    assert largest_error(model, found, x, z) < 1e-4


@pytest.mark.parametrize(
    ("widths", "activation"), [("300-300", "elu"), ("500", "tanh"), ("7-64-33-5", "relu"), ("400-200", "elu")]
)
def test_other_layers_and_activations_compute_as_in_torch(
    widths: str, activation: str, node: Callable[..., Any]
) -> None:
    torch.manual_seed(0)
    model, (x, z) = VAE("mlp", 3, widths=widths, activation=activation).eval(), inputs(3)
    with torch.no_grad():
        for parameter in model.parameters():  # far enough from 0 that an activation bends
            parameter.mul_(3)
    weights = {f"model.{name}": value for name, value in model.state_dict().items()}
    said = {"net": "mlp", "posterior": True, "dims": 3, "widths": widths, "activation": activation}
    file = save(weights, {"about": json.dumps(said)})
    found = node(RUN, {"x": x.flatten(1).tolist(), "z": z.tolist()}, file)
    assert largest_error(model, found, x, z) < 1e-4
    wrong = next(name for name in ("relu", "elu", "tanh") if name != activation)
    file = save(weights, {"about": json.dumps(said | {"activation": wrong})})
    found = node(RUN, {"x": x.flatten(1).tolist(), "z": z.tolist()}, file)
    assert largest_error(model, found, x, z) > 1e-2  # the activation counts


@pytest.mark.parametrize("net", ["mlp", "conv"])
def test_of_a_sigma_per_pixel_the_mean_is_shown(net: str, node: Callable[..., Any]) -> None:
    model, (x, z) = trained(net, 2, partial(VAE, likelihood="gaussian-per-pixel")), inputs(2)
    found = node(RUN, {"x": x.flatten(1).tolist(), "z": z.tolist()}, packed(model, net))
    assert largest_error(model, found, x, z) < 1e-4


@pytest.mark.parametrize("net", ["mlp", "conv"])
def test_a_plain_autoencoder_has_no_log_var(net: str, node: Callable[..., Any]) -> None:
    model, (x, z) = trained(net, 2, AE), inputs(2)
    found = node(RUN, {"x": x.flatten(1).tolist(), "z": z.tolist()}, packed(model, net))
    assert found["logVar"] == [None] * len(x) and largest_error(model, found, x, z) < 1e-4


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_model_runs_as_in_torch(name: str, node: Callable[..., Any]) -> None:
    config = json.loads((CHECKPOINTS / name / "card.json").read_text(encoding="utf-8"))["config"]
    net, family, dims = config["net"], config["model"], config["latent_dim"]
    model = {"vae": VAE, "ae": AE}[family](net, dims, config["likelihood"])
    kept = load_file(CHECKPOINTS / name / "model.safetensors")
    weights = {key: value for key, value in kept.items() if key.startswith(("encoder.", "decoder."))}
    model.load_state_dict(weights)  # strict
    file = save({f"model.{k}": v for k, v in weights.items()}, about(net, family == "vae", dims))
    x, z = inputs(dims)
    found = node(RUN, {"x": x.flatten(1).tolist(), "z": z.tolist()}, file)
    assert largest_error(model.eval(), found, x, z) < 1e-4


@pytest.mark.parametrize("net", ["mlp", "conv"])
def test_a_conditional_model_is_told_its_label_or_another(net: str, node: Callable[..., Any]) -> None:
    """By itself, told another, and in the background with a label for each code; 10 is none."""
    model, (x, z), ys = trained(net, 3, lambda *of: CVAE(*of).given(7)), inputs(3), [0, 9, 7, 2, 2, 5]
    said = {"net": net, "posterior": True, "dims": 3, "labels": 10, "label": 7}
    file = save({f"model.{name}": value for name, value in model.state_dict().items()}, {"about": json.dumps(said)})
    given = {"x": x.flatten(1).tolist(), "z": z.tolist(), "ys": ys}
    for run, told in (
        (RUN, model),
        (RUN.replace("modelOf(about, arrays)", "modelOf(about, arrays).given(2)"), model.given(2)),
    ):
        assert largest_error(told, node(run, given, file), x, z) < 1e-4
    found = node(
        OPEN + "const m = model.modelOf(about, arrays), queue = new jobs.Jobs(m), wanted = given.z.flat();"
        "const none = (act) => { try { act(); } catch (e) { return e.message; } };"
        "const job = { key: 'a', id: 1, kind: 'means', input: Float32Array.from(wanted) };"
        "queue.add({ ...job, ys: Uint8Array.from(given.ys) });"
        "print({ means: Array.from(queue.slice(1e9).part.means), none: none(() => m.given(10).decode(given.z[0])),"
        " few: none(() => queue.add({ ...job, ys: Uint8Array.of(1) })) });",
        given,
        file,
    )
    with torch.no_grad():
        wanted = model.given(torch.tensor(ys)).generate(z).flatten()
    assert float((torch.tensor(found["means"]) - wanted).abs().max()) < 1e-4
    assert found["none"] == '"10" is no label: 0 to 9 are.'
    assert found["few"] == "1 labels do not go with 6 inputs to means."


def test_results_are_the_callers_own(node: Callable[..., Any]) -> None:
    """The layers use their buffers again; what came out before must not change."""
    model, (x, z) = trained("conv", 2), inputs(2)
    found = node(
        OPEN + "const m = model.modelOf(about, arrays);"
        "const run = (i) => [m.encode(given.x[i]), m.decode(given.z[i])], text = JSON.stringify;"
        "const first = run(0), kept = text(first); run(2);"
        "print([text(first) === kept, text(run(0)) === kept]);",
        {"x": x.flatten(1).tolist(), "z": z.tolist()},
        packed(model, "conv"),
    )
    assert found == [True, True]


# ---- the file format


def test_every_type_of_number_is_read_as_it_was_written(node: Callable[..., Any]) -> None:
    r = np.random.RandomState(0)
    given: dict[str, np.ndarray] = {
        "a": r.randn(3, 5).astype(np.float32),
        "b": r.randint(0, 256, (7,)).astype(np.uint8),
        "c": r.randint(-(2**15), 2**15, (2, 2)).astype(np.int16),
        "d": r.randint(-(2**31), 2**31 - 1, (3,)).astype(np.int32),
        "e": np.array([-(2**63), 2**63 - 1, 0]),
        "f": np.array(470, np.int64),
        "g": np.zeros((0, 2), np.float32),
    }
    found = node(
        "const { metadata, arrays } = tensors.readTensors(file());"
        "for (const a of Object.values(arrays)) a.data = Array.from(a.data, String); print({ metadata, arrays });",
        None,
        safetensors.numpy.save(given, {"step": "470", "text": "β ≥ 0"}),
    )
    assert found["metadata"] == {"step": "470", "text": "β ≥ 0"}
    assert set(found["arrays"]) == set(given)
    for name, array in given.items():
        back = np.array(found["arrays"][name]["data"], dtype=array.dtype).reshape(found["arrays"][name]["shape"])
        assert back.shape == array.shape and np.array_equal(back, array), name


def test_every_float16_there_is_becomes_the_float32_of_numpy(node: Callable[..., Any]) -> None:
    """All 65,536 patterns: zeros of both signs, subnormal numbers, infinities and those that are no numbers."""
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    found = node(
        "const { data } = tensors.readTensors(file()).arrays.h;"
        "print({ kind: data.constructor.name, bits: Array.from(new Uint32Array(data.buffer)) });",
        None,
        safetensors.numpy.save({"h": halves}),
    )
    assert found["kind"] == "Float32Array"
    back, wanted = np.array(found["bits"], np.uint32).view(np.float32), halves.astype(np.float32)
    number = ~np.isnan(wanted)
    assert np.array_equal(np.isnan(back), ~number)
    assert np.array_equal(back[number].view(np.uint32), wanted[number].view(np.uint32))  # bit by bit: −0 is not 0


@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        (safetensors.numpy.save({"w": np.zeros(2)}), "w: numbers of type F64 are not read here."),
        (safetensors.numpy.save({"w": np.zeros(6, np.float32)})[:-8], "w: the file has 4 of its 6 numbers."),
    ],
)
def test_a_file_that_cannot_be_read_says_so(file: bytes, wanted: str, node: Callable[..., Any]) -> None:
    assert node("try { tensors.readTensors(file()); } catch (e) { print(e.message); }", None, file) == wanted


# ---- what is refused

REFUSED_ACTIVATION = 'The activation "swish" is not run in the browser: only relu, elu and tanh are.'


@pytest.mark.parametrize(
    ("script", "wanted"),
    [
        ("about.net = 'resnet'", 'The network "resnet" is not run in the browser: only mlp and conv are.'),
        ("about.net = 'toString'", 'The network "toString" is not run in the browser: only mlp and conv are.'),
        ("delete about.posterior", "The model does not say whether it has a posterior."),
        ("about.net = 'mlp'; about.activation = 'swish'", REFUSED_ACTIVATION),
        ("about.dims = 0", '"0" is no number of latent dimensions.'),
        ("about.dims = 3", "model.encoder.6.weight has the shape (4, 32, 4, 4) in place of (6, 32, 4, 4) floats."),
        ("about.net = 'mlp'", "model.encoder.1.weight has the shape (16) in place of (400, 784) floats."),
        ("delete arrays['model.decoder.5.running_var']", "The weights model.decoder.5.running_var are missing."),
        (
            "arrays['model.decoder.12.weight'] = arrays['model.decoder.10.weight']",
            "The weights model.decoder.12.weight belong to no layer known here.",
        ),
        ("model.modelOf(about, arrays).decode([1])", "z has 1 numbers, not 2."),
        ("model.modelOf(about, arrays).encode(new Float32Array(783))", "x has 783 numbers, not 784."),
    ],
)
def test_what_is_not_known_is_refused_in_words(script: str, wanted: str, node: Callable[..., Any]) -> None:
    found = node(
        OPEN + f"try {{ {script}; model.modelOf(about, arrays); print(null); }} catch (e) {{ print(e.message); }}",
        None,
        packed(trained("conv", 2), "conv"),
    )
    assert found == wanted
