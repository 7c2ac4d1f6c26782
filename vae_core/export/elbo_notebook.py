"""A notebook of the bound on log p(x) of one image in a model with two latents, and the file with both beside it.

Every integral in it is a sum over a grid in plain torch: shorter and slower than vae_core.exact, which a test holds it
against.
"""

import io
from typing import Any

import numpy as np
from torch import Tensor

from vae_core.config import SIGMA_FLOOR, RunConfig, layer_widths
from vae_core.export import elbo_pieces as pieces
from vae_core.export.bundle import zip_files
from vae_core.export.notebook import code, text, write_notebook
from vae_core.export.notebook_pieces import NLL
from vae_core.export.script import literal, script_imports, script_networks, script_terms
from vae_core.models import vae

NOTEBOOK, WEIGHTS = "elbo.ipynb", "elbo.npz"


def elbo_bundle(model: Any, config: RunConfig, x: Tensor, label: str, about: str) -> bytes:
    """A zip file: the notebook, and the weights with the image for it.

    Args:
        model: a trained VAE of this configuration.
        x: (1, 1, 28, 28), as the model takes it.
        label: what x is, in Markdown. about: what is to be known besides, in Markdown.
    Raises:
        ValueError: the model has not two latents, so that there is no grid.
    """
    arrays = {name: tensor.cpu().numpy() for name, tensor in model.state_dict().items()}
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, x=x.cpu().numpy(), **arrays)
    return zip_files({NOTEBOOK: elbo_notebook(config, label, about).encode(), WEIGHTS: file.getvalue()})


def elbo_notebook(config: RunConfig, label: str, about: str) -> str:
    """The notebook alone (nbformat 4.5), as text; arguments and errors as elbo_bundle."""
    if config.latent_dim != 2:
        raise ValueError(f"the grid needs 2 latents, not {config.latent_dim}.")
    head = pieces.HEAD.replace("LABEL", label).replace("ABOUT", about)
    likelihood = pieces.LIKELIHOOD_TOLD.replace("NLL", NLL[config.likelihood == "bernoulli"])
    cells = [
        text(head),
        code(_imports(config)),
        text(pieces.MODEL_TOLD),
        code("\n\n\n".join(part.strip("\n") for part in script_networks(config))),
        code(_model(config)),
        text(pieces.Q_TOLD),
        code(pieces.Q),
        text(likelihood),
        code(_likelihood(config)),
        *(make(piece) for told, piece in pieces.STEPS for make, piece in ((text, told), (code, piece))),
    ]
    return write_notebook(cells)


def _imports(config: RunConfig) -> str:
    """What the cells need of the script's imports."""
    needed = ("import itertools", "import math", "from collections.abc", "import numpy", "import torch", "from torch")
    lines = [line for line in script_imports(config).splitlines() if line.startswith(needed)]
    lines.insert(next(i for i, line in enumerate(lines) if line == "import torch"), "import plotly.graph_objects as go")
    found = "\n".join(lines).replace("import numpy", "\nimport numpy").replace("Iterator, Sequence", "Sequence")
    return found.replace("from collections.abc import Iterator\n", "")


def _model(config: RunConfig) -> str:
    """The settings, the weights and the image."""
    channels = 2 if config.likelihood == "gaussian-per-pixel" else 1
    layers = ", WIDTHS, ACTIVATION" if config.net == "mlp" else ""
    settings = ["LATENT_DIM = 2  # D", f"LOG_VAR_RANGE = {literal(vae.LOG_VAR_RANGE)}"]
    if config.net == "mlp":
        settings += [f"WIDTHS = {literal(layer_widths(config.widths))}", f'ACTIVATION = "{config.activation}"']
    filled = pieces.MODEL.format(file=WEIGHTS, net=config.net, layers=layers, channels=channels)
    return "\n".join(settings) + filled


def _likelihood(config: RunConfig) -> str:
    """log p(x given z), from the source of the loss term that the page uses."""
    _, _, *terms = script_terms(config)  # the two before are the KL, which has a cell of its own
    terms = [term for term in terms if "free_bits" not in term]
    sigma, nll = pieces.NLL[config.likelihood]
    parts = [
        *terms,
        sigma.format(sigma=config.sigma, floor=SIGMA_FLOOR),
        pieces.LIKELIHOOD.replace("NLL", nll),
        pieces.AT_MU,
    ]
    return "\n\n\n".join(part.strip("\n") for part in parts if part)
