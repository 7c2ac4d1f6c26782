"""The colours of vae_core.export.colours as a page takes them."""

import streamlit as st

from vae_core.export.colours import DARK, LIGHT, Colours


def is_dark() -> bool:
    """Whether the visitor's theme is the dark one."""
    return st.context.theme.type == "dark"


def colours_of(dark: bool) -> Colours:
    """The colours of a theme."""
    return DARK if dark else LIGHT


def css_variables(root: str) -> str:
    """The colours as CSS variables on the element `root`; with the class `dark` it takes the dark values."""
    return f"{root} {{ {_variables(LIGHT)} }}\n{root}.dark {{ {_variables(DARK)} }}\n"


def _variables(colours: Colours) -> str:
    named = [f"--term-{name}: {colour};" for name, colour in colours.terms.items()]
    return " ".join(named + [f"--class-{i}: {colour};" for i, colour in enumerate(colours.classes)])
