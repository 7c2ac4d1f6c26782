"""Which arms stand at the ends of a metric: what the browser's ranking is held against."""

from collections.abc import Mapping
from dataclasses import dataclass

from vae_core.metrics.definitions import METRICS, Metric, Metrics


@dataclass(frozen=True)
class Ranking:
    """The arms at both ends of a metric; ties share a place. Empty where nothing is to be ranked."""

    best: tuple[str, ...] = ()
    worst: tuple[str, ...] = ()


def best_and_worst(arms: Mapping[str, Metrics]) -> dict[str, Ranking]:
    """Which arms stand at the ends of each metric.

    Not ranked: a metric with no better end, an arm for which it is not defined, and, where the metric asks for
    codes, an arm with no active unit. Fewer than two different values left over rank nobody.
    """
    return {metric.key: _rank(metric, arms) for metric in METRICS}


def _rank(metric: Metric, arms: Mapping[str, Metrics]) -> Ranking:
    decimals = metric.digits + 2 * (metric.unit == "%")
    values = {
        name: round(float(getattr(metrics, metric.key)), decimals)
        for name, metrics in arms.items()
        if getattr(metrics, metric.key) is not None and (metrics.active > 0 or not metric.needs_codes)
    }
    low, high = min(values.values(), default=0), max(values.values(), default=0)
    if metric.better is None or low == high:
        return Ranking()
    best, worst = (low, high) if metric.better == "low" else (high, low)
    return Ranking(*(tuple(name for name, value in values.items() if value == end) for end in (best, worst)))
