"""Images: loading them, and the three ways in which pixels become data."""

from vae_core.data.images import Images, load
from vae_core.data.protocols import prepare

__all__ = ["Images", "load", "prepare"]
