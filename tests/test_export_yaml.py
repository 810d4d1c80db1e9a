"""What is written as YAML reads back as the same values, whatever stands in the texts, keys and comments."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mrt.exports.yaml_text import Field, Table, document, one_line, scalar

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = (
    TEXTS
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(-1_000_000, 1_000_000, places=12)
)
PLAIN = st.recursive(SCALARS, lambda items: st.lists(items, max_size=3) | st.dictionaries(TEXTS, items, max_size=3))
COMMENTS = st.lists(TEXTS, max_size=2).map(tuple)


def tables(values: st.SearchStrategy[Any], least: int = 0) -> st.SearchStrategy[Table]:
    """Tables of such values, with comments anywhere; no key twice."""
    fields = st.builds(Field, TEXTS, values, COMMENTS, TEXTS)
    return st.lists(fields, min_size=least, max_size=3, unique_by=lambda field: field.key).map(tuple)


NESTED = st.recursive(
    PLAIN, lambda values: tables(values) | st.lists(tables(values, least=1), min_size=1, max_size=3), max_leaves=8
)


def meant(value: Any) -> Any:
    """The value as a reader of the file should see it."""
    if isinstance(value, tuple):
        return {field.key: meant(field.value) for field in value}
    if isinstance(value, list):
        return [meant(item) for item in value]
    if isinstance(value, dict):
        return {key: meant(item) for key, item in value.items()}
    return float(value) if isinstance(value, Decimal) else value


@settings(deadline=None)
@given(COMMENTS, tables(NESTED, least=1))
def test_a_document_reads_back_as_its_values(head: tuple[str, ...], table: Table) -> None:
    assert yaml.safe_load(document(head, table)) == meant(table)


@settings(deadline=None)
@given(COMMENTS, tables(NESTED, least=1))
def test_every_line_can_be_printed(head: tuple[str, ...], table: Table) -> None:
    assert all(line.isprintable() for line in document(head, table).split("\n"))


CASES = {
    "plain": ("local-fast", "local-fast"),
    "a path": ("hosted_vllm/org/model-7b", "hosted_vllm/org/model-7b"),
    "a word that is no text": ("no", '"no"'),
    "the same in capitals": ("Off", '"Off"'),
    "null": ("null", '"null"'),
    "a number": ("1e3", '"1e3"'),
    "a colon": ("llama3.1:8b", '"llama3.1:8b"'),
    "a remark": ("a #b", '"a #b"'),
    "a line": ("a\nb: c", '"a\\nb: c"'),
    "quotes": ("\"'", '"\\"\'"'),
    "a line separator": ("a\u2028b", '"a\\u2028b"'),
    "empty": ("", '""'),
    "a small float": (1e-06, "0.000001"),
    "a price": (Decimal("0.0000025"), "0.0000025"),
    "a round amount": (Decimal(50), "50.0"),
    "true": (True, "true"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_scalar_is_quoted_where_it_must_be(case: str) -> None:
    value, text = CASES[case]
    assert scalar(value) == text


def test_a_comment_stays_on_its_line() -> None:
    assert one_line("a\r\nmodel_list: []\x85b") == "a\\x0d\\nmodel_list: []\\x85b"
