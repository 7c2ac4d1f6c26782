"""All addresses that the pages declare, examples of what they hold, and a page opened by one."""

import base64
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import torch
from streamlit.testing.v1 import AppTest

from pages.ablation.arms import BY_KEY
from pages.ui.address import Address, Choice, Named, Number, Part, Setting, Several
from pages.ui.shipped import PLANE, images, shipped_arms
from tests.pages.conftest import ROUTER, checked
from vae_core.config import RunConfig
from vae_core.data import points
from vae_core.inspect.snapshot import map_images
from vae_core.runs.registry import Registry

PAGES = Path(ROUTER).parent
ADDRESSES: dict[str, Address] = {
    path.parent.name: importlib.import_module(f"pages.{path.parent.name}.settings").link
    for path in sorted(PAGES.glob("*/settings.py"))
}
DECLARED = [(page, name) for page, link in ADDRESSES.items() for name in link.settings]


def names_in(registry: Registry) -> list[str]:
    """Names that some setting may look up: of models, runs, arms and groups; weights of terms, widths of layers."""
    on_points = RunConfig(dataset="ring", likelihood="gaussian")
    groups = [
        registry.start_group([("full", config)], "tester", True, place=f"{page} group")
        for page, config in (("ablation", RunConfig()), ("plane", on_points))
    ]
    drawn = points.keep([[0.1 * i, 0.0] for i in range(12)])
    return [PLANE, "mnist-ae-mlp-2", *shipped_arms(), *BY_KEY, *groups, "codebook=0.5, noise=2", "300-300", drawn]


def examples(setting: Setting, registry: Registry) -> Iterator[Any]:
    """All choices, both limits of a range, and so on."""
    if isinstance(setting, Choice):
        yield from setting.offered()
    elif isinstance(setting, Number):
        yield from (setting.low, setting.high, *setting.others)
        yield type(setting.low)(0.37 * (setting.high - setting.low) + setting.low)
    elif isinstance(setting, Several):
        known = [name for name in names_in(registry) if setting.found(name)]
        yield from ([], known[:1], known[: setting.most])
    elif isinstance(setting, Named):
        yield from (name for name in names_in(registry) if setting.found(name))
    elif isinstance(setting, Part):
        yield {"z": [0.5, -1.25], "mu": [0.5, -1.25], "log_var": [-1, 0.125], "text": "é <b> & ="}
    else:
        raise TypeError(f"{setting} is of a kind that has no examples here")


def always(page: str) -> dict[str, str]:
    """What stands in every address of a page, on a visit that begins without one."""
    link = ADDRESSES[page]
    return {name: s.write(link.first(name)) for name, s in link.settings.items() if s.first is not None}


def is_default(setting: Setting, value: Any) -> bool:
    if setting.first is not None:
        return value == setting.first
    return value == (list(setting.default) if isinstance(setting.default, tuple) else setting.default)


def query_of(at: AppTest, label: str) -> dict[str, str]:
    """What a link on a page says of the page that it leads to."""
    (link,) = (link.proto for link in at.get("page_link") if link.proto.label == label)
    return dict(parse_qsl(link.query_string))


def opened_by(at: AppTest, label: str, page: str) -> AppTest:
    """The page that a link leads to, in a new session."""
    return shown(page, query_of(at, label))


def encoded(explorer: AppTest) -> int:
    """The number of the test image that the browser is told to encode, found by its pixels or its place on the map."""
    asked = explorer.session_state["explorer state"]["encode"]
    if asked["of"] == "test":
        pixels = map_images(images())[0][asked["image"]]
    else:
        pixels = torch.frombuffer(bytearray(base64.b64decode(asked["picture"])), dtype=torch.uint8).view(1, 28, 28)
    (number,) = (images().x_test == pixels).flatten(1).all(1).nonzero().flatten().tolist()
    return number


def shown(page: str, query: dict[str, Any]) -> AppTest:
    """A page in a new session, opened by a link."""
    at = AppTest.from_file(str(ROUTER), default_timeout=60).run()
    at.query_params.update(query)
    return checked(at.switch_page(f"{page}/page.py").run())
