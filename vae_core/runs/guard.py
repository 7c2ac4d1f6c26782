"""Whom the engine serves at this moment: an error then ends this run and no other, and a crash names it."""

import contextlib
import traceback
from collections.abc import Callable, Iterator

import torch

from vae_core.config import ConfigError
from vae_core.divergence import Diverged, RunError
from vae_core.runs.messages import Update
from vae_core.runs.task import Task


class Guard:
    """Stands around every piece of work that is done for a run."""

    def __init__(self, name: Callable[[str], None] = lambda run_id: None) -> None:
        """
        Args:
            name: told the id of a run before anything is done for it, and "" afterwards.
        """
        self._name = name

    @contextlib.contextmanager
    def naming(self, run_id: str) -> Iterator[None]:
        """What is done inside is done for this run."""
        self._name(run_id)
        try:
            yield
        finally:
            self._name("")

    @contextlib.contextmanager
    def serving(self, task: Task) -> Iterator[None]:
        """The same, and an error inside ends this run."""
        with self.naming(task.run_id):
            try:
                yield
            except RunError as error:
                task.fail(str(error), isinstance(error, Diverged))
            except torch.OutOfMemoryError:
                task.fail("The GPU ran out of memory: lower the batch size or take fewer latents, then start again.")
            except ConfigError as error:
                task.say(str(error))
            except OSError as error:
                task.fail(f"The run cannot be saved ({error.strerror}): free some disk space, then start again.")
            except Exception as error:  # noqa: BLE001 - a fault of ours must not take the other visitors' runs along
                traceback.print_exc()
                task.fail(f"The run stopped on an internal error ({type(error).__name__}: {error}).")

    def reports(self, task: Task) -> list[Update]:
        """What a run has to report; when that fails so has the run, and it says what it still can."""
        for _ in range(2):
            with self.serving(task):
                return task.reports()
        return [task.obituary()]
