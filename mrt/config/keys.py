"""Dotted keys: reading, writing, and what was meant by one that does not exist."""

from __future__ import annotations

from mrt.config.render import bare_or_quoted
from mrt.config.settings import ALIASES, NAMED, SECTIONS, SETTINGS, Key, section_settings
from mrt.near import did_you_mean, nearest


def parse_key(dotted: str) -> Key:
    """A dotted key as its parts. The name in the middle may hold dots itself, in quotes or not."""
    section, _, rest = dotted.partition(".")
    if section == ALIASES and rest:
        return (section, _unquoted(rest))
    if section not in NAMED:
        return (section, rest) if rest else (section,)
    name, _, last = rest.rpartition(".")
    return (section, _unquoted(name), last) if name else (section, rest)


def format_key(key: Key) -> str:
    """Parts as one dotted key, in the quotes that TOML wants: the inverse of parse_key."""
    return ".".join(bare_or_quoted(part) for part in key)


def suggestion(key: Key) -> str:
    """A hint for a key that is no setting: the nearest one, or those that the section has."""
    from mrt.config.secrets import names_secret

    if names_secret(key[-1]):
        return "keys do not stand in the config file: use key_env, key_cmd or key_file of an endpoint"
    section = key[0] if key[0] in SECTIONS else next(iter(nearest(key[0], SECTIONS)), None)
    known = section_settings(section or "")
    meant = nearest(key[-1], known, closeness=0.5) if len(key) > 1 else []
    if meant:
        return did_you_mean([format_key(known[last].of(key[1] if len(key) > 2 else "NAME")) for last in meant], "")
    elsewhere = next((setting.pattern for setting in SETTINGS if setting.key == key[-1]), None)
    if elsewhere is not None or section is None:
        return f"did you mean {elsewhere}?" if elsewhere else "sections are " + ", ".join(SECTIONS)
    if section != key[0]:
        return f"did you mean {section}?"
    return f"settings of [{section}] are " + ", ".join(setting.of("NAME")[-1] for setting in known.values())


def _unquoted(name: str) -> str:
    return name[1:-1] if len(name) > 1 and name[0] == name[-1] and name[0] in "\"'" else name
