"""What a link says cannot become Markdown on the page."""

import pytest

from pages.ui.words import plain, quoted


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
