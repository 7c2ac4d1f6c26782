"""What a reader of a registry sees of a run."""

from vae_core.runs.news import Cursor, News
from vae_core.runs.registry import Registry

BEGINNING = Cursor()


def read(runs: Registry, run_id: str, since: Cursor = BEGINNING) -> News:
    news = runs.read(run_id, since)
    assert news is not None
    return news


def steps(runs: Registry, run_id: str) -> list[int]:
    return [int(step) for step in read(runs, run_id).train[:, 0]]
