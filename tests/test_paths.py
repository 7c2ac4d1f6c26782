"""Where the core takes a path it takes text as well: the same file comes of both."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vae_core import checkpoints, models, vision
from vae_core.checkpoints import CARD, WEIGHTS
from vae_core.config import RunConfig
from vae_core.data import Images, build
from vae_core.data.sets.mnist import FILE, read
from vae_core.evaluate import final_metrics
from vae_core.inspect.snapshot import Snapshot
from vae_core.runs import snapshot_file, storage
from vae_core.runs.command_line import Recorder, keep_run
from vae_core.runs.run_record import RunRecord
from vae_core.trainer import Trainer

CORE = Path(__file__).resolve().parents[1] / "vae_core"
CONFIG = RunConfig(device="cpu", latent_dim=3, seed=4)
both = pytest.mark.parametrize("kind", [str, Path])


def bytes_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@both
def test_a_checkpoint_is_saved_and_loaded(kind: Callable[[Path], Any], tmp_path: Path) -> None:
    model = models.build(CONFIG)
    checkpoints.save(kind(tmp_path / "deep" / "down"), model, {"config": CONFIG.to_dict()}, [])
    loaded = checkpoints.load(kind(tmp_path / "deep" / "down"))
    assert loaded.folder == tmp_path / "deep" / "down" and isinstance(loaded.folder, Path)
    assert all(torch.equal(v, loaded.model.state_dict()[k]) for k, v in model.state_dict().items())
    assert checkpoints.read_card(kind(loaded.folder / CARD)) == {"config": CONFIG.to_dict()}
    shapes = {k: tuple(v.shape) for k, v in model.state_dict().items()}
    assert checkpoints.read_tensors(kind(loaded.folder / WEIGHTS), shapes).keys() == shapes.keys()


@both
def test_a_file_is_replaced(kind: Callable[[Path], Any], tmp_path: Path) -> None:
    checkpoints.check_writable(kind(tmp_path / "new"))
    with checkpoints.replacing(kind(tmp_path / "new" / "file")) as file:
        file.write(b"whole")
    assert bytes_in(tmp_path) == {"file": b"whole"}


def test_a_refusal_names_the_path_that_was_given_as_text(tmp_path: Path) -> None:
    for refused in (checkpoints.load, checkpoints.read_card):
        with pytest.raises(checkpoints.CheckpointError, match=r"nowhere.* cannot be read"):
            refused(str(tmp_path / "nowhere"))


@both
def test_frames_and_states_are_found(
    kind: Callable[[Path], Any], tmp_path: Path, snapshot_of_new_model: Snapshot
) -> None:
    path = storage.frame_file(kind(tmp_path), 7)
    assert path == tmp_path / "000000007.safetensors.gz"
    path.write_bytes(snapshot_file.packed(snapshot_file.frame_bytes(snapshot_of_new_model)))
    storage.state_file(kind(tmp_path), 9).touch()
    assert storage.frames_in(kind(tmp_path)) == [7] and storage.steps_in(kind(tmp_path)) == [9]
    assert snapshot_file.unpacked(kind(path)) == snapshot_file.frame_bytes(snapshot_of_new_model)
    numbers, arrays = snapshot_file.read_frame(kind(path))
    assert numbers["step"] == 0 and np.array_equal(arrays["labels"], snapshot_of_new_model.labels)
    assert np.array_equal(snapshot_file.read_snapshot(kind(path)).originals, snapshot_of_new_model.originals)


@both
def test_a_run_is_filmed_and_kept(kind: Callable[[Path], Any], small: Images, tmp_path: Path) -> None:
    trainer = Trainer(CONFIG, small)
    Recorder(trainer, kind(tmp_path / "named"), frames=2).finish(final_metrics(trainer.model, small, CONFIG, 2, 20))
    keep_run(kind(tmp_path / "named"), None, {"seed": 4})
    assert RunRecord.load(tmp_path / "named").film == (0,)
    assert checkpoints.read_card(tmp_path / "named" / CARD) == {"seed": 4}


@both
def test_the_data_file_is_read(kind: Callable[[Path], Any]) -> None:
    assert read(kind(FILE))["x_test"].shape == (10_000, 28, 28)


@both
def test_the_data_file_is_built(
    kind: Callable[[Path], Any], tmp_path: Path, mnist: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Few:
        """As torchvision's MNIST: three images, and the folder that it was given."""

        def __init__(self, root: str, train: bool, download: bool) -> None:
            assert root == str(tmp_path) and download
            self.data, self.targets = mnist.x_test[:3, 0], mnist.y_test[:3]

    monkeypatch.setattr(vision.datasets, "MNIST", Few)
    build.build(kind(tmp_path), kind(tmp_path / "few.npz"))
    with np.load(tmp_path / "few.npz", allow_pickle=False) as file:
        assert file["y_train"].tolist() == [7, 2, 1] and np.array_equal(file["x_test"], mnist.x_test[:3, 0])


def test_no_function_of_these_rooms_takes_a_path_alone() -> None:
    """What a test above might have missed; `self` of a record and values that are returned are no doors."""
    files = [
        CORE / "checkpoints.py",
        CORE / "runs" / "command_line.py",
        CORE / "runs" / "snapshot_file.py",
        *(CORE / "data").glob("*.py"),
    ]
    found = []
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                named = [a.annotation for a in (*node.args.args, *node.args.kwonlyargs) if a.annotation]
                takes = [ast.unparse(annotation) for annotation in named]
                if not node.name.startswith("_") or node.name == "__init__":
                    found += [f"{path.name}: {node.name}" for text in takes if text == "Path"]
    assert found == []
