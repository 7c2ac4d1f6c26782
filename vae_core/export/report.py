"""A run as one HTML file: opens without a network, prints well, and asks nothing of anybody."""

from vae_core.cards import HELP, command
from vae_core.data import sets
from vae_core.export.bars import draw_bars
from vae_core.export.colours import DARK, LIGHT, Colours
from vae_core.export.curves import draw_curves
from vae_core.export.latent_map import REACH, draw_latent_map, outside, reach
from vae_core.export.run_report import RunReport, versions
from vae_core.export.templating import fill
from vae_core.inspect.snapshot import DIGITS, NO_CLASS
from vae_core.models import family

LIKELIHOODS = {
    "bernoulli": "a Bernoulli likelihood",
    "gaussian": "a Gaussian likelihood of fixed sigma",
    "gaussian-learned": "a Gaussian likelihood with a learned sigma",
    "gaussian-per-pixel": "a Gaussian likelihood with a sigma per pixel",
}


def html_report(story: RunReport, title: str, light: Colours = LIGHT, dark: Colours = DARK) -> str:
    """The report, a complete HTML document: templates/report.html, filled.

    Args:
        title: of the document; any text.
        light: the colours on paper and on light screens. dark: those on screens that ask for dark.
    """
    shot = story.snapshot
    drawings = {
        "all_curves": draw_curves(story, ("total", "reconstruction", "kl"), "all"),
        "kl_curve": draw_curves(story, ("kl",), "kl-only", 240),
    }
    if shot is not None:
        drawings |= {"latent_map": draw_latent_map(shot), "bars": draw_bars(shot.kl_dims, shot.active)}
    return fill(
        "report.html",
        story=story,
        title=title,
        images_name=sets.name_of(story.config.dataset),
        credit=sets.credit_of(story.config.dataset),
        class_names=() if shot is None or NO_CLASS in shot.labels else shot.class_names or DIGITS,
        light=light,
        dark=dark,
        likelihood=LIKELIHOODS[story.config.likelihood],
        far=shot is not None and reach(shot.xy) > REACH,
        lost=0 if shot is None else outside(shot),
        labels=family(story.config.model).has.labels,
        help=HELP,
        command=command(story.config),
        versions=versions(),
        **drawings,
    )
