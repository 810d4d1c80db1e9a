"""Side questions to a server about its models: status and JSON, with the failures that all kinds share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mrt.domain import Target
from mrt.errors import AuthError, NotAnApi, Overloaded
from mrt.frozen import frozen
from mrt.providers import Timers, Wire, protocol, shown
from mrt.providers.question import fetch_json


@frozen
class Server:
    """One server, ready to be asked."""

    target: Target
    wire: Wire

    @property
    def root(self) -> str:
        """The server's own address, without an API's path."""
        return self.target.url.rstrip("/").removesuffix("/v1").removesuffix("/api")

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        """Status and JSON (None where there is none). Raises an MrtError for no answer, a refused key, a server still loading."""
        headers = protocol(self.target).headers(self.target)
        status, payload = fetch_json(self.target, self.root + path, headers, Timers(), self.wire, body)
        if status in (401, 403):
            raise AuthError(f"{self.target.endpoint} refuses the key (HTTP {status})", self.target.key_hint)
        if status == 503:
            raise Overloaded(
                f"{shown(self.target.url)} is still loading its model (HTTP 503)", "wait for it and ask again"
            )
        return status, payload

    def document(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A JSON object. Raises NotAnApi, too, where the answer is none."""
        status, payload = self.ask(path, body)
        if status != 200 or not isinstance(payload, dict):
            raise NotAnApi(
                f"{shown(self.target.url)} does not answer {path} as servers of kind {self.target.kind} do (HTTP {status})",
                f"check the url and kind of {self.target.endpoint}",
            )
        return payload

    def rows(self, path: str, *lists: str) -> list[dict[str, Any]]:
        """The objects of the first list of these names in a document."""
        payload = self.document(path)
        rows: list[Any] = next((payload[name] for name in lists if isinstance(payload.get(name), list)), [])
        return [row for row in rows if isinstance(row, dict)]
