"""Change the config file and keep everything else in it as it is, comments and order included."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from mrt.config.files import alone_in, replace_file
from mrt.config.keys import format_key, parse_key, suggestion
from mrt.config.model import DEFAULT_TIERS
from mrt.config.render import toml_text
from mrt.config.resolve import resolve
from mrt.config.secrets import looks_secret
from mrt.config.settings import NAMED, Key, section_settings, setting_of
from mrt.config.source import Source, parse, read_text
from mrt.config.starter import initial_text
from mrt.config.values import Invalid
from mrt.errors import ConfigError, UsageError

__all__ = ["Change", "carry_out", "create", "initial_text", "plan", "shadowed", "write"]
KEY_HINT = "name its place instead: key_env, key_cmd or key_file of an endpoint"


class Change(NamedTuple):
    """An edit that was checked and not yet written: the new values by dotted key, the names that came into being, the whole
    text of the file with them, and what was asked for."""

    path: Path
    values: Mapping[str, Any]
    added: tuple[str, ...]
    text: str
    pairs: tuple[tuple[str, str], ...] = ()


def shadowed(change: Change, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Variables that hide the new values for as long as they are set."""
    keys = [parse_key(dotted) for dotted in change.values]
    variables = (name for key in keys for setting in [setting_of(key)] if setting for name in setting.variables(key))
    return tuple(name for name in variables if environment.get(name))


def plan(path: Path, pairs: Sequence[tuple[str, str]]) -> Change:
    """The file with new values, by dotted key as text; several at once for tables that need more than one.

    Raises ConfigError for a value that would not load, and for a file that cannot be read.
    """
    wanted = dict(_checked(dotted, text) for dotted, text in pairs)
    before = parse(path, read_text(path) or "")
    after = _after(before, _with_default_tiers(before, {key: given.raw for key, given in wanted.items()}))
    _refuse_new_problems(before, after)
    values = {format_key(key): given.value for key, given in wanted.items()}
    return Change(path, values, _new_tables(before, after), after.text, tuple(pairs))


def carry_out(change: Change) -> Change:
    """Write the edit onto the file as it is by now: what others have written since it was planned stays. Raises ConfigError."""
    with _alone(change.path):
        latest = plan(change.path, change.pairs)
        write(latest.path, latest.text)
    return latest


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """While the file is read and written, no other mrt writes it."""
    with _unwritable(path), alone_in(path.resolve().parent):
        yield


TYPES_HINT = "`mrt help config` says what each setting takes"


class _Given(NamedTuple):
    """A value as TOML has it, and as the Config holds it."""

    raw: Any
    value: Any


def _checked(dotted: str, text: str) -> tuple[Key, _Given]:
    key = parse_key(dotted)
    setting = setting_of(key)
    if setting is None:
        raise UsageError(f"unknown setting {dotted}", suggestion(key))
    if looks_secret(text):
        raise ConfigError(f"{format_key(key)} looks like a key itself; keys do not stand in the config file", KEY_HINT)
    try:
        raw = setting.kind.parse(text)
        return key, _Given(raw, setting.kind.check(raw))
    except Invalid as error:
        raise ConfigError(f"{format_key(key)} {error.message}", error.hint or TYPES_HINT) from None


def _with_default_tiers(before: Source, wanted: Mapping[Key, Any]) -> dict[Key, Any]:
    """The values to write. A file without tiers gets the default ones too, since one tier in it would end all of those."""
    if before.document.get("tiers") or not any(key[0] == "tiers" for key in wanted):
        return dict(wanted)
    defaults: dict[Key, Any] = {
        ("tiers", tier.name, last): getattr(tier, last)
        for tier in DEFAULT_TIERS
        for last, setting in section_settings("tiers").items()
        if getattr(tier, last) != setting.default
    }
    return {**defaults, **wanted}


