"""A script that repeats a run with nothing but PyTorch and NumPy, to be read by students.

Networks, loss terms and random streams are the source of the very functions that ran (`inspect.getsource`); what
differs from run to run is assembled from the pieces in script_pieces.py. A test runs it and compares the curves.
"""

import inspect
import re
from collections.abc import Callable
from typing import Any

from vae_core import losses, rng
from vae_core.config import SIGMA_FLOOR, RunConfig, layer_widths
from vae_core.data import protocols, sets
from vae_core.export import script_pieces as pieces
from vae_core.export.run_report import FINISHED, RunReport
from vae_core.models import family, vae
from vae_core.models.parts import nets


def has_script(config: RunConfig) -> bool:
    """Whether a run can be told as a script: its family is a VAE, or differs from it in how z is drawn."""
    return family(config.model).is_elbo() and not family(config.model).has.labels


def repeat_script(story: RunReport) -> str:
    """The script, as text. On the same machine, with the same versions and threads, its numbers are the run's."""
    config = story.config
    imports, settings, *definitions = script_parts(story)
    parts = [f"{_head(config)}{imports}\n{settings}", *definitions, _main(story)]
    return "\n\n\n".join(part.strip("\n") for part in parts) + "\n"


def script_parts(story: RunReport) -> list[str]:
    """Imports, settings, then all definitions; a line "# ---- title" begins each of its sections but the first."""
    config = story.config
    return [
        script_imports(config),
        _settings(story),
        f"{pieces.STREAMS}STREAMS = {literal(rng.STREAMS)}",
        take_source(rng.stream_seed),
        take_source(rng.generator),
        *([take_source(protocols.scramble), take_source(protocols.redraw)] if config.protocol == "static" else []),
        pieces.PREPARE[config.protocol],
        *script_networks(config),
        *script_terms(config),
        _model(story),
        _training(story),
        pieces.EVALUATE,
        _find(config),
    ]


def _head(config: RunConfig) -> str:
    """What the script is, and where its images come from."""
    images = pieces.SHIPPED if config.dataset == "mnist" else pieces.WRITTEN.replace("NAME", config.dataset)
    return pieces.HEAD.replace("IMAGES", images).replace("FILE", f"{config.dataset}.npz")


def script_imports(config: RunConfig) -> str:
    text = pieces.IMPORTS
    if config.net == "mlp":  # what `dense` needs
        text = text.replace("import math\n", "import itertools\nimport math\n").replace(
            "Iterator", "Iterator, Sequence"
        )
    if config.dataset == "mnist":  # what is fetched and unpacked
        text = text.replace("import argparse\n", "import argparse\nimport gzip\nimport hashlib\n")
        text = text.replace("import sys\n", "import sys\nimport urllib.request\n")
    needs_f = config.likelihood != "gaussian"
    return text.replace("import torch.nn.functional as F\n", "import torch.nn.functional as F\n" * needs_f)


def _find(config: RunConfig) -> str:
    """Where the images come from."""
    return pieces.FIND_MNIST if config.dataset == "mnist" else pieces.FIND_FILE.replace("FILE", f"{config.dataset}.npz")


def script_networks(config: RunConfig) -> list[str]:
    """The source of encoder and decoder, and of what they are made of."""
    made = [take_source(make) for make in nets.NETS[config.net]]
    if config.net == "conv":
        return [pieces.NETWORKS + made[0].strip(), made[1]]
    kinds = ", ".join(f'"{name}": nn.{kind.__name__}' for name, kind in nets.ACTIVATIONS.items())
    return [f"{pieces.NETWORKS}ACTIVATIONS = {{{kinds}}}", *made, take_source(nets.dense)]


