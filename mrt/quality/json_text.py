"""JSON in an answer: which text it is, and what keeps it from being JSON."""

from __future__ import annotations

from mrt.quality.extract import code_blocks


def json_text(answer: str) -> str:
    """The whole answer if that is JSON; else its last block labelled so, or its last block; else the whole answer."""
    whole = answer.strip().removeprefix("\ufeff")
    blocks = code_blocks(answer)
    if not blocks or json_problem(whole) is None:
        return whole
    labelled = [block for block in blocks if block.language == "json"]
    return (labelled or blocks)[-1].code


def json_problem(text: str) -> str | None:
    """Why a text is not JSON (RFC 8259, so NaN is none), or None when it is."""
    import json

    try:
        json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        return f"line {error.lineno}, column {error.colno}: {error.msg}"
    except RecursionError:
        return "nested too deeply"
    except ValueError as error:
        return str(error)
    return None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")
