"""The command line: `python -m vae_core.train --net mlp --latent-dim 2 --epochs 3 --out DIR`."""

import argparse
import shlex
import sys
import time
from collections.abc import Collection, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from vae_core import checkpoints, datasets, devices, models, thinning
from vae_core.cards import HELP, Keeping, make_card, table
from vae_core.checkpoints import CARD, HISTORY, WEIGHTS, CheckpointError
from vae_core.config import ConfigError, RunConfig
from vae_core.console import (
    OneLineParser,
    Paused,
    accept_all_letters,
    folder_name,
    hold_interrupts,
    interrupts_wait,
    say,
)
from vae_core.data.images import DataError
from vae_core.divergence import RunError
from vae_core.evaluate import evaluate_test
from vae_core.runs import result_folder
from vae_core.runs.command_line import Recorder, keep_run
from vae_core.runs.quick import quick_trainer
from vae_core.runs.training_checkpoint import Saved, go_on, write_state
from vae_core.trainer import Trainer

_OVERWRITE = "a result in DIR gives way once the new one is complete; one that is cut short goes to DIR-unfinished"
_KEEP = "keep what training goes on from: three times the model and its history; after Ctrl-C it is kept anyway"
_RESUME = "go on with the training in DIR, bit for bit; other --epochs may be given, and --out leaves DIR as it is"
HISTORY_ROWS = 1_000  # train rows in history.csv at most
_EVERY = 20  # steps between two updates of the progress bar


class Asked(NamedTuple):
    """What the command line says: settings that are named, and all else.

    Attributes:
        overwrite: an earlier result gives way. resume: the folder of a training to go on with.
    """

    settings: dict[str, Any]
    folder: Path
    keeping: Keeping
    overwrite: bool
    resume: Path | None = None


def parser() -> argparse.ArgumentParser:
    what = "Train a VAE and save it with its card and history."
    result = OneLineParser(prog="python -m vae_core.train", description=what)
    add_settings(result)
    result.add_argument("--out", type=folder_name, metavar="DIR", help=f"folder for {WEIGHTS}, {CARD}, {HISTORY}")
    result.add_argument("--overwrite", action="store_true", help=_OVERWRITE)
    result.add_argument("--film", action="store_true", help="keep pictures of the whole run, for the live view")
    result.add_argument(
        "--frames", type=frame_count, help=f"of the film: 1 keeps the end alone (default {thinning.FRAMES})"
    )
    result.add_argument("--only-run", action="store_true", help="with --film: keep run, card and decoder, no model")
    result.add_argument("--no-decoder", action="store_true", help="with --only-run: keep no decoder either")
    result.add_argument("--half", action="store_true", help="round the weights to float16 at the end: half the file")
    result.add_argument("--keep-state", action="store_true", help=_KEEP)
    result.add_argument("--resume", type=folder_name, metavar="DIR", help=_RESUME)
    return result


def add_settings(parser: argparse.ArgumentParser, without: Collection[str] = ()) -> None:
    """An option for each setting of a run; those that are not given are not among the parsed ones.

    Args:
        without: names of settings that get none.
    """
    offered = {"dataset": f": {', '.join(datasets.names())}; points: {', '.join(datasets.POINTS)}"}
    for field in (field for field in fields(RunConfig) if field.name not in without):
        kind, what = type(field.default), f"{HELP[field.name]}{offered.get(field.name, '')}"
        what += f" (default {field.default})"
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=kind, default=argparse.SUPPRESS, help=what)


def frame_count(text: str) -> int:
    """The number of frames that an option names."""
    if not text.isdecimal() or not 1 <= int(text) <= thinning.FRAMES:
        raise argparse.ArgumentTypeError(f"{text!r}: give a whole number from 1 to {thinning.FRAMES}.")
    return int(text)


