"""The Beta distribution: between which probabilities the true one lies."""

from __future__ import annotations

from math import exp, lgamma, log

_TINY = 1e-300
# Enough halvings for six digits; the fraction converges in far fewer terms than these.
_HALVINGS, _TERMS, _PRECISE = 20, 300, 1e-9


def beta_interval(mean: float, weight: float, tail: float) -> tuple[float, float]:
    """The quantiles `tail` and 1 - `tail` of the Beta distribution with this mean that `weight` outcomes would give."""
    failed, passed = mean * weight, (1 - mean) * weight
    whole = lgamma(weight) - lgamma(failed) - lgamma(passed)
    return _quantile(tail, failed, passed, whole), _quantile(1 - tail, failed, passed, whole)


def _quantile(share: float, a: float, b: float, whole: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _below(middle, a, b, whole) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _below(x: float, a: float, b: float, whole: float) -> float:
    """The share of Beta(a, b) below x: the regularized incomplete beta function (DLMF 8.17.22); `whole` is -log B(a, b)."""
    front = exp(whole + a * log(x) + b * log(1 - x))
    if x > (a + 1) / (a + b + 2):
        return 1 - front / b * _fraction(1 - x, b, a)
    return front / a * _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction by Lentz's method; it converges fast where x is left of the mean."""
    above, below = 1.0, 1 / _apart(1 - (a + b) * x / (a + 1))
    value = below
    for term in range(1, _TERMS):
        double = a + 2 * term
        even = term * (b - term) * x / ((double - 1) * double)
        odd = -(a + term) * (a + b + term) * x / (double * (double + 1))
        for part in (even, odd):
            below = 1 / _apart(1 + part * below)
            above = _apart(1 + part / above)
            value *= below * above
        if abs(below * above - 1) < _PRECISE:
            break
    return value


def _apart(value: float) -> float:
    """The value, kept away from 0."""
    return value if abs(value) > _TINY else _TINY
