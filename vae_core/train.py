"""The command line: `python -m vae_core.train --net mlp --latent-dim 2 --epochs 3 --out DIR`."""

import argparse
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn

from tqdm import tqdm

from vae_core import checkpoints, datasets, devices, models, thinning
from vae_core.cards import HELP, Keeping, make_card, table
from vae_core.checkpoints import CheckpointError
from vae_core.config import ConfigError, RunConfig
from vae_core.console import accept_all_letters, hold_interrupts, say
from vae_core.data.images import DataError
from vae_core.divergence import RunError
from vae_core.evaluate import evaluate_test
from vae_core.runs import result_folder
from vae_core.runs.command_line import Recorder, keep_run
from vae_core.trainer import Trainer

_OVERWRITE = (
    "a result in DIR gives way once the new one is complete; it stays where training is cut short (Ctrl-C, divergence, "
    "no memory), and what was learned goes to DIR-unfinished"
)
HISTORY_ROWS = 1_000  # train rows in history.csv at most
_EVERY = 20  # steps between two updates of the progress bar


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in one line and exits with status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}\n")


def parser() -> argparse.ArgumentParser:
    result = OneLineParser(
        prog="python -m vae_core.train", description="Train a VAE and save it with its card and history."
    )
    offered = {"dataset": f": {', '.join(datasets.names())}"}
    for field in fields(RunConfig):
        kind, what = type(field.default), f"{HELP[field.name]}{offered.get(field.name, '')}"
        option = f"--{field.name.replace('_', '-')}"
        result.add_argument(option, type=kind, default=field.default, help=f"{what} (default {field.default})")
    what = "folder for model.safetensors, card.json, history.csv"
    result.add_argument("--out", type=folder_name, required=True, metavar="DIR", help=what)
    result.add_argument("--overwrite", action="store_true", help=_OVERWRITE)
    result.add_argument("--film", action="store_true", help="keep pictures of the whole run, for the live view")
    result.add_argument(
        "--frames", type=frame_count, help=f"of the film: 1 keeps the end alone (default {thinning.FRAMES})"
    )
    result.add_argument("--only-run", action="store_true", help="with --film: keep run, card and decoder, no model")
    result.add_argument("--no-decoder", action="store_true", help="with --only-run: keep no decoder either")
    result.add_argument("--half", action="store_true", help="round the weights to float16 at the end: half the file")
    return result


def folder_name(text: str) -> Path:
    """The folder that an option names."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty: name a folder, or . for the current one.")
    return Path(text)


def frame_count(text: str) -> int:
    """The number of frames that an option names."""
    if not text.isdecimal() or not 1 <= int(text) <= thinning.FRAMES:
        raise argparse.ArgumentTypeError(f"{text!r}: give a whole number from 1 to {thinning.FRAMES}.")
    return int(text)


def parsed(arguments: list[str] | None) -> tuple[dict[str, Any], Path, Keeping, bool]:
    """The settings of the run, its folder, what is kept of it, and whether an earlier result gives way.

    Options that do not go together end the program with status 2.
    """
    reader = parser()
    options = vars(reader.parse_args(arguments))
    folder, frames, overwrite = (options.pop(name) for name in ("out", "frames", "overwrite"))
    filmed, only_run, bare, half = (options.pop(name) for name in ("film", "only_run", "no_decoder", "half"))
    if not filmed and (frames is not None or only_run):
        reader.error("--frames and --only-run need --film: add it.")
    if bare and not only_run:
        reader.error("--no-decoder needs --only-run: add it.")
    if half and only_run:
        reader.error("--half is for a whole model, which --only-run leaves out: give one of the two.")
    return options, folder, Keeping(filmed, frames or thinning.FRAMES, only_run, not bare, half), overwrite


def main(arguments: list[str] | None = None) -> int:
    """Train, save, and return the exit status: 1 if training failed, 2 for bad input, 130 if interrupted."""
    accept_all_letters()
    options, folder, keeping, overwrite = parsed(arguments)
    try:
        config = RunConfig.from_dict(options)
        devices.resolve(config.device)
        models.check(config)
        result_folder.check_free(folder, overwrite)
        trainer = Trainer(config)
    except (ConfigError, CheckpointError, DataError) as error:
        say(f"error: {error}", error=True)
        return 2
    return run(trainer, folder, keeping, overwrite)


def run(trainer: Trainer, folder: Path, keeping: Keeping, overwrite: bool = False) -> int:
    """Train to the end with a progress bar, save, print the table. Returns the exit status.

    Args:
        overwrite: an earlier result in the folder gives way, once this training has reached its end.
    """
    history: list[dict[str, Any]] = []
    try:
        with result_folder.workplace(folder) as made:
            recorder = Recorder(trainer, made, keeping.frames) if keeping.film else None
            started = time.perf_counter()
            status = train_to_its_end(trainer, history, recorder)
            with hold_interrupts("one moment: what was learned is being saved"):
                card = keep(trainer, time.perf_counter() - started, made, keeping, history, recorder)
                place = result_folder.put_in_place(made, folder, replace=overwrite and status == 0)
    except CheckpointError as error:
        say(f"error: {error}", error=True)
        return 1
    if place != folder:
        say(f"{folder} keeps the result that it had; what was learned now is in {place}", error=True)
    say(table(card["test"], tuple(trainer.model.TERMS), trainer.model.UNITS))
    say(f"saved to {place}")
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


def train_to_its_end(trainer: Trainer, history: list[dict[str, Any]], recorder: Recorder | None) -> int:
    """Train, and say why where it ends early; the rows until then are in `history`. Returns the exit status."""
    try:
        train(trainer, history, recorder)
        return 0
    except KeyboardInterrupt:
        status, why = 130, f"interrupted: saving what was learned in {trainer.step_count} steps"
    except RunError as error:
        status, why = 1, f"error: {error}"
    say(why, error=True)
    try:
        _keep_rows(trainer, history, recorder)
    except RunError as error:  # a loss ran away, and Ctrl-C came before it was read: the good rows are still there
        say(f"error: {error}", error=True)
        _keep_rows(trainer, history, recorder)
    return status


def train(trainer: Trainer, history: list[dict[str, Any]], recorder: Recorder | None = None) -> None:
    """All steps, with a test evaluation after every epoch and at the end; rows go to `history` as they come."""
    filmed = recorder.steps if recorder else set()
    images, unit = trainer.images_by(trainer.total_steps), "" if trainer.model.UNITS else " nats"
    with tqdm(total=images, unit=" images", unit_scale=True, disable=None) as bar:
        while not trainer.done:
            trainer.step()
            step = trainer.step_count
            if step % _EVERY == 0 or step % trainer.steps_per_epoch == 0 or step in filmed or trainer.done:
                last = _keep_rows(trainer, history, recorder)
                bar.update(trainer.images_seen - bar.n)
                bar.set_postfix_str(" + ".join(f"{name} {last[name]:.2f}" for name in trainer.model.TERMS) + unit)
            if step % trainer.steps_per_epoch == 0 or trainer.done:
                result = evaluate_test(trainer.model, trainer.images, trainer.config)
                bound = {} if result.neg_elbo is None else {"neg_elbo": result.neg_elbo}
                history.append(
                    {
                        "split": "test",
                        "step": trainer.step_count,
                        **result.terms,
                        **bound,
                        **result.scales,
                        **result.usage,
                    }
                )


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
