"""Buttons of which every press counts.

Of quick presses Streamlit makes as few as it pleases: those that come while a script runs become one. So a component on
the page counts the clicks too (lib/clicks.js), and what was lost is made good.
"""

import re
from typing import Any

import streamlit as st


def counting(key: str | None) -> dict[str, Any]:
    """What the component has to know to count the clicks on the button with this key."""
    if key is None:
        return {"counted": None, "clicks": 0}
    return {"counted": "st-key-" + re.sub(r"[^a-zA-Z0-9_-]", "-", key.strip()), "clicks": _seen(key)["done"]}


def to_carry_out(key: str, clicks: int | None = None) -> int:
    """How many presses of a button are to be carried out now.

    Args:
        key: of the button.
        clicks: as many as the browser has counted in this session; left out in the button's own callback.
    """
    seen = _seen(key)
    if clicks is None:
        seen["callbacks"] += 1
    else:
        seen["clicks"] = clicks
    before, seen["done"] = seen["done"], max(seen.values())
    return seen["done"] - before


def _seen(key: str) -> dict[str, int]:
    return st.session_state.setdefault(f"presses of {key}", {"callbacks": 0, "clicks": 0, "done": 0})
