"""The pieces of the script that are no function of the core: kept apart so that they can be read as code."""

HEAD = '''"""Repeat one run of ELBO Room, with nothing but PyTorch and NumPy.

    python repeat.py                   trains, prints the curve and the test figures
    python repeat.py FILE curve.csv    takes the images of that file, and also writes the terms of every step

IMAGES

A variational autoencoder (Kingma and Welling 2014): its encoder gives q(z given x) = N(mu, exp(log_var)), its decoder
p(x given z), and the prior is p(z) = N(0, I). Training minimises the mean over a batch of

    loss = alpha * nll + beta * kl
    nll  = −log p(x given z)            the reconstruction term, summed over pixels, one sample of z
    kl   = KL(q(z given x) ‖ N(0, I))   summed over the latent dimensions

in nats per image. With alpha = beta = 1 the loss is −ELBO, an upper bound on −log p(x). Every random draw is that of
the run: with the same machine, versions and number of threads the numbers agree to the last digit, else closely.
"""

'''
SHIPPED = (
    "FILE is ELBO Room's vae_core/data/mnist.npz, or a folder with MNIST's own files. Without it they are looked for\n"
    "beside this script and in torchvision's folder data/MNIST/raw, and else fetched (10 MB)."
)
WRITTEN = (
    "NAME.npz holds x_train (N, 28, 28) and x_test (M, 28, 28), uint8. Where ELBO Room has these images, this\n"
    "writes it: python -m vae_core.data.write NAME NAME.npz"
)
IMPORTS = """from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
"""
SETTINGS = "# ---- settings of the run"
STREAMS = "# ---- random numbers: every draw is a function of (seed, stream, counter), and of nothing else\n"
NETWORKS = "# ---- the two networks\n"
TERMS = "# ---- the two terms of the loss, (B,) nats\n"

_PREPARE = '''
def prepare(pixels: Tensor, draws: torch.Generator) -> Tensor:
    """uint8 pixels to data, (B, 1, 28, 28): {what}."""
    return {how}
'''
PREPARE = {
    "grey": _PREPARE.format(what="grey values in [0, 1] as they are", how="pixels.float() / 255"),
    "dynamic": _PREPARE.format(
        what="0 or 1, redrawn each time with the grey value as the probability of 1",
        how="torch.bernoulli(pixels.float() / 255, generator=draws)",
    ),
    "static": _PREPARE.format(
        what="0 or 1, drawn once with the grey value as the probability of 1", how="redraw(pixels, DATA_SEED)"
    ),
    "threshold": _PREPARE.format(
        what="1 where the grey value is above one half, else 0", how="(pixels.float() / 255 > 0.5).float()"
    ),
}

MODEL = '''# ---- the model
class VAE(nn.Module):
    """Encoder and decoder. Noise is always an argument."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = {net}_encoder(2 * LATENT_DIM{layers})
        self.decoder = {net}_decoder(LATENT_DIM, {channels}{layers})
{learned}'''
LEARNED_SIGMA = """\
        raw = math.log(math.expm1(max(SIGMA - SIGMA_FLOOR, 1e-4)))  # the inverse of softplus
        self.raw_sigma = nn.Parameter(torch.tensor(raw))
"""
SIGMA_PER_PIXEL = """\
        *_, last = (layer for layer in self.decoder if isinstance(layer, (nn.Linear, nn.ConvTranspose2d)))
        raw = math.log(math.expm1(max(SIGMA - SIGMA_FLOOR, 1e-4)))  # the inverse of softplus
        last.bias.detach().view(2, -1)[1] = raw  # of the second channel, from which the sigma of each pixel comes
"""
FORWARD = '''
    def forward(self, x: Tensor, eps: Tensor) -> tuple[Tensor, Tensor]:
        """nll and kl of images x (B, 1, 28, 28) with noise eps (B, D): (B,) nats each."""
        mu, log_var = self.encode(x)
DECODE
        return NLL, gaussian_kl(mu, log_var)
'''
_DECODED = "self.decoder(self.sample(mu, log_var, eps))"
DECODE = {
    1: f"        logits = {_DECODED}  # (B, 1, 28, 28)",
    2: f"        mean, raw = {_DECODED}.chunk(2, dim=1)  # (B, 1, 28, 28) each",
}
NLL = {
    "bernoulli": "bernoulli_nll(logits, x)",
    "gaussian": "gaussian_nll(logits.sigmoid(), x, SIGMA)",
    "gaussian-learned": "gaussian_nll(logits.sigmoid(), x, SIGMA_FLOOR + F.softplus(self.raw_sigma))",
    "gaussian-per-pixel": "gaussian_nll(mean.sigmoid(), x, SIGMA_FLOOR + F.softplus(raw))",
}

