"""A replay of ggml's graph allocator: the order of operations decides which addresses are free when, and so the buffer's size.

The rules (ggml-alloc.c): a tensor takes the smallest free block that holds it, the open end only when none does; an operation
that may work in place takes over the memory of a source that nobody else needs; a source is freed after its last user.
"""

from __future__ import annotations

_OPEN = 1 << 62


class Graph:
    """Operations in the order the engine runs them. Sizes in bytes; views count as their base, so a handle is a memory range."""

    def __init__(self, alignment: int = 128) -> None:
        self._alignment = alignment
        self._sizes: list[int] = []
        self._sources: list[tuple[int, ...]] = []
        self._reuse: list[int] = []
        self._kept = 0

    def add(self, size: int, *sources: int, reuse: int = -1) -> int:
        """An operation with a result of `size` bytes that reads `sources`; `reuse` is the source it may overwrite (-1: none)."""
        alignment = self._alignment
        self._sizes.append(-(-size // alignment) * alignment)
        self._sources.append(sources)
        self._reuse.append(reuse)
        return len(self._sizes) - 1

    def use(self, *sources: int) -> None:
        """An operation without memory of its own: it writes elsewhere, or its result is a view nobody frees."""
        self.add(0, *sources)

    def keep(self) -> None:
        """All that was added so far stays to the end."""
        self._kept = len(self._sizes)

    def __len__(self) -> int:
        return len(self._sizes)

    def peak(self) -> int:
        """Bytes of the buffer that holds the whole run."""
        uses = self._uses()
        owners, addresses = list(range(len(uses))), [0] * len(uses)
        blocks: list[list[int]] = [[0, _OPEN]]
        highest = 0
        for index, size in enumerate(self._sizes):
            reuse = self._reuse[index]
            if reuse >= 0 and uses[reuse] == 1 and owners[reuse] >= 0 and self._sizes[reuse] >= size:
                highest = max(highest, self._take_over(reuse, index, addresses, owners, blocks))
            elif size:
                addresses[index] = _take(blocks, size)
                highest = max(highest, addresses[index] + size)
            else:
                owners[index] = -1
            for source in self._sources[index]:
                uses[source] -= 1
                if not uses[source] and owners[source] >= 0:
                    _free(blocks, addresses[source], self._sizes[source])
        return highest

    def _uses(self) -> list[int]:
        uses = [0] * len(self._sizes)
        for sources in self._sources:
            for source in sources:
                uses[source] += 1
        uses[: self._kept] = [count + 1 for count in uses[: self._kept]]
        return uses

    def _take_over(
        self, source: int, index: int, addresses: list[int], owners: list[int], blocks: list[list[int]]
    ) -> int:
        addresses[index], owners[source] = addresses[source], -1
        size, had = self._sizes[index], self._sizes[source]
        if had > size:
            _free(blocks, addresses[index] + size, had - size)
        return addresses[index] + size


def _take(blocks: list[list[int]], size: int) -> int:
    """The address of the smallest block that holds `size`, the last (open) one only when no other does."""
    best, found = _OPEN, len(blocks) - 1
    for position in range(len(blocks) - 1):
        room = blocks[position][1]
        if size <= room <= best:
            best, found = room, position
    block = blocks[found]
    address = block[0]
    if block[1] == size:
        del blocks[found]
    else:
        block[0] += size
        block[1] -= size
    return address


def _free(blocks: list[list[int]], address: int, size: int) -> None:
    """Give a range back, joined with its neighbours."""
    position = 0
    while blocks[position][0] < address:
        position += 1
    following = blocks[position]
    if position and sum(blocks[position - 1]) == address:
        before = blocks[position - 1]
        before[1] += size
        if before[0] + before[1] == following[0]:
            before[1] += following[1]
            del blocks[position]
    elif address + size == following[0]:
        following[0] = address
        following[1] += size
    else:
        blocks.insert(position, [address, size])
