"""Read a header forward through a window of bytes, whoever holds them, and never more than a bounded part of it."""

from __future__ import annotations

import struct
from collections.abc import Callable

FIRST_WINDOW = 64 * 1024
LARGEST_WINDOW = 8 * 1024 * 1024
# The largest vocabularies (262,144 tokens with merges and scores) make headers of 16 MB.
LARGEST_HEADER = 128 * 1024 * 1024

Fetch = Callable[[int, int], bytes]


class HeaderError(Exception):
    """The bytes are no header that can be read; the text says why, as the rest of a sentence."""


class Cursor:
    """A position in bytes that `fetch(offset, size)` gives: at least FIRST_WINDOW of them, or all there are, or those asked for.

    `size` is that of the whole, None where it is not known. No more than FIRST_WINDOW can be taken at once.
    """

    def __init__(self, fetch: Fetch, size: int | None) -> None:
        self._fetch = fetch
        self._size = size
        self._window = b""
        self._start = 0
        self._next = FIRST_WINDOW
        self.position = 0
        self.order = "<"

    def left(self) -> int:
        """How many bytes can follow at most: a count that needs more is a lie."""
        end = LARGEST_HEADER if self._size is None else min(self._size, LARGEST_HEADER)
        return max(0, end - self.position)

    def take(self, size: int) -> bytes:
        """The next bytes. Raises HeaderError where they are not there."""
        at = self._need(size)
        self.position += size
        return self._window[at : at + size]

    def skip(self, size: int) -> None:
        """Go on without reading."""
        if size > self.left():
            raise self.shortage(size)
        self.position += size

    def number(self, code: str) -> int:
        """An integer by its struct code."""
        value: int = struct.unpack(self.order + code, self.take(struct.calcsize(code)))[0]
        return value

    def real(self, code: str) -> float:
        """A floating-point number by its struct code."""
        value: float = struct.unpack(self.order + code, self.take(struct.calcsize(code)))[0]
        return value

    def skip_strings(self, count: int) -> None:
        """Go past strings, each a length and its bytes; a tight loop, for vocabularies are long."""
        unpack = struct.Struct(self.order + "Q").unpack_from
        while count:
            at = self._need(8)
            window, end = self._window, len(self._window) - 8
            while count and at <= end:
                at += 8 + unpack(window, at)[0]
                count -= 1
            past = self._start + at - self.position
            if past > self.left():
                raise self.shortage(past)
            self.position += past

    def shortage(self, size: int) -> HeaderError:
        """The failure where `size` more bytes are wanted than there are."""
        if self._size is not None and self.position + size > self._size:
            return HeaderError("is cut off inside its header")
        return HeaderError("has a header that is too large to be one")

    def _need(self, size: int) -> int:
        """Where the position lies in the window, after at least `size` bytes of it are there."""
        at = self.position - self._start
        if at >= 0 and at + size <= len(self._window):
            return at
        if size > self.left():
            raise self.shortage(size)
        wanted = max(size, min(self._next, self.left()))
        self._window = self._fetch(self.position, wanted)
        self._start = self.position
        self._next = min(self._next * 4, LARGEST_WINDOW)
        if len(self._window) < size:
            raise HeaderError("is cut off inside its header")
        return 0
