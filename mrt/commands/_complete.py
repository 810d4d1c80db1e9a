"""What the shell is offered after -m and the like: from the configuration and the last probes, never from the network."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from mrt.errors import MrtError
from mrt.output import Console

if TYPE_CHECKING:
    from mrt.config import Config

# What a server calls its models ends up in a command line: nothing in it may mean anything to a shell.
_HARMLESS = re.compile(r"[A-Za-z0-9._/:@+=,-]+").fullmatch


def models(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Tiers, aliases and every ENDPOINT/MODEL that a probe has seen."""
    console = context.find_object(Console)
    if console is None:
        return []
    from mrt.endpoints.cache import load_cache

    # With a slash it is no tier any more, and the configuration need not be read.
    config = None if "/" in incomplete else _config(console)
    names = [*(tier.name for tier in config.tiers), *config.aliases] if config else []
    seen = (f"{report.name}/{model.id}" for report, _ in load_cache(console.environment) for model in report.models)
    return _matching([*names, *filter(_HARMLESS, seen)], incomplete)


def endpoints(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The configured endpoints, and those that a probe has seen."""
    console = context.find_object(Console)
    if console is None:
        return []
    from mrt.endpoints.cache import load_cache

    config = _config(console)
    seen = (report.name for report, _ in load_cache(console.environment))
    return _matching([*(config.endpoints if config else ()), *seen], incomplete)


def tiers(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The tiers."""
    console = context.find_object(Console)
    config = _config(console) if console is not None else None
    return _matching((tier.name for tier in config.tiers) if config else (), incomplete)


def _config(console: Console) -> Config | None:
    """The configuration; none where it is broken."""
    from mrt.config import load

    try:
        return load(console.environment, console.config_path)
    except MrtError:
        return None


def _matching(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in dict.fromkeys(names) if name.startswith(incomplete)]
