"""Commands on their way to an engine: they leave in order, nobody waits, and what may become one does."""

import threading
from typing import Any

import pytest

from tests.waiting import wait_for
from vae_core.runs.mailbox import Inbox, Outbox
from vae_core.runs.messages import Command


class Gate:
    """The other end: it takes nothing until it is opened."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.taken: list[Command | None] = []

    def take(self, command: Command | None) -> None:
        self.opened.wait(30)
        self.taken.append(command)


def set_(run_id: str, **weights: float) -> Command:
    return Command(run_id, "set", weights)


def through(*commands: Command) -> list[Command | None]:
    """What arrives of commands that were all put in while the other end took nothing."""
    gate = Gate()
    outbox = Outbox(gate.take)
    outbox.put(Command("first", "pause"))  # the thread has this one in its hands, the others wait
    wait_for(lambda: not outbox._waiting)
    for command in commands:
        outbox.put(command)
    gate.opened.set()
    outbox.put(Command("last", "pause"))
    wait_for(lambda: gate.taken[-1:] == [Command("last", "pause")])
    return gate.taken[1:-1]


def test_commands_arrive_in_order() -> None:
    sent = [Command(f"run {i % 7}", name) for i, name in enumerate(["open", "pause", "resume", "stop"] * 50)]
    assert through(*sent) == sent


def test_changes_of_one_runs_weights_become_one_with_the_last_values() -> None:
    sent = [set_("a", beta=2.0), set_("b", beta=5.0), set_("a", alpha=3.0), set_("a", beta=4.0), set_("b", beta=6.0)]
    assert through(*sent) == [set_("a", beta=4.0, alpha=3.0), set_("b", beta=6.0)]


@pytest.mark.parametrize("between", ["pause", "step", "reset", "open"])
@pytest.mark.parametrize("whom", ["a", "its group"])
def test_a_change_does_not_pass_another_command(between: str, whom: str) -> None:
    sent = [set_("a", beta=0.0), Command(whom, between), set_("a", beta=1.0)]
    assert through(*sent) == sent


def test_putting_in_never_waits_for_who_listens() -> None:
    gate = Gate()
    outbox = Outbox(gate.take)
    for i in range(20_000):  # far more than a pipe holds
        outbox.put(Command("a", "step", {"steps": i}))
    assert gate.taken == []
    outbox.close()
    gate.opened.set()
    outbox.join(30)
    assert len(gate.taken) <= 2 and gate.taken[-1] is None  # what waited is dropped, and the leave arrives


def test_when_nobody_listens_any_more_its_thread_ends_and_it_takes_no_more() -> None:
    def broken(command: Any) -> None:
        raise BrokenPipeError

    outbox = Outbox(broken)
    outbox.put(Command("a", "pause"))
    outbox.join(30)
    outbox.put(Command("a", "pause"))
    assert not outbox._thread.is_alive() and not outbox._waiting
    outbox.close()
    assert not outbox._waiting


def opening(run_id: str, group: str = "") -> Command:
    return Command(run_id, "open", {"group": group})


def test_openings_wait_their_turn_and_hold_up_nobody_else() -> None:
    inbox = Inbox()
    commands = [
        Command("old", "pause"),
        opening("a"),
        opening("b"),
        Command("b", "pause"),
        Command("old", "resume"),
        set_("a", beta=1.0),
    ]
    for command in commands:
        inbox.put(command)
    assert list(inbox.take(seconds=-1)) == [commands[0], commands[4]]  # no time for openings
    assert inbox and list(inbox.take(seconds=60)) == [commands[1], commands[2], commands[3], commands[5]]
    assert not inbox


def test_what_is_said_of_a_group_waits_for_its_last_arm() -> None:
    inbox = Inbox()
    commands = [opening("a", "g"), opening("b", "g"), Command("g", "pause"), Command("h", "pause")]
    for command in commands:
        inbox.put(command)
    assert list(inbox.take(seconds=-1)) == [commands[3]]
    assert list(inbox.take(seconds=60)) == commands[:3]
