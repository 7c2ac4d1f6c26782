"""On the plane: small sets of points, where log p(x), the posterior and the gap are exact while a VAE trains."""

from typing import Any

import streamlit as st

from pages.plane import actions
from pages.plane.settings import GIVEN, HAND, SETS, dataset, find_own, link
from pages.ui import notices, spoken
from pages.ui.buttons import command_button
from pages.ui.gone import is_missing
from pages.ui.keeping import tell_of_runs
from pages.ui.plane.view import pad, plane_view
from pages.ui.words import label_of
from vae_core.data import points
from vae_core.data.images import DataError
from vae_core.runs.messages import ENDED, PAUSED
from vae_core.runs.run_record import SAVED, RunRecord


def page() -> None:
    spoken.heading(1, "The plane")
    link.open(find_own)
    with st.sidebar:
        settings()
    if not is_missing(link):
        lesson()


def settings() -> None:
    """Of the next Start; beta is taken at once."""
    kind = st.selectbox("Points", SETS, format_func=label_of(SETS), **link.kept("set"))
    if kind == HAND:
        drawing()
    else:
        st.number_input("How many", step=100, **link.number("points"), help=f"To train on; {points.TEST} test it.")
    st.segmented_control("Latent dimensions", (1, 2), required=True, **link.kept("latent_dim"))
    st.number_input("beta", step=0.5, on_change=actions.change_beta, **link.number("beta"), help="Taken at once.")
    row = st.columns(2, vertical_alignment="bottom")
    row[0].number_input("Sigma", step=0.05, **link.number("sigma"), help="Of p(x | z), in units of the plane.")
    row[1].toggle("learns", **link.kept("learn_sigma"), help="One sigma is learned, from this value on.")
    row = st.columns(2)
    row[0].number_input("Steps", step=1_000, **link.number("steps"))
    row[1].number_input("Seed", **link.number("seed"), help="Of points, initial weights, batches and noise.")


@st.fragment
def drawing() -> None:
    """The pad, and points as text."""
    given = str(st.session_state.get(GIVEN, 0))
    drawn = pad(known_points(link.get("drawn")), version=given, key="plane pad")
    if drawn is not None and drawn != st.session_state.get("plane seen"):
        st.session_state["plane seen"] = drawn
        actions.take_drawing(drawn)
        st.rerun()
    with st.expander("Paste points"):
        st.text_area("x, y", key=actions.PASTED, on_change=actions.paste, placeholder="0.5, -1.2", height=100)
    if st.session_state.pop(actions.TOLD, False):
        st.rerun()  # the rest of the page shows what was pasted, or why it was not taken


def known_points(name: str | None) -> list[list[float]]:
    """Those of a drawn set, as far as it is still here."""
    try:
        return points.drawn(name).tolist() if name else []
    except DataError:
        return []


@st.fragment
def lesson() -> None:
    """Everything but the settings; it runs again by itself when a button is pressed or the run changes status."""
    run = actions.shown_run()
    buttons(run)
    notices.show("plane")
    tell_of_runs()
    caption(run)
    at, point = plane_view(
        run.run_id if run else None,
        preview=[] if run else preview(),
        at=link.get("step"),
        point=link.get("point"),
        key="plane view",
        on_space=actions.toggle,
    )
    if run and run.final:
        concluded(run.final)
    link.write(step=at, point=point)


def buttons(run: RunRecord | None) -> None:
    """Start, Pause, Step, Reset: always in the same places."""
    row = st.container(horizontal=True, gap="small")
    mine = run is not None and actions.is_mine(run)
    off = not mine or run is None or run.status in ENDED
    pause = "Resume" if run and mine and run.status in (PAUSED, SAVED) else "Pause"
    row.button(
        "Start anew" if mine else "Start",
        on_click=actions.start,
        type="primary",
        icon=":material/play_arrow:",
        key="plane start",
        help="Begin a new run with these settings. A run that is training is stopped first.",
    )
    command_button(row, pause, actions.command, pause.lower(), place="plane", disabled=off)
    command_button(row, "Step", actions.step, place="plane", disabled=off, help="Train on one batch, then pause.")
    command_button(row, "Reset", actions.command, "reset", place="plane", disabled=not mine)


def caption(run: RunRecord | None) -> None:
    """What is on the page."""
    if run is None:
        st.caption("Press **Start**: a VAE learns these points, and log p(x) is computed exactly at every picture.")
    elif not actions.is_mine(run):
        st.caption("Somebody else's run: you can watch it. Press **Start** to train your own.")


def preview() -> list[list[float]]:
    """Points of the chosen set, before anything trains on them."""
    if (name := dataset()) is None:
        return []
    if link.get("set") == HAND:
        return known_points(name)
    return points.generate(*points.parts_of(name)).tolist()


def concluded(final: dict[str, Any]) -> None:
    """The figures of a run that has ended, as a card has them."""
    if "exact_log_p" not in final:
        return
    elbo, log_p, error = (final[name] for name in ("exact_elbo", "exact_log_p", "exact_error"))
    some = "" if final["iw_images"] == final["images"] else f" of the first {final['iw_images']}"
    st.caption(
        f"At the end, mean over {final['images']} test points: ELBO {elbo:.3f} + gap {log_p - elbo:.3f} = log p(x) "
        f"{log_p:.3f} nats, by quadrature (± {error:.0e}); L_{final['iw_samples']}{some} "
        f"{-final['neg_iw_bound']:.3f}.".replace("-", "−")
    )


page()
