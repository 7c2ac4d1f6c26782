"""What the tests of several rooms share: small images, a trainer's data patched, an engine's link without a process."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pages.ui import shipped
from tests.engine_driver import Driver
from tests.local_engine import LocalLink
from vae_core import trainer
from vae_core.config import RunConfig
from vae_core.data import Images, load
from vae_core.inspect.snapshot import Snapshot, take_snapshot
from vae_core.runs import engines as engines_module
from vae_core.runs import registry as registry_module
from vae_core.runs.messages import RUNNING, Command, Update
from vae_core.runs.registry import Registry

CPU = torch.device("cpu")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a CUDA GPU the summary names every check that was left out."""
    if torch.cuda.is_available():
        return
    for item in items:
        if item.get_closest_marker("requires_cuda"):
            item.add_marker(pytest.mark.skip(reason=f"no CUDA GPU here, left out: {item.name}"))


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Two threads that spin for each other on a busy machine make small operations many times slower.

    So it is with the processes that tests start.
    """
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture(scope="session", autouse=True)
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Image sets of one's own are looked for in an empty folder, also by the servers that tests start."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("data")
        patch.setenv("ELBO_ROOM_DATA", str(folder))
        yield folder


@pytest.fixture(scope="session")
def mnist() -> Images:
    """The shipped MNIST, on the CPU."""
    return load("mnist", CPU)


@pytest.fixture(scope="session")
def small(mnist: Images) -> Images:
    """The first 2,000 train and 500 test images: steps cost the same, epochs and evaluations little."""
    return Images("mnist", mnist.x_train[:2000], mnist.y_train[:2000], mnist.x_test[:500], mnist.y_test[:500])


@pytest.fixture
def small_data(small: Images, monkeypatch: pytest.MonkeyPatch) -> Images:
    """Every Trainer made in the test trains on the small images."""
    monkeypatch.setattr(trainer, "load", lambda name, device: small)
    return small


@pytest.fixture
def make_trainer(small: Images) -> Callable[..., trainer.Trainer]:
    """A trainer on the small images; settings as RunConfig takes them."""

    def made(**settings: Any) -> trainer.Trainer:
        return trainer.Trainer(RunConfig(**({"device": "cpu", "epochs": 50, "batch_size": 128} | settings)), small)

    return made


@pytest.fixture(scope="session")
def snapshot_of_new_model(small: Images) -> Snapshot:
    """What a run with three latents looks like before its first step; change fields with dataclasses.replace."""
    return take_snapshot(trainer.Trainer(RunConfig(device="cpu", latent_dim=3), small))


@pytest.fixture
def local_links(small_data: Images, monkeypatch: pytest.MonkeyPatch) -> list[LocalLink]:
    """Every registry's engines work in this process, on the small images; here they are, the newest last."""
    links: list[LocalLink] = []

    def connect(*args: Any) -> LocalLink:
        links.append(LocalLink(*args))
        return links[-1]

    monkeypatch.setattr(engines_module, "EngineProcess", connect)
    return links


@pytest.fixture
def local_registry(local_links: list[LocalLink]) -> Iterator[tuple[Registry, list[LocalLink]]]:
    """A registry with the local links."""
    made = Registry()
    yield made, local_links
    made.close()


@pytest.fixture
def driver(small_data: Images, tmp_path: Path) -> Driver:
    """An engine in this process, on the small images."""
    return Driver(tmp_path)


class FakeLink:
    """Stands in for EngineProcess where no process is wanted: the test reads what was sent and says what comes back."""

    def __init__(
        self, device: str, on_update: Callable[[Update], None], on_death: Callable[[Any, str, str], None]
    ) -> None:
        self.device, self.tell, self._on_death = device, on_update, on_death
        self.sent: list[Command] = []
        self.closed = False

    def send(self, command: Command) -> None:
        self.sent.append(command)

    def die(self, cause: str = "signal 9", served: str = "") -> None:
        self._on_death(self, cause, served)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def links(monkeypatch: pytest.MonkeyPatch) -> list[FakeLink]:
    """The links a registry made, in order; they are FakeLinks."""
    made: list[FakeLink] = []

    class Recorded(FakeLink):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            made.append(self)

    monkeypatch.setattr(engines_module, "EngineProcess", Recorded)
    return made


@pytest.fixture
def fake_registry(links: list[FakeLink], monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """The server's one registry, with FakeLinks in place of engines."""
    registry = Registry()
    monkeypatch.setattr(registry_module, "shared", lambda: registry)
    yield registry
    registry.close()


@pytest.fixture
def copied_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the shipped models, free to be damaged, in the place of those that ship; without film and history."""
    root = tmp_path / "checkpoints"
    for folder in shipped.CHECKPOINTS.glob("mnist-*"):
        shutil.copytree(folder, root / folder.name, ignore=shutil.ignore_patterns("film", "*.csv"))
    monkeypatch.setattr(shipped, "CHECKPOINTS", root)
    read_once = (shipped.cards, shipped.checkpoint)
    for function in read_once:
        function.cache_clear()
    yield root
    for function in read_once:
        function.cache_clear()


# ---- the live route


@pytest.fixture
def live_run(fake_registry: Registry) -> str:
    """A run of which the registry knows nothing yet but its config."""
    return fake_registry.start(RunConfig(device="cpu", latent_dim=3), "ann")


@pytest.fixture
def tell(live_run: str, links: list[Any]) -> Callable[..., None]:
    """Let the engine report the steps `first` to `last`, and whatever else is named."""

    def report(first: int, last: int, **more: Any) -> None:
        steps = np.arange(first, last + 1, dtype=np.float32)
        rows = np.column_stack([steps, steps + 0.5, steps + 0.25, 2 * steps + 0.75]).astype(np.float32)
        values = {"generation": 0, "status": RUNNING, "step": last, "total_steps": 1000, "rows": rows} | more
        links[-1].tell(Update(live_run, **values))

    return report


@pytest.fixture
def snapshot_at(snapshot_of_new_model: Snapshot) -> Callable[..., Snapshot]:
    """A snapshot of a step, with whatever else is named in place of what was computed."""

    def at(step: int = 0, **changes: Any) -> Snapshot:
        values = {
            "step": step,
            "terms": {"nll": 150.5, "kl": 6.25},
            "mean_std": 0.5,
            "active": np.array([True, False, True]),
        }
        return replace(snapshot_of_new_model, **(values | changes))

    return at


@pytest.fixture
def live_client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The live route, guarded as on the server. One event loop for all viewers, as there, and short ticks."""
    from starlette.applications import Starlette  # a machine for training alone has none
    from starlette.middleware import Middleware
    from starlette.testclient import TestClient

    from pages.ui.live import socket
    from pages.ui.web.origins import OwnOrigins

    monkeypatch.setattr(socket, "TICK_S", 0.01)
    routes = [socket.live_route(), socket.film_route()]
    with TestClient(Starlette(routes=routes, middleware=[Middleware(OwnOrigins)])) as made:
        yield made
