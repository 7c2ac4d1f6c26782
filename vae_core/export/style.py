"""How a report looks: colours for a light and a dark ground, and the style sheet that uses them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Colours:
    """The colours that mean something, then those of paper and ink. CSS colour values."""

    reconstruction: str
    kl: str
    total: str
    classes: tuple[str, ...]  # of the digits 0 to 9
    ink: str
    ground: str
    panel: str
    rule: str

    def variables(self) -> str:
        """As CSS variables: --kl, --ground, --class-0 ..."""
        named = {k: v for k, v in vars(self).items() if k != "classes"}
        named |= {f"class-{i}": colour for i, colour in enumerate(self.classes)}
        return " ".join(f"--{name}: {colour};" for name, colour in named.items())


# The values of pages/ui/palette.py and .streamlit/config.toml, which this package cannot import; a test compares.
LIGHT = Colours(
    reconstruction="#0067A5",
    kl="#C44E00",
    total="#00795B",
    classes=(
        "#332288",
        "#56A9D6",
        "#2E9484",
        "#117733",
        "#8A8A1F",
        "#C98A00",
        "#CC5566",
        "#882255",
        "#AA4499",
        "#6E6E6E",
    ),
    ink="#1B2327",
    ground="#FFFFFF",
    panel="#F3F5F6",
    rule="#D4DADD",
)
DARK = Colours(
    reconstruction="#5BB4F0",
    kl="#FF9A4D",
    total="#3DD6A8",
    classes=(
        "#8E80F0",
        "#88CCEE",
        "#44C4B0",
        "#3DBE6C",
        "#BDBD55",
        "#F0C94D",
        "#F58090",
        "#DE5C98",
        "#D97AD0",
        "#B0B0B0",
    ),
    ink="#E8EEF0",
    ground="#12171A",
    panel="#1E262A",
    rule="#3A464C",
)


def style_sheet(light: Colours, dark: Colours) -> str:
    """The whole style sheet. Dark applies on screens only: paper is white."""
    return (
        f":root {{ color-scheme: light dark; {light.variables()} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark.variables()} }} }}\n{_SHEET}"
    )


_SHEET = """\
* { box-sizing: border-box; }
body { margin: 0; overflow-wrap: anywhere; background: var(--ground); color: var(--ink);
  font: 17px/1.5 system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 2rem 1.5rem 3rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 0.3rem; }
h2 { font-size: 1.3rem; margin: 2.2rem 0 0.6rem; }
h3 { font-size: 1.05rem; margin: 0 0 0.4rem; }
p { margin: 0.4rem 0; max-width: 60rem; }
small, figcaption, .note { font-size: 0.9rem; opacity: 0.85; }
.total { color: var(--total); } .reconstruction { color: var(--reconstruction); } .kl { color: var(--kl); }
.card { background: var(--panel); border-radius: 0.5rem; padding: 1rem 1.25rem; margin: 1.2rem 0; }
.sum { display: flex; flex-wrap: wrap; gap: 0.2rem 1.1rem; align-items: baseline; max-width: none; margin: 0; }
.sum span { font-weight: 650; } .sum b { font-size: 2rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.sum i { font-style: normal; font-size: 1.4rem; opacity: 0.7; }
.changed { border-left: 4px solid var(--kl); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: 0.6rem 2rem;
  margin: 0.9rem 0 0; }
.facts div { border-top: 1px solid var(--rule); padding-top: 0.4rem; }
.facts dt { font-size: 0.9rem; opacity: 0.85; } .facts dd { margin: 0; font-size: 1.2rem; font-weight: 650; }
.facts dd small { font-weight: 400; display: block; line-height: 1.35; }
figure { margin: 0 0 1.4rem; break-inside: avoid; }
figcaption { margin-top: 0.35rem; }
.pair { display: grid; grid-template-columns: minmax(0, 11fr) minmax(0, 10fr); gap: 0 2.2rem; align-items: start; }
svg { display: block; width: 100%; height: auto; font-family: inherit; }
svg text { fill: var(--ink); font-size: 14px; font-variant-numeric: tabular-nums; }
svg .grid { stroke: var(--rule); } svg .axis { stroke: var(--ink); opacity: 0.6; }
svg path { fill: none; stroke-linejoin: round; }
svg .test { stroke-width: 2.6; } svg .train { stroke-width: 1; opacity: 0.45; }
svg path.total { stroke: var(--total); } svg text.total { fill: var(--total); }
svg path.reconstruction { stroke: var(--reconstruction); } svg text.reconstruction { fill: var(--reconstruction); }
svg path.kl { stroke: var(--kl); } svg text.kl { fill: var(--kl); }
svg .end { font-weight: 650; }
svg .mark { stroke: var(--ink); stroke-width: 1.4; stroke-dasharray: 5 4; }
svg .halo { paint-order: stroke; stroke: var(--ground); stroke-width: 4px; stroke-linejoin: round; }
svg .frame { fill: none; stroke: var(--rule); }
svg .sigma { fill: none; stroke: var(--ink); opacity: 0.6; stroke-dasharray: 5 4; }
svg .codes { stroke-linecap: round; stroke-width: 2.7; opacity: 0.75; }
svg .digit { font-size: 20px; font-weight: 700; text-anchor: middle; }
svg .bar { stroke: var(--kl); stroke-width: 1.5; fill: var(--kl); } svg .bar.inactive { fill: none; }
.digits { display: grid; grid-template-columns: repeat(10, 1fr); gap: 3px; margin: 0; padding: 0; }
.digits img { width: 100%; height: auto; display: block; image-rendering: pixelated; border-radius: 2px; }
.digits + .digits { margin-top: 3px; }
.key { display: flex; justify-content: space-between; font-weight: 700; margin: 0.3rem 0 0; padding: 0 0.5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.95rem; }
th, td { text-align: left; padding: 0.28rem 1.2rem 0.28rem 0; border-bottom: 1px solid var(--rule);
  vertical-align: top; }
td.value { font-weight: 650; white-space: nowrap; } th[scope="row"] { font-weight: 400; white-space: nowrap; }
pre { background: var(--panel); border-radius: 0.5rem; padding: 0.8rem 1rem; font-size: 0.95rem;
  white-space: pre-wrap; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--rule); padding-top: 0.8rem; }
@media (max-width: 700px) { .pair { grid-template-columns: minmax(0, 1fr); } main { padding: 1.2rem 1rem 2rem; }
  .wide svg { min-width: 640px; } }
@media print {
  @page { size: A4; margin: 14mm; }
  html { font-size: 11.5px; } body { font-size: 9.5pt; } main { max-width: none; padding: 0; }
  .card { margin: 0.8rem 0; } h2 { margin-top: 1.4rem; }
  .card, pre { border: 1px solid var(--rule); } .changed { border-left: 4px solid var(--kl); }
  .pair { grid-template-columns: minmax(0, 11fr) minmax(0, 10fr); }
  h2 { break-after: avoid; } table, tr, .card, .pair { break-inside: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
