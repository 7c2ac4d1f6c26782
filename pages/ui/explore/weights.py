"""The weights of a model that is explored, read from its file, and whether they are numbers."""

import math

from safetensors import SafetensorError, safe_open
from torch import Tensor

from pages.ui.explore.sources import Source
from vae_core import models
from vae_core.models.base import Family


class NotNumbers(RuntimeError):
    """A model whose weights or codes are no finite numbers; the message is one sentence."""


def read_weights(source: Source) -> tuple[Family, dict[str, Tensor], float] | None:
    """The model in evaluation mode, its tensors as in the file, named for the package, and the beta in force."""
    model, prefix = models.build(source.config), source.prefix
    try:
        with safe_open(source.path, framework="pt") as file:
            names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118
            found = {name.removeprefix(prefix): file.get_tensor(name) for name in names}
            beta = file.get_tensor("trainer")[2].item() if source.is_run else source.config.beta
        model.load_state_dict(found)
    except (OSError, SafetensorError, ValueError, RuntimeError, IndexError):
        return None
    halves = ("encoder.", "decoder.")  # the rest is not run in the browser
    kept = {k: v for k, v in found.items() if k.startswith(halves) and not k.endswith("num_batches_tracked")}
    return model.eval(), {f"model.{k}": v for k, v in kept.items()}, beta


def require_numbers(source: Source, tensors: list[Tensor]) -> None:
    """
    Raises:
        NotNumbers: one of the tensors holds NaN or infinity.
    """
    if all(math.isfinite(tensor.float().abs().amax().item()) for tensor in tensors):
        return
    at = "" if source.step is None else f" at step {source.step:,}"
    raise NotNumbers(
        f"The weights of {source.title} give no numbers{at} (the training ran away to infinity): choose another model."
    )
