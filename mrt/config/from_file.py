"""The file's part of the configuration: every key checked against the declarations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mrt.config.keys import format_key, suggestion
from mrt.config.model import Origin
from mrt.config.resolution import Resolution, Value
from mrt.config.settings import ALIASES, NAME_PATTERN, NAMED, SECTIONS, Key, setting_of
from mrt.config.values import MODEL, Invalid, type_name


def read_file(document: Mapping[str, Any], result: Resolution) -> None:
    """Put the file's values and problems into the result."""
    for section, content in document.items():
        key = (section,)
        if section not in SECTIONS:
            what = "section" if isinstance(content, dict) else "setting"
            result.complain(result.where(key), f"unknown {what} {format_key(key)}", suggestion(key))
        elif not isinstance(content, dict):
            result.complain(
                result.where(key), f"{section} must be a section, not {type_name(content)}", f"write [{section}]"
            )
        elif section in NAMED:
            _read_names(section, content, result)
        elif section == ALIASES:
            _read_aliases(content, result)
        else:
            _read_settings(key, content, result)


def _read_names(section: str, content: Mapping[str, Any], result: Resolution) -> None:
    for name, table in content.items():
        key = (section, name)
        if not isinstance(table, dict):
            hint = f"settings of {section} stand in sections of their own: [{section}.NAME]"
            result.complain(result.where(key), f"{format_key(key)} must be a section, not {type_name(table)}", hint)
        elif _good_name(key, result):
            result.names[section].append(name)
            _read_settings(key, table, result)


def _read_aliases(content: Mapping[str, Any], result: Resolution) -> None:
    for name, raw in content.items():
        key = (ALIASES, name)
        if _good_name(key, result):
            result.names[ALIASES].append(name)
            _take_from_file(key, raw, result)


def _good_name(key: Key, result: Resolution) -> bool:
    section, name = key
    if section == "prices":
        return _good_price_name(key, result)
    if re.fullmatch(NAME_PATTERN, name):
        return True
    hint = "names are made of letters, digits, dots, dashes and underscores"
    result.complain(result.where(key), f"{format_key(key)} has a name that cannot be used", hint)
    return False


def _good_price_name(key: Key, result: Resolution) -> bool:
    hint = 'write [prices."ENDPOINT/MODEL"]'
    try:
        good = "/" in MODEL.check(key[1])
    except Invalid as error:
        good, hint = False, error.hint or hint
    if not good:
        result.complain(result.where(key), f"{format_key(key)} must name an endpoint and a model", hint)
    return good


def _read_settings(key: Key, table: Mapping[str, Any], result: Resolution) -> None:
    for last, raw in table.items():
        _take_from_file((*key, last), raw, result)


def _take_from_file(key: Key, raw: Any, result: Resolution) -> None:
    setting = setting_of(key)
    where = result.where(key)
    if setting is None:
        result.complain(where, f"unknown setting {format_key(key)}", suggestion(key))
        return
    try:
        result.values[key] = Value(setting.kind.check(raw), Origin("file", where))
    except Invalid as error:
        result.refused.add(key)
        result.complain(where, f"{format_key(key)} {error.message}", error.hint)
