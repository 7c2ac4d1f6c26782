"""Which device computes, and what a device is called."""

import platform

import torch

from vae_core.config import ConfigError


def resolve(name: str) -> torch.device:
    """The device behind a name: "auto" takes CUDA, then MPS, then the CPU.

    Raises:
        ConfigError: the named device is not there.
    """
    if name == "auto":
        return torch.device(available()[0])
    if name not in available():
        raise ConfigError(
            f"This machine has no {name} device for PyTorch: choose {' or '.join([*available(), 'auto'])}."
        )
    return torch.device(name)


def available() -> list[str]:
    """Usable devices, best first; the CPU is always the last."""
    names = ["cuda"] if torch.cuda.is_available() else []
    names += ["mps"] if torch.backends.mps.is_available() else []
    return [*names, "cpu"]


def describe(device: torch.device) -> str:
    """A name for cards and pages, such as "NVIDIA H200" or "CPU (x86_64, 2 threads)"."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return "Apple GPU"
    return f"CPU ({platform.machine()}, {torch.get_num_threads()} threads)"
