"""The doors of the data: what cannot be trained on is refused in one sentence that says what to do."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from vae_core.config import PROTOCOLS, RunConfig
from vae_core.data import Images, prepare
from vae_core.data.images import DataError
from vae_core.inspect.snapshot import take_snapshot
from vae_core.trainer import Trainer

TENSORS = ("x_train", "y_train", "x_test", "y_test")
DIGITS = torch.arange(10)


@pytest.fixture(scope="module")
def good(mnist: Images) -> dict[str, Tensor]:
    """100 train images and ten test images, one a class, from 9 down to 0."""
    one = torch.tensor([int((mnist.y_test == label).nonzero()[0, 0]) for label in range(9, -1, -1)])
    values = (mnist.x_train[:100], mnist.y_train[:100], mnist.x_test[one], mnist.y_test[one])
    return dict(zip(TENSORS, values, strict=True))


def test_ten_test_images_one_a_class_are_enough_for_a_step_and_a_snapshot(good: dict[str, Tensor]) -> None:
    images = Images("few", **good)
    trainer = Trainer(RunConfig(device="cpu", batch_size=50), images)
    trainer.step()
    assert trainer.flush().shape == (1, 4)
    seen = take_snapshot(trainer, measured=True)
    assert np.array_equal(seen.originals, good["x_test"].flip(0)[:, 0].numpy())  # by class, 0 first
    assert sorted(seen.labels.tolist()) == list(range(10)) and seen.mu.shape == (10, 2)


def test_the_tensors_are_taken_as_they_are(good: dict[str, Tensor]) -> None:
    images = Images("few", **good)
    assert all(getattr(images, name) is good[name] for name in TENSORS)


def test_the_advice_for_values_in_0_to_1_gives_the_pixels_back(good: dict[str, Tensor]) -> None:
    grey = prepare(good["x_test"], "grey", torch.Generator())
    assert torch.equal((grey * 255).round().to(torch.uint8), good["x_test"])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_pixels_that_are_no_bytes_are_refused_where_they_become_data_too(
    protocol: str, good: dict[str, Tensor]
) -> None:
    """evaluate() and its like take pixels without an Images record around them."""
    with pytest.raises(DataError, match=r"^The pixels are float32: give uint8 from 0 to 255\.$"):
        prepare(good["x_test"] / 255, protocol, torch.Generator())


def nan(x: Tensor) -> Tensor:
    return x.float() / 255 * torch.nan


FLOATS = "pixels are uint8 from 0 to 255: of values in [0, 1] make them with (x * 255).round().to(torch.uint8)."
BAD_PIXELS: dict[str, tuple[Callable[[Tensor], Any], str]] = {
    "floats from 0 to 1": (lambda x: x.float() / 255, f"{{}} is float32, and {FLOATS}"),
    "doubles": (lambda x: x.double(), f"{{}} is float64, and {FLOATS}"),
    "not a number": (nan, f"{{}} is float32, and {FLOATS}"),
    "whole numbers of another kind": (
        lambda x: x.long(),
        "{} is int64: give pixels from 0 to 255 as uint8, with x.to(torch.uint8).",
    ),
    "an array": (lambda x: x.numpy(), "{} is a ndarray: give a torch.Tensor."),
    "nothing": (lambda x: None, "{} is a NoneType: give a torch.Tensor."),
    "no channel": (lambda x: x[:, 0], "{} has the shape ({n}, 28, 28): give images as (N, 1, 28, 28)."),
    "three channels": (
        lambda x: x.expand(-1, 3, -1, -1),
        "{} has the shape ({n}, 3, 28, 28): give images as (N, 1, 28, 28).",
    ),
    "another size": (
        lambda x: x[..., :27],
        "{} has the shape ({n}, 1, 28, 27): give images as (N, 1, 28, 28).",
    ),
    "no images": (lambda x: x[:0], "{} holds no images: give at least one."),
    "0 and 1": (
        lambda x: (x > 127).to(torch.uint8),
        "{} holds nothing above 1, and full ink is 255: multiply it by 255.",
    ),
}
BAD_LABELS: dict[str, tuple[Callable[[Tensor], Any], str]] = {
    "bytes": (lambda y: y.to(torch.uint8), "{} is uint8: give labels as int64, with y.long()."),
    "floats": (lambda y: y.float(), "{} is float32: give labels as int64, with y.long()."),
    "a list": (lambda y: y.tolist(), "{} is a list: give a torch.Tensor."),
    "one too few": (lambda y: y[1:], "{} has the shape ({less},): give a label for each of the {n} images."),
    "one-hot": (
        lambda y: torch.nn.functional.one_hot(y, 10),
        "{} has the shape ({n}, 10): give a label for each of the {n} images.",
    ),
    "a tenth class": (lambda y: y + 1, "{} has labels from 1 to 10: give the classes 0 to 9."),
    "negative": (lambda y: y - 1, "{} has labels from -1 to 8: give the classes 0 to 9."),
}
CASES = [
    (f"{part}_{split}", spoil, sentence)
    for part, cases in (("x", BAD_PIXELS), ("y", BAD_LABELS))
    for spoil, sentence in cases.values()
    for split in ("train", "test")
]
NAMES = [f"{what}, {split}" for cases in (BAD_PIXELS, BAD_LABELS) for what in cases for split in ("train", "test")]


def refusal(tensors: dict[str, Any]) -> str:
    with pytest.raises(DataError) as caught:
        Images("bad", **tensors)
    return str(caught.value)


@pytest.mark.parametrize(("name", "spoil", "sentence"), CASES, ids=NAMES)
def test_what_cannot_be_trained_on_is_refused_in_one_sentence(
    name: str, spoil: Callable[[Tensor], Any], sentence: str, good: dict[str, Tensor]
) -> None:
    n = len(good[name])
    assert refusal(good | {name: spoil(good[name])}) == sentence.format(name, n=n, less=n - 1)


@pytest.mark.parametrize(("missing", "spoken"), [((7,), "7"), ((0, 3, 9), "0, 3, 9")])
def test_a_test_split_without_a_class_is_refused_and_the_class_is_named(
    missing: tuple[int, ...], spoken: str, good: dict[str, Tensor]
) -> None:
    keep = ~torch.isin(good["y_test"], torch.tensor(missing))
    without = good | {"x_test": good["x_test"][keep], "y_test": good["y_test"][keep]}
    expected = f"x_test has no image of class {spoken}: give at least one of each class from 0 to 9."
    assert refusal(without) == expected


def test_the_train_split_may_be_of_few_classes(good: dict[str, Tensor]) -> None:
    ones = good["y_train"] == 1
    images = Images("ones", good["x_train"][ones], good["y_train"][ones], good["x_test"], good["y_test"])
    assert set(images.y_train.tolist()) == {1}


@pytest.mark.parametrize("name", TENSORS)
def test_tensors_on_different_devices_are_refused(name: str, good: dict[str, Tensor]) -> None:
    """ "meta" is a device that every machine has."""
    said = refusal(good | {name: good[name].to("meta")})
    assert said.startswith("The images lie on different devices (") and f"{name} on meta" in said
    assert said.endswith("): move all to one with .to(device).") and said.count("on cpu") == 3
