"""Figures with their standard errors, as they are written."""

import pytest

from vae_core.digits import with_error


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (138.9114, 0.372, "138.9 ± 0.4"),
        (6.4479, 0.0104, "6.45 ± 0.01"),
        (6.4479, 0.0096, "6.45 ± 0.01"),  # rounded to the next place first
        (-176.86, 1.26, "−177 ± 1"),
        (4786.31, 23.4, "4,786 ± 23"),
        (7.1703, 0.0038, "7.17 ± 0.01"),
        (0.0, 0.0, "0.00 ± 0.01"),
        (-0.001, 0.04, "0.00 ± 0.04"),
        (138.96, None, "139.0"),
        (138.96, float("nan"), "139.0"),
        (float("nan"), 0.1, "–"),
    ],
)
def test_no_digit_stands_below_that_of_the_error(value: float, error: float | None, text: str) -> None:
    assert with_error(value, error) == text
