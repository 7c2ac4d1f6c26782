"""Image sets by their names: Circles against a disc counted out, idx files against torchvision, what is not here."""

import gzip
import hashlib
import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.browser.setup import FASHION, WITHOUT_FASHION
from vae_core import cards, datasets, train
from vae_core.config import ConfigError, RunConfig
from vae_core.data import Images, fetch, load
from vae_core.data.declaration import Declaration, checksum
from vae_core.data.idx import IdxError, read_idx
from vae_core.data.idx_set import FILES, Published, read_published
from vae_core.data.images import DataError
from vae_core.data.sets import circles, fashion, kmnist, published_set, read

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for image sets, empty at first."""
    monkeypatch.setenv("ELBO_ROOM_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


# ---- names


def test_sets_are_found_by_their_names_mnist_first() -> None:
    assert datasets.names() == ("mnist", "circles", "fashion", "kmnist")
    assert all(RunConfig(dataset=name).dataset == name for name in datasets.names())


@pytest.mark.parametrize("name", ["mnits", "", "../mnist", "MNIST", "sets/mnist", "__init__", 3, None, "x" * 41])
def test_an_unknown_set_is_one_sentence(name: object) -> None:
    with pytest.raises(ConfigError, match=r"^dataset .* is unknown: choose mnist, circles, fashion or kmnist\.$"):
        RunConfig(dataset=name)  # type: ignore[arg-type]


def test_an_upload_may_be_gone_while_a_run_still_names_it() -> None:
    name = f"own-{'0f' * 12}"
    assert RunConfig(dataset=name).dataset == name
    with pytest.raises(DataError, match=r"are not here any more: upload them again, or choose another dataset\.$"):
        load(name, CPU)


def test_the_folder_is_that_of_the_variable_else_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ELBO_ROOM_DATA", str(tmp_path))
    assert datasets.folder() == tmp_path
    monkeypatch.delenv("ELBO_ROOM_DATA")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    assert datasets.folder() == tmp_path / "share" / "elbo-room"


# ---- circles


def counted(x: float, y: float, radius: float, row: int, column: int, parts: int = 200) -> float:
    """The share of a pixel that a disc covers, by trying 40,000 points in it."""
    middles = (np.arange(parts) + 0.5) / parts
    across, down = column + middles[None, :], row + middles[:, None]
    return float(((across - x) ** 2 + (down - y) ** 2 <= radius**2).mean())


def test_a_pixel_of_a_disc_is_the_share_that_it_covers() -> None:
    factors = circles.draw_factors(6, seed=3)
    pictures = circles.draw(factors)
    for (x, y, radius), picture in zip(factors, pictures, strict=True):
        for row in range(0, 28, 2):
            for column in range(28):
                assert abs(picture[row, column] / 255 - counted(x, y, radius, row, column, 40)) <= 0.04
    area = pictures.reshape(6, -1).sum(1) / 255
    assert np.allclose(area, np.pi * factors[:, 2] ** 2, rtol=0.002)


def test_discs_lie_inside_and_their_factors_are_uniform_and_independent() -> None:
    factors = circles.draw_factors(20_000, seed=1)
    low, high = factors.min(0), factors.max(0)
    assert (low >= [9, 9, 3]).all() and (high <= [19, 19, 8]).all()
    unit = (factors - [9, 9, 3]) / [10, 10, 5]
    assert np.abs(unit.mean(0) - 0.5).max() < 5 * (1 / 12 / 20_000) ** 0.5
    assert np.abs(np.corrcoef(unit.T) - np.eye(3)).max() < 5 / 20_000**0.5
    border = circles.draw(factors[:500])
    assert not border[:, [0, 27]].any() and not border[:, :, [0, 27]].any()
    assert np.array_equal(circles.draw_factors(7, 1), factors[:7])  # a function of the seed


@pytest.fixture(scope="module")
def few_circles() -> Images:
    """A hundredth of the set."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(circles, "DECLARED", replace(circles.DECLARED, train=600, test=100))
        return read("circles", CPU)