TRAIN = '''# ---- training
def train(model: VAE, pixels: Tensor) -> Iterator[tuple[int, float, float, float]]:
    """Train on pixels (N, 1, 28, 28); yields step, nll, kl, loss: means over the batch, nats per image."""
    alpha, beta, learning_rate = ALPHA, BETA, LEARNING_RATE
    # FROZEN
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, fused=True)
    steps_per_epoch = math.ceil(len(pixels) / BATCH_SIZE)
    for step in range(STEPS):  # updates made so far
        epoch, index = divmod(step, steps_per_epoch)
        if index == 0:
            shuffle = generator(torch.device("cpu"), SEED, "order", epoch)
            order = torch.randperm(len(pixels), generator=shuffle).to(DEVICE)
    # CHANGES
    # WARMUP
    # ATTEND
        draws = generator(DEVICE, SEED, "noise", step)
        x = prepare(pixels[order[index * BATCH_SIZE :][:BATCH_SIZE]], draws)
        eps = torch.randn(len(x), LATENT_DIM, generator=draws, device=DEVICE)
        nll, kl = model(x, eps)
    # LOSS
        yield step + 1, nll.mean().item(), kl.mean().item(), loss.item()
'''
APPLY_CHANGES = """\
        if step in CHANGES:
            NAMES = CHANGES[step]
            optimizer.param_groups[0]["lr"] = learning_rate
"""
WARMUP = """\
        beta_now = beta * min(1.0, step / WARMUP_STEPS)
"""
CYCLES = """\
        begun = step % math.ceil(PLANNED / WARMUP_CYCLES)  # updates since the last cycle began
        beta_now = beta * min(1.0, begun / WARMUP_STEPS)
"""
AND_FREE_BITS = (
    '-> tuple[Tensor, Tensor]:\n        """nll and kl of',
    '-> tuple[Tensor, ...]:\n        """nll, kl and what the loss has for the KL of',
)
MINIMISED = ("gaussian_kl(mu, log_var)\n", "gaussian_kl(mu, log_var), free_bits_kl(mu, log_var, FREE_BITS)\n")
ATTEND = """\
        model.set_trainable({"nll": alpha}, frozen)
"""
PLAIN_LOSS = """\
        loss = (alpha * nll + BETA_NOW * kl).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
SWITCHED_LOSS = """\
        # A term of weight 0 is left out, not multiplied by 0: what only it would train then gets no gradient at all,
        # and Adam does not move it, not even by the momentum of earlier steps.
        weighted = [weight * term for weight, term in ((alpha, nll), (BETA_NOW, kl)) if weight != 0]
        loss = sum(weighted, torch.zeros_like(nll)).mean()
        optimizer.zero_grad()
        if loss.requires_grad:  # not so in the first step of a warm-up without reconstruction
            loss.backward()
            optimizer.step()
