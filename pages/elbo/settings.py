"""What the address of the page holds: section, image, model, what each section shows, and what was dragged."""

from typing import Any

import streamlit as st

from pages.elbo.figures_likelihood import SIGMAS
from pages.elbo.figures_reparameterise import COMPONENTS, LOG_VARS
from pages.elbo.figures_reparameterise import SAMPLES as OF_AN_ESTIMATE
from pages.elbo.subject import GREY, REDRAWN, names
from pages.ui.address import MOST, Address, Choice, Number, Part
from pages.ui.lesson.bound.view import Gaussian
from pages.ui.shipped import PLANE

SECTIONS = {
    "evidence": "1 · p(x)",
    "kl": "2 · KL",
    "derivation": "3 · Three ways",
    "bound": "4 · See the bound",
    "reparameterise": "5 · Reparameterise",
    "likelihood": "6 · Likelihood",
    "code": "7 · Code",
}
PIXELS = {GREY: "as they are", REDRAWN: "redrawn"}
WAYS = {"bayes": "Bayes", "multiply": "Multiply by q / q", "jensen": "Jensen"}
WRONG = {0: "right", 1: "½ forgotten", 2: "std for variance"}
DRAWS = (10, 30, 100, 300, 1000, 3000, 10_000)
SAMPLES = (500, 2000, 8000)
LOOKS = {"estimators": "Two ways to a gradient", "autograd": "What autograd sees", "log variance": "Why log variance"}
AXES = {"score": "score function", "baseline": "with baseline", "pathwise": "pathwise"}
COSTS = {"pixel": "One pixel", "sigma": "One image, and sigma", "reduction": "Sum or mean"}
REDUCTIONS = {"sum": "sum", "pixels": "mean over pixels", "both": "mean over both"}
STEPS = ("encode", "sample", "decode", "reconstruction", "kl", "update")  # of the code map


def gaussian(q: dict[str, Any]) -> Gaussian | None:
    """The q of a link or of the last visit, if it is one of two dimensions."""
    try:
        mu, log_var = ([float(v) for v in q[name]] for name in ("mu", "log_var"))
        rho = float(q["rho"]) if "rho" in q else None
    except (TypeError, KeyError, ValueError):
        return None
    fits = len(mu) == len(log_var) == 2 and all(abs(v) < 20 for v in [*mu, *log_var]) and abs(rho or 0) < 1
    return Gaussian(tuple(mu), tuple(log_var), rho) if fits else None


link = Address(
    "elbo",
    Choice("section", "evidence", SECTIONS),
    Choice("model", PLANE, names),
    Choice("digit", 0, range(10), first=7),  # of whose first image a thousand prior draws see nothing
    Number("image", 0, 0, MOST),
    Choice("pixels", GREY, PIXELS),
    Number("redraw", 0, 0, MOST),
    Choice("draws", 1000, DRAWS),
    Number("seed", 0, 0, MOST),
    Choice("way", "bayes", WAYS),
    Number("line", 1, 0, MOST),
    Choice("samples", 2000, SAMPLES),
    Choice("wrong", 0, WRONG),
    Choice("reparameterise", "estimators", LOOKS),  # of a section with parts: the one that is open in it
    Choice("gradient", "mu 1", COMPONENTS),
    Choice("estimate", 4, OF_AN_ESTIMATE),
    Choice("axis", "baseline", AXES),
    Number("noise", 0, 0, MOST),
    Number("log_var", -4.0, *LOG_VARS),
    Choice("likelihood", "pixel", COSTS),
    Number("x", 1.0, 0.0, 1.0),
    Choice("sigma", 0.2, SIGMAS),
    Choice("reduction", "sum", REDUCTIONS),
    Choice("code", "encode", STEPS),
    Part("transform", None),
    Part("gaussians", None),
    Part("q", None, misfit=lambda q: "" if gaussian(q) else "its q is no Gaussian of two dimensions"),
)


def new_draws(place: Any, name: str, key: str, first: bool = False, says: str = "The next seed.") -> None:
    """The button New draws of a seed.

    Args:
        place: what draws it. name: of the seed among the settings. first: whether it is the one thing to press there.
    """
    place.button(
        "New draws",
        icon=":material/casino:",
        type="primary" if first else "secondary",
        on_click=draw_anew,
        args=(name,),
        key=key,
        help=says,
    )


def draw_anew(name: str) -> None:
    """Callback: the next seed."""
    st.session_state[link.key(name)] += 1
