"""A section of the ELBO page by itself, and what it shows as numbers."""

import json
import re
from typing import Any

import numpy as np
import torch
from streamlit.testing.v1 import AppTest
from torch.distributions import Bernoulli, Normal

from pages.elbo.subject import Subject
from tests.pages.conftest import checked

BERNOULLI, GAUSSIAN = "mnist-vae-mlp-2", "mnist-vae-gaussian-mlp-2"
KEY = (BERNOULLI, 3, 0)


def script(section: str, key: tuple, state: dict) -> None:
    import importlib

    import streamlit as st

    from pages.elbo.settings import link
    from pages.elbo.subject import subject

    for name, value in state.items():
        st.session_state.setdefault(link.key(name), value)
    link.prepare()
    st.fragment(importlib.import_module(f"pages.elbo.{section}").section)(subject(*key))


def opened(section: str, key: tuple[str, int, int] = KEY, **state: Any) -> AppTest:
    """A section by itself, with some of the page's settings."""
    return checked(AppTest.from_function(script, default_timeout=60, args=(section, key, state)).run())


def number(text: str) -> float:
    found = re.search(r"−?\d[\d,]*\.?\d*(e−?\d+)?", text)
    assert found, text
    return float(found.group().replace("−", "-").replace(",", ""))


def words(at: AppTest) -> str:
    return " ".join(m.value for m in at.markdown)


def bold(at: AppTest) -> list[str]:
    return re.findall(r"\*\*(.+?)\*\*", words(at))


def figure(at: AppTest, which: int = 0) -> dict[str, Any]:
    return json.loads(at.get("plotly_chart")[which].proto.spec)


def log_p(s: Subject, z: torch.Tensor) -> torch.Tensor:
    """log p(x given z), (N, 2) to (N,), by torch.distributions."""
    logits = s.model.decode(z.float())
    if s.card["config"]["likelihood"] == "bernoulli":
        p = Bernoulli(logits=logits, validate_args=False)
    else:
        p = Normal(logits.sigmoid(), s.card["config"]["sigma"])
    return p.log_prob(s.x).double().flatten(1).sum(-1)


def figures_of(values: Any) -> list[float]:
    """The numbers of a trace: a list, or plotly's base64."""
    if isinstance(values, dict):
        import base64

        return np.frombuffer(base64.b64decode(values["bdata"]), dtype=values["dtype"]).tolist()
    return list(values)
