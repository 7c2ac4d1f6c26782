"""When what of a run falls due, on a clock of the test's own."""

import itertools

import pytest

from vae_core.runs.due import EARLY_STEPS, NEVER, REPORT_S, SAVE_S, SNAPSHOT_S, Due


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def due(clock: Clock) -> Due:
    return Due(clock)


def test_a_report_is_due_at_once_and_then_now_and_then_while_it_trains(due: Due, clock: Clock) -> None:
    assert due.wants_report
    due.note_report(training=True)
    assert not due.wants_report
    clock.now += REPORT_S
    assert due.wants_report
    due.note_report(training=False)
    clock.now += 1e6
    assert not due.wants_report
    due.hurry_report()
    assert due.wants_report


def test_a_picture_is_due_after_a_rest_and_at_the_beginning_at_once(due: Due, clock: Clock) -> None:
    due.note_snapshot(EARLY_STEPS - 1, measured=False)
    assert due.wants_snapshot(EARLY_STEPS) and not due.wants_snapshot(EARLY_STEPS - 1)  # there is nothing new
    due.note_snapshot(EARLY_STEPS, measured=False)
    assert not due.wants_snapshot(EARLY_STEPS + 1)
    clock.now += SNAPSHOT_S
    assert due.wants_snapshot(EARLY_STEPS + 1) and due.measured == -1
    due.note_snapshot(EARLY_STEPS + 1, measured=True)
    assert due.measured == due.seen == EARLY_STEPS + 1


def test_a_state_is_due_by_the_training_of_the_run_itself_however_long_that_takes(due: Due, clock: Clock) -> None:
    due.note_save(10_000)
    clock.now += 1e6  # others train
    assert not due.wants_save(10_001)
    for _ in range(5):
        due.add_training(SAVE_S / 6)
    assert not due.wants_save(10_001)
    due.add_training(SAVE_S / 6)
    assert due.wants_save(10_001)
    due.note_save(10_001)
    assert not due.wants_save(10_002)


def test_at_the_beginning_a_state_is_due_whenever_the_steps_have_grown_by_a_factor(due: Due) -> None:
    kept = []
    for step in range(1000):
        if due.wants_save(step):
            due.note_save(step)
            kept.append(step)
    assert kept[0] <= EARLY_STEPS and 4 <= len(kept) <= 8
    gaps = [b - a for a, b in itertools.pairwise(kept)]
    assert gaps == sorted(gaps)


def test_who_hurries_asks_from_then_on_and_asking_again_is_not_asking_later(due: Due, clock: Clock) -> None:
    assert due.look_asked == 100.0 and due.save_asked == NEVER  # everybody waits for the first picture
    due.note_snapshot(0, measured=False)
    assert due.look_asked == NEVER
    due.note_report(training=False)
    clock.now += 5
    due.hurry()
    clock.now += 5
    due.hurry()
    assert due.look_asked == due.save_asked == 105.0 and due.wants_report
    due.note_save(3)
    assert due.save_asked == NEVER and due.look_asked == 105.0
    due.hurry()
    due.drop_save()
    assert due.save_asked == NEVER
