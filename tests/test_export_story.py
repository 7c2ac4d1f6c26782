"""The story of a run, and its curves as a table."""

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.told import tell, told
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.export import run_report as story_module
from vae_core.export.history import history_csv
from vae_core.export.run_report import RunReport
from vae_core.runs import messages
from vae_core.trainer import Trainer


@pytest.fixture(scope="module")
def story() -> RunReport:
    return told()[0]


def test_the_words_are_those_of_the_server() -> None:
    """export cannot import registry.py, and need not import the engine for two words."""
    assert (story_module.FINISHED, story_module.FAILED) == (messages.FINISHED, messages.FAILED)


def test_a_story_knows_how_far_the_run_came(story: RunReport) -> None:
    assert story.steps == 235 and story.status == "finished"
    assert replace(story, train=np.zeros((0, 4), np.float32)).steps == 0


def test_a_mark_after_the_last_step_changed_nothing(story: RunReport) -> None:
    late = replace(story.marks[0], step=235)
    assert replace(story, marks=(*story.marks, late)).changes == story.marks


def test_pandas_reads_the_very_float32_of_the_run(story: RunReport) -> None:
    table = pd.read_csv(io.StringIO(history_csv(story)))
    assert tuple(table.columns) == ("split", "step", "nll", "kl", "neg_elbo", "loss", "mean_std", "active")
    train, test = table[table.split == "train"], table[table.split == "test"]
    assert np.array_equal(train[["step", "nll", "kl", "loss"]].to_numpy(np.float32), story.train)
    assert np.array_equal(test[["step", "nll", "kl", "mean_std", "active"]].to_numpy(np.float32), story.test)
    np.testing.assert_allclose(table.neg_elbo, table.nll + table.kl, rtol=1e-6)
    assert train[["mean_std", "active"]].isna().all(axis=None) and test.loss.isna().all()


def test_the_table_is_in_the_order_of_steps_with_test_after_train(story: RunReport) -> None:
    table = pd.read_csv(io.StringIO(history_csv(story)))
    assert table.step.is_monotonic_increasing
    assert table[table.step == 40].split.tolist() == ["train", "test"]


def test_a_run_without_a_step_is_a_table_without_rows(story: RunReport) -> None:
    bare = replace(story, train=np.zeros((0, 4), np.float32), test=np.zeros((0, 5), np.float32))
    assert pd.read_csv(io.StringIO(history_csv(bare))).empty


def test_telling_does_not_change_what_is_told(small: Images) -> None:
    """The helper of these tests, against a run that nobody looked at."""
    config = RunConfig(device="cpu", epochs=2)
    looked_at, alone = tell(Trainer(config, small), 8, every=2), Trainer(config, small)
    for _ in range(8):
        alone.step()
    assert np.array_equal(looked_at.train, alone.flush())
