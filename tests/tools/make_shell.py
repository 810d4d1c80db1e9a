"""Write what shells and `man` read, from the commands as they are: `python -m tests.tools.make_shell`."""

from __future__ import annotations

from pathlib import Path

from mrt.cli import group
from mrt.commands._complete_scripts import FILES, SCRIPTS
from mrt.commands._man import pages

ROOT = Path(__file__).parents[2]
COMPLETIONS = ROOT / "completions"
MAN = ROOT / "mrt" / "data" / "man"


def generated() -> dict[Path, str]:
    """Every generated file with its content."""
    scripts = {COMPLETIONS / FILES[shell]: script for shell, script in SCRIPTS.items()}
    return scripts | {MAN / name: text for name, text in pages(group).items()}


def main() -> None:
    """Write them; pages of verbs that are no more go."""
    files = generated()
    MAN.mkdir(exist_ok=True)
    for path in {*COMPLETIONS.iterdir(), *MAN.iterdir()} - files.keys():
        path.unlink()
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
