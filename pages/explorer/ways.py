"""The ways to explore: their names in the link and on the page, and what to look for in each."""

from dataclasses import dataclass

from vae_core.models.base import Has


@dataclass(frozen=True)
class Way:
    title: str
    see: str  # what it shows, folded
    ask: str  # the one question with which it opens
    other: str = ""  # the same of images that are no digits
    plain: str = ""  # what it shows of a plain autoencoder, where that is something else
    needs: str = "codes"  # what a family must have, by its name in models.base.Has


WAYS = {
    "pad": Way(
        "Pad",
        "Every place of latent space is a picture, decoded here in the browser: nothing is sent while you move.",
        "Walk from one class to another: where do the pictures stop being digits?",
        "Walk from one code to another: where do the pictures stop making sense?",
    ),
    "encode": Way(
        "Encode",
        "An image becomes a cloud of codes: its mu, the ellipse of its std, and 16 samples with their pictures.",
        "Draw a digit that nobody writes: what comes back, and how wide is its cloud?",
        "Draw what is in none of the images: what comes back, and how wide is its cloud?",
        plain="An image becomes one code: an autoencoder has no posterior, so no std, no ellipse and no samples.",
    ),
    "interpolate": Way(
        "Interpolate",
        "From image to image in equal steps of z, straight or on the sphere; the same in a plain autoencoder.",
        "Which path leaves the codes, and what is drawn half way?",
    ),
    "arithmetic": Way(
        "Arithmetic",
        "Differences of mean codes are directions: slant, thickness, height and width, measured from the images.",
        "Add slant: does the measured slant follow, and what else changes?",
        "Add height to an image: does the measured height follow, and what else changes?",
    ),
    "traverse": Way(
        "Traverse",
        "One latent at a time, all others as they are.",
        "Which latents can you name, and does any of them do nothing?",
    ),
    "prior": Way(
        "Prior",
        "What the decoder makes of N(0, I): the grid at its quantiles, random draws, and the warp from z to images.",
        "Which pictures does the prior give, and which of them are digits?",
        plain="An autoencoder has no prior: N(0, I) is only a yardstick here, to compare with the VAE.",
    ),
    "labels": Way(
        "Labels",
        "One z under each of the ten labels, and an image that is told a wrong one. One label in every style: Prior.",
        "Only the label changes: what stays, and which wrong label costs least?",
        needs="labels",
    ),
    "codes": Way(
        "Code map",
        "An image is 7 × 7 choices from a codebook. Choose another code at a place: the picture follows.",
        "Choose another code at one place: how far does it reach in the picture?",
        needs="code_map",
    ),
}


def ways_of(has: Has) -> dict[str, Way]:
    """The ways to explore a model of a family that has these."""
    return {name: way for name, way in WAYS.items() if getattr(has, way.needs)}
