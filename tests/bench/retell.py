"""`python -m tests.bench.retell`: the shipped films, each frame named anew by the present vocabulary of states.

A frame carries the name and the sentence that its run was given when it was filmed. After a change of the rules those
would be words of yesterday. Nothing else of a frame changes: its arrays stay as they are, byte for byte.
"""

import json
from dataclasses import asdict
from pathlib import Path

from vae_core.checkpoints import replacing
from vae_core.metrics.states import Diagnosis, decoder_trained, diagnose
from vae_core.runs.run_record import RunRecord
from vae_core.runs.snapshot_file import packed, read_snapshot, unpacked
from vae_core.runs.storage import RECORD, frame_file

CHECKPOINTS = Path(__file__).parents[2] / "checkpoints"


def states_of(folder: Path) -> dict[int, Diagnosis]:
    """By step, what the present vocabulary says of the frames of a shipped run."""
    run, found = RunRecord.load(folder), {}
    for step in run.film:
        settings = run.config.live
        for mark in run.marks:
            settings = mark.settings if mark.step <= step else settings
        seen = read_snapshot(frame_file(run.film_folder, step))
        found[step] = diagnose(seen, settings, decoder_trained(run.config, run.marks, step))
    return found


def retell(folder: Path) -> int:
    """Name the frames of a shipped run anew; returns how many changed."""
    changed, film = 0, RunRecord.load(folder).film_folder
    for step, diagnosis in states_of(folder).items():
        frame = unpacked(frame_file(film, step))
        told = with_diagnosis(frame, asdict(diagnosis))
        if told != frame:
            changed += 1
            with replacing(frame_file(film, step)) as file:
                file.write(packed(told))
    return changed


def with_diagnosis(frame: bytes, diagnosis: dict[str, str] | None) -> bytes:
    """The same frame with another name: a safetensors file is the length of its header, the header, and the data."""
    length = int.from_bytes(frame[:8], "little")
    header, data = json.loads(frame[8 : 8 + length]), frame[8 + length :]
    numbers = json.loads(header["__metadata__"]["snapshot"])
    if numbers["diagnosis"] == diagnosis:
        return frame
    header["__metadata__"]["snapshot"] = json.dumps(numbers | {"diagnosis": diagnosis})
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data


def main() -> None:
    for record in sorted(CHECKPOINTS.rglob(RECORD)):
        print(f"{retell(record.parent):3} frames of {record.parent.relative_to(CHECKPOINTS)}")


if __name__ == "__main__":
    main()
