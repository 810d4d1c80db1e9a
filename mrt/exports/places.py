"""Servers as environment variables name them: one address for each provider, under the provider's own prefix."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mrt.config import Config
from mrt.config.secrets import looks_secret, shown
from mrt.domain import Target
from mrt.endpoints import PROVIDERS, resolve
from mrt.errors import UsageError
from mrt.exports.report import Needed

# Kinds whose variables lead to a server of the user's. Those of clouds would send the cloud's key to another server.
_STAND_IN = frozenset({"ollama", "vllm", "lm_studio", "llamacpp", "llama_swap", "litellm"})


class Place(NamedTuple):
    """An endpoint, the provider whose variables stand for it, and its address."""

    endpoint: str
    provider: str
    url: str

    @property
    def stem(self) -> str:
        """How the names of its variables begin."""
        return PROVIDERS[self.provider].variables

    @property
    def is_usual(self) -> bool:
        """Whether it is found there without a variable."""
        return self.url == PROVIDERS[self.provider].url

    @property
    def is_secret(self) -> bool:
        """Whether the address holds what must not be shown."""
        return shown(self.url) != self.url or looks_secret(self.url)


def places(models: Iterable[str], config: Config, environment: Mapping[str, str]) -> dict[str, Place]:
    """By endpoint, those that variables can stand for. A provider has one address, so the first that asks for it gets it."""
    found: dict[str, Place] = {}
    targets = [target for model in models if (target := _target(model, config, environment))]
    # A provider's own models keep their prefix, so their address goes first.
    for target in sorted(targets, key=lambda target: target.endpoint in config.endpoints):
        place = _place(target, config)
        rivals = [other for other in found.values() if place and other.provider == place.provider]
        if place is not None and all(other.url == place.url for other in rivals):
            found.setdefault(target.endpoint, place)
    return found


def translated(model: str, config: Config, found: Mapping[str, Place]) -> str:
    """A model id without aliases, and with the provider in the place of an endpoint that it stands for."""
    model = config.aliases.get(model, model)
    prefix, slash, rest = model.partition("/")
    return f"{found[prefix].provider}/{rest}" if slash and prefix in found else model


def keys(config: Config, environment: Mapping[str, str], found: Mapping[str, Place]) -> tuple[Needed, ...]:
    """The variables that must hold keys, and addresses that are not shown."""
    needed = {}
    for place in found.values():
        if _has_key(place, config, environment):
            name = f"{place.stem}_API_KEY"
            needed[name] = Needed(name, f"the key of {place.endpoint}")
        if place.is_secret:
            name = f"{place.stem}_BASE_URL"
            needed[name] = Needed(
                name, f"the address of {place.endpoint}, which is not shown since it may hold a password"
            )
    return tuple(needed.values())


def _has_key(place: Place, config: Config, environment: Mapping[str, str]) -> bool:
    endpoint = config.endpoints.get(place.endpoint)
    if endpoint is not None:
        return any((endpoint.key_env, endpoint.key_cmd, endpoint.key_file))
    provider = PROVIDERS[place.provider]
    stems = (provider.variables, "LOCAL_LLM")
    return provider.needs_key and (
        not provider.local or any(environment.get(f"{stem}_API_KEY", "").strip() for stem in stems)
    )


def _target(model: str, config: Config, environment: Mapping[str, str]) -> Target | None:
    try:
        return resolve(model, config, environment)
    except UsageError:
        return None


def _place(target: Target, config: Config) -> Place | None:
    endpoint = config.endpoints.get(target.endpoint)
    if endpoint is None:
        return Place(target.endpoint, target.endpoint, target.url)
    if endpoint.kind not in _STAND_IN or endpoint.local not in (None, PROVIDERS[endpoint.kind].local):
        return None
    return Place(endpoint.name, endpoint.kind, endpoint.url)
