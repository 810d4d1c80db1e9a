"""Limits in the configuration: how they are written, set and checked."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from mrt.config import LimitSettings, load
from mrt.config.check import findings
from mrt.config.edit import plan, write

NIGHTLY = LimitSettings("nightly", tier="cloud", tag="night*", daily_usd=Decimal("0.5"), per_call_usd=None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_a_limit_arrives(path: Path) -> None:
    path.write_text('[limits.nightly]\ntier = "cloud"\ntag = "night*"\ndaily_usd = 0.5\nper_call_usd = "none"\n')
    assert load({}, path).limits == {"nightly": NIGHTLY}
    assert load({"MRT_LIMITS_NIGHTLY_DAILY_USD": "2"}, path).limits["nightly"].daily_usd == 2
    assert findings({}, path) == []


def test_a_limit_is_set_by_key(path: Path) -> None:
    write(path, plan(path, [("limits.nightly.daily_usd", "0.5"), ("budget.per_session_usd", "1.5")]).text)
    config = load({}, path)
    assert config.limits == {"nightly": LimitSettings("nightly", daily_usd=Decimal("0.5"))}
    assert config.budget.per_session_usd == Decimal("1.5")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        pytest.param(
            '[limits.a]\ntag = "x"\n',
            "limits.a sets no limit",
            "add one of daily_usd, monthly_usd, per_session_usd, per_call_usd",
            id="no amount",
        ),
        pytest.param(
            '[limits.a]\ntier = "clout"\ndaily_usd = 1\n',
            "limits.a is for a tier that there is not: clout",
            "did you mean cloud?",
            id="a tier misspelled",
        ),
        pytest.param(
            '[limits.a]\ntier = "x"\ndaily_usd = 1\n',
            "limits.a is for a tier that there is not: x",
            "tiers there are: local-fast, local-heavy, cloud",
            id="no such tier",
        ),
    ],
)
def test_a_limit_that_limits_nothing_is_found(path: Path, text: str, message: str, hint: str) -> None:
    path.write_text(text)
    (found,) = findings({}, path)
    assert (found.severity, found.where, found.message, found.hint) == ("warning", f"{path}:1", message, hint)


@pytest.mark.parametrize("tier", ["cloud", "local-*", "direct"])
def test_a_limit_on_tiers_is_fine(path: Path, tier: str) -> None:
    path.write_text(f'[limits.a]\ntier = "{tier}"\ndaily_usd = 1\n')
    assert findings({}, path) == []


def test_a_limit_with_a_wrong_amount_is_an_error(path: Path) -> None:
    path.write_text("[limits.a]\ndaily_usd = -1\n")
    assert [found.severity for found in findings({}, path)] == ["error", "warning"]
