"""Three ways to the bound: line by line, each with its value, each sign checked against the numbers."""

from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from pages.elbo.figures_style import is_projected, letters
from pages.elbo.papers import KINGMA
from pages.elbo.settings import SAMPLES, WAYS, WRONG, link, new_draws
from pages.elbo.subject import Key, Subject, subject
from pages.ui import glossary
from pages.ui.lesson.newest import newest_mark
from pages.ui.once import computed_once
from pages.ui.palette import colours_of, is_dark
from pages.ui.words import label_of
from vae_core import losses
from vae_core.digits import LEAST, with_error
from vae_core.exact.derivation import derive
from vae_core.exact.estimate import Estimate
from vae_core.exact.lines import FLOOR, Check, Derivation, Line, check, coloured
from vae_core.export.colours import DARK, LIGHT


def without_half(mu: Tensor, log_var: Tensor) -> Tensor:
    """A KL as it is often mistyped: the ½ is forgotten. (B,) nats."""
    return (mu.square() + log_var.exp() - 1 - log_var).sum(-1)


def std_for_variance(mu: Tensor, log_var: Tensor) -> Tensor:
    """Another common slip: the standard deviation where the variance belongs. (B,) nats."""
    std = (0.5 * log_var).exp()
    return 0.5 * (mu.square() + std - 1 - std.log()).sum(-1)


# The steps stay below the navigation while the lines grow past them; a line that fails is seen from afar.
_LOOKS = """<style>
[data-testid="stLayoutWrapper"]:has(> .st-key-derivation-steps) { position: sticky; top: TOP; z-index: 5; }
.st-key-derivation-steps { background: light-dark(LIGHT, DARK); padding-bottom: 0.3rem; }
[class*="st-key-failed-line"] { border-left: 0.3rem solid #D0342C; padding-left: 0.7rem; }
</style>""".replace("LIGHT", LIGHT.ground).replace("DARK", DARK.ground)
NOTHING = Line(None, "0", "", Estimate(0.0))
KLS = (losses.gaussian_kl, without_half, std_for_variance)  # by the setting `wrong`
SAID = ("", "without its ½", "with the standard deviation in place of the variance")


def derivation_section(chosen: Subject) -> None:
    st.html(_LOOKS.replace("TOP", "0" if is_projected() else "3.6rem"))
    glossary.markdown(
        "p(x) is an integral over every z. The encoder's **q(z | x)**, a guess at which z made x, gives a bound from "
        "below: the [[ELBO]], with a [[KL]] in it. Beside each line its value and whether its sign holds. "
        f"$\\mathbb{{E}}_q$: mean over z from q. In papers ({KINGMA}) $p_\\theta$, $q_\\phi$: θ, φ are the weights of "
        "decoder and encoder."
    )
    row = st.container(horizontal=True, vertical_alignment="bottom", key="derivation steps")
    row.segmented_control(
        "Way to the bound",
        list(WAYS),
        format_func=label_of(WAYS),
        required=True,
        on_change=_from_the_start,
        **link.kept("way"),
        help="The same bound, derived in three ways.",
    )
    wrong = link.get("wrong")
    shown = derived(
        chosen.key,
        link.get("way"),
        link.get("samples"),
        link.get("seed"),
        wrong,
    )
    last = len(shown.lines)
    at = max(1, min(link.get("line"), last))
    _steps(row, at, last)
    _more(row)
    if wrong:
        row.markdown(":red[**Wrong KL is on**]", width="content")
    _lines(chosen, shown, at, wrong)
    st.caption(f"{chosen.caption} {shown.samples:,} draws from q for each Monte Carlo value, seed {shown.seed}.")


def _lines(chosen: Subject, shown: Derivation, at: int, wrong: int) -> None:
    """The lines so far, and the last word. The newest is in view, or the first that a wrong KL makes fail."""
    colours = colours_of(is_dark()).terms
    failed = [number for number, outcome in enumerate(shown.checks[:at], start=1) if outcome and not outcome.holds]
    seen = failed[0] if failed else at
    moment = f"{shown.name} {seen} {wrong}"
    for number, (line, outcome) in enumerate(zip(shown.lines[:at], shown.checks, strict=False), start=1):
        with st.container(key=f"{'failed line' if number in failed else 'line'} {number}"):
            draw(line, outcome, colours)
        if number == seen and number < len(shown.lines):
            newest_mark("derivation mark", moment)
    if at == len(shown.lines):
        with st.container(key="line of all images"):
            draw(*distribution(chosen), colours)
        verdict(shown, wrong)
        if seen == at:
            newest_mark("derivation mark", moment)


