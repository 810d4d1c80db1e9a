"""`mrt help`: what holds for every verb, by topic; the help of a verb; the same as a page for `man`."""

from __future__ import annotations

from collections.abc import Sequence

import click
from click.shell_completion import CompletionItem

from mrt.commands._shared import ExamplesFirst, common_options, console
from mrt.errors import UsageError

EXAMPLES = """
mrt help exit-codes
mrt help privacy
mrt help spend import
mrt help json spend log > log.schema.json
mrt help --man ask | man -l -
"""


class HelpCommand(ExamplesFirst):
    """Knows what can be explained, for completion."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Topics, and the commands below those that are named already."""
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        words = ctx.params.get("words") or ()
        found = _explained(ctx.find_root().command, words, man=bool(ctx.params.get("man")))
        return [item for item in found if item.value.startswith(incomplete)]


def _explained(root: click.Command, words: Sequence[str], *, man: bool) -> list[CompletionItem]:
    from mrt.commands._topics import TOPICS
    from mrt.commands._tree import context_of, subcommands

    if man:  # pages are of whole verbs
        verbs = {} if words else subcommands(root)
        return [CompletionItem(name, help=text) for name, text in verbs.items()]
    if words[:1] == ("json",):
        from mrt.output.schemas import names

        before = " ".join([*words[1:], ""]).lstrip()
        found = dict.fromkeys(name.removeprefix(before).split()[0] for name in names() if name.startswith(before))
        return [CompletionItem(name, help="its JSON schema") for name in found]
    topics = {} if words else {name: about for name, (about, _) in TOPICS.items()}
    try:
        below = subcommands(context_of(root, words).command)
    except KeyError:
        below = {}
    return [CompletionItem(name, help=text) for name, text in {**below, **topics}.items()]


@click.command(cls=HelpCommand, examples=EXAMPLES)
@click.argument("words", metavar="[TOPIC | VERB [COMMAND]]", nargs=-1)
@click.option("--man", is_flag=True, help="Print the page for man: of VERB, or of mrt with all topics.")
@common_options
@click.pass_context
def command(context: click.Context, words: tuple[str, ...], man: bool) -> None:
    """Explain a topic, or show the help of a verb; without one, list the topics.

    What is a topic and a verb is explained as a topic: `mrt config --help` shows the verb. After `json` comes the command whose
    JSON schema is wanted; `lines` after it is for what it prints line by line.
    """
    from mrt.commands._topics import TOPICS

    root = context.find_root().command
    if man:
        text = _man_page(root, words)
    elif not words:
        text = "\n".join(f"{name:<12}  {about}" for name, (about, _) in TOPICS.items())
    elif words[0] == "json" and words[1:]:
        text = _schema(words[1:])
    elif words[1:] or words[0] not in TOPICS:
        text = _found(root, words).get_help()
    else:
        text = TOPICS[words[0]][1]()
    if console().mode == "json":
        console().envelope("help", {"topic": " ".join(words) or None, "text": text})
    elif man:
        console().result(text)
    else:
        console().report(text)


def _schema(words: Sequence[str]) -> str:
    """The JSON schema of what a command prints. Raises UsageError, with near names."""
    import json

    from mrt.near import guessed, nearest
    from mrt.output.schemas import names, schema

    name = " ".join(words)
    if name not in names():
        raise UsageError(f"`mrt {name}` prints no JSON{guessed(nearest(name, names()))}", "mrt help json")
    return json.dumps(schema(name), indent=2, ensure_ascii=False)


def _man_page(root: click.Command, words: Sequence[str]) -> str:
    from mrt.commands._man import page
    from mrt.commands._topics import TOPICS

    if words[1:]:
        raise UsageError("man pages are of whole verbs", f"mrt help --man {words[0]}")
    if words and words[0] in TOPICS and words[0] != "config":
        raise UsageError(f"the topic {words[0]!r} stands in the page of mrt itself", "mrt help --man")
    return page(root, _found(root, words).info_name) if words else page(root, None)


def _found(root: click.Command, words: Sequence[str]) -> click.Context:
    """The context of the command that the words name. Raises UsageError, with near names."""
    from mrt.commands._tree import context_of, subcommands

    for depth, word in enumerate(words):
        above = context_of(root, words[:depth])
        if word not in subcommands(above.command):
            raise _unknown(above, word)
    return context_of(root, words)


def _unknown(above: click.Context, word: str) -> UsageError:
    from mrt.commands._topics import TOPICS
    from mrt.commands._tree import subcommands
    from mrt.near import guessed, nearest

    known = [*([] if above.parent else TOPICS), *subcommands(above.command)]
    near = [name for name in known if len(word) > 2 and name.startswith(word.lower())][:3] or nearest(word, known)
    if above.parent is None:
        return UsageError(f"no topic and no verb {word!r}{guessed(near)}", f"topics are {', '.join(TOPICS)}")
    return UsageError(f"`{above.command_path}` has no command {word!r}{guessed(near)}", f"{above.command_path} --help")
