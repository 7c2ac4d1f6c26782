"""The code that does it: the Python of the core, which the browser's is tested against."""

import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.ui.explore.sources import Source
from vae_core import codebook, latent
from vae_core.data import own_files, picture
from vae_core.inspect import image_attributes, snapshot
from vae_core.metrics.labels import cost_of_labels
from vae_core.models import family
from vae_core.models.parts.code_prior import CodePrior
from vae_core.models.parts.nets import NETS


def code(way: str, source: Source) -> None:
    """The functions behind the way that is open, for the model on the page."""
    with st.expander("The code", icon=":material/code:", key="code of the way", on_change="rerun") as box:
        if not box.open:  # to colour source costs a browser more than all else on the page
            return
        st.caption(
            "The browser runs the same networks with the same weights, written in JavaScript; tests hold both to the "
            "same numbers (1e-4)."
        )
        for function in functions(way, source):
            st.code(textwrap.dedent(inspect.getsource(function)).rstrip(), language="python", wrap_lines=True)


def functions(way: str, source: Source) -> list[Callable[..., Any]]:
    """What runs in a way, in its order."""
    model, (encoder, decoder) = family(source.config.model), NETS[source.config.net]
    if way == "labels":
        return [model.given, model.encode, model.decode, cost_of_labels]
    if way == "codes":
        return [model.forward, *model.points(), model.decode_map, codebook.usage, CodePrior.forward, CodePrior.sample]
    shown: dict[str, list[Callable[..., Any]]] = {
        "pad": [decoder, model.mean_image, snapshot.map_images],
        "encode": [picture.as_mnist if source.pictures.centred else own_files.fit, encoder, model.encode, model.sample],
        "interpolate": [latent.straight, latent.spherical, latent.half_way],
        "arithmetic": [image_attributes.measure, latent.attribute_vectors, latent.class_means],
        "traverse": [latent.map_plane, decoder],
        "prior": [latent.prior_quantiles, latent.quantile_grid, model.generate],
    }
    return shown[way]
