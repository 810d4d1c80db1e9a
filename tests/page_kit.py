"""What the tests of pages share: a page as it parses, and a real browser that shows it."""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
import subprocess
import tempfile
import zlib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

_VOID = frozenset({"meta", "br"})
# Ask nothing of the network by itself, and need neither a screen nor a sandbox of its own.
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--hide-scrollbars",
    "--enable-logging=stderr",
)
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


class Cell(NamedTuple):
    """A cell of a table: what it shows, and the exact value behind it where there is one."""

    text: str
    value: str | None


class Page(HTMLParser):
    """The tags, attributes, texts and tables of a page; tables are found by their label."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.tables: dict[str, list[list[Cell]]] = {}
        self.figures: dict[str, Cell] = {}
        self.policy = ""
        self._label = ""
        self._cell: tuple[list[str], list[str]] | None = None
        self._term = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in given.items()]
        if tag not in _VOID:
            self.open.append(tag)
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"]
        if given.get("role") == "region":
            self._label = given["aria-label"]
        if tag == "table":
            self.tables[self._label] = []
        elif tag == "tr":
            self.tables[self._label].append([])
        elif tag in ("td", "th", "dt") or given.get("class") == "figure":
            self._cell = ([], [])
        elif tag == "data" and self._cell:
            self._cell[1].append(given["value"])

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if self._cell is None or tag not in ("td", "th", "dt", "dd"):
            return
        cell = Cell("".join(self._cell[0]).strip(), next(iter(self._cell[1]), None))
        self._cell = None
        if tag == "dt":
            self._term = cell.text
        elif tag == "dd":
            self.figures[self._term] = cell
        else:
            self.tables[self._label][-1].append(cell)

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell[0].append(data)


class Seen(NamedTuple):
    """What a browser made of a page: the document after it was shown, what its console said, what it asked the network for."""

    document: str
    console: tuple[str, ...]
    asked: tuple[str, ...]


def shown(path: Path, *flags: str) -> Seen:
    """Show a file in a real browser."""
    with tempfile.TemporaryDirectory(prefix="mrt-browser-") as folder:
        log = Path(folder) / "net.json"
        done = _run(folder, f"--log-net-log={log}", "--dump-dom", *flags, path.as_uri())
        asked = tuple(_asked(log.read_text(encoding="utf-8", errors="replace")))
    console = tuple(line for line in done.stderr.splitlines() if ":CONSOLE" in line)
    return Seen(done.stdout, console, asked)


def _asked(log: str) -> Iterator[str]:
    """What pages asked for over the network, by the browser's own log; what the browser asks for itself has no origin there."""
    for line in log.splitlines():
        if '"initiator"' not in line or '"initiator":"not an origin"' in line:
            continue
        for address in re.findall(r'"url":"([^"]*)"', line):
            if not address.startswith(("file:", "data:", "chrome")):
                yield address


def measured(path: Path, width: int) -> dict[str, Any]:
    """Sizes in pixels in a window so wide: of the page, and of every rectangle drawn.

    A frame reports them, since a browser's own window has a least width. The page's policy forbids the script that does it, so
    it is measured without the policy.
    """
    script = """<script>addEventListener("load", () => {
        const boxes = [...document.querySelectorAll("svg.plot .slot rect:not(.hit), svg polyline")].map(
            (one) => [one.getBoundingClientRect().width, one.getBoundingClientRect().height]);
        const page = document.documentElement;
        parent.postMessage({ width: page.scrollWidth, window: innerWidth, boxes: boxes }, "*");
    });</script>"""
    with tempfile.TemporaryDirectory(prefix="mrt-page-") as folder:
        page, frame = Path(folder) / "page.html", Path(folder) / "frame.html"
        page.write_text(POLICY.sub("", path.read_text(encoding="utf-8")) + script, encoding="utf-8")
        frame.write_text(
            '<script>addEventListener("message", (sent) => { document.title = JSON.stringify(sent.data); });</script>'
            f'<iframe src="page.html" style="width: {width}px; height: 900px; border: 0"></iframe>',
            encoding="utf-8",
        )
        found = re.search("<title>(.*?)</title>", shown(frame).document)
    assert found is not None
    return dict(json.loads(found[1]))


def colors(path: Path, *flags: str) -> dict[tuple[int, ...], int]:
    """How many pixels of a page have which colour, in a window of 800 x 700."""
    with tempfile.TemporaryDirectory(prefix="mrt-browser-") as folder:
        picture = Path(folder) / "page.png"
        _run(folder, f"--screenshot={picture}", "--window-size=800,700", *flags, path.as_uri())
        return _histogram(picture.read_bytes())


def _run(folder: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    assert BROWSER is not None
    command = [BROWSER, *_FLAGS, f"--user-data-dir={folder}/profile", *arguments]
    environment = {**os.environ, "HOME": folder}
    return subprocess.run(command, capture_output=True, text=True, timeout=90, env=environment, check=True)


def _histogram(png: bytes) -> dict[tuple[int, ...], int]:
    """The colours of a PNG of eight bits a channel, without interlacing (RFC 2083)."""
    width, height, _, kind = struct.unpack(">IIBB", png[16:26])
    channels = {2: 3, 6: 4}[kind]
    data = zlib.decompress(b"".join(_chunks(png)))
    found: dict[tuple[int, ...], int] = {}
    before = bytearray(width * channels)
    for row in range(height):
        start = row * (width * channels + 1)
        line = _unfiltered(data[start], bytearray(data[start + 1 : start + 1 + width * channels]), before, channels)
        for pixel in zip(*(line[channel::channels] for channel in range(3)), strict=True):
            found[pixel] = found.get(pixel, 0) + 1
        before = line
    return found


def _chunks(png: bytes) -> Iterator[bytes]:
    place = 8
    while place < len(png):
        (size,) = struct.unpack(">I", png[place : place + 4])
        if png[place + 4 : place + 8] == b"IDAT":
            yield png[place + 8 : place + 8 + size]
        place += size + 12


def _unfiltered(how: int, line: bytearray, before: bytearray, channels: int) -> bytearray:
    for place in range(len(line)):
        left = line[place - channels] if place >= channels else 0
        above = before[place]
        corner = before[place - channels] if place >= channels else 0
        line[place] = (line[place] + (0, left, above, (left + above) // 2, _paeth(left, above, corner))[how]) & 255
    return line


def _paeth(left: int, above: int, corner: int) -> int:
    distances = [abs(above - corner), abs(left - corner), abs(left + above - 2 * corner)]
    return (left, above, corner)[distances.index(min(distances))]
