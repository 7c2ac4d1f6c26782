"""`python -m tests.bench.crash_server FOLDER SEED`: a server to be killed, as crashes.py does, or ended by Ctrl-C.

Three visitors go on with their runs or start one; others come and go all the time. Prints who has come, "ready", and
from then on the step that each of the three has reached.
"""

import contextlib
import random
import sys
import threading
import time
from pathlib import Path

from vae_core.config import RunConfig
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import SAVED

CONFIG = RunConfig(device="cpu", epochs=1000)
VISITORS = ("ann", "bob", "eve")
LONG = 20_000  # steps: beyond them a new run is begun, so that no curve is ever thinned
GONE_S = 3.0
EVERY_S = 0.02


def serve(root: Path, seed: int) -> None:
    runs = Registry(GONE_S, root)
    try:
        own = [_arrive(runs, visitor) for visitor in VISITORS]
        threading.Thread(target=_come_and_go, args=(runs, random.Random(seed)), daemon=True).start()
        print("ready", flush=True)
        while True:
            for run_id in own:
                if run := runs.get(run_id):
                    print(f"step {run_id} {run.step}\n", end="", flush=True)  # in one piece: threads print
            time.sleep(EVERY_S)
    finally:
        runs.close()


def _arrive(runs: Registry, visitor: str) -> str:
    """The id of the run with which a visitor goes on."""
    print(f"visitor {visitor}\n", end="", flush=True)
    runs.visitors.enter(visitor)
    runs.find_saved(visitor)
    newest = next(iter(runs.of(visitor)), None)
    if newest is None or newest.status != SAVED or newest.step > LONG:
        return runs.start(CONFIG, visitor)
    runs.command(newest.run_id, "resume")
    return newest.run_id


def _come_and_go(runs: Registry, rng: random.Random) -> None:
    """Others look in; some begin a run, pause it, stop it, close it or leave it to itself, and some come again."""
    known = ["guest 0"]
    while True:
        guest = rng.choice(known) if rng.random() < 0.3 else f"guest {rng.randrange(10**9)}"
        known.append(guest)
        print(f"visitor {guest}\n", end="", flush=True)
        runs.visitors.enter(guest)
        runs.find_saved(guest)
        if rng.random() < 0.3:
            run_id = runs.start(CONFIG, guest, paused=rng.random() < 0.5)
            time.sleep(rng.uniform(0, 1))
            if (command := rng.choice(["pause", "stop", "close", ""])) == "close":
                runs.close_run(run_id)
            elif command:
                runs.command(run_id, command)
        time.sleep(rng.uniform(0, 0.4))
        runs.visitors.leave(guest)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        serve(Path(sys.argv[1]), int(sys.argv[2]))
