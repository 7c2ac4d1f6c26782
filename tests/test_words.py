"""What a link says cannot become Markdown on the page; and one word for one thing."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pages.ui.words import image_name, plain, quoted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mnist-vae-mlp-2", "'mnist-vae-mlp-2'"),
        ("1.5", "'1.5'"),
        ("![x](//a/b.png)", "'??x?(??a?b.png)'"),
        ("<b>*_`$", "'?b??_??'"),
        ("a\nb", "'a?b'"),
        ("é", "'?'"),
        ("", "''"),
    ],
)
def test_only_harmless_signs_are_left(text: str, shown: str) -> None:
    assert quoted(text) == shown


def test_it_is_short() -> None:
    assert quoted("x" * 1000) == f"'{'x' * 20}'" and quoted("x" * 1000, 40) == f"'{'x' * 40}'"


def test_a_message_keeps_its_words() -> None:
    assert (
        plain("net must be one of mlp, conv: not 'x' (latent_dim)")
        == "net must be one of mlp, conv: not 'x' (latent_dim)"
    )
    assert "[" not in plain("[a](b) <img> `c`") and "<" not in plain("[a](b) <img> `c`")


UI = Path(__file__).resolve().parents[1] / "pages"
OWN = [
    path for kind in ("py", "js") for path in UI.rglob(f"*.{kind}") if not {"node_modules", "vendor"} & set(path.parts)
]


def lines() -> Iterator[tuple[str, str]]:
    for path in OWN:
        for line in path.read_text(encoding="utf-8").splitlines():
            yield str(path.relative_to(UI)), line


def test_one_letter_for_one_thing() -> None:
    """mu, std and eps of q are called so in formulas and prose; σ is the unit of the prior, sigma the likelihood's."""
    assert len(OWN) > 100
    for path, line in lines():
        assert not set("μεα") & set(line), (path, line)
        assert not re.search(r"\\(mu|sigma|varepsilon)\b", line), (path, line)
        assert "noise σ" not in line and "σ²" not in line, (path, line)


def test_a_test_image_is_named_in_one_place() -> None:
    """Its number among all test images: nothing on a page makes up another name."""
    makers = {path for path, line in lines() if re.search(r"test image \$?\{", line)}
    assert makers == {"ui/words.py", "ui/explore/shared/classes.js"}
    assert image_name(4832, 7) == "test image 4832, a 7" and image_name(84, 8) == "test image 84, an 8"


def test_the_word_reconstruction_with_a_number_is_the_nll() -> None:
    """Down is good, on every page: the term of the ELBO has another sign and is written as the mean that it is."""
    bars = (UI / "ui" / "lesson" / "bound" / "bars.js").read_text()
    assert 'class="reconstruction">E<sub>q</sub>[log p(x | z)] <output' in bars
    assert not re.search(r"reconstruction (?:<output[^>]*data-bar|minus)", bars)
    assert not [path for path, line in lines() if "reconstruction minus KL" in line or "reconstruction − KL" in line]
