"""A prior over the code maps of a trained model, learned after it: `python -m vae_core.code_prior --checkpoint DIR`.

The checkpoint gains `prior.safetensors`, and its card an entry "prior" with what it reaches on the test images. The
encoder gives each image one code map, so both together bound its probability:

    −log p(x)  =  −log Σ_codes p(codes) p(x given codes)  <=  −log p(codes of x) − log p(x given codes of x)

the second of which is the model's nll. With uniform codes the first is 49 log K, with a prior less.
"""

import argparse
import math
import sys
import time
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as to_bytes
from torch import Tensor
from tqdm import tqdm

from vae_core import checkpoints, devices, rng
from vae_core.any_path import AnyPath
from vae_core.checkpoints import CARD, Checkpoint, CheckpointError
from vae_core.config import ConfigError
from vae_core.console import accept_all_letters, say
from vae_core.data import Images, load, prepare
from vae_core.data.images import DataError
from vae_core.digits import with_error
from vae_core.evaluate import evaluating, standard_error
from vae_core.models.parts.code_prior import CodePrior
from vae_core.train import OneLineParser, folder_name

PRIOR = "prior.safetensors"
STEPS, BATCH, LEARNING_RATE = 1_000, 128, 2e-3
_AT_ONCE = 1_000  # images
_OWN = 1_000_000  # counter in streams: a model does not come so far in its own


def main(arguments: list[str] | None = None) -> int:
    """Train the prior, save it beside its model, print what it reaches. Returns the exit status, 2 for bad input."""
    accept_all_letters()
    options = parser().parse_args(arguments)
    try:
        device = devices.resolve(options.device)
        found = checkpoints.load(options.checkpoint)
        if not found.model.has.code_map:
            raise CheckpointError(f"The model in {options.checkpoint} has no code maps: name that of a VQ-VAE.")
        checkpoints.check_writable(options.checkpoint)
        images = load(found.config.dataset, device)
        prior, entry = learn(found, images, options.steps, options.seed, device, options.half)
        save(options.checkpoint, prior, found.card, entry, options.half)
    except (ConfigError, CheckpointError, DataError) as error:
        say(f"error: {error}", error=True)
        return 2
    except KeyboardInterrupt:
        say("interrupted: nothing was saved", error=True)
        return 130
    say(table(entry["test"]))
    say(f"saved to {options.checkpoint / PRIOR}")
    return 0


def parser() -> argparse.ArgumentParser:
    result = OneLineParser(
        prog="python -m vae_core.code_prior", description="Learn a prior over the code maps of a model."
    )
    what = "folder of the trained model; the prior is saved there"
    result.add_argument("--checkpoint", type=folder_name, required=True, metavar="DIR", help=what)
    result.add_argument("--steps", type=whole_number, default=STEPS, help=f"of {BATCH} images (default {STEPS})")
    result.add_argument(
        "--seed", type=whole_number, default=0, help="of its initial weights and the order of the images"
    )
    result.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    result.add_argument("--half", action="store_true", help="round the weights to float16 at the end: half the file")
    return result


def whole_number(text: str) -> int:
    """The number that an option names."""
    if not text.isdecimal() or not 0 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r}: give a whole number from 0 to 1,000,000.")
    return int(text)


def learn(
    found: Checkpoint, images: Images, steps: int, seed: int, device: torch.device, half: bool = False
) -> tuple[CodePrior, dict[str, Any]]:
    """Train a prior on the code maps of the training images.

    Args:
        found: a model with code maps. images: of its data set, on the device.
        half: its weights are rounded to float16 before it is tested.
    Returns:
        The prior, in evaluation mode on the CPU, and its entry for the card.
    """
    started = time.perf_counter()
    model, config = found.model.to(device), found.config
    with evaluating(model):
        codes, _ = code_maps(model, images.x_train, config.protocol, config.seed)
    prior = new_prior(len(model.codebook), tuple(codes.shape[1:]), seed).to(device)
    optimizer = torch.optim.Adam(prior.parameters(), lr=LEARNING_RATE)
    order = rng.generator(torch.device("cpu"), seed, "order", _OWN)
    for _ in tqdm(range(steps), unit=" steps", disable=None):
        chosen = torch.randint(len(codes), (BATCH,), generator=order)
        optimizer.zero_grad()
        prior.neg_log_prob(codes[chosen.to(device)]).mean().backward()
        optimizer.step()
    if half:
        prior.load_state_dict(checkpoints.in_half(prior.state_dict()))
    test = measure(prior, found, images)
    entry = {
        "command": command(steps, seed, half),
        "steps": steps,
        "seed": seed,
        "seconds": round(time.perf_counter() - started, 1),
        "device": devices.describe(device),
        "test": test,
    }
    model.cpu()
    return prior.cpu().eval(), entry


