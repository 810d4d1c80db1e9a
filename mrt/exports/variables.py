"""Environment variables that stand for what a config file must not hold: keys, and addresses with a password."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mrt.config import Config, EndpointSettings
from mrt.config.secrets import looks_secret, mask, shown
from mrt.domain import Target
from mrt.endpoints import PROVIDERS
from mrt.endpoints.kinds import LOCAL_VARIABLES
from mrt.exports.report import Needed


class Variables:
    """The variables that an export asks for, each name used for one purpose alone."""

    def __init__(self, config: Config, environment: Mapping[str, str]) -> None:
        self._config = config
        self._environment = environment
        self._needed: dict[str, Needed] = {}
        self._names: dict[str, str] = {}

    @property
    def needed(self) -> tuple[Needed, ...]:
        """All of them, in the order in which they were first asked for."""
        return tuple(self._needed.values())

    def key(self, target: Target) -> str | None:
        """The variable that holds the target's key; None where it has none."""
        endpoint = self._config.endpoints.get(target.endpoint)
        if endpoint is not None:
            return self._of_endpoint(endpoint)
        provider = PROVIDERS[target.endpoint]
        own = f"{provider.variables}_API_KEY"
        if not provider.local and provider.needs_key:
            return self._note(own, f"the key of {target.endpoint}")
        stems = (provider.variables, LOCAL_VARIABLES) if provider.local else (provider.variables,)
        found = (f"{stem}_API_KEY" for stem in stems)
        name = next((name for name in found if self._environment.get(name, "").strip()), None)
        return self._note(name, f"the key of {target.endpoint}") if name else None

    def address(self, target: Target, url: str) -> str | None:
        """The variable for `url`, where the target is, if a name, a password or a query is in it; None where it can be shown."""
        if shown(url) == url and not looks_secret(url):
            return None
        name = self._own(f"{target.endpoint}.url", f"{_letters(target.endpoint)}_URL")
        left = mask(shown(url))
        return self._note(
            name, f"the address of {target.endpoint}: {left} with the password or key that is left out here"
        )

    def add(self, wanted: str, what: str) -> str:
        """A variable for something else, named as wanted unless an endpoint's key has that name."""
        return self._note(self._own(wanted, wanted), what)

    def _of_endpoint(self, endpoint: EndpointSettings) -> str | None:
        if endpoint.key_env:
            return self._note(endpoint.key_env, f"the key of {endpoint.name}")
        source = "key_cmd" if endpoint.key_cmd else "key_file" if endpoint.key_file else None
        if source is None:
            return None
        name = self._own(f"{endpoint.name}.key", f"{_letters(endpoint.name)}_API_KEY")
        place = "prints" if source == "key_cmd" else "holds"
        return self._note(name, f"the key of {endpoint.name}: what its {source} {place}")

    def _own(self, purpose: str, wanted: str) -> str:
        """A name for a purpose that has none: as wanted, or with a number where that is taken."""
        if purpose not in self._names:
            taken = {*self._names.values(), *self._key_variables()}
            numbered = (wanted if number == 1 else f"{wanted}_{number}" for number in range(1, len(taken) + 2))
            self._names[purpose] = next(name for name in numbered if name not in taken)
        return self._names[purpose]

    def _key_variables(self) -> set[str]:
        named = {endpoint.key_env for endpoint in self._config.endpoints.values() if endpoint.key_env}
        return named | {f"{provider.variables}_API_KEY" for provider in PROVIDERS.values()}

    def _note(self, name: str, what: str) -> str:
        self._needed.setdefault(name, Needed(name, what))
        return name


def _letters(name: str) -> str:
    """A name as a variable can have it."""
    letters = re.sub(r"[^A-Z0-9_]", "_", name.upper())
    return f"_{letters}" if letters[:1].isdigit() else letters
