"""Laws of the configuration: any text and any value loads or is one error, and keys read back."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from typing import Any

import pytest
from config_kit import NAMES, NOWHERE
from hypothesis import given, settings
from hypothesis import strategies as st

from mrt.config import Origin, load
from mrt.config.keys import format_key, parse_key
from mrt.config.render import toml_text
from mrt.config.settings import SETTINGS, Setting
from mrt.config.source import line_numbers
from mrt.errors import ConfigError


@given(st.text())
@settings(deadline=None)
def test_any_text_at_all_gives_a_config_or_one_config_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(text, encoding="utf-8", newline="")
    try:
        assert load(NOWHERE, path).path == path
    except ConfigError as error:
        assert error.message.startswith(str(path))


VALUES = st.one_of(
    st.text(max_size=8),
    st.integers(),
    st.booleans(),
    st.decimals(allow_nan=False, allow_infinity=False).map(lambda number: number + Decimal("0.5") - Decimal("0.5")),
)


@given(st.sampled_from(SETTINGS), st.recursive(VALUES, lambda inner: st.lists(inner, max_size=3), max_leaves=4))
@settings(deadline=None)
def test_any_value_of_any_setting_loads_or_is_refused_with_its_line(
    tmp_path_factory: pytest.TempPathFactory, setting: Setting, value: Any
) -> None:
    path = tmp_path_factory.getbasetemp() / "value.toml"
    key = setting.of(NAMES.get(setting.section, ""))
    path.write_text(f"# first\n{format_key(key)} = {toml_text(value)}\n", encoding="utf-8", newline="")
    try:
        assert load(NOWHERE, path).origins[format_key(key)] == Origin("file", f"{path}:2")
    except ConfigError as error:
        assert error.message.startswith(f"{path}:2: {'.'.join(format_key(key).split('.')[:1])}")


@given(st.text())
def test_line_numbers_never_fail(text: str) -> None:
    count = text.count("\n") + 1
    assert all(1 <= line <= count for line in line_numbers(text).values())


def test_line_numbers_look_past_strings_and_comments() -> None:
    text = '''\
a = """
[no]
no = 1
"""  # "" here
# """ no string
[ "quo\\u0074ed" . 'lit eral' ]
b . c = \'\'\'x """ y\'\'\'
list = [
  "no = 1",
]
[[many]]
"bad \\q" = 1
'''
    assert line_numbers(text) == {
        ("a",): 1,
        ("quoted",): 6,
        ("quoted", "lit eral"): 6,
        ("quoted", "lit eral", "b"): 7,
        ("quoted", "lit eral", "b", "c"): 7,
        ("quoted", "lit eral", "list"): 8,
        ("many",): 11,
        ("many", "bad \\q"): 12,
    }


NAME = st.text(st.characters(codec="ascii", categories=["L", "N"], include_characters="._-/:"), min_size=1)


@given(st.sampled_from(["tiers", "endpoints", "prices"]), NAME)
def test_a_dotted_key_reads_back_with_quotes_and_without(section: str, name: str) -> None:
    key = (section, name, "model")
    assert parse_key(format_key(key)) == key
    assert parse_key(f"{section}.{name}.model") == key


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_reads_back_from_toml(text: str) -> None:
    # The parser reads a carriage return with its line feed as one line end only in multi-line strings; these have none.
    assert tomllib.loads(f"v = {toml_text(text)}") == {"v": text}
