"""How much of a codebook is in use."""

import torch
from torch import Tensor


def usage(codes: Tensor, size: int) -> dict[str, float]:
    """How many vectors of a codebook some images use, and as how many it counts when they do so unevenly.

        perplexity = exp(−Σ p_k log p_k),   p_k: share of all places whose code is k

    Args:
        codes: (N, rows, columns) int64, N >= 1.
        size: K, of the codebook.
    Returns:
        "perplexity": from 1 (one vector everywhere) to K (all equally often). "used": how many occur at all.
    """
    counts = torch.bincount(codes.flatten(), minlength=size).double()  # (K,)
    return {"perplexity": _entropy(counts).exp().item(), "used": int((counts > 0).sum())}


def _entropy(counts: Tensor) -> Tensor:
    """() nats, of the shares that these counts (K,) are."""
    shares = counts / counts.sum()
    return -torch.special.xlogy(shares, shares).sum()
