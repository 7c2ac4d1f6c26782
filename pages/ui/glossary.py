"""The words of the field, explained where they stand: on hover, on touch, and by the Tab key.

`[[nats]]` in a text stands for the word with its explanation, `[[nats|two nats]]` for other letters of the same word.
pages/ui/lib/glossary.js is the same for components; style.py has the looks for both.
"""

import html
import re

import streamlit as st

WORDS = {
    "nats": "Units of information in natural logarithms: one nat is 1.44 bits. All losses here are nats per image.",
    "K = 1": "One z is drawn for each image, as in training; with more, the estimate is less noisy.",
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
    "active": "A latent is active where its mean differs between images: variance above 0.01 (Burda et al. 2016).",
    "bits": "Information in logarithms of base 2.",
}
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


def _html(word: str, shown: str) -> str:
    says = html.escape(WORDS[word], quote=True)
    return f'<span class="word" tabindex="0" data-says="{says}">{html.escape(shown)}</span>'
