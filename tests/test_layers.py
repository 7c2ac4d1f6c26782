"""Hidden layers, activation and number of steps: what they make, what is refused, and that nothing else has changed."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from vae_core import models, rng
from vae_core.config import ConfigError, RunConfig, layer_widths
from vae_core.data import Images
from vae_core.train import train
from vae_core.trainer import Trainer

CHECKPOINTS = Path(__file__).resolve().parents[1] / "checkpoints"
NEW = ("widths", "activation", "steps")  # settings that older files have not


# ---- what was there before


def by_hand(latent_dim: int, widths: list[int], activation: type[nn.Module]) -> nn.ModuleDict:
    """Encoder and decoder layer by layer, their weights drawn in the order in which the first version drew them."""

    def chain(sizes: list[int]) -> list[nn.Module]:
        layers: list[nn.Module] = [nn.Linear(sizes[0], sizes[1])]
        for i in range(1, len(sizes) - 1):
            layers += [activation(), nn.Linear(sizes[i], sizes[i + 1])]
        return layers

    encoder = nn.Sequential(nn.Flatten(), *chain([784, *widths, 2 * latent_dim]))
    decoder = nn.Sequential(*chain([latent_dim, *reversed(widths), 784]), nn.Unflatten(-1, (1, 28, 28)))
    return nn.ModuleDict({"encoder": encoder, "decoder": decoder})


@pytest.mark.parametrize(
    ("settings", "widths", "activation"),
    [
        ({}, [400, 200], nn.ReLU),
        ({"widths": "300-300", "activation": "elu"}, [300, 300], nn.ELU),
        ({"widths": "500"}, [500], nn.ReLU),
        ({"widths": "9-8-7-6", "activation": "tanh", "latent_dim": 5, "seed": 4}, [9, 8, 7, 6], nn.Tanh),
    ],
)
def test_names_weights_and_outputs_are_those_of_the_layers_by_hand(
    settings: dict[str, Any], widths: list[int], activation: type[nn.Module]
) -> None:
    config = RunConfig(**settings)
    model = models.build(config)
    torch.manual_seed(rng.stream_seed(config.seed, "init"))
    expected = by_hand(config.latent_dim, widths, activation)
    assert list(model.state_dict()) == list(expected.state_dict())
    assert all(torch.equal(model.state_dict()[name], value) for name, value in expected.state_dict().items())
    x, z = torch.rand(3, 1, 28, 28), torch.randn(3, config.latent_dim)
    assert torch.equal(model.encoder(x), expected["encoder"](x))  # type: ignore[operator]
    assert torch.equal(model.decode(z), expected["decoder"](z))


def test_the_curve_of_the_usual_settings_is_the_one_that_ships(mnist: Images) -> None:
    """Trained before there was a choice of layers; to the digits of another machine."""
    folder = CHECKPOINTS / "mnist-vae-mlp-2"
    config = RunConfig.from_dict(json.loads((folder / "card.json").read_text())["config"] | {"device": "cpu"})
    trainer = Trainer(config, mnist)
    for _ in range(8):
        trainer.step()
    with (folder / "history.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "train"][:8]
    expected = torch.tensor([[float(row[name]) for name in trainer.columns] for row in rows])
    torch.testing.assert_close(torch.from_numpy(trainer.flush()), expected, rtol=1e-4, atol=1e-5)


def test_a_config_from_before_opens_with_what_was_so_then() -> None:
    old = {name: value for name, value in RunConfig(seed=3).to_dict().items() if name not in NEW}
    assert RunConfig.from_dict(old) == RunConfig(seed=3, widths="400-200", activation="relu", steps=0)


@pytest.mark.parametrize("name", sorted(path.parent.name for path in CHECKPOINTS.glob("*/card.json")))
def test_every_card_that_ships_is_from_before_or_says_so(name: str) -> None:
    config = json.loads((CHECKPOINTS / name / "card.json").read_text())["config"]
    assert RunConfig.from_dict(config).widths == config.get("widths", "400-200")


def test_convolutions_have_layers_of_their_own() -> None:
    plain, asked = (
        models.build(c) for c in (RunConfig(net="conv"), RunConfig(net="conv", widths="7", activation="tanh"))
    )
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), asked.parameters(), strict=True))


# ---- what is refused


@pytest.mark.parametrize(
    "text",
    ["", "0", "400-", "-400", "400--200", "400,200", "2049", "1-2-3-4-5", "1e3", "４", " 400", "400\n", "04"],
)
def test_widths_that_are_none_get_one_sentence(text: str) -> None:
    with pytest.raises(ConfigError) as error:
        RunConfig(widths=text)
    assert str(error.value) == f"widths is {text!r}: give 1 to 4 whole numbers from 1 to 2048, such as '400-200'."


@pytest.mark.parametrize("value", [None, 400, [400, 200], ["400"], 4.5, True])
def test_widths_of_another_type_too(value: Any) -> None:
    with pytest.raises(ConfigError, match=r"^widths is .*such as '400-200'\.$"):
        RunConfig.from_dict({"widths": value})


@pytest.mark.parametrize(("text", "widths"), [("1", (1,)), ("2048-1-2048-1", (2048, 1, 2048, 1)), ("500", (500,))])
def test_widths_at_the_bounds_are_taken(text: str, widths: tuple[int, ...]) -> None:
    assert layer_widths(text) == widths


@pytest.mark.parametrize("value", ["swish", "", None, 3, ["relu"]])
def test_an_activation_that_is_none_gets_one_sentence(value: Any) -> None:
    with pytest.raises(ConfigError, match=r"^activation .* is unknown: choose relu, elu or tanh\.$"):
        RunConfig.from_dict({"activation": value})


# ---- batches and steps


@pytest.mark.parametrize("batch_size", [97, 128, 500, 499])
def test_an_epoch_sees_every_image_once_whatever_the_batch(batch_size: int, small: Images) -> None:
    """The last batch holds what is left: of 500 images and batches of 97 fifteen."""
    images = Images("few", small.x_train[:500], small.y_train[:500], small.x_test[:200], small.y_test[:200])
    trainer = Trainer(RunConfig(device="cpu", batch_size=batch_size, epochs=2), images)
    seen, sizes = [], []
    for _ in range(trainer.steps_per_epoch):
        x, _ = trainer.batch()
        seen.append(x)
        sizes.append(len(x))
        trainer.step()
    assert sum(sizes) == trainer.images_seen == 500 and sizes[-1] == (500 % batch_size or batch_size)
    sums = torch.cat(seen).double().sum((1, 2, 3)).sort().values
    assert torch.allclose(sums, (images.x_train.double() / 255).sum((1, 2, 3)).sort().values, rtol=1e-5)


def test_steps_end_a_run_in_the_midst_of_an_epoch_with_a_test_row(make_trainer: Callable[..., Trainer]) -> None:
    trainer, history = make_trainer(steps=11, epochs=1, batch_size=512), list[dict[str, Any]]()
    assert trainer.steps_per_epoch == 4  # of 2,000 images
    train(trainer, history)
    assert trainer.done and trainer.step_count == trainer.total_steps == 11
    assert [row["step"] for row in history if row["split"] == "test"] == [4, 8, 11]
    assert [row["step"] for row in history if row["split"] == "train"] == list(range(1, 12))
    assert trainer.images_seen == trainer.images_by(11) == 2 * 2000 + 3 * 512


def test_zero_steps_leave_it_to_the_epochs(make_trainer: Callable[..., Trainer]) -> None:
    assert make_trainer(steps=0, epochs=3).total_steps == 3 * make_trainer().steps_per_epoch
