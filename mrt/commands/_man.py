"""Manual pages, mrt(1) and one for each verb, made from the declared commands and the help topics."""

from __future__ import annotations

from collections.abc import Iterator

import click

from mrt import __version__
from mrt.commands._roff import escaped, example, filled, flags, prose, structured
from mrt.commands._shared import COMMON_OPTIONS
from mrt.commands._topic_privacy import kept_files
from mrt.commands._topics import TOPICS
from mrt.commands._tree import context_of, subcommands, walk

# Of the version; a page made twice is the same twice.
DATE = "2026-11-21"
_HEADINGS = {"exit-codes": "EXIT STATUS", "config": "CONFIGURATION", "json": "JSON"}


def page(root: click.Command, verb: str | None) -> str:
    """The page of a verb in roff, of mrt itself for None: what `man` formats."""
    context = context_of(root, [verb] if verb else [])
    lines = _of_verb(context) if verb else _of_mrt(context)
    return "\n".join(filled(lines)) + "\n"


def pages(root: click.Command) -> dict[str, str]:
    """All pages by their file names, mrt.1 and mrt-VERB.1."""
    made = {f"mrt-{verb}.1": page(root, verb) for verb in subcommands(root)}
    return {"mrt.1": page(root, None), **made}


def _of_mrt(context: click.Context) -> Iterator[str]:
    yield from _head("mrt", context.command.help or "")
    yield from _synopsis(context)
    yield from _examples(context)
    yield ".SH VERBS"
    for verb, text in subcommands(context.command).items():
        yield from (".TP", rf"\fBmrt\-{escaped(verb)}\fR(1)", escaped(text))
    yield from (".SH OPTIONS", *_options(context, own=False))
    for topic, (_, text_of) in TOPICS.items():
        yield f".SH {_HEADINGS.get(topic, topic.upper())}"
        yield from structured(text_of())
    yield from (".SH FILES", *structured("\n".join(kept_files())))
    yield from _see_also(context)


def _of_verb(context: click.Context) -> Iterator[str]:
    name = context.info_name or ""
    below = list(walk(context))[1:]
    yield from _head(f"mrt-{name}", context.command.get_short_help_str(200))
    yield from _synopsis(context)
    yield from _examples(context)
    yield from (".SH DESCRIPTION", *prose(_description(context.command)))
    yield from (".SH OPTIONS", *_options(context, own=False))
    if below and not _common(context):
        yield from (
            ".PP",
            "Of every command:",
            *(line for item in _common(below[0]) for line in _option(below[0], item)),
        )
    yield from ([".SH COMMANDS"] if below else [])
    for command in below:
        yield from _of_subcommand(command)
    yield ".SH EXIT STATUS"
    yield from structured(TOPICS["exit-codes"][1]())
    yield from _see_also(context)


def _common(context: click.Context) -> list[click.Parameter]:
    """The options among its own that all verbs have."""
    return [item for item in context.command.params if item.opts[-1] in COMMON_OPTIONS]


def _of_subcommand(context: click.Context) -> Iterator[str]:
    yield f".SS {escaped(context.command_path)}"
    yield _usage(context)
    yield from (".PP", *prose(_description(context.command)))
    yield from example(getattr(context.command, "examples", ""))
    yield from _options(context, own=True)


def _description(command: click.Command) -> str:
    """What its help says; click marks a paragraph that is not to be re-wrapped with a backspace, which a page has no use for."""
    return (command.help or "").replace("\b\n", "")


def _head(name: str, about: str) -> Iterator[str]:
    yield r".\" Made from the commands of mrt; `mrt help --man` prints it."
    yield f'.TH {escaped(name.upper())} 1 "{DATE}" "mrt {__version__}" "mrt manual"'
    yield from (".nh", ".ad l", ".SH NAME")
    yield rf"{escaped(name)} \- {escaped(_first_sentence(about))}"


def _first_sentence(text: str) -> str:
    return " ".join(text.partition("\n\n")[0].split()).removesuffix(".")


def _synopsis(context: click.Context) -> Iterator[str]:
    yield from (".SH SYNOPSIS", _usage(context))


def _usage(context: click.Context) -> str:
    pieces = " ".join(context.command.collect_usage_pieces(context))
    # A line may break between two of many values, though there is no space.
    return rf"\fB{escaped(context.command_path)}\fR {escaped(pieces)}".rstrip().replace("|", r"|\:")


def _examples(context: click.Context) -> Iterator[str]:
    yield from (".SH EXAMPLES", *example(getattr(context.command, "examples", "")))


def _options(context: click.Context, *, own: bool) -> Iterator[str]:
    """Every option; for a command of a verb only its own, since the page has the common ones already."""
    for item in context.command.get_params(context):
        if not (own and item.opts[-1] in (*COMMON_OPTIONS, "--help")):
            yield from _option(context, item)


def _option(context: click.Context, item: click.Parameter) -> Iterator[str]:
    record = item.get_help_record(context) if isinstance(item, click.Option) else None
    if record is not None:
        yield from (".TP", flags(record[0]), escaped(record[1]))


def _see_also(context: click.Context) -> Iterator[str]:
    yield ".SH SEE ALSO"
    names = ["mrt", *(f"mrt-{verb}" for verb in subcommands(context.find_root().command))]
    own = "mrt" if context.parent is None else f"mrt-{context.info_name}"
    yield ",\n".join(rf"\fB{escaped(name)}\fR(1)" for name in names if name != own)