def new_prior(size: int, shape: tuple[int, ...], seed: int) -> CodePrior:
    """Freshly initialised, the same everywhere. `size`: K. `shape`: rows and columns of a map."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(rng.stream_seed(seed, "init", _OWN))
        return CodePrior(size, (shape[0], shape[1]))


def code_maps(model: Any, pixels: Tensor, protocol: str, seed: int) -> tuple[Tensor, Tensor]:
    """Code maps (N, rows, columns) of uint8 images (N, 1, 28, 28), and the nll (N,) of the images given them, nats."""
    generator = rng.generator(pixels.device, seed, "eval")
    codes, nlls = [], []
    for part in pixels.split(_AT_ONCE):
        x = prepare(part, protocol, generator)
        codes.append(model.quantise_images(x))
        nlls.append(model.nll(model.decode_map(codes[-1]), x))
    return torch.cat(codes), torch.cat(nlls)


def measure(prior: CodePrior, found: Checkpoint, images: Images) -> dict[str, Any]:
    """What a prior reaches on the test images, with standard errors over them under "errors".

    Returns:
        "prior_bits" and "uniform_bits" that the codes of an image take by the prior and if all codes were as probable;
        "prior_nats": the former in nats; "nll" of the image given its codes, nats; "neg_log_p_at_most": their sum, an
        upper bound on −log p(x). All per image.
    """
    with evaluating(found.model), evaluating(prior):
        codes, nll = code_maps(found.model, images.x_test, found.config.protocol, found.config.seed)
        nats = torch.cat([prior.neg_log_prob(part) for part in codes.split(_AT_ONCE)])
    of_images = {"prior_bits": nats / math.log(2), "prior_nats": nats, "nll": nll, "neg_log_p_at_most": nats + nll}
    return {
        "images": len(nll),
        "protocol": found.config.protocol,
        "uniform_bits": codes[0].numel() * math.log2(prior.size),
        **{name: values.double().mean().item() for name, values in of_images.items()},
        "errors": {name: standard_error(values) for name, values in of_images.items()},
    }


def command(steps: int, seed: int, half: bool) -> str:
    """That trains this prior again."""
    chosen = [*([f"--steps {steps}"] if steps != STEPS else []), f"--seed {seed}", *(["--half"] if half else [])]
    return " ".join(["python -m vae_core.code_prior --checkpoint DIR", *chosen])


def save(folder: AnyPath, prior: CodePrior, card: dict[str, Any], entry: dict[str, Any], half: bool = False) -> None:
    """Put a prior beside its model, and its entry on the card.

    Raises:
        CheckpointError: the folder cannot be written.
    """
    weights = checkpoints.in_half(prior.state_dict()) if half else prior.state_dict()
    tensors = {k: v.detach().cpu().contiguous() for k, v in weights.items()}
    files = {PRIOR: to_bytes(tensors, {"format": "pt"}), CARD: checkpoints.card_bytes(card | {"prior": entry})}
    checkpoints.write_files(folder, files)


def load_prior(found: Checkpoint) -> CodePrior | None:
    """The prior beside a model, in float32 and evaluation mode; None where none was learned.

    Raises:
        CheckpointError: its file is missing or damaged, or belongs to another codebook.
    """
    if "prior" not in found.card or not found.model.has.code_map:
        return None
    prior = CodePrior(len(found.model.codebook), found.model.has.code_map)
    expected = {k: tuple(v.shape) for k, v in prior.state_dict().items()}
    prior.load_state_dict(checkpoints.read_tensors(Path(found.folder) / PRIOR, expected))
    return prior.eval()


def table(test: dict[str, Any]) -> str:
    """What it reaches, as text."""
    errors = test["errors"]
    rows = [
        ("codes, all as probable", with_error(test["uniform_bits"], None), "bits"),
        ("codes by the prior", with_error(test["prior_bits"], errors["prior_bits"]), "bits"),
        ("codes by the prior", with_error(test["prior_nats"], errors["prior_nats"]), "nats"),
        ("reconstruction, nll given the codes", with_error(test["nll"], errors["nll"]), "nats"),
        ("−log p(x), at most: their sum", with_error(test["neg_log_p_at_most"], errors["neg_log_p_at_most"]), "nats"),
    ]
    where = f"per image ({test['protocol']} data, test, {test['images']:,} images)"
    return "\n".join(f"{name:<36} {value:>14} {unit}" for name, value, unit in rows) + f"  {where}"


if __name__ == "__main__":
    sys.exit(main())
