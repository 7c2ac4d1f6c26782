"""A notebook that repeats a run: the parts of the script (script.py), each under the formula that it computes."""

import re

from vae_core.config import RunConfig
from vae_core.export import notebook_pieces as pieces
from vae_core.export.notebook import Cell, code, text, write_notebook
from vae_core.export.run_report import RunReport
from vae_core.export.script import say_figures, say_where, script_parts
from vae_core.export.templating import escape_markdown

AT_FIRST = 500  # steps that it trains as it is opened: a minute or less, so that a whole class sees curves


def run_notebook(story: RunReport, title: str) -> str:
    """The notebook (nbformat 4.5), as text.

    Args:
        title: at its head; any text.
    """
    imports, settings, *definitions = script_parts(story)
    cells = [
        text(pieces.HEAD.replace("TITLE", escape_markdown(title))),
        code(_imports(imports)),
        *_section([_fewer(settings, story.steps)], story.config),
        *(cell for section in _sections(definitions) for cell in _section(section, story.config)),
        *_use(story),
    ]
    return write_notebook(cells)


def _imports(script: str) -> str:
    """Those of the script, without what only a command line needs; with what draws."""
    return re.sub(r"from __future__.*\n\n|import argparse\n", "", script).replace(
        "import torch\n", "import plotly.graph_objects as go\nimport torch\n", 1
    )


def _fewer(settings: str, steps: int) -> str:
    """The settings, with no more steps than a reader waits for."""
    if steps <= AT_FIRST:
        return settings
    return re.sub(r"^STEPS = \d+  # ", f"STEPS = {AT_FIRST}  # the run took {steps}: ", settings, flags=re.MULTILINE)


def _sections(parts: list[str]) -> list[list[str]]:
    """The parts by the section that they stand in."""
    sections: list[list[str]] = []
    for part in parts:
        if part.lstrip("\n").startswith("# ---- "):
            sections.append([])
        sections[-1].append(part.strip("\n"))
    return sections


def _section(parts: list[str], config: RunConfig) -> list[Cell]:
    """Its title and formula in Markdown, then its code."""
    heading, _, first = parts[0].partition("\n")
    title = heading.removeprefix("# ---- ").partition(":")[0].partition(",")[0]
    said = pieces.SECTIONS[title].replace("NLL", pieces.NLL[config.likelihood == "bernoulli"])
    body = "\n\n\n".join([first, *parts[1:]])
    here = body.replace("Path(__file__).resolve().parent", "Path.cwd()").replace("this script", "this notebook")
    return [text(f"## {title[0].upper()}{title[1:]}\n\n{said}"), code(here)]


def _use(story: RunReport) -> list[Cell]:
    """The cells that do something: find the images, train, test, draw."""
    test = pieces.TEST.replace("WHERE", say_where(story.config))
    if said := say_figures(story):
        test += f'print("the run, after {story.steps:,} steps: {said}")\n'
    return [
        code(pieces.IMAGES),
        text(pieces.TRAINED),
        code(pieces.TRAIN),
        text(pieces.TESTED),
        code(test),
        text(pieces.CURVES_TOLD),
        code(pieces.CURVES),
        text(pieces.PICTURES_TOLD),
        code(pieces.PICTURES),
        text(pieces.DRAWS_TOLD),
        code(pieces.DRAWS),
    ]
