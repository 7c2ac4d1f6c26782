"""Templates filled with values; what a template does not mark as safe is escaped, whatever it holds."""

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from vae_core.digits import with_error
from vae_core.export.pictures import data_uri
from vae_core.export.svg import number, tick_label, ticks

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates"), encoding="utf-8"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters |= {
    "number": number,
    "with_error": with_error,
    "tick": tick_label,
    "px": "{:.1f}".format,
    "data_uri": data_uri,
}
_ENVIRONMENT.globals["ticks"] = ticks
_MARKDOWN = _ENVIRONMENT.overlay(autoescape=False)


def escape_markdown(value: Any) -> str:
    """Text that Markdown leaves as it is, on one line."""
    return re.sub(r"([\\`*_{}\[\]<>|#~!$])", r"\\\1", " ".join(str(value).split()))


_MARKDOWN.filters |= {"md": escape_markdown}


def fill(template: str, **values: Any) -> Markup:
    """The text of a file in templates/, safe to stand in another one."""
    return Markup(_ENVIRONMENT.get_template(template).render(values))


def fill_markdown(template: str, **values: Any) -> str:
    """The same of a Markdown file; a value from outside goes through its filter `md`, which leaves it plain text."""
    return _MARKDOWN.get_template(template).render(values)
