"""Saved runs that are damaged within: what cannot be read is left out, and the newest that can be is used."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import save_file

from pages.training import take_home
from tests.local_engine import LocalLink
from tests.saved_run import CONFIG, FINAL, a_run
from vae_core.inspect.snapshot import Snapshot
from vae_core.models import build
from vae_core.runs import storage
from vae_core.runs.messages import FINISHED, PAUSED
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import Arm, RunRecord
from vae_core.runs.snapshot_file import FrameError, frame_bytes, packed, read_frame, read_snapshot
from vae_core.runs.storage import RECORD, StorageError, frame_file, state_file
from vae_core.trainer import Trainer

# ---- the record


def with_entry(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Of a record: "marks.0.step" is the step of its first mark."""

    def damage(record: dict[str, Any]) -> None:
        *way, last = [int(key) if key.isdigit() else key for key in path.split(".")]
        for key in way:
            record = record[key]  # type: ignore[index]
        record[last] = value  # type: ignore[index]

    return damage


NONE_THAT_COULD_BE: list[tuple[str, Any]] = [
    *[("visitor", 5), ("visitor", "\ud800"), ("device", ["CPU"]), ("status", "resting"), ("status", {})],
    *[("created", value) for value in (1e300, float("nan"), -1, "today", None)],
    *[(name, value) for name in ("step", "total_steps") for value in (-1, 10**400, 3.5, True, "7", [7], float("inf"))],
    *[("steps_per_epoch", float("nan")), ("generation", -1), ("generation", 10**12), ("curves", [["curves"]])],
    *[("film", [[1]]), ("film", "0"), ("states", None), ("states", [1.5]), ("columns", ["step"])],
    *[("weights", {"alpha": "1"}), ("weights.beta", float("nan")), ("weights.beta", -1), ("weights.frozen", ["none"])],
    *[("marks", [5]), ("marks.0.step", "7"), ("marks.0.text", None), ("marks.0.weights.learning_rate", [1])],
    *[("parent", {"run_id": [1], "step": 0}), ("parent", "run"), ("arm.group", ["a"]), ("arm.place", 5), ("arm", [1])],
    *[("final", [1, 2]), ("final", {"neg_elbo": 1.0}), ("final.nll", "144"), ("final.kl_dims", [[1]])],
    *[("final.iw_neg_elbo", None), ("final.images", 1.5), ("config.latent_dim", 10**30), ("config", [1])],
]


@pytest.fixture
def ended_arm(tmp_path: Path, snapshot_of_new_model: Snapshot) -> RunRecord:
    """A run with every entry that a record may have."""
    run = a_run(storage.folder_of(tmp_path, "ann"), snapshot_of_new_model, FINISHED)
    run.arm = Arm("group", "full")
    run.save()
    return run


@pytest.mark.parametrize(
    ("path", "value"), NONE_THAT_COULD_BE, ids=[f"{p} {str(v)[:20]}" for p, v in NONE_THAT_COULD_BE]
)
def test_a_record_with_an_entry_that_none_could_have_is_left_out_with_a_sentence(
    path: str, value: Any, ended_arm: RunRecord
) -> None:
    record = json.loads((ended_arm.folder / RECORD).read_text(encoding="utf-8"))
    assert RunRecord.load(ended_arm.folder).final == FINAL
    with_entry(path, value)(record)
    (ended_arm.folder / RECORD).write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(StorageError, match=ended_arm.run_id):
        RunRecord.load(ended_arm.folder)


def test_figures_of_weights_that_ran_away_are_kept(ended_arm: RunRecord) -> None:
    record = json.loads((ended_arm.folder / RECORD).read_text(encoding="utf-8"))
    record["final"] |= {"neg_elbo": float("inf"), "kl_dims": [float("nan"), 1.0], "mean_std": float("nan")}
    (ended_arm.folder / RECORD).write_text(json.dumps(record), encoding="utf-8")
    final = RunRecord.load(ended_arm.folder).final
    assert final is not None and final["neg_elbo"] == float("inf")