"""

EVALUATE = '''
@torch.no_grad()
def evaluate(model: VAE, pixels: Tensor) -> tuple[float, float]:
    """nll and kl over pixels (N, 1, 28, 28), one sample of z each (K = 1): means in nats per image."""
    model.eval()  # BatchNorm, where there is any, uses its running statistics
    draws = generator(DEVICE, SEED, "eval")
    nll, kl = [], []
    for part in pixels.split(500):  # as in the run: the draws depend on it
        x = prepare(part, draws)
        terms = model(x, torch.randn(len(x), LATENT_DIM, generator=draws, device=DEVICE))
        nll.append(terms[0])
        kl.append(terms[1])
    return torch.cat(nll).mean().item(), torch.cat(kl).mean().item()
'''

FIND_FILE = '''
# ---- the images
def find_images(place: str | None) -> dict[str, np.ndarray]:
    """x_train and x_test, uint8, of the file that is named, or of FILE beside this script."""
    file = Path(place) if place else Path(__file__).resolve().parent / "FILE"
    if not file.is_file():
        sys.exit(f"{file} is not there: write it with the line at the top of this script, and put it there.")
    with np.load(file, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in ("x_train", "x_test")}
'''
FIND_MNIST = '''
# ---- the images
FILES = {  # and their MD5 sums, as torchvision has them
    "x_train": ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
    "x_test": ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
}
MIRROR = os.environ.get("MNIST_MIRROR", "https://ossci-datasets.s3.amazonaws.com/mnist")  # torchvision's


def find_images(place: str | None) -> dict[str, np.ndarray]:
    """x_train and x_test, uint8, of the file or folder that is named; else of one near this script, or fetched."""
    here = Path(__file__).resolve().parent
    near = [here / "mnist.npz", here, here / "MNIST/raw", here / "data/MNIST/raw", Path("data/MNIST/raw")]
    for path in [Path(place)] if place else near:
        if path.is_file():
            with np.load(path, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in FILES}
        files = {name: sorted(path.glob(file.removesuffix(".gz") + "*")) for name, (file, _) in FILES.items()}
        if all(files.values()):
            return {name: read_idx(found[0].read_bytes()) for name, found in files.items()}
    if place:
        sys.exit(f"{place} is no mnist.npz and no folder with MNIST's files: leave it out, and they are looked for.")
    return {name: read_idx(fetch(here / file, md5)) for name, (file, md5) in FILES.items()}


def fetch(path: Path, md5: str) -> bytes:
    """A file of MNIST, kept beside this script."""
    try:
        with urllib.request.urlopen(f"{MIRROR}/{path.name}", timeout=60) as answer:
            data = answer.read()
        if hashlib.md5(data).hexdigest() != md5:
            raise OSError("it is not the file that it should be")
        path.write_bytes(data)
    except (OSError, ValueError) as error:
        names = " and ".join(file for file, _ in FILES.values())
        sys.exit(f"MNIST is not here and cannot be fetched ({error}): put {names}, or mnist.npz, into {path.parent}.")
    return data


def read_idx(data: bytes) -> np.ndarray:
    """The images (N, 28, 28) of an idx file, which has a header of 16 bytes."""
    raw = gzip.decompress(data) if data[:2] == b"\\x1f\\x8b" else data
    return np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 28, 28).copy()
'''

MAIN = """
def main() -> None:
    asked = argparse.ArgumentParser(description="Repeat one run of ELBO Room.")
    asked.add_argument("images", nargs="?", help="FILE_HELP; by default it is looked for beside this script")
    asked.add_argument("curve", nargs="?", help="a CSV file to write the terms of every step to")
    told = asked.parse_args()
    images = find_images(told.images)
    x_train, x_test = (torch.from_numpy(images[k]).unsqueeze(1).to(DEVICE) for k in ("x_train", "x_test"))
    torch.manual_seed(stream_seed(SEED, "init"))
    model = VAE().to(DEVICE)
    rows = []
    for row in train(model, x_train):
        rows.append(row)
        step, nll, kl, loss = row
        if step == 1 or step % 100 == 0 or step == STEPS:
            print(f"step {step:6,}  -ELBO {nll + kl:8.2f}  nll {nll:8.2f}  KL {kl:6.2f}  loss {loss:8.2f}", flush=True)
    nll, kl = evaluate(model, x_test)
    where = f"WHERE"
    print(f"\\n-ELBO {nll + kl:.2f}, nll {nll:.2f}, KL {kl:.2f} nats per image ({where})")
    # IN THE RUN
    if told.curve:
        np.savetxt(told.curve, np.reshape(rows, (-1, 4)), "%.9g", ",", header="step,nll,kl,loss", comments="")


if __name__ == "__main__":
    main()
"""
