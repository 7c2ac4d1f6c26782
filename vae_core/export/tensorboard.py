"""The run as a TensorBoard event file: put it into a folder and run `tensorboard --logdir FOLDER`."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tensorboardX.proto.event_pb2 import Event  # type: ignore[import-untyped]
from tensorboardX.proto.summary_pb2 import Summary  # type: ignore[import-untyped]
from tensorboardX.record_writer import RecordWriter  # type: ignore[import-untyped]

from vae_core.export.pictures import grid, png
from vae_core.export.run_report import RunReport
from vae_core.models import family
from vae_core.models.base import Family

FILE_NAME = "events.out.tfevents.0.elbo-room"  # TensorBoard knows a file by "tfevents" in its name
_GREY = 1  # Summary.Image.colorspace


def event_file(story: RunReport) -> bytes:
    """The curves and the last pictures of a run.

    Scalars: train/ and test/ the terms (nll, kl), neg_elbo where they sum to it, in nats per image, train/loss, and
    what else the test history has: test/mean_std, test/active, and of a Gaussian likelihood test/sigma, test/rmse, of
    full scale.
    Images: originals, inputs, reconstructions, prior_draws, where there are any. All times are 0: a story knows steps,
    no clock, so the same story gives the same bytes. tensorboardX's SummaryWriter is passed over for its writer of
    records: it would start a thread, and put the server's name into the file's.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE_NAME
        writer = RecordWriter(str(path))
        for event in [Event(file_version="brain.Event:2"), *_curves(story), *_pictures(story)]:
            writer.write(event.SerializeToString())
        writer.close()
        return path.read_bytes()


def _curves(story: RunReport) -> list[Any]:
    """One event a step, with all values of that step."""
    kind = family(story.config.model)
    tables = {
        "train": (kind.columns(), story.train),
        "test": (kind.evaluation_columns(story.config), story.test),
    }
    return [
        _scalars(step, split, **_values(kind, names, values, kind.scales(story.config)))
        for split, ((_, *names), table) in tables.items()
        for step, *values in table
    ]


def _values(
    kind: type[Family], names: Sequence[str], values: Sequence[float], newer: Sequence[str]
) -> dict[str, float]:
    """Values by name, and −ELBO where that is the sum of the terms.

    Args:
        newer: names that in a run from before they were recorded are no numbers, and left out.
    """
    found = {k: v for k, v in zip(names, values, strict=True) if k not in newer or not np.isnan(v)}
    terms = {name: found.pop(name) for name in kind.TERMS}
    return terms | ({"neg_elbo": sum(terms.values())} if kind.has.bound else {}) | found


def _scalars(step: float, split: str, **values: float) -> Any:
    parts = [Summary.Value(tag=f"{split}/{name}", simple_value=value) for name, value in values.items()]
    return Event(step=int(step), summary=Summary(value=parts))


def _pictures(story: RunReport) -> list[Any]:
    s = story.snapshot
    if s is None:
        return []
    images = {name: getattr(s, name) for name in ("originals", "inputs", "reconstructions", "prior_draws")}
    parts = [Summary.Value(tag=name, image=_image(grid(array, 10))) for name, array in images.items() if len(array)]
    return [Event(step=s.step, summary=Summary(value=parts))]


def _image(image: np.ndarray) -> Any:
    height, width = image.shape
    return Summary.Image(height=height, width=width, colorspace=_GREY, encoded_image_string=png(image))
