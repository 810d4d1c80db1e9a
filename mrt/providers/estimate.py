"""How many tokens a request is, before anybody has counted them."""

from __future__ import annotations

from mrt.domain import Request

# Reasoning and text count as about four bytes a token where the server counts nothing.
BYTES_PER_TOKEN = 4
TEMPLATE_TOKENS = 16


def estimate_prompt(request: Request) -> int:
    """About how many tokens a request is: its messages, and the schema and further fields, which count as input too."""
    return sum(map(estimate_tokens, _sent(request)))


def most_prompt_tokens(request: Request) -> int:
    """The most tokens a request can be: no token is shorter than a byte, which texts of rare characters come close to; and
    templates add a few to each message."""
    letters = sum(len(text.encode("utf-8", "replace")) for text in _sent(request))
    return letters + TEMPLATE_TOKENS * (len(request.messages) + 4)


def _sent(request: Request) -> list[str]:
    parts = [part for part in (request.schema, request.options) if part]
    if not parts:
        return [message.content for message in request.messages]
    from mrt.providers.jsontext import dump

    extra = [dump(dict(part)) for part in parts]
    return [*(message.content for message in request.messages), *extra]


def estimate_tokens(text: str) -> int:
    """About how many tokens a text is; wide: real tokenizers differ from this by up to a factor of two."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)
