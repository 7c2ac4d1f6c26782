"""The shipped images against published facts of MNIST; the three protocols; damaged files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from vae_core.data import Images, load, prepare
from vae_core.data.images import DataError
from vae_core.data.protocols import redraw
from vae_core.data.sets.mnist import FILE, read

# Published counts of the classes 0 to 9.
TRAIN_COUNTS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
TEST_COUNTS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


# ---- the shipped file


def test_splits_have_mnist_shapes_and_types(mnist: Images) -> None:
    assert mnist.x_train.shape == (60_000, 1, 28, 28) and mnist.x_test.shape == (10_000, 1, 28, 28)
    assert mnist.y_train.shape == (60_000,) and mnist.y_test.shape == (10_000,)
    assert mnist.x_train.dtype == mnist.x_test.dtype == torch.uint8
    assert mnist.y_train.dtype == mnist.y_test.dtype == torch.int64


def test_labels_have_the_published_counts(mnist: Images) -> None:
    assert mnist.y_train.bincount().tolist() == TRAIN_COUNTS
    assert mnist.y_test.bincount().tolist() == TEST_COUNTS
    assert mnist.y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert mnist.y_test[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]


def test_pixels_have_the_published_sums(mnist: Images) -> None:
    """Mean 33.3184 (0.1307 of 255) and deviation 78.5675 (0.3081) over the train split, as everybody normalises."""
    assert mnist.x_train.sum().item() == 1_567_298_545
    assert mnist.x_test.sum().item() == 264_923_200
    assert round(mnist.x_train.float().mean().item() / 255, 4) == 0.1307
    assert round(mnist.x_train.float().std().item() / 255, 4) == 0.3081


def test_loading_twice_gives_the_same_tensors_whatever_points_come_between() -> None:
    first = load("mnist", torch.device("cpu"))
    few = [load(f"ring-40-{seed}", torch.device("cpu")) for seed in range(20)]
    assert load("mnist", torch.device("cpu")) is first and load("ring-40-0", torch.device("cpu")) is few[0]


def test_one_per_class_is_the_first_test_image_of_each(mnist: Images) -> None:
    labels = mnist.y_test.tolist()
    assert mnist.one_per_class().tolist() == [labels.index(digit) for digit in range(10)]


# ---- protocols


def test_grey_keeps_every_level(generator: torch.Generator) -> None:
    pixels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    x = prepare(pixels, "grey", generator)
    assert x.dtype == torch.float32 and x.shape == pixels.shape
    assert torch.equal(x.flatten(), torch.from_numpy(np.arange(256, dtype=np.float32) / np.float32(255)))
    assert (x.min().item(), x.max().item()) == (0.0, 1.0)


def test_threshold_cuts_between_127_and_128(generator: torch.Generator) -> None:
    pixels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    assert prepare(pixels, "threshold", generator).flatten().tolist() == [0.0] * 128 + [1.0] * 128


def test_dynamic_pixels_are_0_or_1_with_the_grey_value_as_mean(generator: torch.Generator) -> None:
    pixels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    draws = prepare(pixels.expand(20_000, 1, 16, 16), "dynamic", generator)
    assert set(draws.unique().tolist()) == {0.0, 1.0}
    grey = torch.arange(256).double().view(16, 16) / 255
    standard_error = (grey * (1 - grey) / len(draws)).sqrt()
    assert ((draws.double().mean((0, 1)) - grey).abs() <= 5 * standard_error).all()


def test_dynamic_is_redrawn_every_time_but_only_from_its_generator(mnist: Images) -> None:
    generator, same = torch.Generator().manual_seed(3), torch.Generator().manual_seed(3)
    first, second = (prepare(mnist.x_test[:5], "dynamic", generator) for _ in range(2))
    assert not torch.equal(first, second)
    torch.manual_seed(99)
    assert torch.equal(prepare(mnist.x_test[:5], "dynamic", same), first)


def test_static_is_one_redraw_an_image_whoever_asks_and_with_whom(mnist: Images, generator: torch.Generator) -> None:
    """Neither the place in a batch, nor the generator, nor the layout in memory changes the redraw of an image."""
    images = mnist.x_train[:300]
    x = prepare(images, "static", generator)
    assert x.shape == images.shape and x.dtype == torch.float32 and set(x.unique().tolist()) == {0.0, 1.0}
    order = torch.randperm(300, generator=torch.Generator().manual_seed(1))
    assert torch.equal(prepare(images[order], "static", torch.Generator().manual_seed(7)), x[order])
    strided = images.expand(2, 300, 1, 28, 28)[1].transpose(2, 3).contiguous().transpose(2, 3)
    assert torch.equal(prepare(strided, "static", generator), x)
    assert not torch.equal(redraw(images, 1), x)  # another seed of the data, another redraw


def test_static_pixels_are_independent_draws_of_the_grey_values(mnist: Images) -> None:
    """Over many images: the share of ones at each grey level; no pixel knows its neighbour, nor the next image's."""
    grey = mnist.x_test[:4000]
    p = grey.double() / 255
    off, var = prepare(grey, "static", torch.Generator()).double() - p, p * (1 - p)
    counts, sums = (torch.bincount(grey.flatten().long(), w.flatten(), 256) for w in (var, off))
    z = sums[1:255] / counts[1:255].sqrt()
    assert abs((z**2).mean() - 1) < 5 * (2 / 254) ** 0.5  # of 254 standard normals
    for a, b in ((off[..., 1:], off[..., :-1]), (off[:, :, 1:], off[:, :, :-1]), (off[1:], off[:-1])):
        assert abs((a * b).sum()) < 5 * (a * b).square().sum().sqrt()
    assert (off[grey == 0] == 0).all() and (off[grey == 255] == 0).all()


