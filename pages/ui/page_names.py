"""The pages by the last part of their address: name and sentence of each, which come before anything else."""

from typing import Final, NamedTuple


class PageName(NamedTuple):
    """What the menu and the first paint say of a page."""

    title: str
    sentence: str


PAGES: Final = {
    "home": PageName("Home", "What a VAE is, on one screen."),
    "elbo": PageName("The ELBO", "Derive the bound, line by line, with every line's value."),
    "training": PageName("Live training", "Train a VAE on real digits and watch every term of its loss."),
    "plane": PageName("The plane", "Watch the bound approach log p(x), which is exact here."),
    "ablation": PageName("Ablation", "Drop a term of the loss and see what dies, arm beside arm."),
    "explorer": PageName("Explorer", "Move through latent space: the picture follows the finger."),
    "family": PageName("The family", "Models side by side: what each minimises, and what comes of it."),
    "check": PageName("Five questions", "What people get wrong about VAEs; Home leads there."),
    "room": PageName("Engine room", "For the lecturer: what the server is doing, and for whom."),
}
