"""A figure with as many digits as its noise bears."""

import math

LEAST = 0.01  # an error below it is written as this: nobody asks for thousandths of a nat


def with_error(value: float, error: float | None) -> str:
    """ "138.9 ± 0.4": the error with one digit, and the value down to the same place, hundredths at most.

    Args:
        value: a dash stands for what is no number. error: its standard error; without one there is one decimal.
    """
    if not math.isfinite(value):
        return "–"
    if error is None or not math.isfinite(error):
        return _written(value, 1)
    error = max(error, LEAST)
    decimals = max(0, -math.floor(math.log10(float(f"{error:.1g}"))))
    return f"{_written(value, decimals)} ± {_written(error, decimals)}"


def _written(value: float, decimals: int) -> str:
    text = f"{value:,.{decimals}f}".replace("-", "−")
    return text if text.strip("−0.,") else text.lstrip("−")  # no −0.0
