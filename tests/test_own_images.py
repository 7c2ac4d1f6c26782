"""Images of one's own: what is taken, what is refused and why, and a training on them from the command line."""

import hashlib
import io
import json
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.test_datasets import idx
from vae_core import datasets, train
from vae_core.data import load, own
from vae_core.data.images import DataError
from vae_core.data.own_arrays import gather_arrays, read_arrays
from vae_core.data.own_files import Limits, files_in_zip, fit, gather
from vae_core.data.own_set import about, as_name

DRAW = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for image sets, empty at first."""
    monkeypatch.setenv("ELBO_ROOM_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def noise(*shape: int, most: int = 256, kind: type = np.uint8) -> np.ndarray:
    return DRAW.integers(0, most, shape).astype(kind)


def encoded(pixels: np.ndarray, kind: str = "PNG", mode: str = "") -> bytes:
    """A picture file."""
    image, file = Image.fromarray(pixels), io.BytesIO()
    (image.convert(mode) if mode else image).save(file, kind)
    return file.getvalue()


def with_header(width: int, height: int) -> bytes:
    """A PNG file of a few bytes whose header promises so many pixels."""

    def chunk(kind: bytes, held: bytes) -> bytes:
        return struct.pack(">I", len(held)) + kind + held + struct.pack(">I", zlib.crc32(kind + held))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


GOOD: dict[str, tuple[int, Callable[[], bytes]]] = {
    "jpg": (60, lambda: encoded(noise(40, 50, 3), "JPEG")),
    "alpha": (30, lambda: encoded(noise(28, 28, 4))),
    "grey": (20, lambda: encoded(noise(31, 9))),
    "bits16": (20, lambda: encoded(noise(30, 30, most=65536, kind=np.uint16))),
    "palette": (20, lambda: encoded(noise(64, 33, 3), mode="P")),
    "bilevel": (10, lambda: encoded(noise(64, 33), mode="1")),
}
BAD: dict[str, tuple[int, Callable[[], bytes], str]] = {
    "text": (10, lambda: b"hello", "The file is no PNG or JPEG picture"),
    "gif": (5, lambda: encoded(noise(28, 28), "GIF"), "The file is no PNG or JPEG picture"),
    "empty": (5, lambda: b"", "The file is empty"),
    "cut": (8, lambda: encoded(noise(60, 60, 3), "JPEG")[:900], "The file is damaged or incomplete"),
    "huge": (5, lambda: with_header(60_000, 60_000), "The picture has 60000 by 60000 pixels and may have"),
    "dot": (5, lambda: encoded(noise(1, 1)), "The picture has 1 by 1 pixels: give at least 8"),
    "line": (2, lambda: encoded(noise(1, 900)), "The picture has 900 by 1 pixels: give at least 8"),
}


@pytest.fixture(scope="module")
def pictures() -> dict[str, bytes]:
    """200 files of all kinds in two folders, by name."""
    kinds = [(kind, count, made) for kind, (count, made) in GOOD.items()]
    kinds += [(kind, count, made) for kind, (count, made, _) in BAD.items()]
    files = {f"{('cat', 'dog')[i % 2]}/{kind}{i}": made() for kind, count, made in kinds for i in range(count)}
    assert len(files) == 200
    return files


def unpacked(pictures: dict[str, bytes], folder: Path) -> Path:
    for name, held in pictures.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(held)
    return folder


def zipped(files: dict[str, bytes]) -> io.BytesIO:
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, held in files.items():
            archive.writestr(name, held)
    return result


def test_every_file_is_counted_and_the_refused_ones_have_their_reason(
    pictures: dict[str, bytes], tmp_path: Path
) -> None:
    found = own.read_path(unpacked(pictures, tmp_path / "mixed"))
    assert found.x.shape == (160, 28, 28) and found.x.dtype == np.uint8
    assert found.labels is not None and Counter(found.labels.tolist()) == {"cat": 80, "dog": 80}
    for kind, (count, _, reason) in BAD.items():
        given = [why for name, why in found.refused if name.split("/")[1].startswith(kind)]
        assert len(given) == count and all(why.startswith(reason) and "\n" not in why for why in given), kind
    assert len(found.refused) == 40
    same = gather(files_in_zip(zipped({f"top/{name}": held for name, held in pictures.items()})))
    assert np.array_equal(same.x, found.x) and same.labels is not None
    assert (same.labels == found.labels).all() and [why for _, why in same.refused] == [w for _, w in found.refused]


def test_a_training_from_the_command_line_names_the_checksum_of_what_was_read(
    pictures: dict[str, bytes], tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = unpacked(pictures, tmp_path / "mixed")
    assert own.main([str(folder), "--name", "pets"]) == 0
    said = capsys.readouterr().out
    assert "160 images: 134 train, 26 test (one in 6 is for the test, drawn with seed 0); 2 classes (cat, dog)" in said
    assert "40 refused" in said and said.count("refused  ") == 20
    assert own.main([str(folder), "--name", "pets"]) == 2  # nothing is overwritten
    options = ["--dataset", "pets", "--steps", "2", "--device", "cpu", "--out", str(tmp_path / "run")]
    assert train.main(options) == 0
    with np.load(data / "own" / "pets" / "images.npz", allow_pickle=False) as held:
        parts = [held[name].tobytes() for name in ("x_train", "y_train", "x_test", "y_test")]
    right = hashlib.sha256(b"".join(parts)).hexdigest()
    card = json.loads((tmp_path / "run" / "card.json").read_text())
    assert card["data"] == {"name": "pets", "train": 134, "test": 26, "classes": 2, "sha256": right}
    assert about("pets")["sha256"] == right and about("pets")["refused_count"] == 40
    assert datasets.names()[-1] == "pets" and load("pets", torch.device("cpu")).class_names == ("cat", "dog")
    assert [path.name for path in (data / "own").iterdir()] == ["pets"]  # nothing half made beside it


def test_the_split_takes_a_share_of_each_class_and_is_a_function_of_the_seed() -> None:
    labels = np.repeat(["a", "b", "c"], [60, 12, 2])
    found = own.Gathered(noise(75, 28, 28), np.append(labels, "alone"))
    made, again, other = (own.make(found, "x", seed) for seed in (0, 0, 1))
    assert np.bincount(made.arrays["y_test"]).tolist() == [10, 2, 1] and made.count == 74
    assert made.refused == [("image 74", "It is the only one of its class, and training and test need one each.")]
    assert all(np.array_equal(made.arrays[name], again.arrays[name]) for name in made.arrays)
    assert not np.array_equal(made.arrays["x_test"], other.arrays["x_test"])
    rows = {image.tobytes() for image in (*made.arrays["x_train"], *made.arrays["x_test"])}
    assert rows == {image.tobytes() for image in found.x[:74]}


def test_a_picture_keeps_its_aspect_and_its_rim_has_the_colour_of_its_border() -> None:
    wide = np.full((56, 112), 200, np.uint8)
    wide[14:42, 28:84] = 0
    small = fit(Image.fromarray(wide))
    expected = np.full((28, 28), 200, np.uint8)
    expected[7:21] = wide.reshape(14, 4, 28, 4).mean((1, 3))  # areas, averaged by hand
    assert np.array_equal(small, expected)
    same = noise(28, 28)
    assert np.array_equal(fit(Image.fromarray(same)), same)


def test_folders_are_labels_only_where_there_are_several() -> None:
    png = encoded(noise(28, 28))
    one = gather(files_in_zip(zipped({f"top/{i}.png": png for i in range(3)})))
    assert one.labels is None and len(one.x) == 3
    nested = gather(files_in_zip(zipped({"a/x/1.png": png, "b/x/2.png": png})))
    assert nested.labels is None  # both are "x"
    beside = gather(files_in_zip(zipped({"1.png": png, "a/2.png": png, "b/3.png": png, "__MACOSX/a/._2.png": b""})))
    assert beside.labels is not None and beside.labels.tolist() == ["a", "b"]
    assert beside.refused == [("1.png", "It lies beside the sub-folders, and these are the labels.")]


def test_eleven_classes_have_no_colours_so_their_labels_are_left_out() -> None:
    found = own.Gathered(noise(33, 28, 28), np.repeat([str(i) for i in range(11)], 3))
    made = own.make(found, "x")
    assert made.about["class_names"] == [] and "without their 11 labels" in made.about["split"]
    ten = own.make(own.Gathered(found.x[:30], found.labels[:30]), "x")  # type: ignore[index]
    assert ten.about["class_names"] == [str(i) for i in range(10)]


# ---- arrays


def saved(**arrays: np.ndarray) -> io.BytesIO:
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=True, **arrays)
    file.seek(0)
    return file


ARRAYS: dict[str, tuple[dict[str, np.ndarray], int, list[str]]] = {
    "grey bytes": ({"x": noise(30, 28, 28)}, 30, []),
    "floats with a channel": ({"x": DRAW.random((30, 1, 28, 28)), "y": np.arange(30) % 3}, 30, ["0", "1", "2"]),
    "colours of another size": ({"x": noise(30, 40, 20, 3), "y": np.array(["no", "yes"] * 15)}, 30, ["no", "yes"]),
    "black and white": ({"x": noise(30, 28, 28, most=2, kind=np.bool_), "y": np.arange(30.0) % 2}, 30, ["0", "1"]),
    "split": (
        {
            "x_train": noise(30, 28, 28),
            "y_train": np.arange(30) % 2,
            "x_test": noise(4, 28, 28),
            "y_test": np.arange(4) % 2,
        },
        34,
        ["0", "1"],
    ),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_become_grey_images(name: str) -> None:
    arrays, count, classes = ARRAYS[name]
    made = own.make(gather_arrays(read_arrays(saved(**arrays), Limits()), Limits()), "x")
    assert made.count == count and made.about["class_names"] == classes
    if name == "split":
        assert np.array_equal(made.arrays["x_test"], arrays["x_test"])
    if name == "floats with a channel":
        rows = {image.tobytes() for image in (*made.arrays["x_train"], *made.arrays["x_test"])}
        assert rows == {np.rint(255 * image).astype(np.uint8).tobytes() for image in arrays["x"]}


def test_idx_files_are_read_with_their_split(tmp_path: Path) -> None:
    names = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
    arrays = [noise(20, 28, 28), np.arange(20) % 2, noise(6, 28, 28), np.arange(6) % 2]
    for name, array in zip(names, arrays, strict=True):
        (tmp_path / name).write_bytes(idx(array.astype(np.uint8)))
    made = own.make(own.read_path(tmp_path), "x")
    assert np.array_equal(made.arrays["x_train"], arrays[0]) and made.arrays["y_test"].tolist() == [0, 1] * 3
    assert len(own.read_path(tmp_path / names[0]).x) == 20  # one file alone


def test_an_image_with_a_value_that_is_no_number_is_refused_alone() -> None:
    x = DRAW.random((25, 28, 28))
    x[7, 3, 3] = np.nan
    made = own.make(gather_arrays({"x": x}, Limits()), "x")
    assert made.count == 24 and made.refused == [("image 7", "It holds a value that is no number.")]


REFUSED: dict[str, tuple[Callable[[], io.BytesIO], str]] = {
    "objects": (lambda: saved(x=np.array([print, None], dtype=object)), "The array x holds objects, which are never"),
    "another name": (lambda: saved(pictures=noise(30, 28, 28)), "There are no arrays of images: give x and perhaps y"),
    "flat": (lambda: saved(x=noise(30, 784)), r"x has the shape \(30, 784\): give images as \(N, H, W\)"),
    "beyond 255": (lambda: saved(x=noise(30, 28, 28, most=999, kind=np.int32)), "x has values from 0 to 99"),
    "texts": (lambda: saved(x=np.full((30, 28, 28), "a")), "x holds <U1: give numbers"),
    "one-hot": (lambda: saved(x=noise(30, 28, 28), y=noise(30, 10)), r"y is uint8 \(30, 10\): give a whole number or"),
    "dots": (lambda: saved(x=noise(30, 2, 2)), "x cannot be made 28 × 28: The picture has 2 by 2 pixels"),
    "few": (lambda: saved(x=noise(19, 28, 28)), "There are 19 images, and it takes 20 to train: give more"),
    "black": (lambda: saved(x=np.zeros((30, 28, 28), np.uint8)), "x_train holds nothing above 1"),
    "text": (lambda: io.BytesIO(b"hello"), "images.npz is no zip, npz or idx file"),
    "cut": (lambda: io.BytesIO(saved(x=noise(30, 28, 28)).getvalue()[:5000]), "The npz file is damaged"),
    "large": (lambda: saved(x=np.zeros((3000, 28, 28), np.uint8)), "The array x has 2 MB and may have 2: give less"),
    "one label": (
        lambda: saved(x_train=noise(20, 28, 28), y_train=noise(20), x_test=noise(9, 28, 28)),
        "One split has",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_trained_on_is_one_sentence(name: str) -> None:
    file, sentence = REFUSED[name]
    with pytest.raises(DataError, match=f"^{sentence}") as caught:
        own.make(own.read_file(file(), "images.npz", Limits(bytes=1_500_000)), "x")
    assert "\n" not in str(caught.value)


# ---- what is meant to do harm


def test_a_zip_file_puts_nothing_anywhere_and_a_bomb_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    png = encoded(noise(28, 28))
    names = ("../../escaped.png", "/escaped2.png", "a/../../../b.png")
    found = gather(files_in_zip(zipped(dict.fromkeys(names, png))))
    assert len(found.x) + len(found.refused) == 3 and not list(tmp_path.parent.glob("*.png"))
    assert not list(tmp_path.rglob("*.png"))
    bomb = zipped({"1.png": bytes(30_000_000)})
    found = gather(files_in_zip(bomb))
    assert len(found.x) == 0 and all(why.startswith("The file has 10.0 MB") for _, why in found.refused)
    for limits in (Limits(bytes=1_500_000), Limits(pixels=2_000), Limits(images=2)):
        files = {f"{i}.png": png + bytes(900_000 if limits.bytes < 10**7 else 0) for i in range(3)}
        with pytest.raises(DataError, match=r"^That is more than can be taken .*: give fewer or smaller pictures\.$"):
            gather(files_in_zip(zipped(files)), limits)


def test_a_header_that_promises_too_much_allocates_nothing() -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**9, 28, 28)})
    with pytest.raises(DataError, match="and may have 8,000: give less"):
        read_arrays(zipped({"x.npy": header.getvalue()}), Limits())


def test_a_set_that_was_tampered_with_is_not_read(data: Path) -> None:
    made = own.make(own.Gathered(noise(30, 28, 28)), "mine")
    own.save(data / "own" / "mine", made.arrays, made.about)
    np.savez_compressed(data / "own" / "mine" / "images.npz", **(made.arrays | {"x_test": noise(5, 28, 28)}))
    with pytest.raises(DataError, match="their checksum differs"):
        load("mine", torch.device("cpu"))
    for text in ("", "[]", "{}", '{"class_names": 3}', "[" * 100_000):
        (data / "own" / "mine" / "set.json").write_text(text)
        with pytest.raises(DataError, match=r"have no usable set\.json"):
            load("mine", torch.device("cpu"))


@pytest.mark.parametrize("name", ["mnist", "own-1", "Pets", "a b", "../x", "", "circles", "1st", "x" * 41])
def test_a_name_that_cannot_be_taken(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be taken"):
        as_name(name)
    assert own.main([str(tmp_path), "--name", name]) == 2