def parsed(arguments: list[str] | None) -> Asked:
    """What is asked for; options that do not go together end the program with status 2."""
    reader = parser()
    options = vars(reader.parse_args(arguments))
    folder, frames, overwrite, resume = (options.pop(name) for name in ("out", "frames", "overwrite", "resume"))
    names = ("film", "only_run", "no_decoder", "half", "keep_state")
    filmed, only_run, bare, half, state = (options.pop(name) for name in names)
    if folder is None and resume is None:
        reader.error("the following arguments are required: --out")
    if not filmed and (frames is not None or only_run):
        reader.error("--frames and --only-run need --film: add it.")
    if bare and not only_run:
        reader.error("--no-decoder needs --only-run: add it.")
    if half and only_run:
        reader.error("--half is for a whole model, which --only-run leaves out: give one of the two.")
    if filmed and (state or resume):
        reader.error("a filmed run cannot go on later: leave --film out, or --keep-state and --resume.")
    keeping = Keeping(filmed, frames or thinning.FRAMES, only_run, not bare, half, state)
    return Asked(options, folder or resume, keeping, overwrite, resume)


def main(arguments: list[str] | None = None) -> int:
    """Train, save, and return the exit status: 1 if training failed, 2 for bad input, 130 if interrupted."""
    accept_all_letters()
    asked = parsed(arguments)
    try:
        if asked.resume is not None:
            return resume(asked, asked.resume)
        config = RunConfig.from_dict(asked.settings)
        devices.resolve(config.device)
        models.check(config)
        result_folder.check_free(asked.folder, asked.overwrite)
        trainer = quick_trainer(config)
    except (ConfigError, CheckpointError, DataError) as error:
        say(f"error: {error}", error=True)
        return 2
    return run(trainer, asked.folder, asked.keeping, {0} if asked.overwrite else set())


def resume(asked: Asked, source: Path) -> int:
    """Go on with a training; in its own folder the new result takes the place of the one it goes on from.

    Raises:
        CheckpointError: it cannot be read, or the folder cannot be written.
        ConfigError, DataError: see training_checkpoint.go_on.
    """
    in_place = asked.folder.resolve() == source.resolve()
    trainer, saved = go_on(source, asked.settings)
    result_folder.check_free(asked.folder, asked.overwrite or in_place)
    say(f"going on after step {trainer.step_count:,} of {trainer.total_steps:,}")
    gives_way = {0, 130} if in_place else {0} if asked.overwrite else set()
    return run(trainer, asked.folder, replace(asked.keeping, half=asked.keeping.half or saved.half), gives_way, saved)


def run(
    trainer: Trainer, folder: Path, keeping: Keeping, gives_way: Collection[int] = (), begun: Saved | None = None
) -> int:
    """Train to the end with a progress bar, save, print the table. Returns the exit status.

    Args:
        gives_way: exit statuses with which an earlier result in the folder makes room for the new one.
        begun: what is gone on with.
    """
    history: list[dict[str, Any]] = [] if begun is None else begun.history
    try:
        with result_folder.workplace(folder) as made:
            recorder = Recorder(trainer, made, keeping.frames) if keeping.film else None
            started = time.perf_counter() - (0 if begun is None else begun.seconds)
            status, whole = train_to_its_end(trainer, history, recorder)
            with hold_interrupts("one moment: what was learned is being saved"):
                seconds = time.perf_counter() - started
                if recorder is None and whole and (keeping.state or status):
                    write_state(made, Saved(trainer.config, trainer.state(), history, seconds, keeping.half))
                card = keep(trainer, seconds, made, keeping, history, recorder)
                place = result_folder.put_in_place(made, folder, replace=status in gives_way)
    except CheckpointError as error:
        say(f"error: {error}", error=True)
        return 1
    if place != folder:
        say(f"{folder} keeps the result that it had; what was learned now is in {place}", error=True)
    say(table(card["test"], tuple(trainer.model.TERMS), trainer.model.UNITS))
    say(f"saved to {place}")
    if status and whole and recorder is None:
        say(f"to go on: python -m vae_core.train --resume {shlex.quote(str(place))}")
    return status


def keep(
    trainer: Trainer,
    seconds: float,
    folder: Path,
    keeping: Keeping,
    history: list[dict[str, Any]],
    recorder: Recorder | None,
) -> dict[str, Any]:
    """Write all that is kept of a training into an empty folder. Returns the card.

    Raises:
        CheckpointError: the folder cannot be written.
    """
    if keeping.half:  # before the test figures are taken: they are those of the model that is kept
        trainer.model.load_state_dict(checkpoints.in_half(trainer.model.state_dict()))
    card = make_card(trainer, seconds, keeping)
    if recorder is not None:
        recorder.finish(card["test"])
    if keeping.only_run:
        keep_run(folder, trainer.model.get_submodule("decoder") if keeping.decoder else None, card)
    else:
        checkpoints.save(folder, trainer.model, card, thinned(history), keeping.half)
    return card