def _after(before: Source, values: Mapping[Key, Any]) -> Source:
    """The file with the values in it. Raises ConfigError when that would change anything else."""
    from tomlkit.exceptions import TOMLKitError

    wanted = _with_values(before, values)
    try:
        after = parse(before.path, _edited(before, values))
    except (TOMLKitError, ConfigError):
        after = before
    # Tiers are tried in the file's order, so the order of names counts too.
    if after.document != wanted or list(after.document.get("tiers", ())) != list(wanted.get("tiers", ())):
        raise ConfigError(f"{before.path} is laid out in a way that cannot be edited safely", "edit it by hand")
    return after


def _edited(before: Source, values: Mapping[Key, Any]) -> str:
    """The text with the values in it, in the text's own kind of line ends."""
    import tomlkit

    document = tomlkit.parse(_with_headers(before, values))
    for key, raw in values.items():
        table: Any = document
        for part in key[:-1]:
            table = table[part]
        _put(table, key[-1], tomlkit.value(toml_text(raw)))
    edited = tomlkit.dumps(document)
    return edited.replace("\r\n", "\n").replace("\n", "\r\n") if "\r\n" in before.text else edited


def _with_headers(before: Source, values: Mapping[Key, Any]) -> str:
    """The text with the tables it lacks, empty, at its end."""
    text = before.text
    for table in dict.fromkeys(key[:-1] for key in values):
        if not _has_table(before.document, table):
            text = f"{text.rstrip()}\n\n[{format_key(table)}]\n".lstrip()
    return text if text.endswith("\n") else text + "\n"


def _has_table(document: Any, table: Key) -> bool:
    for part in table:
        if part not in document:
            return False
        document = document[part]
    return True


def _put(table: Any, last: str, item: Any) -> None:
    """Set a key of a table; a new one goes after the last one, ahead of the blank lines and comments that follow it."""
    body = table.value.body if last not in table and hasattr(table, "value") else []
    after: list[Any] = []
    while body and body[-1][0] is None:
        after.insert(0, body.pop())
    table[last] = item
    body.extend(after)


def _with_values(before: Source, values: Mapping[Key, Any]) -> Any:
    """What the file must say afterwards."""
    from copy import deepcopy

    wanted = deepcopy(dict(before.document))
    for key, raw in values.items():
        table = wanted
        for part in key[:-1]:
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                raise ConfigError(f"{before.where(key[:-1])}: {part} is not a section", "mend this by hand first")
        table[key[-1]] = raw
    return wanted


def _refuse_new_problems(before: Source, after: Source) -> None:
    """Raise for a problem that the edit would bring; those that the file has already stay the user's."""
    known = {finding.message for finding in resolve({}, before).findings}
    for finding in resolve({}, after).findings:
        if finding.message not in known:
            raise ConfigError(
                finding.message, finding.hint or "set what belongs together in one go: KEY VALUE KEY VALUE"
            )


def _new_tables(before: Source, after: Source) -> tuple[str, ...]:
    """Sections of a name of their own that came into being."""
    return tuple(
        format_key((section, name))
        for section in sorted(NAMED)
        for name in after.document.get(section, ())
        if name not in before.document.get(section, ())
    )


def write(path: Path, text: str) -> None:
    """Replace the file in one step, or make it, with its directories, for its owner only.

    A link stays one: the file it leads to is replaced. Raises ConfigError.
    """
    with _unwritable(path):
        target = path.resolve()
        if target.exists() and not target.is_file():
            raise ConfigError(f"cannot write {path}: it is no regular file", "name another one: --config FILE")
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
        replace_file(target, text.encode(), mode)


@contextmanager
def _unwritable(path: Path) -> Iterator[None]:
    """Failures of the file system as a ConfigError."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"cannot write {path}: {reason}", "check the permissions of its directory") from None


def create(path: Path, *, force: bool = False) -> None:
    """Write the starter file. Raises ConfigError when there is a file already, unless forced."""
    with _alone(path):
        if not force and os.path.lexists(path):
            raise ConfigError(f"{path} exists already", "`mrt config init --force` replaces it")
        write(path, initial_text())
