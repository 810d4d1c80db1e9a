"""Prompts of a wanted length that no cache has seen, and that ask for a long listing."""

from __future__ import annotations

import random

# About what English takes; a first answer tells what the model's own tokenizer takes.
CHARACTERS_PER_TOKEN = 4.0
LEAST_CHARACTERS_PER_TOKEN, MOST_CHARACTERS_PER_TOKEN = 0.5, 12.0
_ASK = "Now count in words from one upwards, a number on each line. Do not stop."
_WORDS = (
    "river stone window paper garden bridge morning letter silver forest engine table winter market "
    "pocket candle signal harbour orange mountain thread copper meadow lantern corner valley ticket summer"
)


def speed_prompt(tokens: int, nonce: int, characters_per_token: float = CHARACTERS_PER_TOKEN) -> str:
    """About so many tokens, the nonce first: whatever is kept of earlier prompts, nothing of this one is known.

    The words after it differ too, so that a cache which looks further than the beginning finds nothing either.
    """
    generator = random.Random(nonce)  # noqa: S311 - to differ, not to guard
    length = int(tokens * characters_per_token) - len(_ASK)
    known = _WORDS.split()
    words, size = [f"{generator.getrandbits(48):012x}"], 12
    while size < length:
        words.append(generator.choice(known))
        size += len(words[-1]) + 1
    return f"{' '.join(words)}.\n{_ASK}"


def characters_per_token(prompt: str, counted: int | None) -> float:
    """By what a server counted; within reason, for a count that leaves cached tokens out."""
    if not counted:
        return CHARACTERS_PER_TOKEN
    return min(MOST_CHARACTERS_PER_TOKEN, max(LEAST_CHARACTERS_PER_TOKEN, len(prompt) / counted))
