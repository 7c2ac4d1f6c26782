"""What the number of samples does to the bound of importance weights, and to the gradient that comes of it."""

import pandas as pd
import streamlit as st

from pages.ui.once import computed_once
from pages.ui.shipped import checkpoint, images
from vae_core import rng
from vae_core.metrics.samples import OfSamples, compare_samples

IMAGES = 200  # of the test images, for the bounds


@computed_once(None)
def _compared(name: str) -> list[OfSamples]:
    found = checkpoint(name)
    return compare_samples(
        found.model, found.config, images().x_test[:IMAGES], rng.stream_seed(found.config.seed, "eval")
    )


def what_samples_do(name: str) -> None:
    """A table under the model, computed when it is asked for."""
    with st.expander(
        "More samples", icon=":material/stacked_line_chart:", key=f"samples of {name}", on_change="rerun"
    ) as box:
        if not box.open:
            return
        rows = {
            f"K = {one.samples}": {
                "−L_K (nats)": f"{one.neg_bound:.1f}",
                "signal, encoder": f"{one.encoder:.2f}",
                "signal, decoder": f"{one.decoder:.2f}",
            }
            for one in _compared(name)
        }
        st.table(pd.DataFrame(rows).T)
        st.caption(
            f"The same weights under each K, {IMAGES} test images. Signal: mean of a weight's gradient over its std, "
            "median over the weights; 20 images, 20 draws. The bound gets tighter, the encoder's gradient noisier "
            "([Rainforth et al. 2018](https://arxiv.org/abs/1802.04537))."
        )
