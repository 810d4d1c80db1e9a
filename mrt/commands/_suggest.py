"""What to say of wrong usage, and what was probably meant: click guesses among options, and not among values."""

from __future__ import annotations

import re

import click

from mrt.near import did_you_mean, nearest


def message_of(error: click.ClickException) -> str:
    """What click says; an argument of a few words goes by its name, since the words follow anyhow."""
    item = error.param if isinstance(error, click.BadParameter) else None
    if isinstance(error, click.BadParameter) and isinstance(item, click.Argument) and _choices(error):
        error.param_hint = f"'{(item.name or '').upper()}'"
    return error.format_message()


def hint_of(error: click.ClickException) -> str:
    """The hint to a usage error: the near values of a choice, else the command that shows how it is used."""
    context = getattr(error, "ctx", None)
    shown = f"`{context.command_path if context else 'mrt'} --help` shows how it is used"
    if isinstance(error, click.BadParameter):
        return did_you_mean(_near_choices(error), shown)
    if isinstance(error, click.NoSuchOption) and context is not None and context.parent is None:
        return _behind_the_verb(error.option_name) or shown
    return shown


def _near_choices(error: click.BadParameter) -> list[str]:
    known = _choices(error)
    wrong = re.match("'(.*)' is not", error.message)
    word = wrong[1].lower() if wrong else ""
    return [name for name in known if _abbreviates(word, name)] or nearest(word, known)


def _abbreviates(word: str, name: str) -> bool:
    """Whether its letters are some of the name's, in their order and from the first one on: pwsh, claude."""
    letters = iter(name)
    return len(word) > 1 and word[0] == name[0] and all(letter in letters for letter in word)


def _choices(error: click.BadParameter) -> list[str]:
    kind = error.param.type if error.param is not None else None
    return [str(choice) for choice in kind.choices] if isinstance(kind, click.Choice) else []


def _behind_the_verb(name: str) -> str | None:
    """The options that all verbs have are none of mrt itself."""
    from mrt.commands._shared import COMMON_OPTIONS

    near = nearest(name, COMMON_OPTIONS, closeness=0.8)
    return f"{near[0]} stands behind the verb, as in `mrt probe {near[0]}`" if near else None
