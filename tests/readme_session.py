"""The README's marked console blocks, run one after the other in one shell: `python tests/readme_session.py` writes them anew."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from readme_kit import ROOT, Block, blocks, steps
from readme_world import Machine, engines, machine
from rig.command import make_home

# Files that a block's commands read, by the block's mark.
FILES = {
    "ask": {"worker.py": "def first():\n    with a, b: ...\n\n\ndef second():\n    with b, a: ...\n"},
    "project": {
        ".mrt.toml": '[ask]\nproject = "atlas"\n\n[budget]\ndaily_usd = 0.25\nmonthly_usd = 500.0\n\n'
        '[templates.review]\nprompt = "Find the bugs in this diff:"\n'
    },
}
FOLDER = "/home/ada/atlas"
BOX = "http://192.168.1.20:8080"
_END = "\x01end of step\x01"
_UNITS = r"(?<![\w.])~?\d[\d.,]*(?= ?(?:ms|s|tokens/s|tok/s|MiB|KiB|GiB|minutes?|seconds?)\b)"


def run_block(block: Block, where: Machine) -> list[tuple[str, str]]:
    """Its commands, in one shell as a person would type them, each with what it really shows: both streams, as they come.

    The working folder has the name that the README gives it.
    """
    for name, text in FILES.get(block.name, {}).items():
        (where.folder / name).write_text(text)
    commands = [command for command, _ in steps(block)]
    script = "exec 2>&1\n" + "".join(
        f"{command}\n__code=$?; printf '%s' '{_END}'; (exit $__code)\n" for command in commands
    )
    result = where.bash(script)
    # A LiteLLM proxy on its usual port of the machine that runs this is no part of the README's.
    text = re.sub(r"^litellm .*\n", "", result.stdout.replace(str(where.folder), FOLDER), flags=re.MULTILINE)
    shown = text.split(_END)
    return [(command, text.rstrip("\n")) for command, text in zip(commands, shown, strict=False)]


def alike(text: str) -> str:
    """`text` without what differs from run to run: times, speeds, dates, addresses, identifiers, widths of columns."""
    text = re.sub(_UNITS, "N", text)
    text = re.sub(r"\d{4}-\d{2}(-\d{2})?([T ]\d{2}:\d{2}(:\d{2})?)?", "DATE", text)
    text = re.sub(r"\b\d{2}:\d{2}:\d{2}\b", "TIME", text)
    text = re.sub(r"http://(127\.0\.0\.1|192\.168\.\d+\.\d+):\d+", "URL", text)
    text = re.sub(r"\b(?=\w*\d)[0-9a-f]{8}-[0-9a-f-]{8,}\b", "ID", text)
    text = re.sub(r"-{2,}", "--", text)
    return "\n".join(re.sub(r"[ \t]+", " ", line).strip() for line in text.strip().splitlines())


def rendered(ran: list[tuple[str, str]]) -> str:
    """The text of a block that shows this."""
    return "".join(f"$ {command}\n{shown}\n" if shown else f"$ {command}\n" for command, shown in ran)


def _marked() -> Iterator[Block]:
    return (block for block in blocks() if block.mark and block.mark[0] == "run")


def _elsewhere(text: str, url: str) -> str:
    """The text with the address of the README's configuration, and the rule above it as long."""
    return text.replace("-" * len(url) + "\n", "-" * len(BOX) + "\n").replace(url, BOX)


def main() -> None:
    """Write what the commands show now into the README."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        for block in _marked():
            folder = Path(name) / block.name
            with engines(folder) as (small, large), machine(make_home(folder / "home"), small, large) as where:
                shown = _elsewhere(rendered(run_block(block, where)), large)
            text = text.replace(f"```console\n{block.text}```", f"```console\n{shown}```")
    readme.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
