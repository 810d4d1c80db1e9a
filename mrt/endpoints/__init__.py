"""The kinds of server, where they live, how to name a model on one, and what one says of itself."""

from mrt.endpoints.keys import with_key
from mrt.endpoints.kinds import PROVIDERS, Provider
from mrt.endpoints.probe import check_model, offers_tools
from mrt.endpoints.resolve import resolve, warnings

__all__ = ["PROVIDERS", "Provider", "check_model", "offers_tools", "resolve", "warnings", "with_key"]
