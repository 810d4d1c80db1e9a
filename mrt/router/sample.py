"""A bounded look at a text: its head and tail, lower-cased and cut into words once for all who read it."""

from __future__ import annotations

import re
from functools import cached_property

# What is looked at of a long text: an instruction stands at its head or its tail.
HEAD, TAIL = 2_000, 1_000
_WORD = r"[^\W\d_]+"
_FOREIGN_MARKS = r"[^\w\x00-\x7f]+"
_LETTERS = "".join(chr(code) if chr(code).isalpha() else " " for code in range(128))
# Scripts that set no space between words, or write a word in very few characters.
# All patterns are compiled when a text needs them: classes this wide take 2 ms.
_DENSE = "[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]+"
# A dense word has about two characters; a blob without spaces is no single word.
_DENSE_WORD, _LONGEST_WORD = 2, 24


class Sample:
    """A text as the features and rules see it. `length` is of the whole text in characters; `text` is at most 3,000 of them."""

    def __init__(self, text: str) -> None:
        self.length = len(text)
        self.text = text if self.length <= HEAD + TAIL else f"{text[:HEAD]}\n{text[-TAIL:]}"
        # Quotes, dashes and emoji become spaces: most texts are ASCII then, for which all that follows is many times faster.
        plain = self.text if self.text.isascii() else re.sub(_FOREIGN_MARKS, " ", self.text)
        self.lower = plain.lower()
        self.words = _words(self.lower)

    @cached_property
    def distinct(self) -> dict[str, None]:
        """Every word once, in the order of its first use."""
        return dict.fromkeys(self.words)

    @cached_property
    def joined(self) -> str:
        """The words with one space between and around them, for phrases."""
        return f" {' '.join(self.words)} "

    @cached_property
    def dense(self) -> str:
        """The Chinese, Japanese and Korean characters, where words are not set apart (or are short syllables)."""
        try:
            self.lower.encode("latin-1")
        except UnicodeEncodeError:
            return "".join(re.findall(_DENSE, self.lower))
        return ""

    @cached_property
    def word_count(self) -> int:
        """Words of the whole text: two characters of a dense script are one, and 24 characters of whatever else at least one."""
        words = len(self.words) + len(self.dense) // _DENSE_WORD
        if self.length > HEAD + TAIL:
            words = words * self.length // (HEAD + TAIL)
        return max(words, self.length // _LONGEST_WORD)


def _words(lower: str) -> list[str]:
    """Runs of letters; both ways find the same."""
    return lower.translate(_LETTERS).split() if lower.isascii() else re.findall(_WORD, lower)
