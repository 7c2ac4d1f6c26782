"""A run as one HTML file: opens without a network, prints well, and asks nothing of anybody."""

from typing import Any

from vae_core.cards import HELP, command
from vae_core.data import sets
from vae_core.export.bars import draw_bars
from vae_core.export.colours import DARK, LIGHT, Colours
from vae_core.export.curves import draw_curves, drawings_of
from vae_core.export.latent_map import REACH, draw_latent_map, outside, reach
from vae_core.export.run_report import RunReport, versions
from vae_core.export.telling import drawn, headline, introduce, shown_draws, what_it_bounds
from vae_core.export.templating import fill
from vae_core.inspect.snapshot import DIGITS, NO_CLASS
from vae_core.models import family


def html_report(story: RunReport, title: str, light: Colours = LIGHT, dark: Colours = DARK) -> str:
    """The report, a complete HTML document: templates/report.html, filled.

    Args:
        title: of the document; any text.
        light: the colours on paper and on light screens. dark: those on screens that ask for dark.
    """
    shot, kind = story.snapshot, family(story.config.model)
    return fill(
        "report.html",
        story=story,
        kind=kind,
        title=title,
        images_name=sets.name_of(story.config.dataset),
        credit=sets.credit_of(story.config.dataset),
        class_names=() if shot is None or NO_CLASS in shot.labels else shot.class_names or DIGITS,
        light=light,
        dark=dark,
        terms=light.terms,
        introduction=introduce(story.config, kind),
        headline=headline(story, kind),
        bounds=what_it_bounds(kind),
        drawn=drawn(story.config, kind),
        draws_note=shown_draws(kind),
        far=shot is not None and reach(shot.xy) > REACH,
        lost=0 if shot is None else outside(shot),
        help=HELP,
        command=command(story.config),
        versions=versions(),
        **_drawings(story),
    )


def _drawings(story: RunReport) -> dict[str, Any]:
    """Charts, each with its lines, and of the snapshot what there is of it."""
    shot, (first, *others) = story.snapshot, drawings_of(family(story.config.model))
    charts = [
        (lines, draw_curves(story, lines, "kl-only" if lines[0].terms == ("kl",) else f"chart-{number}", 240))
        for number, lines in enumerate(others)
    ]
    pictures = {}
    if shot is not None:
        pictures["latent_map"] = draw_latent_map(shot) if len(shot.xy) else ""
        pictures["bars"] = draw_bars(shot.kl_dims, shot.active) if len(shot.kl_dims) else ""
    return {"all_curves": draw_curves(story, first, "all"), "charts": charts, **pictures}
