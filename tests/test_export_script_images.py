"""The script that repeats a run finds its images by itself, fetches them, or says in one sentence what to put where."""

import functools
import gzip
import hashlib
import os
import re
import struct
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from tests.script_runner import Ended, run_here
from tests.told import tell
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.export.script import repeat_script
from vae_core.trainer import Trainer

NOWHERE = "http://127.0.0.1:9"
FILES = {"x_train": "train-images-idx3-ubyte.gz", "x_test": "t10k-images-idx3-ubyte.gz"}


@pytest.fixture(scope="module")
def few(small: Images) -> Images:
    return Images("mnist", small.x_train[:64], small.y_train[:64], small.x_test[:100], small.y_test[:100])


@pytest.fixture(scope="module")
def script(few: Images) -> str:
    """Of a run of two steps."""
    return repeat_script(tell(Trainer(RunConfig(device="cpu", batch_size=32, widths="8", steps=2), few), 2, {}))


@pytest.fixture(scope="module")
def files(few: Images) -> dict[str, bytes]:
    """MNIST's own files, of a few images."""
    arrays = {"x_train": few.x_train[:, 0].cpu().numpy(), "x_test": few.x_test[:, 0].cpu().numpy()}
    return {
        FILES[name]: gzip.compress(struct.pack(">IIII", 0x803, *x.shape) + x.tobytes(), mtime=0)
        for name, x in arrays.items()
    }


def run(script: str, folder: Path, *arguments: str, mirror: str = NOWHERE) -> Ended:
    """From another folder, with no images but those in its own."""
    (folder / "away").mkdir(exist_ok=True)
    (folder / "repeat.py").write_text(script, encoding="utf-8")
    bare = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")} | {"MNIST_MIRROR": mirror}
    with mock.patch.dict(os.environ, bare, clear=True):
        return run_here(folder / "repeat.py", folder / "away", *arguments)


def test_the_head_names_the_file_by_one_name(script: str) -> None:
    head = script.split('"""')[1]
    assert "repeat.py mnist.npz curve.csv" in head
    assert "mnist.npz is ELBO Room's vae_core/data/mnist.npz" in head
    assert not re.search(r"\b(FILE|IMAGES|NAME)\b", head)


def figures(result: Ended) -> str:
    assert result.returncode == 0, result.stderr
    (line,) = re.findall(r"^-ELBO .* nats per image .*$", result.stdout, re.MULTILINE)
    return line


def test_help_needs_no_images(script: str, tmp_path: Path) -> None:
    result = run(script, tmp_path, "--help")
    assert result.returncode == 0 and "mnist.npz" in result.stdout and "curve" in result.stdout


@pytest.mark.parametrize("place", [".", "MNIST/raw"])
def test_files_near_it_are_found(place: str, script: str, files: dict[str, bytes], few: Images, tmp_path: Path) -> None:
    """Packed or not, and they give the same figures as an npz file that is named."""
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        plain = place == "MNIST/raw"
        (tmp_path / place / name.removesuffix(".gz" if plain else "")).write_bytes(
            gzip.decompress(data) if plain else data
        )
    named = tmp_path / "away.npz"
    np.savez(named, x_train=few.x_train[:, 0].cpu(), x_test=few.x_test[:, 0].cpu())
    assert figures(run(script, tmp_path)) == figures(run(script, tmp_path, str(named)))


@pytest.fixture
def mirror(files: dict[str, bytes], tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "mirror"
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(SimpleHTTPRequestHandler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_what_is_not_there_is_fetched_once(script: str, files: dict[str, bytes], mirror: str, tmp_path: Path) -> None:
    for name, data in files.items():  # the mirror of the test has other files than MNIST's
        script, count = re.subn(rf'("{name}", ")[0-9a-f]+', rf"\g<1>{hashlib.md5(data).hexdigest()}", script)
        assert count == 1
    first = figures(run(script, tmp_path, mirror=mirror))
    assert (tmp_path / FILES["x_test"]).read_bytes() == files[FILES["x_test"]]
    assert figures(run(script, tmp_path)) == first


def test_a_wrong_file_is_not_taken(script: str, mirror: str, tmp_path: Path) -> None:
    result = run(script, tmp_path, mirror=mirror)
    assert result.returncode and "not the file that it should be" in result.stderr
    assert not list(tmp_path.glob("*.gz"))


@pytest.mark.parametrize("arguments", [(), ("nowhere.npz",)])
def test_where_there_are_none_one_sentence_says_what_to_do(
    arguments: tuple[str, ...], script: str, tmp_path: Path
) -> None:
    result = run(script, tmp_path, *arguments)
    assert result.returncode and "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert "nowhere.npz" in result.stderr if arguments else FILES["x_train"] in result.stderr
