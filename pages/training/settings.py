"""What the address of the page holds: settings, weights, the run, those beside it, and the moment."""

import contextlib
from collections.abc import Callable, Collection, Mapping
from typing import Any

import streamlit as st

from pages.training import rest
from pages.ui import visitor
from pages.ui.address import MOST, Address, Choice, Named, Number, Setting, Several, Subject
from vae_core import datasets, devices, families
from vae_core.config import (
    ACTIVATIONS,
    CHANGEABLE,
    FROZEN,
    LETTERS,
    LIKELIHOODS,
    NETS,
    OF_FAMILIES,
    PROTOCOLS,
    ConfigError,
    RunConfig,
)
from vae_core.data.images import DataError
from vae_core.data.sets import declared
from vae_core.models import family
from vae_core.runs import registry, uploads
from vae_core.runs.run_record import RunRecord

LATENT_DIMS = (2, 3, 8, 16, 32)
PIXELS = 784
LEAST_ALPHA = 0.01  # the least that the widget takes
MOMENT, SHOWN, COMPARED = "moment", "shown run", "compared runs"  # in the session: the step, the run, those beside it
FOLLOWS = "follows the lecturer"  # in the session: whether the page shows the lecturer's run instead of one's own
COMPARABLE = 4  # at once: so many dash patterns can be told apart
DEFAULTS = RunConfig(epochs=20).to_dict()  # long enough to try things out while it trains
_CURES = ("warmup_steps", "warmup_cycles", "free_bits")
TERMS = "terms on the page"  # in the session: of the family whose weights the widgets show, each with its own weight


def families_offered() -> list[str]:
    """Names of the model families that can be loaded, without the bug lab's."""
    return [name for name in families.names() if not families.is_bug(name) and _loads(name)]


def _loads(name: str) -> bool:
    with contextlib.suppress(ConfigError):
        return bool(family(name))
    return False


def datasets_offered() -> dict[str, str]:
    """Titles of the image sets by their names: the program's, the server's own, and what the visitor has brought."""
    titles: dict[str, str] = {}
    for name in (*datasets.names(), *uploads.names_of(visitor.current())):
        with contextlib.suppress(DataError):
            says = declared(name)
            more = f", {says.train + says.test:,}" if datasets.is_upload(name) else ""
            titles[name] = says.title + more
    return titles


def terms_on_page() -> Mapping[str, float]:
    return st.session_state.get(TERMS) or family(DEFAULTS["model"]).TERMS


def own_terms(terms: Mapping[str, float]) -> dict[str, float]:
    """Those of a family's terms whose weights have no letter of their own."""
    return {term: weight for term, weight in terms.items() if term not in LETTERS}


_CHOICES: dict[str, Collection[Any] | Callable[[], Collection[Any]]] = {
    "model": families_offered,
    "net": NETS,
    "activation": ACTIVATIONS,
    "latent_dim": LATENT_DIMS,
    "likelihood": LIKELIHOODS,
    "dataset": datasets_offered,
    "protocol": PROTOCOLS,
    "device": lambda: ["auto", *devices.available()],
    "frozen": FROZEN,
}
_NUMBERS: dict[str, tuple[Any, ...]] = {
    "sigma": (0.01, 10.0),
    "epochs": (1, 200),
    "steps": (0, 1_000_000),
    "batch_size": (1, 10_000),
    "samples": (1, 64),
    "corruption": (0.0, 10.0),
    "codebook_size": (2, 256),
    "warmup_steps": (0, 100_000),
    "warmup_cycles": (0, 1_000),
    "free_bits": (0.0, 100.0),
    "seed": (0, MOST),
    "alpha": (LEAST_ALPHA / PIXELS, 1000.0, (0.0,)),  # the mean over pixels is an alpha; 0 is off
    "beta": (0.01, 1000.0, (0.0,)),
    "learning_rate": (1e-5, 10.0),
}


def _of_config(name: str, default: Any) -> Setting:
    """A setting of a run. What changes on its way has a key of None: other widgets stand for it (linked_weights)."""
    key = None if name in CHANGEABLE else ""
    if name in _CHOICES:
        return Choice(name, default, _CHOICES[name], key=key)
    if name in _NUMBERS:
        return Number(name, default, *_NUMBERS[name], key=key)
    return Named(name, default, lambda text: _can_be(name, text), f"{name} {{}} cannot be used", key=key)


def _can_be(name: str, text: str) -> bool:
    try:
        return bool(RunConfig.from_dict({name: text}))
    except ConfigError:
        return False


def _run(run_id: str) -> Any:
    run = registry.shared().get(run_id)
    return None if run is None or datasets.is_points(run.config.dataset) else run


_GONE = "The run of this address is not here: it was removed, or comes back with its owner, who is away."

link = Address(
    "training",
    Choice("follow", False, (False, True), key=FOLLOWS),
    *(_of_config(name, default) for name, default in DEFAULTS.items()),
    Subject("run", None, _run, _GONE, key=SHOWN),
    Several("compare", (), _run, "not all runs that it compares are on this server any more", COMPARABLE, key=COMPARED),
    Number("step", None, 0, MOST, key=MOMENT),
    prefix="",
)


def write_link(
    run: RunRecord, at: int | None, settings: dict[str, Any], now: dict[str, Any], beside: list[str]
) -> None:
    """Put what is on the page into its address.

    Args:
        at: the step at which the film rests. now: the weights. beside: ids of the runs that are compared.
    """
    learns = rest.cause(now, terms_on_page()) is None  # no link could hold what does not: see linked_weights
    values = settings | now if learns else settings
    if not _can_be("widths", values.get("widths", "")):
        values = values | {"widths": None}
    absent = dict.fromkeys(("sigma", "activation", *OF_FAMILIES, *_CURES))  # where the widget is not on the page
    link.write(**absent | values, run=run.run_id, compare=beside, step=at)


def write_class_link() -> None:
    """Put into the address that the page follows the lecturer, and nothing else: it can be handed on."""
    link.write(**dict.fromkeys(link.settings) | {"follow": True})
