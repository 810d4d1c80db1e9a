"""From a model id as people write it to the server that answers it."""

from __future__ import annotations

from collections.abc import Mapping

from mrt.config import Config, EndpointSettings, Tier
from mrt.domain import Target, Think
from mrt.endpoints.kinds import LOCAL_VARIABLES, PROVIDERS, RESERVED, Provider
from mrt.errors import UsageError
from mrt.near import guessed, nearest
from mrt.providers import is_loopback, shown

Environment = Mapping[str, str]


def resolve(name: str, config: Config, environment: Environment, think: Think = "auto") -> Target:
    """The target of PROVIDER/MODEL, ENDPOINT/MODEL, an alias or a tier's name; its key is not fetched yet.

    Raises a UsageError, with near names, when the name leads nowhere.
    """
    tier = next((tier for tier in config.tiers if tier.name == name), None)
    if tier is not None:
        return resolve_tier(tier, config, environment)
    name = config.aliases.get(name, name)
    prefix, slash, model = name.partition("/")
    if not slash and (prefix in config.endpoints or prefix in PROVIDERS):
        raise UsageError(
            f"{name!r} is an endpoint, not a model", f"see what it has: mrt probe models --endpoint {name}"
        )
    if not slash:
        message = f"{name!r} is no tier, alias or PROVIDER/MODEL{_near(name, config)}"
        raise UsageError(message, "`mrt config show` lists the tiers")
    if prefix == RESERVED:
        hint = "name the server in the config: [endpoints.NAME] with kind and url, then write NAME/MODEL"
        raise UsageError(f"{RESERVED}/ is reserved", hint)
    if not model or any(character.isspace() for character in model):
        message = f"{name!r} has no usable model after the slash"
        raise UsageError(message, "write PROVIDER/MODEL, for example ollama/llama3.1:8b")
    endpoint = config.endpoints.get(prefix)
    if endpoint is not None:
        return _of_endpoint(endpoint, model, think)
    provider = PROVIDERS.get(prefix)
    if provider is None:
        message = f"unknown provider or endpoint {prefix!r}{_near(prefix, config)}"
        raise UsageError(message, "`mrt help config` shows how to name a server")
    return _of_provider(prefix, provider, model, environment, think)


def resolve_tier(tier: Tier, config: Config, environment: Environment) -> Target:
    """The target of a tier; a tier may name an alias, but not another tier."""
    model = config.aliases.get(tier.model, tier.model)
    if "/" not in model:
        raise UsageError(
            f"tier {tier.name}: {model!r} is no PROVIDER/MODEL",
            f"write for example: mrt config set tiers.{tier.name}.model ollama/{model}",
        )
    return resolve(model, config, environment, tier.think)


def warnings(target: Target) -> tuple[str, ...]:
    """What the user should know before a key goes there."""
    if target.key is not None and not target.local and target.url.startswith("http:") and not is_loopback(target.url):
        return (f"the key of {target.endpoint} goes to {shown(target.url)} unencrypted",)
    return ()


def base_url(provider: Provider, environment: Environment) -> str:
    """<PROVIDER>_BASE_URL, for local ones then LOCAL_LLM_BASE_URL, then the usual address. Empty counts as unset."""
    stems = (provider.variables, LOCAL_VARIABLES) if provider.local else (provider.variables,)
    return next((url for stem in stems if (url := environment.get(f"{stem}_BASE_URL", "").strip())), provider.url)


def _of_provider(name: str, provider: Provider, model: str, environment: Environment, think: Think) -> Target:
    url = base_url(provider, environment)
    return Target(
        name, model, provider.kind, provider.protocol, url, _is_free(provider.local, provider.kind, model), think=think
    )


def _of_endpoint(endpoint: EndpointSettings, model: str, think: Think) -> Target:
    provider = PROVIDERS[endpoint.kind]
    local = provider.local if endpoint.local is None else endpoint.local
    free = _is_free(local, endpoint.kind, model)
    return Target(endpoint.name, model, endpoint.kind, provider.protocol, endpoint.url, free, think=think)


def _is_free(local: bool, kind: str, model: str) -> bool:
    # An Ollama on this machine passes its `-cloud` models on to a paid service.
    return local and not (kind == "ollama" and model.endswith(("-cloud", ":cloud")))


def _near(name: str, config: Config) -> str:
    known = [*(tier.name for tier in config.tiers), *config.aliases, *config.endpoints, *PROVIDERS]
    return guessed(nearest(name, sorted(set(known)), 2))
