"""The command line: `python -m vae_core.export.onnx DIR --out FOLDER` writes a model's two halves as ONNX files.

    encoder.onnx    x (B, 1, 28, 28) in [0, 1]  ->  mu, log_var (B, D); of a plain autoencoder mu alone
    decoder.onnx    z (B, D)                    ->  logits (B, C, 28, 28), whose sigmoid is x_hat

B is free. The packages onnx and onnxscript are needed (requirements-extra.txt), and nothing else here asks for them.
"""

import argparse
import importlib.util
import json
import sys
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from vae_core import checkpoints
from vae_core.checkpoints import Checkpoint, CheckpointError
from vae_core.console import OneLineParser, accept_all_letters, folder_name, say
from vae_core.models.base import SHAPE, Family

ENCODER, DECODER = "encoder.onnx", "decoder.onnx"
NEEDED = ("onnx", "onnxscript")
_B = 2  # images of the example that is traced; with 1 the axis would not count as free


class OnnxError(RuntimeError):
    """A model that cannot be written as ONNX; the message is one sentence."""


class _Encoder(nn.Module):
    def __init__(self, model: Family) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return self.model.encode(x)


class _Decoder(nn.Module):
    def __init__(self, model: Family) -> None:
        super().__init__()
        self.model = model

    def forward(self, z: Tensor) -> Tensor:
        return self.model.decode(z)


def main(arguments: list[str] | None = None) -> int:
    """Write both files; returns the exit status, 2 for bad input."""
    accept_all_letters()
    options = parser().parse_args(arguments)
    try:
        saved = checkpoints.load(options.checkpoint)
        checkpoints.check_writable(options.out)
        checkpoints.write_files(options.out, onnx_files(saved))
    except (CheckpointError, OnnxError) as error:
        say(f"error: {error}", error=True)
        return 2
    say(f"wrote {Path(options.out) / ENCODER} and {Path(options.out) / DECODER}")
    return 0


def parser() -> argparse.ArgumentParser:
    result = OneLineParser(prog="python -m vae_core.export.onnx", description="Write a model's halves as ONNX files.")
    result.add_argument("checkpoint", type=folder_name, metavar="DIR", help="folder with model.safetensors, card.json")
    result.add_argument(
        "--out", type=folder_name, required=True, metavar="FOLDER", help="for both files; made if missing"
    )
    return result


def onnx_files(saved: Checkpoint) -> dict[str, bytes]:
    """Both files by name; each names the settings of the model in its metadata, as JSON under "config".

    Raises:
        OnnxError: a package is missing, or the family has no codes.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise OnnxError(f"ONNX files need {' and '.join(missing)}: python -m pip install -r requirements-extra.txt.")
    model = saved.model.eval()
    if not model.has.codes:
        raise OnnxError(f"The model {saved.config.model} has no encoder and decoder of its own: choose another family.")
    halves = ["mu", "log_var"] if model.has.posterior == "gaussian" else ["mu"]
    config = json.dumps(saved.config.to_dict())
    x, z = torch.zeros(_B, *SHAPE), torch.zeros(_B, model.latent_dim)
    return {
        ENCODER: _exported(_Encoder(model).eval(), x, "x", halves, config),
        DECODER: _exported(_Decoder(model).eval(), z, "z", ["logits"], config),
    }


def _exported(half: nn.Module, example: Tensor, name: str, outputs: list[str], config: str) -> bytes:
    free = ({0: torch.export.Dim("batch")},)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own parts to one another
        program = torch.onnx.export(
            half, (example,), input_names=[name], output_names=outputs, dynamic_shapes=free, dynamo=True, verbose=False
        )
    assert program is not None
    written = program.model_proto
    written.metadata_props.add(key="config", value=config)
    return bytes(written.SerializeToString())


if __name__ == "__main__":
    sys.exit(main())
