"""Write an image set as one npz file, for a script that repeats a run: `python -m vae_core.data.write circles FILE`."""

import sys

import numpy as np
import torch

from vae_core.any_path import AnyPath
from vae_core.console import accept_all_letters, say
from vae_core.data.images import DataError, load


def write(name: str, target: AnyPath) -> None:
    """x_train, y_train, x_test and y_test, uint8, images without their channel; the factors, where there are any.

    Raises:
        DataError: the set is not here, or the file cannot be written.
    """
    images = load(name, torch.device("cpu"))
    arrays = {f"{k}_{split}": getattr(images, f"{k}_{split}") for split in ("train", "test") for k in "xy"}
    held = {key: tensor.squeeze(1).numpy().astype(np.uint8) for key, tensor in arrays.items() if key[0] == "x"}
    held |= {key: tensor.numpy().astype(np.uint8) for key, tensor in arrays.items() if key[0] == "y"}
    known = {f"factors_{split}": getattr(images, f"factors_{split}") for split in ("train", "test")}
    held |= {key: tensor.numpy() for key, tensor in known.items() if tensor is not None}
    try:
        np.savez_compressed(target, allow_pickle=False, **held)
    except OSError as error:
        raise DataError(f"{target} cannot be written ({error.strerror}): name another file.") from None


def main(arguments: list[str]) -> int:
    """Write the set; the exit status, 2 where that cannot be."""
    accept_all_letters()
    if len(arguments) != 2:
        say("usage: python -m vae_core.data.write NAME FILE.npz", error=True)
        return 2
    try:
        write(*arguments)
    except DataError as error:
        say(f"error: {error}", error=True)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
