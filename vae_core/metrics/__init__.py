"""The collapse meter: what a trained model does with its latent space, in figures that can be set side by side.

measure     one model on test images, all figures at once
figures     what each figure is, which end of it is better and why, and how arms are ranked
codes       figures of the codes: distance to the prior, codes outside 3 sigma, holes, nearest neighbours
draws       figures of the pictures: draws from the prior against test images
verdict     the named states, each in one sentence with its number
"""

from vae_core.metrics.draws import DrawQuality, draw_quality, nearest
from vae_core.metrics.figures import FIGURES, Figure, Meter, Ranking, best_and_worst
from vae_core.metrics.measure import DRAWS, measure
from vae_core.metrics.verdict import MEANINGS, collapse_of

__all__ = [
    "DRAWS",
    "FIGURES",
    "MEANINGS",
    "DrawQuality",
    "Figure",
    "Meter",
    "Ranking",
    "best_and_worst",
    "collapse_of",
    "draw_quality",
    "measure",
    "nearest",
]
