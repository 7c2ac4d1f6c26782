"""Random streams: every draw is a function of (seed, stream, counter), and of nothing else.

A generator is reseeded for every batch instead of running on, so that step 812 draws the same noise
however the run got there: after a pause, a restart, a branch, or in another arm of an ablation.

    init    initial weights                  counter 0
    order   the permutation of an epoch      counter = epoch
    noise   eps and dynamic pixels of a step counter = step
    eval    evaluation noise                 counter 0: always the same draws
"""

import numpy as np
import torch

STREAMS = ("init", "order", "noise", "eval")


def stream_seed(seed: int, stream: str, counter: int = 0) -> int:
    """A well-mixed 32-bit seed (numpy's SeedSequence) for one draw of a stream."""
    return int(np.random.SeedSequence([seed, STREAMS.index(stream), counter]).generate_state(1)[0])


def generator(device: torch.device, seed: int, stream: str, counter: int = 0) -> torch.Generator:
    """A generator on the device, at the start of the stream's draw number `counter`."""
    return torch.Generator(device).manual_seed(stream_seed(seed, stream, counter))
