"""The pages of `mrt spend` and `mrt bench` in a real browser: they draw, they fit, and they ask nothing of anybody."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from ledger_kit import Clock, booking
from page_kit import BROWSER, colors, measured, shown
from rig.command import Home
from rig.home_setup import says
from rig.loopback import ScriptedServer
from spend_kit import PAID, at, march, paid_answer, spend, store_file
from test_bench_report import answer, keep, say, suite_folder

from mrt.ledger import open_store, reserve, settle
from mrt.output.page import STYLE

in_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
MARCH = ("--since", "2026-03-01", "--until", "2026-03-31")
DARK = "--blink-settings=preferredColorScheme=0"


@pytest.fixture(params=["spend", "bench"])
def page(request: pytest.FixtureRequest, store_home: Home, tmp_path: Path) -> Path:
    """The page of a small store, or of a small run."""
    path = tmp_path / "page.html"
    if request.param == "spend":
        march(store_file(store_home))
        assert spend(store_home, *MARCH, "--html", path).exit_code == 0
    else:
        suite = suite_folder(tmp_path / "own", {1: 1, 2: 1, 3: 1})
        answers = [answer(1), answer(2, band=3), replace(answer(3, "wrong", band=5), detail="<script>1</script>")]
        keep(store_home, "20260101-a", suite, answers)
        assert say(store_home, "report", "last", "--html", path).exit_code == 0
    return path


@in_browser
def test_a_page_draws_and_asks_for_nothing(page: Path) -> None:
    seen = shown(page)
    assert (seen.console, seen.asked) == ((), ())
    assert "<svg" in seen.document
    assert seen.document.rstrip().endswith("</body></html>")


@in_browser
def test_the_browser_would_tell(tmp_path: Path) -> None:
    """What the tests above look for does show where it is."""
    with ScriptedServer({"*": says("no")}) as server:
        page = tmp_path / "talks.html"
        page.write_text(f"<img src={server.url}/x><script>console.error('oh')</script>")
        seen = shown(page)
        assert set(seen.asked) == {f"{server.url}/x"}
    assert any("oh" in line for line in seen.console)


@in_browser
@pytest.mark.parametrize("width", [400, 1100])
def test_a_page_fits_its_window(page: Path, width: int) -> None:
    found = measured(page, width)
    assert found["window"] == width
    assert found["width"] <= width
    assert found["boxes"]
    assert all(across > 0.5 and up > 0.5 for across, up in found["boxes"])


@in_browser
def test_names_of_any_length_fit(store_home: Home, tmp_path: Path) -> None:
    long = {"tier": "t" * 150, "model": "m" * 199, "project": "長" * 150, "tag": "п" * 150, "session": "s" * 300}
    with closing(open_store(store_file(store_home), Clock(at("2026-03-02T10:00:00")))) as store:
        rejected = paid_answer(3, outcome="rejected", check="c" * 90, reason="r" * 500, baseline=None)
        settle(store, reserve(store, booking(10, **{**PAID, **long})), rejected)
    path = tmp_path / "page.html"
    spend(store_home, *MARCH, "--by", "session", "--html", path)
    assert measured(path, 400)["width"] == 400


@in_browser
@pytest.mark.parametrize(("flags", "scheme"), [((), "light"), ((DARK,), "dark")], ids=["light", "dark"])
def test_a_page_is_seen_in_both_schemes(page: Path, flags: tuple[str, ...], scheme: str) -> None:
    found = colors(page, *flags)
    assert max(found, key=lambda color: found[color]) == rgb(palette(scheme)["paper"])
    drawn = {name for name, color in palette(scheme).items() if found.get(rgb(color), 0) > 100}
    assert ({"s1", "panel"} if "<h1>Spend" in page.read_text() else {"bar"}) <= drawn


@in_browser
def test_the_policy_holds_even_for_markup_that_slipped_in(page: Path) -> None:
    with ScriptedServer({"*": says("no")}) as server:
        slipped = (
            f"<script>document.title = 'ran'</script><img src={server.url}/x><link rel=stylesheet href={server.url}/y>"
        )
        page.write_text(page.read_text().replace("</body>", f"{slipped}</body>"))
        seen = shown(page)
        assert server.requests == []
    assert "<title>ran</title>" not in seen.document
    assert any("Content Security Policy" in line for line in seen.console)


def palette(scheme: str) -> dict[str, str]:
    """The colours of a scheme by name, as #rrggbb."""
    light, dark = STYLE.split("@media screen and (prefers-color-scheme: dark)")
    found = dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6})\b", light if scheme == "light" else dark.split("}")[0]))
    return {
        name: color if len(color) == 7 else "#" + "".join(digit * 2 for digit in color[1:])
        for name, color in found.items()
    }


def rgb(color: str) -> tuple[int, ...]:
    return tuple(int(color[place : place + 2], 16) for place in (1, 3, 5))


def luminance(color: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    shares = [value / 255 for value in rgb(color)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (WCAG 2.2), from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_bars_stand_out(scheme: str) -> None:
    """The least contrasts that WCAG 2.2 asks for: 4.5 of text, 3 of what a drawing says."""
    found = palette(scheme)
    texts = [(name, ground) for name in ("ink", "dim") for ground in ("paper", "panel")]
    texts += [(name, "paper") for name in ("ok", "bad", "cut", "slow", "none")]
    bars = [(f"s{number}", "paper") for number in range(7)] + [("bar", "paper")]
    weak = [
        (pair, least)
        for pairs, least in ((texts, 4.5), (bars, 3.0))
        for pair in pairs
        if contrast(found[pair[0]], found[pair[1]]) < least
    ]
    assert weak == []
    assert set(palette("dark")) == set(palette("light"))
