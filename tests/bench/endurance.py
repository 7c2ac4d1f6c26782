"""`python -m tests.bench.endurance NAME [--times N] [--seed S]`: what the engine room bears, in figures.

    servers    a server is killed N times: what the next one finds, and how much training is lost
    engines    the engine is killed N times below a server that lives on
    leaks      N starts and stops, N visitors who come and go: threads, handles, processes and memory
    mutated    N saved runs, each damaged in another way, read by everybody who reads runs
    records    three saved runs of each of N visitors: seconds at the start and at an arrival
    followers  N sockets on one run of a real server: the speed of training, the server's share and its memory
    protocol   N windows on Live training that change a number now and then: seconds until the page has run; Ctrl-C
    presses    N visitors who press all the time: is every command carried out, does the registry answer; Ctrl-C

Prints figures and what is wrong; it fails nothing. The same in short, counted, is tests/test_endurance.py.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator

from tests.bench.classroom import Flood, flood, interrupted, warm
from tests.bench.crashes import engines, servers
from tests.bench.crowd import followers, protocol
from tests.bench.leaks import arrivals, starts
from tests.bench.measure import load
from tests.bench.readers import mutated
from tests.bench.records import records
from vae_core.runs.registry import Registry

PRESSES_S, CTRL_C_S, CTRL_C_TIMES = 180.0, 10.0, 3


def leaks(times: int, _: int) -> Iterator[str]:
    for name, measure in (("starts and stops", starts), ("arrivals", arrivals)):
        first, *others = measure(times).lines()
        yield f"{name}, {first}"
        yield from others


def presses(times: int, _: int) -> Iterator[str]:
    runs = Registry()
    try:
        warm(runs)
        found: Flood = flood(runs, times, PRESSES_S)
    finally:
        runs.close()
    yield from found.lines()
    for _ in range(CTRL_C_TIMES):
        took, faults = interrupted(times, CTRL_C_S)
        yield f"Ctrl-C in mid-flood: server and engine ended after {took:.1f} s (goal 3 s) {'; '.join(faults)}"


# Each with how many times it is done when nothing else is asked for.
MEASUREMENTS: dict[str, tuple[int, Callable[[int, int], Iterator[str]]]] = {
    "servers": (200, lambda times, seed: iter(servers(times, seed).lines())),
    "engines": (200, lambda times, seed: iter(engines(times, seed).lines())),
    "leaks": (200, leaks),
    "mutated": (1000, lambda times, seed: iter(mutated(range(seed, seed + times)).lines())),
    "records": (6000, lambda times, _: iter(records(times).lines())),
    "followers": (150, lambda times, _: iter(followers(times).lines())),
    "protocol": (60, lambda times, _: iter(protocol(times).lines())),
    "presses": (60, presses),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=MEASUREMENTS)
    parser.add_argument("--times", type=int)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    usual, measure = MEASUREMENTS[options.name]
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # of servers and engines that are started here
    times = options.times or usual
    print(f"{options.name}, {times} times, seed {options.seed}; {load()}", flush=True)
    for line in measure(times, options.seed):
        print(line, flush=True)
    print(load())


if __name__ == "__main__":
    sys.exit(main())
