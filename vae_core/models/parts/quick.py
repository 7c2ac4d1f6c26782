"""The layers of the conv net as they train on a CPU: torch's own, computed in another way.

A transposed convolution adds, for each tap (a, c) of its kernel, the product of every input pixel with the matrix of
that tap to the output pixel a rows and c columns further on. If the batch lies inside the pixels, (H, W, B, C), these
are plain matrix products into memory that is already in order: nothing is gathered, scattered or padded with zeros.
With stride 1 it is a product of two polynomials, and `product` needs 49 matrix products where there are 144.
Seen from outside all stays (B, C, H, W); weights, their names and what is computed are those of torch's layers.
tests/test_quick.py compares them; tests/bench/NOTES.md has the figures.
"""

from functools import cache
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

LEAST_BATCH = 64  # below it the many small products cost more than they save
FEW = 64  # outputs of all taps together: as one product, then added
SIDE = 6  # pixels a side of what `product` makes


def quicken(model: nn.Module) -> None:
    """Let the transposed convolutions of a model, and BatchNorm, train as above. Parameters and names stay."""
    for layer in model.modules():
        if type(layer) is nn.BatchNorm2d and layer.affine and layer.momentum is not None:
            layer.__class__ = QuickNorm
        elif type(layer) is nn.ConvTranspose2d and is_plain(layer):
            layer.__class__ = QuickTransposed
        elif isinstance(layer, nn.Sequential):
            for one, after in pairwise(layer):
                if type(one) is nn.BatchNorm2d and type(after) is nn.ReLU:
                    one.__class__, after.__class__ = QuickNormReLU, DoneReLU


def is_plain(layer: nn.ConvTranspose2d) -> bool:
    """Whether it is square and has neither padding nor groups nor holes."""
    square = layer.kernel_size[0] == layer.kernel_size[1] and layer.stride[0] == layer.stride[1]
    return square and (*layer.padding, *layer.output_padding, layer.groups, *layer.dilation) == (0, 0, 0, 0, 1, 1, 1)


def trains_here(layer: nn.Module, x: Tensor) -> bool:
    """Whether a batch trains on a CPU; whatever else is computed with the layer is left to torch's own."""
    return layer.training and torch.is_grad_enabled() and x.device.type == "cpu" and len(x) >= LEAST_BATCH


