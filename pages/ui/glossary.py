"""The words of the field, explained where they stand: on hover, on touch, and by the Tab key; Escape closes them.

`[[nats]]` in a text stands for the word with its explanation, `[[nats|two nats]]` for other letters of the same word.
pages/ui/lib/glossary.js is the same for components, which component.py hands WORDS and LOOKS.
"""

import html
import json
import re

import streamlit as st

WORDS = {
    "nats": "Units of information in natural logarithms: one nat is 1.44 bits. All losses here are nats per image.",
    "K = 1": "One z is drawn for each image, as in training. With more, the bound is tighter (Burda et al. 2016).",
    "N(0, I)": "The standard normal distribution: mean 0 and variance 1 in every direction, all of them independent.",
    "prior": "p(z): how z is drawn before any image is seen. Here it is N(0, I).",
    "posterior": "p(z | x): which z may have made this image, by Bayes' rule. Usually it cannot be computed.",
    "KL": "Kullback-Leibler divergence: the mean of log q − log p over draws of q. 0 only where both are the same.",
    "ELBO": "Evidence lower bound: the mean of log p(x | z) under q, minus the KL. Never above log p(x).",
    "rate": "The field's word for the KL here: what the code of an image costs. The other half is the distortion.",
    "distortion": "The field's word: what the copy misses, −log p(x | z). The other half of the loss is the rate.",
    "evidence": "p(x): how probable the model finds this image, over all z. Also called marginal likelihood.",
    "log variance": "log(std²): what the encoder puts out, so that the variance is positive whatever it says.",
    "eps": "The noise of reparameterisation, drawn from N(0, I) and independent of the encoder: z = mu + std · eps.",
    "quadrature": "An integral as a weighted sum over a fine grid: without chance, exact up to the error that is said.",
    "standard error": "How far a mean of random draws typically is from the true one: std / √draws.",
}
# The explanation lies over all else and inside the window, also of a word at its edge: above the word where there is
# room. A browser that cannot hold it to a word shows it at the foot of the window, as a subtitle.
LOOKS = """
.word { text-decoration: underline dotted; text-underline-offset: 0.2em; cursor: help; white-space: nowrap;
  anchor-scope: --word; border-radius: 0.2rem; }
.word:is(:hover, :focus) { anchor-name: --word; }
.word:focus-visible { outline: 3px solid; outline-offset: 1px; }
.word:is(:hover, :focus):not(.closed)::after {
  content: attr(aria-description); content: attr(aria-description) / "";
  position: fixed; z-index: 1000000; bottom: 1rem; left: 1rem; right: 1rem; margin: auto;
  width: fit-content; max-width: min(26rem, 100vw - 1rem); box-sizing: border-box; padding: 0.5rem 0.8rem;
  border-radius: 0.4rem; background: CanvasText; color: Canvas;
  font-size: 1rem; font-weight: 400; font-style: normal; line-height: 1.4; text-align: left; white-space: normal;
}
[data-testid="stCaptionContainer"]:has(.word:is(:hover, :focus)) { opacity: 1; }
@supports (position-area: top) {
  .word:is(:hover, :focus):not(.closed)::after {
    inset: auto; margin: 0; position-anchor: --word; position-area: top span-all; position-try-fallbacks: flip-block;
  }
}
"""
_MARKED = re.compile(r"\[\[([^\]|]+)(?:\|([^\]]+))?\]\]")


def explained(text: str) -> str:
    """HTML in Markdown, for `markdown`.

    Raises:
        KeyError: a word that is not explained.
    """
    return _MARKED.sub(lambda found: _html(found[1], found[2] or found[1]), text)


def markdown(text: str) -> None:
    """Write a text of the page's own; never one of a visitor's, as it may hold HTML."""
    st.markdown(explained(text), unsafe_allow_html=True)


def for_components() -> str:
    """An attribute for the root of a component, where glossary.js finds the words."""
    return f"data-words='{html.escape(json.dumps(WORDS), quote=True)}'"


def _html(word: str, shown: str) -> str:
    says = html.escape(WORDS[word], quote=True)
    return f'<span class="word" tabindex="0" aria-description="{says}">{html.escape(shown)}</span>'
