"""Known GPUs by name: matched whole, so that a laptop part, a Ti or another memory size never passes for its neighbour."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from mrt.errors import UsageError
from mrt.frozen import frozen
from mrt.near import guessed, nearest

MIB = 2**20
# Maker and family words that people leave out; what tells two models apart is never among them.
_SILENT = frozenset(
    (
        *("nvidia", "geforce", "rtx", "gtx", "tesla", "blackwell", "hbm2", "hbm2e", "hbm3e"),
        *("amd", "radeon", "rx", "instinct", "intel", "arc", "r", "tm", "apple", "corporation"),
        *("gpu", "graphics", "generation", "gen", "edition", "workstation", "server", "per"),
    )
)
_FORMS = {"pcie": "pcie", "sxm": "sxm", "sxm2": "sxm", "sxm4": "sxm", "sxm5": "sxm", "hbm3": "sxm", "nvl": "nvl"}
_MOBILE = frozenset(("laptop", "notebook", "mobile"))
_SIZE = re.compile(r"\b(\d+(?:\.\d+)?) ?(?:gib|gb|g)\b")
_CORES = re.compile(r"\b(\d+) ?core\b")
# GPUs inside a processor: Radeon 780M, Vega 8, Iris Xe, UHD 770, Arc 140V.
_INTEGRATED = re.compile(r"\b(?:\d{3}m|vega ?\d{1,2}|iris|uhd|arc 1[0-9]0[a-z])\b", re.IGNORECASE)
_PUNCTUATION = re.compile(r"[()\[\],_/-]+")
# "rtx4070ti" and "m4max" as people write them.
_GLUED = re.compile(
    r"(?<=\d)(?=(?:ti|super|xtx?|gre|laptop|mobile|pro|max|ultra)\b)|(?<=\brtx|\bgtx)(?=\d)|(?<=\brx)(?=\d)"
)
# A driver keeps a little of the memory for itself, so what it reports is compared with what the maker says within this share.
_SAME_MEMORY = 0.09


@frozen
class KnownGpu:
    """One line of the table; memory in MiB (least and most; None unknown), bandwidth in GB/s."""

    name: str
    vendor: str
    memory: int | None
    memory_most: int | None
    bandwidth: float | None
    unified: bool
    released: str
    source: str
    aliases: str


@frozen
class Words:
    """A name taken apart: what tells models apart, and what tells variants of one model apart."""

    model: frozenset[str]
    form: str | None
    memory_mib: float | None
    cores: int | None


@frozen
class Found:
    """A GPU of the table, the memory asked for if any, and what had to be assumed."""

    gpu: KnownGpu
    memory_mib: float | None
    note: str | None


def parse_table(text: str) -> tuple[KnownGpu, ...]:
    """The rows of the table as it is shipped: tab-separated, the first line names the columns."""
    return tuple(_row(line.split("\t")) for line in text.splitlines()[1:])


def _row(cells: Sequence[str]) -> KnownGpu:
    name, vendor, memory, most, bandwidth, unified, released, source, aliases = cells
    return KnownGpu(
        name,
        vendor,
        int(memory) if memory else None,
        int(most) if most else None,
        float(bandwidth) if bandwidth else None,
        bool(unified),
        released,
        source,
        aliases,
    )


def words(name: str) -> Words:
    """A name as people or drivers write it, taken apart."""
    text = _PUNCTUATION.sub(" ", name.lower())
    text = _GLUED.sub(" ", text)
    size, cores = _SIZE.search(text), _CORES.search(text)
    tokens = _CORES.sub(" ", _SIZE.sub(" ", text)).split()
    forms = [_FORMS[token] for token in tokens if token in _FORMS]
    model = frozenset("mobile" if token in _MOBILE else token for token in tokens) - _SILENT - set(_FORMS)
    return Words(
        model, forms[0] if forms else None, float(size[1]) * 1024 if size else None, int(cores[1]) if cores else None
    )


def find_gpu(table: Iterable[KnownGpu], name: str, memory_mib: float | None = None) -> Found:
    """The GPU that a person names; UsageError when none is named so, with names that are near.

    `memory_mib` is what is known of its memory from elsewhere. Where variants remain, the one released first is
    taken (then the one with less memory, the slower one), and the note says so.
    """
    table = tuple(table)
    asked = words(name)
    memory = memory_mib if memory_mib is not None else asked.memory_mib
    same = [gpu for gpu in table if _is_model(gpu, asked)]
    if not same or not asked.model:
        raise _unknown(table, name, asked)
    left = _with_memory(same, memory)
    left.sort(key=lambda gpu: (gpu.released or "9", gpu.memory or 0, gpu.bandwidth or 0))
    return Found(left[0], memory, _assumed(name, left, memory))


def match_device(table: Iterable[KnownGpu], name: str, memory_mib: float | None) -> KnownGpu | None:
    """The row of a device as its driver names it, None when the table does not have it."""
    try:
        return find_gpu(table, name, memory_mib).gpu
    except UsageError:
        return None


def _is_model(gpu: KnownGpu, asked: Words) -> bool:
    for name in (gpu.name, *filter(None, gpu.aliases.split("|"))):
        known = words(name)
        if known.model == asked.model:
            return asked.form in (None, known.form) and asked.cores in (None, known.cores)
    return False


def _with_memory(gpus: list[KnownGpu], memory: float | None) -> list[KnownGpu]:
    """Those with that much memory; all of them when none has it, since memory can be changed or shared out."""
    if memory is None:
        return list(gpus)
    exact = [gpu for gpu in gpus if _has(gpu, memory)]
    return exact or list(gpus)


def _has(gpu: KnownGpu, memory: float) -> bool:
    if gpu.memory is None or gpu.memory_most is None:
        return False
    if gpu.unified:
        return gpu.memory * (1 - _SAME_MEMORY) <= memory <= gpu.memory_most * 1.001
    return abs(memory - gpu.memory) <= _SAME_MEMORY * gpu.memory


def _assumed(name: str, left: Sequence[KnownGpu], memory: float | None) -> str | None:
    if len({(gpu.memory, gpu.memory_most, gpu.bandwidth) for gpu in left}) > 1:
        others = ", ".join(described(gpu) for gpu in left[1:])
        return f"{name.strip()!r} is taken as {described(left[0])}; there is also {others}"
    first = left[0]
    if memory is None and first.memory != first.memory_most:
        return f"{first.name} comes with {memory_of(first)}: the least is assumed, --ram says another"
    if memory is not None and first.memory is not None and not any(_has(gpu, memory) for gpu in left):
        return f"{first.name} is sold with {memory_of(first)}; {memory / 1024:g} GiB are taken as said"
    return None


def described(gpu: KnownGpu) -> str:
    """Name and memory in a few words."""
    if _SIZE.search(gpu.name.lower()) or gpu.memory is None:
        return gpu.name
    return f"{gpu.name} ({memory_of(gpu)})"


def memory_of(gpu: KnownGpu) -> str:
    """Memory in words."""
    if gpu.memory is None or gpu.memory_most is None:
        return "an unknown amount of memory"
    least, most = gpu.memory / 1024, gpu.memory_most / 1024
    return f"{least:.4g} GiB" if least == most else f"{least:.4g} to {most:.4g} GiB"


def _unknown(table: Sequence[KnownGpu], name: str, asked: Words) -> UsageError:
    wider = [gpu.name for gpu in table if asked.model and words(gpu.name).model > asked.model]
    if len(wider) > 1:
        return UsageError(f"{name.strip()!r} is no one GPU: {', '.join(wider)}", "name one of them")
    near = wider or _near(table, asked)
    hint = "it shares the RAM: say what of it the GPU may take, as --vram 8GiB, or plan for the CPU with --ram 32GiB"
    if not _INTEGRATED.search(name):
        hint = "say its memory instead: --vram 8GiB"
    return UsageError(f"no GPU {name.strip()!r} in the table{guessed(near)}", hint)


# Numbers are most of a name: what shares fewer of its characters is another model.
_ALIKE = 0.8


def _near(table: Sequence[KnownGpu], asked: Words) -> list[str]:
    """Names with the same number in them, else those that are spelled alike."""
    numbers = {word for word in asked.model if any(map(str.isdigit, word))}
    same = [gpu.name for gpu in table if numbers & words(gpu.name).model]
    if same:
        return same[:3]
    names = {" ".join(sorted(words(gpu.name).model)): gpu.name for gpu in table}
    return [names[key] for key in nearest(" ".join(sorted(asked.model)), names, 3, _ALIKE)]