class QuickTransposed(nn.ConvTranspose2d):
    """nn.ConvTranspose2d as matrix products, see above."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """x (B, C, H, W) to (B, outputs, (H - 1) stride + kernel, ...)."""
        if not trains_here(self, x) or output_size is not None:
            return super().forward(x, output_size)
        inside = x.permute(2, 3, 0, 1).contiguous()  # (H, W, B, C)
        taps = self.weight.permute(2, 3, 0, 1).contiguous()  # (kernel, kernel, C, outputs)
        few = taps[..., 0, :].numel() <= FEW
        bias = taps.new_zeros(taps.shape[-1]) if self.bias is None else self.bias
        if self.stride[0] == 1 and x.shape[2] == x.shape[3] == SIDE + 1 - len(taps):
            y = product(inside, taps) + bias  # (H', W', B, outputs)
        else:
            y = (AllTaps if few else EachTap).apply(inside, taps, bias, self.stride[0])
        return y.permute(2, 3, 0, 1).contiguous() if few else y.permute(2, 3, 0, 1)


def is_inside(x: Tensor) -> bool:
    """Whether the batch of x (B, C, H, W) lies inside its pixels."""
    return x.permute(2, 3, 0, 1).is_contiguous() and not x.is_contiguous()


class QuickNorm(nn.BatchNorm2d):
    """nn.BatchNorm2d pixel by pixel, so that each table (B, C) stays in the cache, where the batch lies inside them.

    torch's own adds up one long column in float32 there: the gradients before it lose four digits.
    """

    rectify = False  # whether the ReLU that follows is done at once

    def forward(self, x: Tensor) -> Tensor:
        """x (B, C, H, W) to the same shape."""
        if not trains_here(self, x) or not is_inside(x):
            return super().forward(x)
        assert self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None
        tables = x.permute(2, 3, 0, 1).flatten(0, 1)  # (pixels, B, C)
        y, mean, variance = Normalise.apply(tables, self.weight, self.bias, self.eps, self.rectify)
        count, momentum = x.numel() / x.shape[1], self.momentum or 0.0
        with torch.no_grad():
            self.running_mean.lerp_(mean, momentum)
            self.running_var.lerp_(variance * count / (count - 1), momentum)
            self.num_batches_tracked.add_(1)
        return y.view(*x.shape[2:], *x.shape[:2]).permute(2, 3, 0, 1)


class QuickNormReLU(QuickNorm):
    """With the ReLU that follows it."""

    rectify = True


class DoneReLU(nn.ReLU):
    """nn.ReLU after QuickNormReLU: nothing is left to do where that has done it."""

    def forward(self, x: Tensor) -> Tensor:
        """x (B, C, H, W) to the same shape."""
        return x if trains_here(self, x) and is_inside(x) else super().forward(x)


class Normalise(Function):
    """x (pixels, B, C) to weight (x - mean) / std + bias over pixels and images, rectified if so said; mean, variance.

    Table by table, so that each is in the cache for all that is done with it.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float, rectify: bool) -> tuple[Tensor, ...]:
        count = x[..., 0].numel()
        mean = torch.stack([table.sum(0) for table in x]).sum(0) / count
        variance = torch.stack([(table - mean).square_().sum(0) for table in x]).sum(0) / count
        inverse = (variance + eps).rsqrt()
        scale, y = weight * inverse, torch.empty_like(x)
        for table, out in zip(x, y, strict=True):
            torch.addcmul(bias - mean * scale, table, scale, out=out)
            if rectify:
                out.clamp_(min=0)
        ctx.save_for_backward(x, y if rectify else None, mean, inverse, scale)
        ctx.mark_non_differentiable(mean, variance)
        return y, mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor, *_: None) -> tuple[Tensor | None, ...]:
        x, y, mean, inverse, scale = ctx.saved_tensors
        count = x[..., 0].numel()
        dx, sums = torch.empty_like(x), []
        for i, (table, d, out) in enumerate(zip(x, dy, dx, strict=True)):
            torch.mul(d, y[i] > 0, out=out) if y is not None else out.copy_(d)
            sums.append(torch.stack([out.sum(0), ((table - mean) * out).sum(0)]))
        dbias, along = torch.stack(sums).sum(0)
        dweight = along * inverse
        slope = -scale * inverse * dweight / count  # of dx along x
        level = -scale * dbias / count - slope * mean
        for table, out in zip(x, dx, strict=True):
            out.mul_(scale).add_(level).addcmul_(table, slope)
        return dx, dweight, dbias, None, None


def product(x: Tensor, taps: Tensor) -> Tensor:
    """The transposed convolution with stride 1 to (6, 6) pixels: x (H, H, B, C), taps (kernel, kernel, C, outputs).

    Pixels and taps are the coefficients of polynomials in two variables (row and column), and y those of their product.
    So both are evaluated at as many points as y has pixels, multiplied there, and y is what has these values (Toom
    1963, Cook 1966; for convolutions Winograd 1980): a matrix product a point, not one a pixel of x and tap.

    Returns:
        (6, 6, B, outputs).
    """
    x_there = (values(len(x), x.dtype) @ x.flatten(0, 1).flatten(1)).view(-1, *x.shape[2:])  # (49, B, C)
    taps_there = (values(len(taps), x.dtype) @ taps.flatten(0, 1).flatten(1)).view(-1, *taps.shape[2:])
    y_there = x_there @ taps_there
    return (coefficients(x.dtype) @ y_there.flatten(1)).view(SIDE, SIDE, *y_there.shape[1:])


@cache
def values(count: int, dtype: torch.dtype) -> Tensor:
    """(49, count count): times the coefficients of a polynomial in two variables, what `line_values` says of both."""
    line = line_values(count)
    return torch.kron(line, line).to(dtype)


@cache
def coefficients(dtype: torch.dtype) -> Tensor:
    """(36, 49): from the products of two such values the coefficients of the product. `values` undone."""
    plain = torch.eye(7, dtype=torch.float64)[:6]
    plain[4], plain[5] = torch.tensor([[0, 0, 0, 0, 1, -1, 0], [0, 0, 0, 0, -1, -1, 1]])  # (a + bi)(c + di)
    line = line_values(SIDE)[:6].inverse() @ plain
    return torch.kron(line, line).to(dtype)


