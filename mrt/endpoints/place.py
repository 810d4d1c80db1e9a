"""Where model servers may be: the user's endpoints, those of the tiers, the usual ports, and clouds with a key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from urllib.parse import urlsplit

from mrt.config import Config
from mrt.domain import Target
from mrt.endpoints.keys import with_key
from mrt.endpoints.kinds import PLACEHOLDER_KEY, PROVIDERS, Provider
from mrt.endpoints.resolve import base_url, resolve, resolve_tier
from mrt.errors import MrtError
from mrt.frozen import frozen
from mrt.providers import is_loopback

# A model id that stands for none: places are asked what they have, not for one model.
NO_MODEL = "-"


@frozen
class Place:
    """An address where a server may be. `names` has what the user may call it, by the kind that would be found there.

    `named` says that the user's settings name this endpoint. The key is fetched only when the place is visited.
    """

    target: Target
    config: Config = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    named: bool = False
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The endpoint's name, as in NAME/MODEL."""
        return self.target.endpoint

    @property
    def remote(self) -> bool:
        """Whether it is somewhere else than on this machine."""
        return not is_loopback(self.target.url)

    @property
    def runs_key_command(self) -> bool:
        """Whether its key comes from a command, which takes its own time."""
        endpoint = self.config.endpoints.get(self.name)
        return endpoint is not None and endpoint.key_cmd is not None and endpoint.key_env is None

    def keyed(self, patience_s: float) -> tuple[Target, MrtError | None]:
        """The target with its key, or without one and why there is none. A placeholder is no key."""
        try:
            target = with_key(self.target, self.config, self.environment, patience_s)
        except MrtError as error:
            return replace(self.target, key_hint=error.hint), error
        if target.key is not None and target.key.reveal() == PLACEHOLDER_KEY:
            return replace(target, key=None), None
        return target, None


def places(config: Config, environment: Mapping[str, str]) -> tuple[Place, ...]:
    """Every place worth a look: what the user names first, then this machine's usual ports that nothing above covers.

    A provider in the cloud is among them when there is a key for it or when a tier names it.
    """
    wanted = [target.endpoint for target in _of_tiers(config, environment)]
    own = {address(endpoint.url) for endpoint in config.endpoints.values()}
    set_up = [
        name
        for name, provider in PROVIDERS.items()
        # Other programs read these variables, too: where one leads to an endpoint of the user's, that has a name already.
        if _is_set(provider, environment) and address(base_url(provider, environment)) not in own
    ]
    names = list(dict.fromkeys([*config.endpoints, *wanted, *set_up]))
    found = [Place(_target(name, config, environment), config, environment, named=True) for name in names]
    covered = {address(place.target.url) for place in found}
    usual = (_target(name, config, environment) for name in PROVIDERS if _is_usual(name) and name not in names)
    rest: dict[str, list[Target]] = {}
    for target in usual:
        if address(target.url) not in covered:
            rest.setdefault(address(target.url), []).append(target)
    for targets in rest.values():
        shared = {target.kind: target.endpoint for target in targets}
        found.append(Place(targets[0], config, environment, names=shared))
    return tuple(found)


def place_named(name: str, config: Config, environment: Mapping[str, str]) -> Place:
    """The place of one endpoint or provider. Raises a UsageError, with near names, when there is none of that name."""
    return Place(_target(name, config, environment), config, environment, named=True)


def address(url: str) -> str:
    """The same text for all ways to write one server's address."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return url
    if is_loopback(url):
        host = "127.0.0.1"
    return f"{parts.scheme}://{host}:{port}{parts.path.rstrip('/').removesuffix('/v1').removesuffix('/api')}"


def _of_tiers(config: Config, environment: Mapping[str, str]) -> Iterator[Target]:
    for tier in config.tiers:
        try:
            yield resolve_tier(tier, config, environment)
        except MrtError:  # said when the tiers are looked at
            continue


def _target(name: str, config: Config, environment: Mapping[str, str]) -> Target:
    return resolve(f"{name}/{NO_MODEL}", config, environment)


def _is_usual(name: str) -> bool:
    return PROVIDERS[name].local or not PROVIDERS[name].needs_key


def _is_set(provider: Provider, environment: Mapping[str, str]) -> bool:
    """Whether the environment says something of this provider alone."""
    return any(environment.get(f"{provider.variables}_{what}", "").strip() for what in ("API_KEY", "BASE_URL"))