def _settings(story: RunReport) -> str:
    """The constants at the top of the script."""
    config = story.config
    lines = [
        f"SEED = {config.seed}  # of the initial weights, the order of the images and all noise",
        f"LATENT_DIM = {config.latent_dim}  # D",
        *([f"WIDTHS = {literal(layer_widths(config.widths))}  # hidden layers"] if config.net == "mlp" else []),
        *([f'ACTIVATION = "{config.activation}"'] if config.net == "mlp" else []),
        f"BATCH_SIZE = {config.batch_size}",
        f"STEPS = {story.steps}  # {_extent(story)}",
        f"ALPHA, BETA = {config.alpha!r}, {config.beta!r}  # weights of reconstruction and KL at the start",
        f"LEARNING_RATE = {config.learning_rate!r}  # of Adam, at the start",
        *([f'FROZEN = "{config.frozen}"  # the half that keeps its weights, at the start'] if _attends(story) else []),
        *_changes(story),
    ]
    if config.protocol == "static":
        lines.append(f"DATA_SEED = {protocols.DATA_SEED}  # of the one redraw")
    if config.warmup_steps:
        lines.append(f"WARMUP_STEPS = {config.warmup_steps}  # beta rises linearly from 0 over so many steps")
    if _cycles(config):
        lines.append(f"WARMUP_CYCLES = {config.warmup_cycles}  # equal parts of the run: beta rises anew in each")
    if config.free_bits:
        lines.append(
            f"FREE_BITS = {config.free_bits!r}  # nats: in the loss the KL of a dimension goes no further down"
        )
    if config.likelihood == "gaussian":
        lines.append(f"SIGMA = {config.sigma!r}  # standard deviation of a pixel given z")
    if config.likelihood in ("gaussian-learned", "gaussian-per-pixel"):
        lines.append(
            f"SIGMA, SIGMA_FLOOR = {config.sigma!r}, {SIGMA_FLOOR!r}  # sigma learns: it starts there; its least"
        )
    lines.append(f"LOG_VAR_RANGE = {literal(vae.LOG_VAR_RANGE)}  # far outside what training needs: no exp() overflows")
    return "\n".join([pieces.SETTINGS, *lines, *_device(story)])


def _changes(story: RunReport) -> list[str]:
    """The marks as a schedule; of several at one step the last counts, and the comment names all."""
    if not story.changes:
        return []
    last = {mark.step: mark.settings for mark in story.changes}
    names = ("alpha", "beta", "learning_rate", *(("frozen",) if _attends(story) else ()))
    lines = [f"CHANGES = {{  # made by hand during the run: after step, {_spoken(names)}"]
    for step, settings in last.items():
        texts = "; ".join(_one_line(mark.text) for mark in story.changes if mark.step == step)
        values = literal(tuple(getattr(settings, name) for name in names))
        lines.append(f"    {step}: {values},  # {texts}")
    return [*lines, "}"]


def _device(story: RunReport) -> list[str]:
    """Where the script computes: as the run did, if that can be had. Noise differs between kinds of devices."""
    name = _one_line(story.device) or story.config.device
    if threads := re.search(r"(\d+) threads", name):
        return [
            f'DEVICE = torch.device("cpu")  # the run used: {name}',
            f"torch.set_num_threads(min({threads[1]}, os.cpu_count() or 1))  # another number changes the last digits",
        ]
    kind = {"cpu": "cpu", "mps": "mps", "Apple GPU": "mps"}.get(name, "cuda")
    if kind == "cpu":
        return ['DEVICE = torch.device("cpu")']
    available = {"cuda": "torch.cuda.is_available()", "mps": "torch.backends.mps.is_available()"}[kind]
    return [f'DEVICE = torch.device("{kind}" if {available} else "cpu")  # the run used: {name}']


def _extent(story: RunReport) -> str:
    epochs = f"{story.config.epochs} epoch{'s' if story.config.epochs > 1 else ''}"
    planned = f"{story.config.steps:,} steps" if story.config.steps else epochs
    return (
        planned if story.status == FINISHED else f"the run ended here ({_one_line(story.status)}); planned: {planned}"
    )


def script_terms(config: RunConfig) -> list[str]:
    """The source of the loss terms that this run used."""
    kl = [pieces.TERMS + take_source(losses.gaussian_kl_dims), take_source(losses.gaussian_kl)]
    kl += [take_source(losses.free_bits_kl)] if config.free_bits else []
    if config.likelihood == "bernoulli":
        return [*kl, take_source(losses.bernoulli_nll)]
    return [*kl, "LOG_2PI = math.log(2 * math.pi)", take_source(losses.gaussian_nll)]