def test_two_images_that_differ_in_one_pixel_are_drawn_apart() -> None:
    one = torch.full((1, 1, 28, 28), 128, dtype=torch.uint8)
    other = one.clone()
    other[0, 0, 5, 5] = 129
    differ = (redraw(one, 0) != redraw(other, 0)).float().mean()
    assert 0.4 < differ < 0.6


@pytest.mark.requires_cuda
def test_static_is_the_same_on_a_gpu(mnist: Images) -> None:
    assert torch.equal(redraw(mnist.x_test[:500].cuda(), 0).cpu(), redraw(mnist.x_test[:500], 0))


@pytest.mark.parametrize("protocol", ["grey", "static", "threshold"])
def test_the_other_protocols_draw_nothing(protocol: str, mnist: Images, generator: torch.Generator) -> None:
    before = generator.get_state()
    prepare(mnist.x_test[:5], protocol, generator)
    assert torch.equal(generator.get_state(), before)


# ---- damaged files


def small_arrays() -> dict[str, np.ndarray]:
    """Right names and types, too few images: a file of 5 kB that is refused for its shape at the latest."""
    pixels = np.random.default_rng(0).integers(0, 50, (4, 28, 28), dtype=np.uint8)
    labels = np.arange(4, dtype=np.uint8)
    return {"x_train": pixels, "y_train": labels, "x_test": pixels, "y_test": labels}


def truncated(path: Path) -> None:
    path.write_bytes(FILE.read_bytes()[:1_000_000])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")


def one_key_missing(path: Path) -> None:
    arrays = small_arrays()
    del arrays["y_test"]
    np.savez(path, **arrays)


def pickled_objects(path: Path) -> None:
    np.savez(path, **(small_arrays() | {"x_train": np.array([print, None], dtype=object)}))


def wrong_shape(path: Path) -> None:
    np.savez(path, **small_arrays())


def wrong_type(path: Path) -> None:
    shapes = {"x_train": (60_000, 28, 28), "y_train": (60_000,), "x_test": (10_000, 28, 28), "y_test": (10_000,)}
    np.savez_compressed(path, **{k: np.zeros(s, np.float32 if k == "y_test" else np.uint8) for k, s in shapes.items()})


def single_array(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.zeros(3, np.uint8))


def flipped_compressed_byte(path: Path) -> None:
    np.savez_compressed(path, **small_arrays())
    raw = bytearray(path.read_bytes())
    for i in range(200, 400):
        raw[i] ^= 0xFF
    path.write_bytes(raw)


DAMAGES = [
    truncated,
    empty,
    text,
    one_key_missing,
    pickled_objects,
    wrong_shape,
    wrong_type,
    single_array,
    flipped_compressed_byte,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_one_sentence_that_says_what_to_do(damage: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "mnist.npz"
    damage(path)
    with pytest.raises(DataError) as caught:
        read(path)
    message = str(caught.value)
    assert message.startswith("The data file mnist.npz is damaged") and "vae_core.data.build" in message
    assert "\n" not in message and "unsafely" not in message  # numpy's own advice would be to unpickle it


def test_a_missing_file_is_one_sentence_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^The data file mnist.npz is missing: .*vae_core.data.build"):
        read(tmp_path / "mnist.npz")


def test_no_single_broken_byte_escapes_as_another_error(tmp_path: Path) -> None:
    """Every version of the 5 kB file is unusable, whichever byte is hit; all must be named as damaged."""
    path = tmp_path / "mnist.npz"
    np.savez_compressed(path, **small_arrays())
    raw = path.read_bytes()
    escaped = set()
    for i in range(0, len(raw), 3):
        path.write_bytes(raw[:i] + bytes([raw[i] ^ 0xFF]) + raw[i + 1 :])
        try:
            read(path)
        except DataError:
            continue
        except Exception as error:  # noqa: BLE001 (which ones escape is the question)
            escaped.add(f"{type(error).__module__}.{type(error).__name__}")
    assert escaped == set()


def test_reading_never_unpickles(tmp_path: Path) -> None:
    """An object array whose unpickling would write a file."""

    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "ran",))

    np.savez(tmp_path / "mnist.npz", **(small_arrays() | {"x_train": np.array([Trap()], dtype=object)}))
    with pytest.raises(DataError):
        read(tmp_path / "mnist.npz")
    assert not (tmp_path / "ran").exists()
