"""The nouns that several modules share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from mrt.errors import MrtError
from mrt.frozen import frozen

Role = Literal["system", "user", "assistant"]
CostState = Literal["reported", "priced", "estimated", "unknown", "free"]
UsageSource = Literal["reported", "estimated", "unknown"]
Outcome = Literal["accepted", "rejected", "failed", "interrupted", "refused"]

Protocol = Literal["chat", "anthropic", "ollama"]
Think = Literal["auto", "implicit", "off"]

NANO_PER_USD = 1_000_000_000
# The context length in tokens that Ollama is asked for where a tier names none.
OLLAMA_CONTEXT = 8192


@frozen
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@frozen
class ToolCall:
    """A call the model asks for; `arguments` is the JSON text as the model wrote it."""

    name: str
    arguments: str


@frozen
class Usage:
    """Tokens of one call. `input_tokens` includes cached ones; None means the server did not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    source: UsageSource = "unknown"


@frozen
class Cost:
    """What a call cost, in nano-dollars, and how that is known. `nano` is None when unknown."""

    state: CostState
    nano: int | None = None


@frozen
class Timing:
    """Milliseconds from the request's start; tokens/s of the decode phase as the client saw it."""

    ttft_ms: int | None = None
    total_ms: int = 0
    tokens_per_second: float | None = None


class Secret:
    """A key. It shows itself only to `reveal`, so that no message, repr or traceback carries it by accident."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "***"

    def reveal(self) -> str:
        """The key itself, for the one header that needs it."""
        return self._value


@frozen
class Target:
    """One model at one endpoint, with everything needed to talk to it.

    `kind` is the kind of server (vllm, litellm, ...), `protocol` the wire it speaks, `url` its base without a protocol's own
    path. `local` decides whether it is free of charge.
    """

    endpoint: str
    model: str
    kind: str
    protocol: Protocol
    url: str
    local: bool
    key: Secret | None = None
    key_hint: str | None = None
    think: Think = "auto"

    @property
    def name(self) -> str:
        """ENDPOINT/MODEL, as people write it."""
        return f"{self.endpoint}/{self.model}"


@frozen
class Request:
    """What to ask one model, before a protocol turns it into bytes."""

    model: str
    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float | None = None
    effort: str | None = None
    schema: Mapping[str, Any] | None = None
    offer_escalation: bool = False
    logprobs: bool = False
    context_length: int | None = None
    seed: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@frozen
class Reply:
    """One model's whole answer, as far as it came.

    `failure` says why it is not complete: a cut stream, a token limit, an error the server sent. `mean_logprob` is the mean
    natural logarithm of the chosen tokens' probabilities, where the server gives them. `service_tier` is how a provider says
    that it served the request: default, flex, priority. `remote` means that a local server passed it on to a paid service.
    """

    text: str = ""
    reasoning: str = ""
    finish_reason: str | None = None
    usage: Usage = Usage()
    served_model: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    mean_logprob: float | None = None
    reported_nano: int | None = None
    service_tier: str | None = None
    remote: bool = False
    timing: Timing = Timing()
    failure: MrtError | None = None

    @property
    def complete(self) -> bool:
        """True when the server said that it had finished, and nothing is missing."""
        return self.failure is None


@frozen
class Attempt:
    """One try at one tier, as it is shown and booked."""

    tier: str
    model: str
    outcome: Outcome
    check: str | None = None
    reason: str | None = None
    usage: Usage = Usage()
    cost: Cost = Cost("unknown")
    timing: Timing = Timing()


def usd(nano: int) -> str:
    """Nano-dollars as a plain decimal string in dollars, without trailing zeros beyond cents' needs: 1234000 -> '0.001234'."""
    sign, nano = ("-", -nano) if nano < 0 else ("", nano)
    fraction = f"{nano % NANO_PER_USD:09d}".rstrip("0")
    return f"{sign}{nano // NANO_PER_USD}" + (f".{fraction}" if fraction else "")
