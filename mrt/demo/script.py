"""What a scripted model says: lines that are picked by a cue in the last user message."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mrt.frozen import frozen


@frozen
class Line:
    """What to say when the last user message contains `cue`; the line with an empty cue answers everything else.

    `think` comes first, as reasoning. With `escalate` the answer is a call of the tool `escalate` with that reason, as long as
    the request offers tools. `confidence` is the probability of every single token. An `endless` line starts over forever.
    """

    cue: str
    text: str
    think: str = ""
    escalate: str = ""
    confidence: float = 0.9999
    endless: bool = False


@frozen
class Size:
    """Dimensions of the pretended model: they set how long a token takes. The width is a power of two."""

    layers: int = 2
    width: int = 64
    feed_forward: int = 128
    heads: int = 4

    def at_least(self, width: int) -> Size:
        """The same size, as wide as needed."""
        return replace(self, width=max(self.width, 1 << (width - 1).bit_length()))


FAST = Size()
# Slow enough to be interrupted in the middle of an answer, fast enough to begin one at once.
SLOW = Size(layers=8, width=512, feed_forward=2048, heads=8)


@frozen
class ModelScript:
    """All a scripted model knows. `context_length` is in tokens; to a tiny model every byte of a prompt is one."""

    lines: tuple[Line, ...]
    name: str = "scripted"
    size: Size = FAST
    context_length: int = 8192


def script(answers: str | dict[str, str], **options: Any) -> ModelScript:
    """A script from plain text, or from a table of cue -> text; `options` are those of ModelScript."""
    table = {"": answers} if isinstance(answers, str) else answers
    return ModelScript(tuple(Line(cue, text) for cue, text in table.items()), **options)
