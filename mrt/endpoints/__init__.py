"""The kinds of server, where they live, how to name a model on one, and what one says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mrt.endpoints.kinds import PROVIDERS, Provider
from mrt.endpoints.resolve import resolve, warnings
from mrt.lazy import exports

if TYPE_CHECKING:
    from mrt.endpoints.keys import with_key
    from mrt.endpoints.probe import check_model, offers_tools

__all__ = ["PROVIDERS", "Provider", "check_model", "offers_tools", "resolve", "warnings", "with_key"]

__getattr__ = exports(
    __name__,
    keys="with_key",
    probe="check_model offers_tools",
)