def test_circles_come_with_the_factors_that_they_were_drawn_from(few_circles: Images) -> None:
    assert few_circles.factor_names == ("x", "y", "radius") and few_circles.classes == 0
    assert few_circles.factors_train is not None and few_circles.factors_train.shape == (600, 3)
    assert few_circles.factors_test is not None and few_circles.factors_test.dtype == torch.float32
    again = circles.draw(few_circles.factors_test.double().numpy())
    assert np.abs(again.astype(int) - few_circles.x_test[:, 0].numpy()).max() <= 1  # float32 of what was drawn
    weights = few_circles.x_test[:, 0].double()
    middle = (weights.sum(1) * (torch.arange(28) + 0.5)).sum(1) / weights.sum((1, 2))
    assert (middle - few_circles.factors_test[:, 0]).abs().max() < 0.02  # the centre of mass is the centre


def test_factors_that_do_not_fit_are_refused(few_circles: Images) -> None:
    with pytest.raises(DataError, match=r"^factors_train does not fit to factor_names: give 3 numbers for each of 600"):
        replace(few_circles, factors_train=few_circles.factors_test)


def test_a_training_on_circles_writes_the_checksum_of_what_it_saw(
    few_circles: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vae_core.trainer.load", lambda name, device: few_circles if name == "circles" else None)
    options = ["--dataset", "circles", "--epochs", "1", "--device", "cpu", "--out", str(tmp_path / "run")]
    assert train.main(options) == 0
    card = json.loads((tmp_path / "run" / "card.json").read_text())
    arrays = circles.draw(circles.draw_factors(700, circles.SEED))
    labels = bytes(600), bytes(100)
    right = hashlib.sha256(arrays[:600].tobytes() + labels[0] + arrays[600:].tobytes() + labels[1]).hexdigest()
    assert card["data"] == {"name": "circles", "train": 600, "test": 100, "classes": 0, "sha256": right}
    assert card["config"]["dataset"] == "circles" and "--dataset circles" in card["command"]
    assert cards.read_whole_card(tmp_path / "run" / "card.json")["test"]["images"] == 100


# ---- idx files


@pytest.mark.parametrize("shape", [(7,), (3, 5, 4), (2, 28, 28)])
@pytest.mark.parametrize("packed", [False, True])
def test_an_idx_file_is_read_as_torchvision_reads_it(shape: tuple[int, ...], packed: bool, tmp_path: Path) -> None:
    from vae_core.vision import datasets as loaders  # makes torchvision importable beside this torch

    data = idx(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
    (tmp_path / "file").write_bytes(data)
    found = read_idx(gzip.compress(data) if packed else data, 10_000)
    theirs = loaders.mnist.read_sn3_pascalvincent_tensor(str(tmp_path / "file"), strict=False)
    assert torch.equal(torch.from_numpy(found), theirs)


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


GOOD = idx(np.zeros((3, 4), np.uint8))
BAD = {
    "empty": b"",
    "text": b"hello, this is text",
    "floats": b"\x00\x00\x0d" + GOOD[3:],
    "short": GOOD[:-1],
    "long": GOOD + b"x",
    "large": struct.pack(">HBBII", 0, 8, 2, 2**31, 2**31),
    "bomb": gzip.compress(struct.pack(">HBBI", 0, 8, 1, 2**32 - 1) + bytes(10**6)),
    "half packed": gzip.compress(GOOD)[:-9],
}


@pytest.mark.parametrize("name", BAD)
def test_a_broken_idx_file_is_named(name: str) -> None:
    with pytest.raises(IdxError):
        read_idx(BAD[name], 1_000)


# ---- sets that do not ship


def tiny(folder: Path, name: str = "tiny", seed: int = 0) -> Published:
    """Four files in `folder`, and a set that is published as them."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(seed)
    for key, file in FILES.items():
        count = 4 if "train" in key else 2
        shape = (count, 28, 28) if key.startswith("x") else (count,)
        (folder / file).write_bytes(gzip.compress(idx(draw.integers(0, 9, shape, dtype=np.uint8)), mtime=0))
    md5 = {key: hashlib.md5((folder / file).read_bytes()).hexdigest() for key, file in FILES.items()}
    return Published(name, "Tiny", md5, {}, "dataset-tiny", str(folder.parent / "debian"))


SAYS = Declaration("Tiny", "", 4, 2)


def test_files_are_found_in_each_of_the_three_places(data: Path, tmp_path: Path) -> None:
    published = tiny(tmp_path / "debian")
    packed = read_published(published, SAYS)  # where the package puts them
    assert packed["x_train"].shape == (4, 28, 28) and packed["y_test"].shape == (2,)
    for place in (data / "tiny", data / "Tiny" / "raw"):
        assert place in published.folders
    other = tiny(data / "Tiny" / "raw", seed=1)  # torchvision's is looked into before
    assert not np.array_equal(read_published(other, SAYS)["x_train"], packed["x_train"])


def test_files_packed_anew_are_known_by_what_they_hold(tmp_path: Path) -> None:
    published = tiny(tmp_path / "debian", name="anew")
    held = {key: hashlib.sha256(array.tobytes()).hexdigest() for key, array in read_published(published, SAYS).items()}
    for file in FILES.values():
        path = tmp_path / "debian" / file
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), 1, mtime=7))
    with pytest.raises(DataError, match="is not Tiny"):
        read_published(published, SAYS)
    assert read_published(replace(published, sha256=held), SAYS)["x_test"].shape == (2, 28, 28)


def test_another_sets_files_under_the_same_names_are_refused(tmp_path: Path) -> None:
    published = tiny(tmp_path / "debian", name="other")
    tiny(tmp_path / "debian", seed=5)
    with pytest.raises(DataError, match=r"is not Tiny \(not the file that was published; .*\): remove it, then run"):
        read_published(published, SAYS)


def test_what_is_not_here_says_what_to_put_where_and_asks_no_network(
    monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **named: pytest.fail("a network was asked"))
    with pytest.raises(DataError) as caught:
        load("kmnist", CPU)
    said = str(caught.value)
    assert "python -m vae_core.data.fetch kmnist" in said and str(data / "kmnist") in said and "\n" not in said
    config = RunConfig(dataset="kmnist", device="cpu")
    assert train.main(["--dataset", config.dataset, "--device", "cpu", "--out", str(data / "run")]) == 2


def test_checksums_and_classes_are_those_that_torchvision_publishes() -> None:
    from vae_core.vision import datasets as loaders

    for module in (fashion, kmnist):
        loader = getattr(loaders, module.PUBLISHED.loader)
        published = {file: module.PUBLISHED.md5[key] for key, file in FILES.items()}
        assert dict(loader.resources) == published and tuple(loader.classes) == module.DECLARED.class_names


@pytest.mark.skipif(not FASHION.is_dir(), reason=WITHOUT_FASHION)
def test_debians_fashion_mnist_has_the_published_mean_and_counts() -> None:
    arrays = fashion.read()
    assert round(arrays["x_train"].mean() / 255, 4) == 0.2860 and round(arrays["x_train"].std() / 255, 4) == 0.3530
    assert np.bincount(arrays["y_train"]).tolist() == [6000] * 10 and arrays["y_train"][0] == 9


def test_fetch_asks_torchvision_says_what_failed_and_fetches_nothing_twice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], data: Path
) -> None:
    asked = []

    def offline(root: str, download: bool) -> None:
        asked.append((root, download))
        raise RuntimeError("no\nmirror")

    monkeypatch.setattr("vae_core.vision.datasets.KMNIST", offline)
    assert fetch.main(["kmnist"]) == 2 and asked == [(str(data), True)]
    said = capsys.readouterr().err
    assert said.startswith("error: KMNIST cannot be fetched (no mirror): ") and said.count("\n") == 1
    (data / "kmnist").mkdir(parents=True)
    monkeypatch.setattr(fetch, "read_published", lambda *args: {})  # all is here
    assert fetch.main(["kmnist"]) == 0 and len(asked) == 1
    assert fetch.main(["mnist"]) == 2 and "fashion or kmnist" in capsys.readouterr().err
    assert published_set("mnist") is None


def test_the_checksum_of_mnist_is_that_of_its_bytes(small: Images) -> None:
    x, y = (getattr(small, f"{name}_train").numpy().astype(np.uint8) for name in "xy")
    arrays = {"x_train": x, "y_train": y, "x_test": x[:1], "y_test": y[:1].astype(np.int64)}
    right = hashlib.sha256(x.tobytes() + y.tobytes() + x[:1].tobytes() + y[:1].tobytes()).hexdigest()
    assert checksum(arrays) == right
