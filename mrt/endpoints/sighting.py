"""What one server turned out to be."""

from __future__ import annotations

from mrt.endpoints.report import Access, ModelReport, State
from mrt.frozen import frozen


@frozen
class Sighting:
    """A server that was recognised; `message` says what is wrong with it where its state is not "ready"."""

    kind: str
    state: State = "ready"
    version: str | None = None
    models: tuple[ModelReport, ...] = ()
    access: Access | None = None
    router: bool = False
    slots: int | None = None
    busy: int | None = None
    queue: int | None = None
    message: str | None = None
    hint: str | None = None
