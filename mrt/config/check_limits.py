"""What can be wrong with limits though each value is a good one by itself."""

from __future__ import annotations

from collections.abc import Iterator

from mrt.config.keys import format_key
from mrt.config.resolution import Finding, Resolution
from mrt.near import did_you_mean, nearest

_AMOUNTS = ("daily_usd", "monthly_usd", "per_session_usd", "per_call_usd")


def limit_findings(resolution: Resolution) -> Iterator[Finding]:
    """Limits that limit nothing: without an amount, or on a tier that there is not."""
    for name in resolution.names["limits"]:
        key = ("limits", name)
        where = resolution.where(key)
        if all(resolution.get(*key, amount) is None for amount in _AMOUNTS):
            hint = f"add one of {', '.join(_AMOUNTS)}"
            yield Finding("warning", where, f"{format_key(key)} sets no limit", hint)
        tier = resolution.get(*key, "tier")
        tiers = resolution.names["tiers"]
        # A model named with -m is asked outside all tiers; its calls are booked as those of the tier "direct".
        if tier is not None and "*" not in tier and tier not in (*tiers, "direct"):
            hint = did_you_mean(nearest(tier, tiers), f"tiers there are: {', '.join(tiers)}")
            yield Finding("warning", where, f"{format_key(key)} is for a tier that there is not: {tier}", hint)
