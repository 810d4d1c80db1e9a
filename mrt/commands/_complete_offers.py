"""What a shell is offered at the cursor: from the declared options, the configuration and the last probes, never the network."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem, _resolve_context

from mrt.output import Console

if TYPE_CHECKING:
    from mrt.commands._complete_table import Takes

# What a server calls its models ends up in a command line: nothing in it may mean anything to a shell. Letters of any
# alphabet mean nothing.
_HARMLESS = re.compile(r"[\w./:@+=,-]+").fullmatch
# No person picks one of more than these.
MOST_OFFERS = 1000
Offer = CompletionItem[str]


class Offers(NamedTuple):
    """What may stand in place of the typed word; `before` is the part of it that stays, such as `--tier=`."""

    before: str
    found: list[Offer]


def offers(group: click.Command, words: Sequence[str], typed: str, console: Console) -> Offers:
    """What can follow these whole words of a command line of mrt, the typed part of a word at its end."""
    context = _resolve_context(group, {"obj": console}, "mrt", list(words))
    if isinstance(context.command, click.Group) and (context.args or context._protected_args):
        return Offers("", [])  # after a word that is no command
    option, before = _option_before(context, words, typed)
    text = typed[len(before) :]
    if option is not None:
        found = list(_values(context, option, text))
    elif text.startswith("-") and "--" not in words:
        found = context.command.shell_complete(context, text)
    else:
        found = list(_positional(context, text))
    return Offers(before, [offer for offer in found if offer.type != "plain" or _HARMLESS(offer.value)][:MOST_OFFERS])


def _option_before(context: click.Context, words: Sequence[str], typed: str) -> tuple[click.Option | None, str]:
    """The option whose value is typed, and what stands before that value in the same word."""
    if "--" in words:
        return None, ""
    options = [item for item in context.command.get_params(context) if isinstance(item, click.Option)]
    valued = {name: item for item in options if not item.is_flag and not item.count for name in item.opts}
    name, equals, _ = typed.partition("=")
    if typed.startswith("--") and equals:
        return valued.get(name), name + equals if name in valued else ""
    if re.match(r"-[^-].", typed):
        return valued.get(typed[:2]), typed[:2] if typed[:2] in valued else ""
    return (None if typed.startswith("-") else valued.get(_last_option(words, valued))), ""


def _last_option(words: Sequence[str], valued: dict[str, click.Option]) -> str:
    """The last word where it is an option; of several letters behind one dash (-xm) the last, if only that takes a value."""
    last = words[-1] if words else ""
    if not re.fullmatch(r"-[^-]{2,}", last):
        return last
    return "-" + last[-1] if not any(f"-{letter}" in valued for letter in last[1:-1]) else ""


def _positional(context: click.Context, text: str) -> Iterator[Offer]:
    """Commands of this command, then the values of the first argument that can still take one."""
    argument = next((item for item in context.command.get_params(context) if _is_open(context, item)), None)
    if not text.startswith("-"):
        yield from context.command.shell_complete(context, text)
    if argument is not None:
        yield from _values(context, argument, text)


def _is_open(context: click.Context, item: click.Parameter) -> bool:
    if not isinstance(item, click.Argument):
        return False
    return item.nargs == -1 or context.get_parameter_source(item.name or "") is not ParameterSource.COMMANDLINE


def _values(context: click.Context, item: click.Parameter, text: str) -> Iterator[Offer]:
    from mrt.commands._complete_table import taken_by

    takes = taken_by(context.command_path.removeprefix("mrt").strip(), item.name or "")
    if takes is not None:
        yield from _named(takes, text, lambda typed: _names(context, takes, item, typed), _given(context))
        return
    metavar = item.metavar or ""
    files = "dir" if "DIR" in metavar and "FILE" not in metavar else "file"
    found = item.shell_complete(context, text)
    if any(offer.type == "file" for offer in found) or (not found and ("FILE" in metavar or "DIR" in metavar)):
        yield Offer(text, type=files)
    else:
        yield from found


def _named(takes: Takes, text: str, names: Callable[[str], Iterable[str]], given: set[str]) -> Iterator[Offer]:
    head, comma, tail = text.rpartition(",") if takes.listed else ("", "", text)
    wanted = tail.lower() if takes.any_case else tail
    for name in dict.fromkeys(names(tail)):
        if (name.lower() if takes.any_case else name).startswith(wanted) and name not in given:
            yield Offer(head + comma + tail + name[len(tail) :], type="part" if name.endswith("/") else "plain")
    if takes.files:
        yield Offer(text, type=takes.files)


def _names(context: click.Context, takes: Takes, item: click.Parameter, typed: str) -> Iterable[str]:
    before: Sequence[str] = context.params.get(item.name or "") or ()
    console = context.find_object(Console)
    if console is None:
        return ()
    try:
        if takes.values is not None and len(before) % 2:
            return list(takes.values(console, before[-1], typed))
        return list(takes.names(console, typed))
    except Exception:  # at a keystroke there is nobody to tell; what is not found is not offered
        return ()


def _given(context: click.Context) -> set[str]:
    """What the command was already given of things that may be repeated: nobody compares a model with itself."""
    repeated = (value for value in context.params.values() if isinstance(value, tuple))
    return {one for value in repeated for one in value if isinstance(one, str)}
