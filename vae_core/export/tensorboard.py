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

FILE_NAME = "events.out.tfevents.0.elbo-room"  # TensorBoard knows a file by "tfevents" in its name
_GREY = 1  # Summary.Image.colorspace


def event_file(story: RunReport) -> bytes:
    """The curves and the last pictures of a run.

    Scalars: train/ and test/ nll, kl, neg_elbo in nats per image, train/loss, test/mean_std, test/active, and of a
    Gaussian likelihood test/sigma, test/rmse, of full scale.
    Images: originals, reconstructions, prior_draws. All times are 0: a story knows steps, no clock, so the same
    story gives the same bytes. tensorboardX's SummaryWriter is passed over for its writer of records: it would
    start a thread, and put the server's name into the file's.
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
    more = family(story.config.model).scales(story.config)
    train = [
        _scalars(step, "train", nll=nll, kl=kl, neg_elbo=nll + kl, loss=loss) for step, nll, kl, loss in story.train
    ]
    test = [
        _scalars(step, "test", nll=nll, kl=kl, neg_elbo=nll + kl, mean_std=std, active=active, **_known(more, rest))
        for step, nll, kl, std, active, *rest in story.test
    ]
    return train + test


def _known(names: Sequence[str], values: Sequence[float]) -> dict[str, float]:
    """Values by name; in a run from before they were recorded they are no numbers, and left out."""
    return {name: value for name, value in zip(names, values, strict=True) if not np.isnan(value)}


def _scalars(step: float, split: str, **values: float) -> Any:
    parts = [Summary.Value(tag=f"{split}/{name}", simple_value=value) for name, value in values.items()]
    return Event(step=int(step), summary=Summary(value=parts))


def _pictures(story: RunReport) -> list[Any]:
    s = story.snapshot
    if s is None:
        return []
    images = {"originals": s.originals, "reconstructions": s.reconstructions, "prior_draws": s.prior_draws}
    parts = [Summary.Value(tag=name, image=_image(grid(values, 10))) for name, values in images.items()]
    return [Event(step=s.step, summary=Summary(value=parts))]


def _image(image: np.ndarray) -> Any:
    height, width = image.shape
    return Summary.Image(height=height, width=width, colorspace=_GREY, encoded_image_string=png(image))