def _steps(row: DeltaGenerator, at: int, last: int) -> None:
    """Buttons from line to line."""
    for name, icon, to, there, keys in (
        ("Back", "arrow_back", at - 1, at == 1, "Left"),
        ("Next", "arrow_forward", at + 1, at == last, "Right"),
        ("All lines", "done_all", last, at == last, None),
    ):
        row.button(
            name, icon=f":material/{icon}:", on_click=_go, args=(to,), disabled=there, shortcut=keys, key=f"elbo {name}"
        )


def _more(row: DeltaGenerator) -> None:
    """How many draws, which, and a slip in the KL."""
    with row.popover("More", icon=":material/tune:"):
        st.segmented_control(
            "Draws from q",
            SAMPLES,
            required=True,
            **link.kept("samples"),
            help="For every Monte Carlo value. Four times as many halve the standard error.",
        )
        new_draws(st, "seed", "derivation new draws")
        st.segmented_control(
            "KL computed",
            list(WRONG),
            format_func=label_of(WRONG),
            required=True,
            **link.kept("wrong"),
            help="With a common slip: watch which lines no longer hold.",
        )


def draw(line: Line, outcome: Check | None, colours: dict[str, str]) -> None:
    """One line: the formula and its reason, the value, and whether the sign before it holds."""
    formula, numbers = st.columns([59, 41], vertical_alignment="center")
    with formula:
        sign = {"=": "=", "≥": r"\geq", "≤": r"\leq", None: ""}[line.relation]
        st.markdown(f"$\\displaystyle {sign}\\; {coloured(line.formula, colours)}$  \n{line.why}")
    row = numbers.container(horizontal=True, gap="xxsmall")  # beside each other on a phone as well
    row.markdown(written(line.value), width=round(9.5 * letters()))
    row.markdown(judged(outcome), width=round(9 * letters()))


def written(value: Estimate) -> str:
    """A value with its error, to the digit that this bears and at most to thousandths, and where it comes from."""
    if value.error < FLOOR:  # of doubles: no error that anybody could ask about
        return f"**{minus(f'{value.value:z.3f}')}** nats  \n:small[{value.how}]"
    fine = minus(f"{value.value:z.3f} ± {value.error:.1g}")
    number, _, error = (with_error(value.value, value.error) if value.error >= LEAST else fine).partition(" ± ")
    return f"**{number}** ± {error} nats  \n:small[{value.how}]"


def judged(outcome: Check | None) -> str:
    """A tick, or a cross, with what it rests on."""
    if outcome is None:
        return ""
    within = (
        f"{max(outcome.sigmas, 0.1):.1f} standard errors" if outcome.sigmas < 1000 else "over 1,000 standard errors"
    )
    if not outcome.holds:
        return f":red[:material/close: **does not hold**]  \n:small[{abs(outcome.distance):.2f} nats, {within} apart]"
    if outcome.relation == "=":
        return f":green[:material/check:] equal  \n:small[within {within}]"
    return f":green[:material/check:] holds  \n:small[{outcome.spare:.3f} nats to spare: KL(q ‖ p(z | x))]"


def distribution(chosen: Subject) -> tuple[Line, Check | None]:
    """What no line can see: whether p(x given z) is a likelihood at all."""
    over = r"\textstyle\sum_x" if chosen.likelihood == "Bernoulli" else r"\textstyle\int"
    dx = "" if chosen.likelihood == "Bernoulli" else r"\,dx"
    images = "black-or-white images x" if chosen.likelihood == "Bernoulli" else "images x"
    why = f"No line above can see a wrong likelihood. This one can: over all {images} it sums to one, at z = mu."
    part = (Estimate(0.0), chosen.stray_moments)
    line = Line("=", rf"\log {over} p(x\mid z){dx} = 0", why, chosen.total_probability, part)
    return replace(line, relation=None), check(NOTHING, line)


def verdict(shown: Derivation, wrong: int) -> None:
    """The last word, when all lines are there."""
    failed = sum(1 for check in shown.checks if check is not None and not check.holds)
    if failed:
        cause = f"the KL in them is computed {SAID[wrong]}" if wrong else "something in them is computed wrongly"
        hold = "does not hold" if failed == 1 else "do not hold"
        st.error(f"{failed} of {len(shown.lines)} lines {hold}: {cause}.")
    else:
        st.success(
            "Every line holds: what is left is the **evidence lower bound**, "
            "$\\mathbb{E}_q[\\log p(x \\mid z)]$ minus KL."
        )


def minus(text: str) -> str:
    return text.replace("-", "−")


@computed_once(128)
def derived(key: Key, way: str, samples: int, seed: int, wrong: int = 0) -> Derivation:
    s = subject(*key)
    return derive(way, s.model, s.x, s.evidence, s.mu, s.log_var, samples, seed, KLS[wrong], known=s.bound)


def _from_the_start() -> None:
    _go(1)


def _go(line: int) -> None:
    st.session_state[link.key("line")] = line
