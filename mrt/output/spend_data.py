"""The spend report as scripts read it: the JSON contract, and rows of CSV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mrt.domain import usd
from mrt.ledger.endings import Ending
from mrt.ledger.forecast import Burn, Forecast
from mrt.ledger.queries import Group, Totals
from mrt.ledger.report import BudgetLine, Report, Savings


def report_data(report: Report, endings: Sequence[Ending] = ()) -> dict[str, Any]:
    """The `data` of `mrt spend --json`; `endings` has the calls of the period that were not accepted."""
    wanted = report.wanted
    return {
        "period": {
            "from": None if wanted.span.first is None else wanted.span.first.isoformat(),
            "to": wanted.span.last.isoformat(),
            "timezone": wanted.timezone,
        },
        "by": list(wanted.by),
        "total": totals_data(report.total),
        "groups": [group_data(group, wanted.by) for group in report.groups],
        "budgets": [budget_data(line) for line in report.budgets],
        **burn_data(report.burn),
        "forecast": forecast_data(report.forecast),
        "savings": savings_data(report.savings),
        "outcomes": outcome_data(report.total, endings),
        "known": known_data(report.total),
        "tips": list(report.tips),
    }


def totals_data(totals: Totals) -> dict[str, Any]:
    """Sums; a cost with unknown parts is null, and `at_least_usd` has the part that is known."""
    unknown = totals.unpriced_calls > 0
    return {
        "cost": {
            "state": totals.state,
            "usd": None if unknown else usd(totals.cost_nano),
            "at_least_usd": usd(totals.cost_nano),
        },
        "unpriced_calls": totals.unpriced_calls,
        "calls": totals.calls,
        "answers": totals.answers,
        "local_answers": totals.local_answers,
        "escalations": totals.escalations,
        "input_tokens": _counted(totals.input_tokens, totals),
        "output_tokens": _counted(totals.output_tokens, totals),
        "cached_tokens": _counted(totals.cached_tokens, totals),
        "reasoning_tokens": _counted(totals.reasoning_tokens, totals),
        "uncounted_calls": totals.uncounted_calls,
    }


def _counted(tokens: int, totals: Totals) -> int | None:
    """Nothing counted is not zero; with `uncounted_calls` any other number is the part that is known."""
    return None if totals.uncounted_calls and not tokens else tokens


def group_data(group: Group, by: Sequence[str]) -> dict[str, Any]:
    """A group: its key as one text and by name, null where the calls have none; then its sums."""
    keys = {name: key or None for name, key in zip(by, group.keys, strict=True)}
    return {"key": " / ".join(group.keys) or None, "keys": keys, **totals_data(group.totals)}


def budget_data(line: BudgetLine) -> dict[str, Any]:
    """One limit; `left_usd` is negative after an overrun.

    With unpriced calls `used_usd` is null and `used_at_least_usd` has the known part; `reserved_usd` holds their bounds. Where
    one has no bound, ended or under way, `reserved_usd` and `left_usd` are null.
    """
    return {
        "scope": line.scope,
        "period": line.period,
        "limit_usd": usd(line.limit_nano),
        "used_usd": None if line.unpriced_calls else usd(line.used_nano),
        "used_at_least_usd": usd(line.used_nano),
        "reserved_usd": None if line.unbounded_calls else usd(line.reserved_nano),
        "left_usd": None if line.unbounded_calls else usd(line.left_nano),
        "left_at_most_usd": usd(line.left_nano),
        "unpriced_calls": line.unpriced_calls,
    }


def burn_data(burn: Burn | None) -> dict[str, Any]:
    """Dollars a day; null where they are not known, and then `burn_at_least_usd_per_day` has the known part."""
    nano, unpriced = (burn.nano, burn.unpriced_calls) if burn else (None, 0)
    return {"burn_usd_per_day": None if unpriced else _usd(nano), "burn_at_least_usd_per_day": _usd(nano)}


def forecast_data(forecast: Forecast | None) -> dict[str, Any] | None:
    """The month's end. With unpriced calls only `at_least` is known: the low end of what the priced ones lead to."""
    if forecast is None:
        return None
    reached = forecast.limit_reached_on
    known = not forecast.unpriced_calls
    return {
        "low": usd(forecast.low_nano) if known else None,
        "expected": usd(forecast.expected_nano) if known else None,
        "high": usd(forecast.high_nano) if known else None,
        "at_least": usd(forecast.low_nano),
        "unpriced_calls": forecast.unpriced_calls,
        "until": forecast.until.isoformat(),
        "limit_reached_on": None if reached is None else reached.isoformat(),
    }


def savings_data(savings: Savings | None) -> dict[str, Any] | None:
    """Against the baseline; the low end is null where a call may have cost any amount."""
    if savings is None:
        return None
    return {
        "low": _usd(savings.low_nano),
        "high": usd(savings.high_nano),
        "baseline_model": savings.models[0] if len(savings.models) == 1 else None,
        "baseline_models": list(savings.models),
        "missing_answers": savings.missing,
    }


def outcome_data(total: Totals, endings: Sequence[Ending]) -> list[dict[str, Any]]:
    """How the calls ended: accepted, then each other outcome by the check that spoke against it, and what the last one said."""
    return [_ending_data(one) for one in with_accepted(total, endings)]


def with_accepted(total: Totals, endings: Sequence[Ending]) -> list[Ending]:
    """All calls by how they ended: what is left of the sums is accepted."""
    calls = total.calls - sum(one.calls for one in endings)
    nano = total.cost_nano - sum(one.cost_nano for one in endings)
    unpriced = total.unpriced_calls - sum(one.unpriced_calls for one in endings)
    return [one for one in (Ending("accepted", "", calls, nano, unpriced, None), *endings) if one.calls]


def _ending_data(one: Ending) -> dict[str, Any]:
    return {
        "outcome": one.outcome,
        "check": one.check or None,
        "calls": one.calls,
        "cost_usd": None if one.unpriced_calls else usd(one.cost_nano),
        "at_least_usd": usd(one.cost_nano),
        "unpriced_calls": one.unpriced_calls,
        "last_reason": one.reason,
    }


def known_data(total: Totals) -> dict[str, int]:
    """Of how many calls the cost is known in which way."""
    paid = total.reported_calls + total.priced_calls + total.estimated_calls + total.unpriced_calls
    return {
        "reported": total.reported_calls,
        "priced": total.priced_calls,
        "estimated": total.estimated_calls,
        "unknown": total.unpriced_calls,
        "free": total.calls - paid,
    }


def csv_rows(report: Report) -> list[list[Any]]:
    """A header and one row per group, or the total alone; unknown is empty, never 0."""
    names = [name for name in totals_data(report.total) if name != "cost"]
    header = [*report.wanted.by, "cost_usd", "cost_state", "at_least_usd", *names]
    groups = report.groups if report.wanted.by else (Group((), report.total),)
    rows = []
    for group in groups:
        data = totals_data(group.totals)
        cost = data["cost"]
        money = ["" if cost["usd"] is None else cost["usd"], cost["state"], cost["at_least_usd"]]
        rows.append([*group.keys, *money, *(data[name] for name in names)])
    return [header, *rows]


def _usd(nano: int | None) -> str | None:
    return None if nano is None else usd(nano)
