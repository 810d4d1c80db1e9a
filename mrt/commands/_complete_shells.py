"""How each shell hands over what is typed, and how it takes what is offered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import click

from mrt.commands._complete_line import Line, take_apart
from mrt.commands._complete_offers import Offer, Offers, offers
from mrt.output import Console

_BASH_BREAKS = "@><=;|&(:"


class Shell(NamedTuple):
    """One shell: its environment variables -> the line, and an offer -> a line of output."""

    read: Callable[[Mapping[str, str]], Line]
    write: Callable[[Line, str, Offer], str]


def complete(instruction: str, group: click.Command, console: Console) -> int:
    """Answer `_MRT_COMPLETE`: "bash_complete" offers what can follow, "bash_source" prints the script. The exit code."""
    name, _, what = instruction.partition("_")
    shell = SHELLS.get(name)
    if shell is None or what not in ("complete", "source"):
        return 1
    if what == "source":
        from mrt.commands._complete_scripts import SCRIPTS

        console.stdout.write(SCRIPTS[name])
        return 0
    line = shell.read(console.environment)
    before, found = _found(group, line, console)
    console.stdout.write("".join(shell.write(line, before, offer) + "\n" for offer in found))
    return 0


def _found(group: click.Command, line: Line, console: Console) -> Offers:
    if line.redirected:
        return Offers("", [Offer(line.typed, type="file")])
    try:
        before, found = offers(group, line.words, line.typed, console)
    except Exception:  # half a line may be anything, and there is nobody to tell at a keystroke
        return Offers("", [])
    # Bash would take what follows a colon for the name of a file.
    return Offers(before, [offer for offer in found if offer.type in ("plain", "part") or line.kept <= len(before)])


def _line(environment: Mapping[str, str]) -> Line:
    """The line up to the cursor, else words and the index of the one that is typed."""
    if "COMP_LINE" in environment:
        return take_apart(environment["COMP_LINE"], environment.get("COMP_WORDBREAKS", ""))
    words = _words(environment)
    index = environment.get("COMP_CWORD", "")
    at = int(index) - 1 if index.isdecimal() and index != "0" else len(words)
    return Line(words[:at], words[at] if at < len(words) else "")


def _words(environment: Mapping[str, str]) -> list[str]:
    line = take_apart(environment.get("COMP_WORDS", "mrt") + " ")
    return line.words


def _line_and_word(environment: Mapping[str, str]) -> Line:
    """The words before the cursor's, and the typed part of that one by itself."""
    return Line(_words(environment), environment["COMP_CUR"]) if "COMP_CUR" in environment else _line(environment)


def _windows_line(environment: Mapping[str, str]) -> Line:
    """Backslashes separate folders there, and the backtick escapes."""
    return take_apart(environment["COMP_LINE"], escape="`") if "COMP_LINE" in environment else _line(environment)


def _for_bash(line: Line, before: str, offer: Offer) -> str:
    # Bash replaces no more than what follows the last character at which it breaks words.
    return f"{offer.type},{(before + offer.value)[line.kept :]}"


def _for_zsh(_: Line, before: str, offer: Offer) -> str:
    value = (before + offer.value).replace(":", r"\:")
    return f"{offer.type},{value}:{_one_line(offer.help)}" if offer.help else f"{offer.type},{value}"


def _for_fish(_: Line, before: str, offer: Offer) -> str:
    if offer.type in ("file", "dir"):
        return f"{offer.type},{offer.value}"
    return f"{offer.type},{before}{offer.value}" + (f"\t{_one_line(offer.help)}" if offer.help else "")


def _for_powershell(_: Line, before: str, offer: Offer) -> str:
    return f"{offer.type}\t{before}{offer.value}\t{_one_line(offer.help) if offer.help else offer.value}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


SHELLS: dict[str, Shell] = {
    "bash": Shell(_line, _for_bash),
    "zsh": Shell(_line_and_word, _for_zsh),
    "fish": Shell(_line, _for_fish),
    "powershell": Shell(_windows_line, _for_powershell),
}