def _model(story: RunReport) -> str:
    """The class VAE: its methods' own source, and a forward pass without branches."""
    config = story.config
    begin = {"gaussian-learned": pieces.LEARNED_SIGMA, "gaussian-per-pixel": pieces.SIGMA_PER_PIXEL}
    channels = 2 if config.likelihood == "gaussian-per-pixel" else 1
    layers = ", WIDTHS, ACTIVATION" if config.net == "mlp" else ""
    head = pieces.MODEL.format(
        net=config.net, layers=layers, channels=channels, learned=begin.get(config.likelihood, "")
    )
    forward = pieces.FORWARD.replace("NLL", pieces.NLL[config.likelihood]).replace("DECODE", pieces.DECODE[channels])
    if config.free_bits:
        forward = forward.replace(*pieces.AND_FREE_BITS).replace(*pieces.MINIMISED)
    set_trainable = [take_source(vae.VAE.set_trainable)] if _attends(story) else []
    methods = [*set_trainable, take_source(vae.VAE.encode), take_source(family(story.config.model).sample), forward]
    return "\n\n".join(part.strip("\n") for part in [head, *methods])


def _training(story: RunReport) -> str:
    """The loop, with only what this run needed."""
    marks, warmup = story.changes, story.config.warmup_steps
    attends, switched = _attends(story), not all(_weights(story, "alpha") + _weights(story, "beta"))
    text = pieces.TRAIN.replace("    # FROZEN\n", "    frozen = FROZEN\n" if attends else "")
    text = text.replace("    # CHANGES\n", pieces.APPLY_CHANGES if marks else "")
    text = text.replace("NAMES", "alpha, beta, learning_rate, frozen" if attends else "alpha, beta, learning_rate")
    rise = pieces.CYCLES.replace("PLANNED", _planned(story.config)) if _cycles(story.config) else pieces.WARMUP
    text = text.replace("    # WARMUP\n", rise if warmup else "")
    text = text.replace("    # ATTEND\n", pieces.ATTEND if attends else "")
    text = text.replace("    # LOSS\n", pieces.SWITCHED_LOSS if switched or attends else pieces.PLAIN_LOSS)
    if story.config.free_bits:
        text = text.replace("nll, kl = model", "nll, kl, least = model")
        text = text.replace("BETA_NOW * kl", "BETA_NOW * least").replace("(BETA_NOW, kl)", "(BETA_NOW, least)")
    return text.replace("BETA_NOW", "beta_now" if warmup else "beta")


def _cycles(config: RunConfig) -> bool:
    """Whether beta rises more than once."""
    return bool(config.warmup_steps) and config.warmup_cycles > 1


def _planned(config: RunConfig) -> str:
    """The steps that the run was to take, as an expression: a cycle is a part of these."""
    return str(config.steps) if config.steps else f"{config.epochs} * steps_per_epoch"


def _weights(story: RunReport, name: str) -> list[Any]:
    """The values that a setting takes during the run."""
    return [getattr(story.config, name), *(getattr(mark.settings, name) for mark in story.changes)]


def _attends(story: RunReport) -> bool:
    """Whether a half stood still at any time: frozen, or a decoder without its term."""
    return any(half != "none" for half in _weights(story, "frozen")) or not all(_weights(story, "alpha"))


def _main(story: RunReport) -> str:
    said = f'    print("{said_figures} were the figures of the run")\n' if (said_figures := say_figures(story)) else ""
    return (
        pieces.MAIN.replace("FILE_HELP", f"{story.config.dataset}.npz")
        .replace("WHERE", say_where(story.config))
        .replace("    # IN THE RUN\n", said)
    )


def say_where(config: RunConfig) -> str:
    """Of which images the test figures are: the inside of an f-string that knows x_test."""
    return f"{config.protocol} {sets.name_of(config.dataset)}, test, {{len(x_test):,}} images, K = 1"


def say_figures(story: RunReport) -> str:
    """The run's own test figures; "" before there are any."""
    final = story.final
    return "" if final is None else f"-ELBO {final['neg_elbo']:.2f}, nll {final['nll']:.2f}, KL {final['kl']:.2f}"


def take_source(function: Callable[..., Any]) -> str:
    """Its source; the lists of arguments in docstrings are left out, or the script would be half as long again."""
    source = re.sub(r'\n\s*\n +Args:.*?(?=\n *""")', "", inspect.getsource(function), flags=re.DOTALL)
    return re.sub(r'("""[^\n"]+)\n *"""', r'\1"""', source)  # what is left may fit on one line


def _spoken(names: tuple[str, ...]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)


def literal(values: tuple[Any, ...]) -> str:
    """A tuple as ruff would write it."""
    inner = ", ".join(f'"{v}"' if isinstance(v, str) else repr(v) for v in values)
    return f"({inner},)" if len(values) == 1 else f"({inner})"


def _one_line(text: str) -> str:
    """Text that stays within a comment, whatever it holds."""
    return " ".join(text.split())