def line_values(count: int) -> Tensor:
    """(7, count), float64: a polynomial's values at 0, 1, -1 and infinity, and at i (thereby at -i, too).

    These six points round least. The value at i is a real part, an imaginary part and their sum: multiplied one by one,
    ac, bd and (a + b)(c + d) make up the complex product (Gauss).
    """
    k = torch.arange(count)
    real, imaginary = torch.tensor([1, 0, -1, 0])[k % 4], torch.tensor([0, 1, 0, -1])[k % 4]
    rows = [k == 0, torch.ones(count), (-1) ** k, k == count - 1, real, imaginary, real + imaginary]
    return torch.stack([row.double() for row in rows])


class EachTap(Function):
    """x (H, W, B, C), taps (kernel, kernel, C, outputs), bias (outputs,) to (H', W', B, outputs), tap after tap."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, taps: Tensor, bias: Tensor, stride: int) -> Tensor:
        ctx.save_for_backward(x, taps)
        ctx.stride = stride
        (height, width, batch, _), (kernel, _, _, outputs) = x.shape, taps.shape
        shape = ((height - 1) * stride + kernel, (width - 1) * stride + kernel, batch, outputs)
        y = bias.expand(shape).contiguous()
        for row, a, c in spots(height, kernel):
            below = y[row * stride + a, c : c + (width - 1) * stride + 1 : stride]  # (W, B, outputs)
            below.baddbmm_(x[row], taps[a, c].expand(width, -1, -1))
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        x, taps = ctx.saved_tensors
        dy, stride = dy.contiguous(), ctx.stride
        (height, width), kernel = x.shape[:2], len(taps)
        dx, dtaps = torch.zeros_like(x), torch.zeros_like(taps)
        for row, a, c in spots(height, kernel):
            below = dy[row * stride + a, c : c + (width - 1) * stride + 1 : stride]  # (W, B, outputs)
            dx[row].baddbmm_(below, taps[a, c].T.expand(width, -1, -1))
            for pixel, d in zip(x[row], below, strict=True):
                dtaps[a, c].addmm_(pixel.T, d)
        return dx, dtaps, torch.stack([pixel.sum(0) for pixel in dy.flatten(0, 1)]).sum(0), None


class AllTaps(Function):
    """As EachTap, for so few outputs that the taps are one product together, (kernel kernel outputs, H W B)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, taps: Tensor, bias: Tensor, stride: int) -> Tensor:
        ctx.save_for_backward(x, taps)
        ctx.stride = stride
        (height, width, batch, inputs), (kernel, _, _, outputs) = x.shape, taps.shape
        flat = taps.transpose(2, 3).reshape(-1, inputs) @ x.view(-1, inputs).T
        parts = flat.view(kernel, kernel, outputs, height, width, batch)
        shape = ((height - 1) * stride + kernel, (width - 1) * stride + kernel, batch, outputs)
        y = bias.expand(shape).contiguous()
        for a, c, place in places(y, parts.shape, stride):
            place.add_(parts[a, c].permute(1, 2, 3, 0))
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        x, taps = ctx.saved_tensors
        (height, width, batch, inputs), (kernel, _, _, outputs) = x.shape, taps.shape
        parts = x.new_empty(kernel, kernel, outputs, height, width, batch)
        for a, c, place in places(dy.contiguous(), parts.shape, ctx.stride):
            parts[a, c].permute(1, 2, 3, 0).copy_(place)
        flat = parts.view(-1, height * width * batch)  # (kernel kernel outputs, H W B)
        dx = flat.T @ taps.transpose(2, 3).reshape(-1, inputs)
        dtaps = (flat @ x.view(-1, inputs)).view(kernel, kernel, outputs, inputs).transpose(2, 3)
        return dx.view_as(x), dtaps, dy.sum((0, 1, 2)), None


def spots(height: int, kernel: int) -> list[tuple[int, int, int]]:
    """Every input row with every tap of the kernel."""
    return [(row, a, c) for row in range(height) for a in range(kernel) for c in range(kernel)]


def places(y: Tensor, shape: torch.Size, stride: int) -> list[tuple[int, int, Tensor]]:
    """For each tap of parts with that shape, the pixels of y that its products are added to."""
    kernel, _, _, height, width, _ = shape
    high, wide = (height - 1) * stride + 1, (width - 1) * stride + 1
    every = range(kernel)
    return [(a, c, y[a : a + high : stride, c : c + wide : stride]) for a in every for c in every]
