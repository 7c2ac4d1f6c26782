"""How much time may go into what is not training: never more than its share, whoever asks and how often."""

import pytest

from vae_core.runs.allowance import Allowance


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def spend(allowance: Allowance, clock: Clock, seconds: float) -> None:
    with allowance.spending():
        clock.now += seconds


@pytest.mark.parametrize("share", [0.05, 1 / 11, 0.5])
@pytest.mark.parametrize("most", [0.0, 2.0])
@pytest.mark.parametrize("cost", [0.1, 0.2, 3.0])
def test_no_more_than_its_share_is_spent_however_often_it_is_asked(share: float, most: float, cost: float) -> None:
    clock = Clock()
    allowance = Allowance(share, most, clock)
    spent = 0.0
    while clock.now < 1100:
        if allowance.has():
            spend(allowance, clock, cost)
            spent += cost
        else:
            clock.now += 0.01
    assert spent <= share * (clock.now - 100) + most + cost + 1e-6  # one may begin just before nothing is left
    assert spent >= 0.9 * share * (clock.now - 100) - cost  # and it is no miser


def test_savings_serve_several_at_once_and_have_a_limit() -> None:
    clock = Clock()
    allowance = Allowance(0.1, 1.0, clock)
    clock.now += 1000
    served = 0
    while allowance.has():
        spend(allowance, clock, 0.3)
        served += 1
    assert served == 4


def test_who_leaves_a_reserve_is_refused_while_another_is_served() -> None:
    clock = Clock()
    allowance = Allowance(0.1, 1.0, clock)
    spend(allowance, clock, 0.6)
    assert allowance.has() and allowance.has(0.4) and not allowance.has(0.5)
    clock.now += 1
    assert allowance.has(0.5)


def test_what_fails_has_cost_its_time_too() -> None:
    clock = Clock()
    allowance = Allowance(0.1, 0.0, clock)
    with pytest.raises(ValueError), allowance.spending():
        clock.now += 1
        raise ValueError
    assert not allowance.has()
    clock.now += 9.99
    assert allowance.has()  # 10 seconds of 0.1 each have passed since it began
