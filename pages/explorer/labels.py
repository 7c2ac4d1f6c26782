"""What labels are worth to a conditional model, over test images, beside the VAE of the same layers."""

from pages.ui.explore.sources import Source
from pages.ui.explore.weights import read_weights
from pages.ui.map_pictures import images_of
from pages.ui.once import computed_once
from pages.ui.shipped import cards, checkpoint
from vae_core import rng
from vae_core.digits import with_error
from vae_core.evaluate import Evaluation, evaluate
from vae_core.metrics.labels import cost_of_labels
from vae_core.models import family

IMAGES = 2_000  # of the test images: a second of a convolutional model
KEPT = 32
_SAME = ("dataset", "protocol", "net", "widths", "activation", "latent_dim", "likelihood", "alpha", "beta")


@computed_once(KEPT)
def worth_of_labels(source: Source) -> str:
    """One sentence with its figures; "" where the weights are gone.

    Raises:
        DataError: the images are gone.
    """
    read = read_weights(source)
    if read is None:
        return ""
    model, config = read[0], source.config
    tests, seed = images_of(config.dataset), rng.stream_seed(config.seed, "eval")
    pixels, labels = tests.x_test[:IMAGES], tests.y_test[:IMAGES]
    right, wrong = cost_of_labels(model, pixels, labels, config.protocol, seed)
    said = f"−ELBO given the right label {_figure(right)}, given a wrong one {_figure(wrong)}"
    if (name := plain_vae(source)) is not None:
        vae = evaluate(checkpoint(name).model, pixels, config.protocol, seed)
        said += f"; of the VAE with these layers, {cards()[name]['config']['epochs']} epochs, {_figure(vae)}"
    return f"{said} nats per image ({len(pixels):,} {config.protocol} test images, K = 1)."


def plain_vae(source: Source) -> str | None:
    """The shipped model of the same settings that is told no label and whose sum is −ELBO; None where none ships."""
    wanted = {name: getattr(source.config, name) for name in _SAME}
    for name, card in cards().items():
        kind = family(card["config"]["model"])
        if kind.is_elbo() and not kind.has.labels and wanted.items() <= card["config"].items():
            return name
    return None


def _figure(found: Evaluation) -> str:
    assert found.neg_elbo is not None  # a family with labels has a bound
    return with_error(found.neg_elbo, found.errors["neg_elbo"])
