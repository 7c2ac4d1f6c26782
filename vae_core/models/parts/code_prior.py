"""A distribution over code maps: each code given those before it, by masked convolutions (van den Oord 2016, PixelCNN).

    p(codes) = Π_i p(code_i | code_1, …, code_{i−1}),   i through the map like a text: row by row, left to right

One pass gives all factors of a whole map, since no logit may see its own code or a later one. To draw a map takes one
pass for each place.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class MaskedConv(nn.Conv2d):
    """A convolution that sees the places before its own and, if it is no first one, its own."""

    def __init__(self, ins: int, outs: int, size: int, first: bool = False) -> None:
        """
        Args:
            size: of the kernel, odd. first: its input is the codes themselves, and its own place holds the answer.
        """
        super().__init__(ins, outs, size, padding=size // 2)
        mask = torch.ones(size, size)
        mask[size // 2, size // 2 + (not first) :] = 0  # to the right; of a first one also the middle
        mask[size // 2 + 1 :] = 0  # below
        self.mask: Tensor
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, h: Tensor) -> Tensor:
        """(B, ins, rows, columns) to (B, outs, rows, columns)."""
        return F.conv2d(h, self.weight * self.mask, self.bias, padding=self.padding)


class CodePrior(nn.Module):
    """p(codes) of maps with codes 0 … K − 1.

    Attributes:
        size: K. shape: rows and columns of a map.
    """

    def __init__(self, size: int, shape: tuple[int, int], width: int = 32, layers: int = 4) -> None:
        """
        Args:
            width: channels inside. layers: after the first one.
        """
        super().__init__()
        self.size, self.shape = size, shape
        self.embedding = nn.Embedding(size, width)
        self.places = nn.Parameter(torch.zeros(width, *shape))  # the border of a digit is not its middle
        self.first = MaskedConv(width, width, 5, first=True)
        self.more = nn.ModuleList(MaskedConv(width, width, 3) for _ in range(layers))
        self.head = nn.Conv2d(width, size, 1)

    def forward(self, codes: Tensor) -> Tensor:
        """codes (B, rows, columns) to logits (B, K, rows, columns): at each place those given the codes before it."""
        h = self.first(self.embedding(codes).movedim(-1, 1)) + self.places  # (B, width, rows, columns)
        for layer in self.more:
            h = h + layer(h.relu())
        return self.head(h.relu())

    def neg_log_prob(self, codes: Tensor) -> Tensor:
        """−log p(codes), (B,) nats per image: the sum over the places of the map."""
        return F.cross_entropy(self(codes), codes, reduction="none").flatten(1).sum(-1)

    @torch.no_grad()
    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Code maps drawn place by place: (count, rows, columns) int64.

        Args:
            generator: on the device of the weights.
        """
        rows, columns = self.shape
        codes = torch.zeros(count, rows, columns, dtype=torch.int64, device=self.places.device)
        for row in range(rows):
            for column in range(columns):
                p = self(codes)[:, :, row, column].softmax(-1)  # (count, K)
                codes[:, row, column] = torch.multinomial(p, 1, generator=generator)[:, 0]
        return codes