def train_to_its_end(trainer: Trainer, history: list[dict[str, Any]], recorder: Recorder | None) -> tuple[int, bool]:
    """Train, and say why where it ends early; the rows until then are in `history`.

    Returns:
        The exit status, and whether training could go on from here: not where it was cut within a step, nor where a
        loss ran away.
    """
    whole = False
    try:
        train(trainer, history, recorder)
        return 0, True
    except KeyboardInterrupt as pressed:
        status, why = 130, f"interrupted: saving what was learned in {trainer.step_count} steps"
        whole = isinstance(pressed, Paused)
    except RunError as error:
        status, why = 1, f"error: {error}"
    say(why, error=True)
    try:
        _keep_rows(trainer, history, recorder)
    except RunError as error:  # a loss ran away, and Ctrl-C came before it was read: the good rows are still there
        say(f"error: {error}", error=True)
        _keep_rows(trainer, history, recorder)
        whole = False
    return status, whole


def train(trainer: Trainer, history: list[dict[str, Any]], recorder: Recorder | None = None) -> None:
    """All steps with a progress bar; rows go to `history` as they come, see `learn`."""
    images, begun = trainer.images_by(trainer.total_steps), trainer.images_seen
    unit = "" if trainer.model.UNITS else " nats"
    with (
        interrupts_wait() as look_for_interrupt,
        tqdm(total=images, initial=begun, unit=" images", unit_scale=True, disable=None) as bar,
    ):
        for last in learn(trainer, history, recorder):
            if last is not None:
                bar.update(trainer.images_seen - bar.n)
                bar.set_postfix_str(" + ".join(f"{name} {last[name]:.2f}" for name in trainer.model.TERMS) + unit)
            look_for_interrupt()


def learn(
    trainer: Trainer, history: list[dict[str, Any]], recorder: Recorder | None = None
) -> Iterator[dict[str, Any] | None]:
    """All steps, with a test evaluation after every epoch and at the end; rows go to `history` as they come.

    Yields:
        After every step the last train row, where the rows until then were taken from the device; else None.
    Raises:
        RunError: the training diverged.
    """
    filmed = recorder.steps if recorder else set()
    while not trainer.done:
        trainer.step()
        step, last = trainer.step_count, None
        whole = step % trainer.steps_per_epoch == 0 or trainer.done
        if whole or step % _EVERY == 0 or step in filmed:
            last = _keep_rows(trainer, history, recorder)
        if whole:
            result = evaluate_test(trainer.model, trainer.images, trainer.config)
            bound = {} if result.neg_elbo is None else {"neg_elbo": result.neg_elbo}
            row = {"split": "test", "step": trainer.step_count, **result.terms, **bound}
            history.append(row | result.scales | result.usage)
        yield last


def thinned(history: list[dict[str, Any]], most: int = HISTORY_ROWS) -> list[dict[str, Any]]:
    """The rows of history.csv: every test row, and at most so many train rows, dense early and sparse late.

    A train row stays what it was, the means over one batch. The steps are chosen as those of a film are.
    """
    steps = [row["step"] for row in history if row["split"] == "train"]
    if len(steps) <= most:
        return history
    chosen = set(thinning.schedule(steps[-1], most))
    return [row for row in history if row["split"] == "test" or row["step"] in chosen]


def _keep_rows(trainer: Trainer, history: list[dict[str, Any]], recorder: Recorder | None = None) -> dict[str, Any]:
    rows = trainer.flush()
    if recorder is not None:
        recorder.take(rows)
    for row in rows.tolist():
        values = dict(zip(trainer.columns, row, strict=True))
        if trainer.model.has.bound:
            values["neg_elbo"] = sum(values[name] for name in trainer.model.TERMS)
        history.append({"split": "train", **values, "step": int(values["step"])})
    return history[-1] if history else dict.fromkeys(trainer.columns, float("nan"))


if __name__ == "__main__":
    sys.exit(main())
