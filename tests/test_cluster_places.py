"""Where runs train on a cluster, what goes to them and comes back: with engines of the tests, and no Ray."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save as to_bytes

from tests.conftest import FakeLink
from vae_core import datasets
from vae_core.config import RunConfig
from vae_core.data import load
from vae_core.data.own_set import save
from vae_core.runs import engines as engines_module
from vae_core.runs import parcels
from vae_core.runs.log import last_sentences
from vae_core.runs.messages import FAILED, PAUSED, RUNNING, Cluster, Command, Line, Update
from vae_core.runs.parcels import Packer
from vae_core.runs.registry import Registry
from vae_core.runs.remote_engine import Post, make_folder
from vae_core.runs.room import room_status
from vae_core.runs.run_record import SAVED
from vae_core.runs.storage import state_file, states_folder

CONFIG = RunConfig(device="cpu", epochs=10)


@pytest.fixture
def links(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeLink]:
    """The newest link of each place."""
    made: dict[str, FakeLink] = {}

    def connect(place: str, *args: Any) -> FakeLink:
        made[place] = FakeLink(place, *args)
        return made[place]

    monkeypatch.setenv("ELBO_ROOM_RAY", "10.0.0.1:6379")
    monkeypatch.setattr(engines_module, "RayEngine", connect)
    return made


@pytest.fixture
def runs(links: dict[str, FakeLink]) -> Iterator[Registry]:
    made = Registry()
    made.warm_up()
    yield made
    made.close()


def opened(link: FakeLink) -> list[str]:
    return [command.run_id for command in link.sent if command.name == "open"]


def status_of(runs: Registry, run_id: str) -> tuple[str, str]:
    run = runs.get(run_id)
    assert run is not None
    return run.status, run.message


def test_runs_are_spread_over_the_engines_that_there_is_room_for(runs: Registry, links: dict[str, FakeLink]) -> None:
    ids = [runs.start(CONFIG, "ann"), runs.start(CONFIG, "bob")]
    assert opened(links["cluster 1"]) == ids and len(links) == 1  # nothing is known yet of more
    links["cluster 1"].tell(Cluster(3))
    ids += [runs.start(CONFIG, f"visitor {n}") for n in range(4)]
    assert opened(links["cluster 2"]) == [ids[2], ids[4]] and opened(links["cluster 3"]) == [ids[3], ids[5]]
    runs.command(ids[3], "pause")
    assert links["cluster 3"].sent[-1] == Command(ids[3], "pause") and sorted(links) == [
        f"cluster {n}" for n in (1, 2, 3)
    ]


def test_arms_stay_together(runs: Registry, links: dict[str, FakeLink]) -> None:
    links["cluster 1"].tell(Cluster(3))
    runs.start(CONFIG, "bob")
    group = runs.start_group([("full", CONFIG), ("no KL", CONFIG.with_(beta=0))], "ann")
    arms = [run.run_id for run in runs.members(group)]
    assert opened(links["cluster 2"]) == arms
    links["cluster 2"].tell(Cluster(1, lost="node-2 was lost"))
    links["cluster 2"].die("exit status 1")
    assert opened(links["cluster 1"])[1:] == arms and list(runs.engines()) == ["cluster 1"]
    runs.command_group(group, "pause")
    assert links["cluster 1"].sent[-1] == Command(group, "pause")


def test_where_a_machine_is_lost_its_runs_go_on_in_a_new_engine_if_there_is_room(
    runs: Registry, links: dict[str, FakeLink]
) -> None:
    run_id = runs.start(CONFIG, "ann")
    links["cluster 1"].tell(Update(run_id, 0, RUNNING, step=5, total_steps=100))
    first = links["cluster 1"]
    first.tell(Cluster(1, lost="node-1 was lost"))
    first.die("exit status 1")
    assert links["cluster 1"] is not first and opened(links["cluster 1"]) == [run_id]
    assert "node-1 was lost" in status_of(runs, run_id)[1] and runs.engines()["cluster 1"].restarts == 1


def test_an_engine_without_a_place_gives_its_runs_to_the_others(runs: Registry, links: dict[str, FakeLink]) -> None:
    links["cluster 1"].tell(Cluster(2))
    runs.start(CONFIG, "ann")
    late = runs.start(CONFIG, "bob")
    links["cluster 2"].tell(Cluster(2, refused="The cluster is full: add machines."))
    links["cluster 2"].die("exit status 1")
    assert opened(links["cluster 1"])[-1] == late and "room" in status_of(runs, late)[1]
    third = runs.start(CONFIG, "eve")  # and it is not tried again and again
    assert opened(links["cluster 1"])[-1] == third


def test_without_any_cluster_a_run_says_what_to_do_and_resume_tries_again(
    runs: Registry, links: dict[str, FakeLink]
) -> None:
    run_id, sentence = runs.start(CONFIG, "ann"), "No Ray cluster answers at 10.0.0.1:6379: start one."
    links["cluster 1"].tell(Cluster(0, refused=sentence))
    links["cluster 1"].die("exit status 1")
    status, message = status_of(runs, run_id)
    assert status == SAVED and "press Resume" in message and message.endswith(sentence) and runs.engines() == {}
    assert last_sentences()[-1].text == sentence
    before = links["cluster 1"]
    runs.command(run_id, "resume")
    assert links["cluster 1"] is not before and opened(links["cluster 1"]) == [run_id]


def test_the_engine_room_names_machine_device_and_memory(runs: Registry, links: dict[str, FakeLink]) -> None:
    links["cluster 1"].tell(Line(4, 1, memory_bytes=7 * 10**8, device="NVIDIA H200 on node-1"))
    (engine,) = room_status(runs).engines
    assert (engine.device, engine.memory_bytes) == ("cluster 1: NVIDIA H200 on node-1", 7 * 10**8)


# ---- what travels


def opening(folder: Path, config: RunConfig = CONFIG, resume: tuple[int, ...] = ()) -> Command:
    args = {"config": config.to_dict(), "folder": str(folder), "generation": 0, "resume": resume, "status": PAUSED}
    return Command("a", "open", args)


def write_state(folder: Path, step: int, damage: int = 0) -> bytes:
    whole = to_bytes({"weight": torch.full((100,), float(step))})
    states_folder(folder, 0).mkdir(parents=True, exist_ok=True)
    state_file(states_folder(folder, 0), step).write_bytes(whole[: len(whole) - damage])
    return whole


def test_the_last_whole_state_goes_to_the_engine(tmp_path: Path) -> None:
    server, there = tmp_path / "server" / "a", Post(tmp_path / "there")
    write_state(server, 9, damage=8)
    kept = write_state(server, 5)
    there.bring(Packer().pack(opening(server, resume=(9, 5, 2))))
    assert there.poll(0)
    args = there.recv().args
    assert args["resume"] == [5] and Path(args["folder"]).is_relative_to(tmp_path / "there")
    assert state_file(states_folder(Path(args["folder"]), 0), 5).read_bytes() == kept


def test_a_state_comes_back_with_the_update_that_tells_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server, there, packer = tmp_path / "server" / "a", Post(tmp_path / "there"), Packer()
    there.bring(packer.pack(opening(server)))
    folder = Path(there.recv().args["folder"])
    kept = write_state(folder, 7)
    there.send(Update("a", 0, RUNNING, step=7, saved=7))
    ((said, state),) = there.fetch(1.0)
    assert isinstance(said, Update) and packer.unpack(said, state) == said
    assert state_file(states_folder(server, 0), 7).read_bytes() == kept
    assert not state_file(states_folder(folder, 0), 7).exists()  # the server alone keeps it

    def full(*_: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(parcels, "replacing", full)
    told = packer.unpack(said, state)
    assert (told.status, told.saved) == (FAILED, None) and "No space left" in told.message
    there.bring(packer.pack(Command("a", "close")))
    there.recv()
    assert not folder.exists()


def test_images_of_ones_own_go_to_the_engine_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_set: Callable[[str], None]
) -> None:
    make_set("pets")
    packer, there = Packer(), Post(tmp_path / "there")
    config = CONFIG.with_(dataset="pets")
    assert packer.pack(opening(tmp_path, CONFIG)).images == {}  # what ships is there
    first = packer.pack(opening(tmp_path, config))
    assert sorted(first.images) == ["own/pets/images.npz", "own/pets/set.json"]
    assert packer.pack(Command("", "measure", {"config": config.to_dict()})).images == {}
    here = load("pets", torch.device("cpu"))
    there.bring(first)
    there.recv()
    monkeypatch.setenv("ELBO_ROOM_DATA", str(tmp_path / "there" / "data"))
    assert datasets.find("pets") == tmp_path / "there" / "data" / "own" / "pets" / "set.json"
    assert torch.equal(load("pets", torch.device("cpu")).x_train, here.x_train)


def test_what_a_dead_engine_left_goes_when_another_begins(tmp_path: Path) -> None:
    (dead, hold), (alive, _held) = make_folder(tmp_path), make_folder(tmp_path)
    (dead / "data").mkdir()
    hold.close()  # as by the system at its end
    new, _held_too = make_folder(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([alive, new])


@pytest.fixture
def make_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    monkeypatch.setenv("ELBO_ROOM_DATA", str(tmp_path / "data"))

    def make(name: str) -> None:
        x = np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)
        y = np.zeros(40, np.uint8)
        arrays = {"x_train": x[:30], "y_train": y[:30], "x_test": x[30:], "y_test": y[30:]}
        about = {"title": name, "class_names": [], "split": "as they came", "refused": [], "refused_count": 0}
        save(datasets.folder() / "own" / name, arrays, about)

    return make
