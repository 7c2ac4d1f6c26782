"""torchvision, importable beside a torch that was built without CUDA.

The torchvision wheel on PyPI is built for a CUDA torch. Beside a CPU-only torch its compiled operators
cannot load, and `import torchvision` stops with "operator torchvision::nms does not exist": Python code in
the package registers fake kernels for operators that nobody has declared. Nothing here needs those
operators (box suppression for object detection), so the missing ones are declared first, by schema only.
Where the compiled operators do load, nothing is declared and nothing changes.

Import torchvision from here and nowhere else:

    from vae_core.vision import datasets, make_grid, transforms
"""

import torch

_SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def declare_missing_operators() -> list[str]:
    """Declare the operators that torchvision's import expects and this torch lacks; returns their names."""
    missing = [name for name in _SCHEMAS if not hasattr(torch.ops.torchvision, name)]
    for name in missing:
        _LIBRARY.define(_SCHEMAS[name])
    return missing


_LIBRARY = torch.library.Library("torchvision", "FRAGMENT")

try:
    import torchvision  # noqa: F401  (a matching pair of wheels needs no help)
except RuntimeError as error:
    if "torchvision::" not in str(error):
        raise
    DECLARED = declare_missing_operators()
else:
    DECLARED = []

from torchvision import datasets, transforms  # noqa: E402
from torchvision.utils import make_grid  # noqa: E402

__all__ = ["DECLARED", "datasets", "make_grid", "transforms"]
