"""Pages of HTML that stand alone: no script, nothing loaded from anywhere, and foreign text is text on them, never markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from mrt.output.terminal import one_line, safe

# A page may style itself, and nothing else: no script runs, and no address is asked, whatever stands on it.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_VOID = frozenset({"br", "meta"})
# Without a space or a line between them, figures and their notes would run together where a page is read as plain text.
_OWN_LINE = frozenset({"section", "p", "table", "tr", "h1", "h2", "h3", "div", "figure", "svg", "details", "dl", "pre"})
_DARK = """
  --ink: #e6eaef; --paper: #13171c; --panel: #1a2027; --line: #333c47; --faint: #252c35; --dim: #9aa6b3; --bar: #6ba6f0;
  --ok: #4cc38a; --bad: #ff7b72; --cut: #e0a04a; --slow: #b794f4; --none: #97a2b0; --band: #6cb2f52e;
  --s1: #6ba6f0; --s2: #eb9a4d; --s3: #45bd88; --s4: #bd96ee; --s5: #ef7f99; --s6: #4fb9c6; --s0: #8b97a5;
"""
STYLE = f"""
:root {{ color-scheme: light dark;
  --ink: #1b2027; --paper: #fff; --panel: #f6f8fa; --line: #d3d9e0; --faint: #e9edf1; --dim: #5b6673; --bar: #2b6cb0;
  --ok: #1a7f4b; --bad: #c2362f; --cut: #a15c00; --slow: #7a4bb5; --none: #56606c; --band: #2b6cb024;
  --s1: #2b6cb0; --s2: #c8690f; --s3: #1f8a5b; --s4: #8250c4; --s5: #c03a62; --s6: #16808f; --s0: #75818f; }}
@media screen and (prefers-color-scheme: dark) {{ :root {{ {_DARK} }} }}
* {{ box-sizing: border-box; }}
body {{ font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 66rem;
  margin: 0 auto; padding: 1.5rem 1rem 3rem; }}
h1, h2, h3 {{ line-height: 1.2; text-wrap: balance; }} h1 {{ margin: 0 0 .2rem; font-size: 1.6rem; }}
h2 {{ margin: 2.4rem 0 .6rem; font-size: 1.15rem; }} h3 {{ margin: 1.2rem 0 .4rem; font-size: 1rem; }}
p {{ margin: .4rem 0; overflow-wrap: anywhere; }} .dim {{ color: var(--dim); }}
.wide {{ overflow-x: auto; }} .wide:focus-visible {{ outline: 2px solid var(--bar); }}
table {{ border-collapse: collapse; margin: .4rem 0 .8rem; }}
th, td {{ border-bottom: 1px solid var(--faint); padding: .3rem 1.1rem .3rem 0; text-align: left; vertical-align: top; }}
tr > :last-child {{ padding-right: 0; }} thead th {{ border-color: var(--line); }}
thead th {{ color: var(--dim); font-weight: 500; vertical-align: bottom; }} tbody th {{ font-weight: 400; }}
.n {{ text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }}
summary {{ cursor: pointer; }} pre {{ overflow-x: auto; background: var(--band); padding: .6rem; white-space: pre-wrap;
  overflow-wrap: anywhere; }}
svg {{ display: block; }} svg text {{ fill: var(--dim); font: 12px system-ui, sans-serif; }}
@media print {{ body {{ padding: 0; max-width: none; font-size: 12px; }} .wide {{ overflow: visible; }}
  * {{ print-color-adjust: exact; -webkit-print-color-adjust: exact; }} h2, h3 {{ break-after: avoid; }}
  figure, tr, .card, svg {{ break-inside: avoid; }} details::details-content {{ content-visibility: visible; }} }}
"""


class Html(str):
    """Markup that was made here; any other text is escaped on its way into a page."""

    __slots__ = ()


class Column(NamedTuple):
    """A column of a table; `number` aligns it to the right."""

    title: str
    number: bool = False


def escaped(text: str) -> str:
    """Foreign text as text: no markup, no control characters, no marks that reorder it, no half of a character."""
    return escape(safe(text).encode("utf-8", "replace").decode())


def element(tag: str, /, *children: str, **attributes: str | float | None) -> Html:
    """One element with its children. `class_` is the attribute class, `stroke_width` stroke-width; None leaves one out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(_number(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if tag in _VOID:
        return Html(f"<{tag}{given}>")
    end = "\n" if tag in _OWN_LINE else ""
    return Html(f"<{tag}{given}>{joined(children)}</{tag}>{end}")


def _number(value: str | float) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def joined(parts: Iterable[str]) -> Html:
    """Parts of a page one after the other."""
    return Html("".join(part if isinstance(part, Html) else escaped(part) for part in parts))


def exact(value: str | int | None, shown: str) -> Html:
    """A figure as people read it, with its exact value for programs; a value that is not known has none."""
    return Html(escaped(shown)) if value is None else element("data", shown, value=str(value))


def name(text: str, limit: int = 200) -> Html:
    """A name that others gave, on one line; it cannot turn the direction of what stands beside it."""
    return element("bdi", one_line(text, limit))


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]], label: str) -> Html:
    """A table that scrolls by itself where it is too wide; the first cell of a row is its header."""
    head = (element("th", column.title, scope="col", class_="n" if column.number else None) for column in columns)
    body = (
        element("tr", element("th", row[0], scope="row"), *map(_cell, row[1:], columns[1:])) for row in rows
    )  # fmt: skip
    inner = element("table", element("thead", element("tr", *head)), element("tbody", *body))
    return element("div", inner, class_="wide", tabindex="0", role="region", aria_label=label)


def _cell(value: str, column: Column) -> Html:
    return element("td", value, class_="n" if column.number else None)


def document(title: str, style: str, *body: str) -> str:
    """The whole page."""
    head = (
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        Html(f"<style>{STYLE}{style}</style>"),
    )
    page = element("html", element("head", *head), "\n", element("body", *body), lang="en")
    return f"<!doctype html>\n{page}\n"
