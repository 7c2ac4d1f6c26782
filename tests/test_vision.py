"""vision.py in fresh processes: torchvision beside this torch, and no help where none is needed."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def fresh(code: str, *extra_path: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a new interpreter whose path begins with `extra_path` and this repository."""
    paths = [str(p) for p in (*extra_path, ROOT)]
    lines = f"import sys; sys.path[:0] = {paths!r}\n{code}"
    return subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, timeout=120)


def test_datasets_transforms_and_make_grid_work_beside_this_torch() -> None:
    result = fresh(
        "import json, torch\n"
        "from vae_core.vision import datasets, make_grid, transforms\n"
        "tiny = torch.tensor([1.0, 2.0, 3.0]).view(3, 1, 1, 1)\n"
        "grid = make_grid(tiny, nrow=2, padding=1, pad_value=9.0)\n"
        "pil = transforms.ToPILImage()(torch.zeros(1, 2, 3))\n"
        "print(json.dumps([grid.tolist(), pil.size, datasets.MNIST.__name__]))"
    )
    assert result.returncode == 0, result.stderr
    grid, size, name = json.loads(result.stdout)
    expected = [  # two to a row, one pixel of frame in value 9, the last place empty
        [9, 9, 9, 9, 9],
        [9, 1, 9, 2, 9],
        [9, 9, 9, 9, 9],
        [9, 3, 9, 9, 9],
        [9, 9, 9, 9, 9],
    ]
    assert grid == [expected] * 3  # one channel becomes three
    assert size == [3, 2] and name == "MNIST"


def fake_torchvision(folder: Path, on_import: str = "") -> Path:
    """A package of that name which imports without help, or stops as it is told."""
    package = folder / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text(on_import)
    for name in ("datasets", "transforms"):
        (package / f"{name}.py").write_text("")
    (package / "utils.py").write_text("def make_grid(): ...")
    return folder


def test_where_torchvision_imports_by_itself_nothing_is_declared(tmp_path: Path) -> None:
    result = fresh(
        "import torch\n"
        "from vae_core.vision import DECLARED\n"
        "print(DECLARED, hasattr(torch.ops.torchvision, 'nms'), hasattr(torch.ops.torchvision, 'qnms'))",
        fake_torchvision(tmp_path),
    )
    assert result.stdout.strip() == "[] False False", result.stderr


def test_operators_that_exist_are_not_declared_again(tmp_path: Path) -> None:
    """Here nms is there and qnms is not; declaring nms twice would raise."""
    result = fresh(
        "import torch\n"
        "library = torch.library.Library('torchvision', 'DEF')\n"
        "library.define('nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')\n"
        "from vae_core import vision\n"
        "print(vision.declare_missing_operators(), vision.declare_missing_operators())",
        fake_torchvision(tmp_path),
    )
    assert result.stdout.strip() == "['qnms'] []", result.stderr


def test_another_failure_of_torchvision_is_not_hidden(tmp_path: Path) -> None:
    result = fresh("import vae_core.vision", fake_torchvision(tmp_path, "raise RuntimeError('the disk is on fire')"))
    assert result.returncode != 0 and "the disk is on fire" in result.stderr
