"""The world in which a model's name has a meaning: configuration, servers, the file system."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from mrt.frozen import frozen

if TYPE_CHECKING:
    from pathlib import Path

    from mrt.domain import Target
    from mrt.providers import Wire


@frozen
class Sources:
    """Where to look. Without `target` and `wire` no server is asked; `directory` is where relative paths begin.

    `aliases` are the user's names; `endpoints` those that may stand before the slash of ENDPOINT/MODEL. `target` finds the server
    of such a name, with its key; `wire` opens connections. Both are called only when a name needs them. `unconverted`: the engine
    runs repositories as they are (vLLM), so that a model of the catalog has their weights unless a quantization is named.
    """

    aliases: Mapping[str, str] = field(default_factory=dict)
    endpoints: frozenset[str] = frozenset()
    target: Callable[[str], Target] | None = None
    wire: Callable[[], Wire] | None = None
    directory: Path | None = None
    unconverted: bool = False
