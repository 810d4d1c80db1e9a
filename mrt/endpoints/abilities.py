"""What a model at an endpoint can do, as it was seen to do it; kept in the store beside what was learned by asking."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, fields
from typing import Any

from mrt.domain import Target
from mrt.errors import StoreError
from mrt.frozen import frozen
from mrt.ledger import Store, recall, remember
from mrt.providers.jsontext import dump, parse

FACT = "abilities"
# The same question as `mrt ask` puts before it offers a model the tool that hands a prompt up.
TOOLS_FACT = "tools"
# A server is updated now and then, and a name may get another model.
KNOWN_FOR_S = 7 * 24 * 3600


@frozen
class Abilities:
    """What was seen; None where it was not tried, or where what came was not clear.

    `usage` and `logprobs` say whether the server counts tokens and gives probabilities, `stream_options` whether it takes the
    field that asks for the counts, `max_tokens` whether it keeps to a limit, `json_schema` and `tools` whether it answers in
    the form that is asked. `context` is in tokens, `ttft_ms` that of the fastest answer, so without the loading of the model.
    """

    streaming: bool | None = None
    usage: bool | None = None
    stream_options: bool | None = None
    reasoning: bool | None = None
    logprobs: bool | None = None
    json_schema: bool | None = None
    tools: bool | None = None
    max_tokens: bool | None = None
    context: int | None = None
    ttft_ms: int | None = None
    tokens_per_second: float | None = None
    tried_at: float = 0.0


def remember_abilities(store: Store, target: Target, seen: Abilities) -> None:
    """Keep them for this model at this address. Raises StoreError."""
    remember(store, target.url, target.model, FACT, dump(asdict(seen)))
    if seen.tools is not None:
        remember(store, target.url, target.model, TOOLS_FACT, "yes" if seen.tools else "no")


def known_abilities(store: Store, target: Target, max_age_s: float | None = None) -> Abilities | None:
    """What was last seen, if it is not older than so many seconds. Raises StoreError."""
    text = recall(store, target.url, target.model, FACT, max_age_s)
    return None if text is None else _read(text)


def last_seen(store: Store, target: Target) -> Abilities | None:
    """What was seen not too long ago; None also where the store cannot be read, since all of it can be found out again."""
    with suppress(StoreError):
        return known_abilities(store, target, KNOWN_FOR_S)
    return None


def _read(text: str) -> Abilities | None:
    try:
        document: Any = parse(text)
    except ValueError:
        return None
    if not isinstance(document, dict):
        return None
    names = {field.name for field in fields(Abilities)}
    return Abilities(**{name: value for name, value in document.items() if name in names})
