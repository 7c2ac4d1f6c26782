"""A model that is told the label, as the plain one that it is for one label: who runs it needs to know of no labels."""

from collections.abc import Mapping

from torch import Tensor

from vae_core.models.base import CLASSES


def fold_label(tensors: Mapping[str, Tensor], y: int, classes: int = CLASSES) -> dict[str, Tensor]:
    """The weights of an mlp for one label: a one-hot beside the inputs of a linear layer is one of its columns, a bias.

        W [x, one_hot(y)] + b  =  W_x x + (b + W_y)

    Args:
        tensors: `encoder.*` and `decoder.*`, or one of the two; the last `classes` inputs of each are the label.
        y: the label.
    Returns:
        The same names; of both first layers the weight without these columns, and the other bias, float32.
    """
    folded = dict(tensors)
    for half in sorted({name.split(".")[0] for name in tensors}):
        first = min(int(name.split(".")[1]) for name in tensors if name.startswith(f"{half}."))
        weight, bias = (tensors[f"{half}.{first}.{name}"] for name in ("weight", "bias"))  # (H, I + classes), (H,)
        plain = weight.shape[1] - classes
        folded[f"{half}.{first}.weight"] = weight[:, :plain].contiguous()
        folded[f"{half}.{first}.bias"] = bias.float() + weight[:, plain + y].float()
    return folded
