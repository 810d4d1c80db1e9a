"""What the user set, and where each value came from."""

from mrt.config.compound import Example
from mrt.config.load import load
from mrt.config.model import (
    DEFAULT_TIERS,
    ENDPOINT_KINDS,
    PROVIDER_PREFIXES,
    AskSettings,
    AssessorSettings,
    Config,
    EndpointKind,
    EndpointSettings,
    McpSettings,
    Origin,
    PlannerSettings,
    RouteSettings,
    Template,
    Tier,
)
from mrt.config.paths import cache_directory, config_path, data_directory, store_path
from mrt.config.settings import Description, describe
from mrt.config.spending import Budget, LimitSettings, Price

__all__ = [
    "DEFAULT_TIERS",
    "ENDPOINT_KINDS",
    "PROVIDER_PREFIXES",
    "AskSettings",
    "AssessorSettings",
    "Budget",
    "Config",
    "Description",
    "EndpointKind",
    "EndpointSettings",
    "Example",
    "LimitSettings",
    "McpSettings",
    "Origin",
    "PlannerSettings",
    "Price",
    "RouteSettings",
    "Template",
    "Tier",
    "cache_directory",
    "config_path",
    "data_directory",
    "describe",
    "load",
    "store_path",
]
