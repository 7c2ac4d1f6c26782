"""The growing table against plain numpy arrays."""

import itertools

import numpy as np
import pytest

from vae_core.runs.thinned_history import ThinnedHistory


def rows_of(count: int, columns: int = 3) -> np.ndarray:
    """Steps 1 to count, and values that are whole numbers, so that averages are exact."""
    values = np.random.default_rng(0).integers(0, 1000, (count, columns - 1))
    return np.column_stack([np.arange(1, count + 1), values]).astype(np.float32)


def filled(rows: np.ndarray, capacity: int, block: int) -> ThinnedHistory:
    series = ThinnedHistory(rows.shape[1], capacity)
    for start in range(0, len(rows), block):
        series = series.with_rows(rows[start : start + block])
    return series


@pytest.mark.parametrize("block", [1, 7, 1000, 5000])
def test_every_row_is_kept_below_capacity(block: int) -> None:
    rows = rows_of(4095)
    series = filled(rows, 4096, block)
    assert len(series) == 4095 and series.thinned == 0
    assert np.array_equal(series.since(-1), rows)


@pytest.mark.parametrize("block", [1, 3, 4096])
def test_at_capacity_neighbours_are_averaged_in_pairs(block: int) -> None:
    rows = rows_of(64)
    series = filled(rows, 64, block)
    assert series.thinned == 1
    found = series.since(-1)
    assert np.array_equal(found[:, 0], np.arange(2, 65, 2))  # each pair keeps its later step
    assert np.array_equal(found[:, 1:], (rows[::2, 1:] + rows[1::2, 1:]) / 2)


@pytest.mark.parametrize("block", [1, 50, 10_000])
def test_memory_stays_bounded_and_steps_sorted_at_ten_times_the_capacity(block: int) -> None:
    series = ThinnedHistory(3, 128)
    rows = rows_of(1280)
    for start in range(0, 1280, block):
        series = series.with_rows(rows[start : start + block])
        assert len(series) <= 128 and series.nbytes <= 128 * 3 * 4
    steps = series.since(-1)[:, 0]
    assert (np.diff(steps) > 0).all()
    assert steps[-1] == series.last_step and steps[-1] > 1280 - 32  # the end may wait for its average


def test_small_tables_take_little_memory() -> None:
    series = ThinnedHistory(4, 65_536).with_rows(rows_of(10, 4))
    assert series.nbytes <= 1024 * 4 * 4


def test_at_ten_times_the_capacity_every_row_is_the_mean_of_the_steps_it_stands_for() -> None:
    """A kept row stands for the steps after the row before it, up to its own."""
    raw = rows_of(1280)
    kept = filled(raw, 128, 50).since(-1)
    edges = [0, *kept[:, 0].astype(int)]
    expected = np.array([raw[a:b, 1:].mean(axis=0) for a, b in itertools.pairwise(edges)])
    np.testing.assert_allclose(kept[:, 1:], expected, rtol=1e-5)


def test_at_ten_times_the_capacity_the_beginning_is_as_dense_as_the_end() -> None:
    """A curve is at its most interesting at the beginning: it must not fade into a few averages."""
    kept = filled(rows_of(1280), 128, 50).since(-1)
    per_tenth = np.histogram(kept[:, 0], bins=10, range=(0, 1280))[0]
    assert per_tenth.min() > 0 and per_tenth.max() <= 3 * per_tenth.min(), per_tenth


def test_known_rows_are_left_out() -> None:
    series = filled(rows_of(10), 100, 10)
    repeated = rows_of(12)
    repeated[:10, 1:] = -1
    assert np.array_equal(series.with_rows(repeated).since(-1), np.vstack([rows_of(10), repeated[10:]]))


@pytest.mark.parametrize("step", [-1.0, 0.0, 1.0, 4.5, 9.0, 10.0, 1e9])
def test_since_gives_the_rows_later_than_a_step(step: float) -> None:
    rows = rows_of(10)
    assert np.array_equal(filled(rows, 100, 3).since(step), rows[rows[:, 0] > step])


def test_nobody_can_write_into_what_since_gives() -> None:
    series = filled(rows_of(10), 100, 10)
    with pytest.raises(ValueError, match="read-only"):
        series.since(-1)[:] = 0
    assert np.array_equal(series.since(-1), rows_of(10))


@pytest.mark.parametrize("block", [1, 7, 200])
def test_whoever_holds_a_history_sees_it_as_it_was_also_when_it_is_thinned(block: int) -> None:
    rows, held = rows_of(1000), []
    series = ThinnedHistory(3, 128)
    for start in range(0, len(rows), block):
        series = series.with_rows(rows[start : start + block])
        held.append((series, series.since(-1).copy(), series.since(-1)))
    for before, copy, view in held:
        assert np.array_equal(before.since(-1), copy) and np.array_equal(view, copy)


def test_two_that_go_on_from_the_same_history_do_not_mix() -> None:
    common = filled(rows_of(10), 100, 10)
    other = rows_of(15)
    other[10:, 1:] += 500
    one, two = common.with_rows(rows_of(12)), common.with_rows(other)
    assert np.array_equal(one.since(-1), rows_of(12)) and np.array_equal(two.since(-1), other)
    assert np.array_equal(one.with_rows(rows_of(13)).since(-1), rows_of(13)) and np.array_equal(two.since(-1), other)


def test_an_empty_table() -> None:
    series = ThinnedHistory(3, 100)
    series = series.with_rows(np.zeros((0, 3), np.float32))
    assert len(series) == 0 and series.last_step == -1.0 and series.since(-1).shape == (0, 3)