@pytest.mark.parametrize("visitor", [5, None, ["ann"], "\ud800"])
def test_a_run_of_no_owner_from_before_stops_no_server(visitor: Any, tmp_path: Path, links: list[Any]) -> None:
    """Runs used to lie side by side, and are sorted when a server starts."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / RECORD).write_text(json.dumps({"visitor": visitor}))
    runs = Registry(root=tmp_path)
    assert (tmp_path / "run" / RECORD).is_file()
    runs.close()


# ---- frames


def rewritten(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> None:
    """Another header over the same arrays."""
    data = gzip.decompress(path.read_bytes())
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    numbers = json.loads(header["__metadata__"]["snapshot"])
    change(header, numbers)
    header["__metadata__"]["snapshot"] = json.dumps(numbers)
    text = json.dumps(header).encode()
    path.write_bytes(packed(len(text).to_bytes(8, "little") + text + data[8 + length :]))


def renamed(name: str) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda header, _: header.update(another=header.pop(name))


def numbered(name: str, value: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda _, numbers: numbers.update({name: value})


def shaped(name: str, shape: list[int]) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda header, _: header[name].update(shape=shape)


BAD_FRAMES = {
    "an array is missing": renamed("xy"),
    "one that may be missing has another name": renamed("basis"),
    "a flat map": shaped("xy", [10_000]),
    "pictures in one row": shaped("prior_draws", [40 * 28, 28]),
    "numbers of another type": lambda header, _: header["kl_dims"].update(dtype="I32"),
    "terms that are none": numbered("terms", [1, 2]),
    "a term as text": numbered("terms", {"nll": "150", "kl": 6.25}),
    "a unit as a list": numbered("xyUnit", [1]),
    "metrics that are none": numbered("meter", "good"),
    "a step that is none": numbered("step", None),
    "a step beyond all bounds": numbered("step", 10**400),
    "a unit beyond all bounds": numbered("xyUnit", 10**400),
    "no numbers": lambda _, numbers: numbers.clear(),
}


@pytest.mark.parametrize("change", BAD_FRAMES.values(), ids=BAD_FRAMES)
def test_a_frame_that_none_could_be_is_a_sentence(
    change: Callable[[Any, Any], None], tmp_path: Path, snapshot_of_new_model: Snapshot
) -> None:
    path = frame_file(tmp_path, 0)
    path.write_bytes(packed(frame_bytes(snapshot_of_new_model)))
    read_snapshot(path)
    rewritten(path, change)
    with pytest.raises(FrameError, match="left out"):
        read_frame(path)


# ---- what is taken home


@pytest.fixture
def at_home(
    local_registry: tuple[Registry, list[LocalLink]], monkeypatch: pytest.MonkeyPatch
) -> tuple[RunRecord, Registry]:
    """A run that rests at step 20, with states and frames of 10 and 20."""
    runs, links = local_registry
    run = runs.get(runs.start(CONFIG, "ann", paused=True))
    assert run is not None
    for until in (10, 20):
        runs.command(run.run_id, "step", steps=10)
        while not (run.status == PAUSED and until in run.film and until in run.states):
            links[-1].turn()
    run.change(snapshot=None)  # as after a restart: the last one is read from the film
    return run, runs


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


def of_another_model(path: Path) -> None:
    save_file({f"model.{k}": v for k, v in build(CONFIG.with_(latent_dim=3)).state_dict().items()}, path)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = [cut, of_another_model, Path.unlink, a_folder]


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_newest_weights_that_can_be_read_are_taken_home_and_it_is_said(
    damage: Callable[[Path], object], at_home: tuple[RunRecord, Registry]
) -> None:
    run, _ = at_home
    assert take_home.left_out(run) == ""
    damage(state_file(run.states_folder, 20))
    assert take_home.left_out(run) == "The weights of step 20 cannot be read: the zip holds those of step 10."
    archive = zipfile.ZipFile(io.BytesIO(take_home.everything(run)))
    card = json.loads(archive.read("card.json"))
    assert (card["steps"], card["weights_step"]) == (20, 10) and "model.safetensors" in archive.namelist()
    trainer = Trainer(CONFIG)
    for _ in range(10):
        trainer.step()
    kept = take_home.weights_of(run)
    assert kept is not None and all((kept.tensors[k] == v).all() for k, v in trainer.model.state_dict().items())


def test_without_any_readable_weights_the_zip_comes_without_them_and_it_is_said(
    at_home: tuple[RunRecord, Registry],
) -> None:
    run, _ = at_home
    for step in run.states:
        cut(state_file(run.states_folder, step))
    assert take_home.left_out(run).startswith("None of its saved weights can be read: the zip comes without them.")
    names = zipfile.ZipFile(io.BytesIO(take_home.everything(run))).namelist()
    assert "report.html" in names and "card.json" not in names


@pytest.mark.parametrize("damage", [cut, Path.unlink, a_folder, lambda path: rewritten(path, renamed("xy"))])
def test_the_newest_frame_that_can_be_read_is_in_the_report(
    damage: Callable[[Path], object], at_home: tuple[RunRecord, Registry]
) -> None:
    run, _ = at_home
    snapshot = take_home.story_of(run).snapshot
    assert snapshot is not None and snapshot.step == 20
    damage(frame_file(run.film_folder, 20))
    snapshot = take_home.story_of(run).snapshot
    assert snapshot is not None and snapshot.step == max(run.film[:-1])
    for step in run.film[:-1]:
        cut(frame_file(run.film_folder, step))
    assert take_home.story_of(run).snapshot is None
