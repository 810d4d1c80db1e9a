"""The README taken apart: its fenced blocks with their marks, the commands in them, and the words of `mrt` in its prose."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import click

from mrt.cli import group

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")

_FENCE = re.compile(r"^(`{3,})(\w*)$")
_MARK = re.compile(r"^<!-- (?:(recipe|run|part): )?([\w-]+) -->$")
_OPERATORS = {"|", "||", "&&", ";", "&", ">", ">>", "<", "2>", "2>>", "(", ")", "{", "}", "!"}


@dataclass(frozen=True)
class Block:
    """A fenced block. `mark` is the comment on the line above it, such as ("recipe", "commit-message") or ("", "install")."""

    line: int
    language: str
    text: str
    mark: tuple[str, str] | None
    generated: bool

    @property
    def name(self) -> str:
        """What a test case is called after it."""
        return self.mark[1] if self.mark else f"line-{self.line}"


def blocks(text: str = README) -> list[Block]:
    """Every fenced block, in order."""
    found: list[Block] = []
    opened: tuple[int, str, str] | None = None
    generated, before, inside = False, "", list[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        fence = _FENCE.match(line)
        if opened and line == opened[1]:
            mark = _MARK.match(before)
            marks = (mark[1] or "", mark[2]) if mark else None
            found.append(Block(opened[0], opened[2], "\n".join(inside) + "\n", marks, generated))
            opened, before = None, line
        elif opened:
            inside.append(line)
        elif fence:
            opened, inside = (number, fence[1], fence[2]), []
        else:
            before = line
            generated = line == "]]] -->" or line.endswith(" ]]] -->") or (generated and "[[[end]]]" not in line)
    return found


def steps(block: Block) -> list[tuple[str, str]]:
    """The commands of a console block, each with the output below it. A command goes on after a backslash."""
    found: list[tuple[str, list[str]]] = []
    continued = False
    for line in block.text.splitlines():
        if continued:
            command, shown = found.pop()
            found.append((f"{command}\n{line}", shown))
        elif line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
        continued = line.endswith("\\") and not found[-1][1]
    return [(command, "\n".join(shown)) for command, shown in found]


def prose(text: str = README) -> str:
    """The README without its blocks and comments."""
    text = re.sub(r"^(`{3,})\w*\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)


def spans(text: str = README) -> list[str]:
    """The inline code of the prose."""
    return re.findall(r"`([^`\n]+)`", prose(text))


def mentions() -> Iterator[str]:
    """Every use of the command that the README shows: inline, in console blocks and in scripts."""
    for span in spans():
        if re.search(r"\bmrt [a-z-]", span):
            yield span
    for block in blocks():
        if block.language == "console" and not block.generated:
            yield from (command for command, _ in steps(block))
        elif block.language == "bash":
            yield from (line for line in _joined(block.text) if re.search(r"\bmrt\b", line))


def _joined(text: str) -> list[str]:
    return text.replace("\\\n", " ").splitlines()


def invocations(line: str) -> Iterator[list[str]]:
    """The arguments of every `mrt` in a line of shell, comments left out."""
    lexer = shlex.shlex(re.sub(r"[$<>]\(|`", " ( ", line), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] | None = None
    try:
        tokens = list(lexer)
    except ValueError:  # one line of a longer string
        tokens = line.split()
    for token in [*tokens, ";"]:
        if set(token) <= set("|&;<>(){}!") or token in _OPERATORS:
            if words is not None:
                yield words
            words = None
        elif words is not None:
            words.append(token)
        elif token == "mrt" or token.endswith("/mrt"):
            words = []
        elif re.search(r"\bmrt [a-z]", token):  # a command line in quotes
            yield from invocations(token)


def commands(command: click.Command = group, path: str = "mrt") -> Iterator[tuple[str, click.Command]]:
    """Every command with its full name, in the order of the help."""
    yield path, command
    for name, child in _children(command):
        if not child.hidden:
            yield from commands(child, f"{path} {name}")


def _children(command: click.Command) -> Iterator[tuple[str, click.Command]]:
    lazy = getattr(command, "lazy", {})
    for name, (module, _) in lazy.items():
        yield name, import_module(f"mrt.commands.{module}").command
    if isinstance(command, click.Group) and not lazy:
        yield from command.commands.items()


def options(command: click.Command) -> set[str]:
    """The names of a command's options, those for help included."""
    shown = (parameter for parameter in command.params if isinstance(parameter, click.Option))
    return {name for option in shown for name in (*option.opts, *option.secondary_opts)} | {"-h", "--help"}


def common() -> list[str]:
    """The options that nearly every command has: three of four, or more; each by its first long name."""
    counted = Counter(name for _, command in commands() for name in options(command))
    most = {name for name, count in counted.items() if 4 * count >= 3 * len(list(commands()))}
    return sorted(name for name in most if name.startswith("--"))


def reference(explained: Collection[str]) -> Iterator[str]:
    """One line of Markdown for each command but these: how it is called, what it does, which options it has besides."""
    everywhere = {*common()}
    for path, command in commands():
        if path in {"mrt", *explained}:
            continue
        context = click.Context(command)
        words = [one.make_metavar(context) for one in command.params if isinstance(one, click.Argument)]
        own = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
        names = [
            " ".join(f"`{name}`" for name in (*one.opts, *one.secondary_opts))
            for one in own
            if not everywhere & {*one.opts}
        ]
        text = command.get_short_help_str(200).rstrip(".")
        yield f"- `{' '.join([path, *words])}`: {text}{'; ' if names else ''}{', '.join(names)}"
