"""What `mrt route` looks at outside the prompt: the spend store, if there is one, and the last reports of the servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mrt.config import Config, cache_directory, store_path
from mrt.errors import StoreError, UsageError
from mrt.near import guessed, nearest
from mrt.output import Console

if TYPE_CHECKING:
    from mrt.endpoints.cache import CachedReport
    from mrt.ledger import Store


class OpenedStore:
    """The spend store, opened when it is first asked for; one that is not there yet is not made."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._path = store_path(environment)
        self._found: tuple[Store | None, str] | None = None

    def __enter__(self) -> OpenedStore:
        return self

    def __exit__(self, *_: object) -> None:
        if self._found and self._found[0]:
            self._found[0].close()

    def open(self) -> tuple[Store | None, str]:
        """The store, or None and why it does not work; None and nothing where there is none."""
        if self._found is None:
            self._found = self._opened()
        return self._found

    def _opened(self) -> tuple[Store | None, str]:
        if not self._path.exists():
            return None, ""
        from mrt.ledger.store import open_store

        try:
            return open_store(self._path), ""
        except StoreError as error:
            return None, error.message

    def difficulty(self, session: str | None) -> float | None:
        """What the session's last prompt was rated; None where there is none."""
        store = self.open()[0] if session else None
        if store is None or session is None:
            return None
        from mrt.ledger.recent import session_difficulty

        return session_difficulty(store, session)


def reports_for(
    console: Console, config: Config, now: float, *, probe: bool = False, offline: bool = False
) -> tuple[CachedReport, ...]:
    """What is known of the servers: nothing offline, what a look now shows with `probe`, else what the last one found."""
    if offline or not (probe or cache_directory(console.environment).exists()):
        return ()
    from mrt.endpoints.cache import load_cache

    if probe:
        look_now(console, config)
        return load_cache(console.environment)
    return load_cache(console.environment, now)


def look_again(console: Console, config: Config, tiers: Sequence[str], now: float) -> bool:
    """Look once more at those of these tiers that the last reports close: their server may run by now. False without any."""
    from mrt.cascade.sighted import sighted
    from mrt.endpoints import resolve

    reports = reports_for(console, config, now)
    seen = {name: sighted(resolve(name, config, console.environment), reports) for name in tiers if reports}
    closed = [name for name, one in seen.items() if one and (one.state in ("down", "auth") or one.listed is False)]
    if closed:
        look_now(console, config, frozenset(closed))
    return bool(closed)


def look_now(console: Console, config: Config, tiers: frozenset[str] | None = None) -> None:
    """Visit the servers of these tiers, or of all, and remember what was seen; no model is loaded or asked."""
    from mrt.commands._wire import real_wire
    from mrt.endpoints import resolve
    from mrt.endpoints.cache import save_cache
    from mrt.endpoints.place import place_named
    from mrt.endpoints.survey import survey

    environment = console.environment
    named = [tier.name for tier in config.tiers if tiers is None or tier.name in tiers]
    endpoints = dict.fromkeys(resolve(name, config, environment).endpoint for name in named)
    places = [place_named(endpoint, config, environment) for endpoint in endpoints]
    wire = real_wire(console)
    with console.waiting("looking at the servers of the tiers ..."):
        reports = survey(places, wire)
    save_cache(environment, reports, wire.now())


def known_tier(name: str | None, config: Config) -> str | None:
    """The name of a tier, checked. Raises UsageError, with the nearest one."""
    names = [tier.name for tier in config.tiers]
    if name is None or name in names:
        return name
    raise UsageError(f"no tier {name!r}{guessed(nearest(name, names))}", f"the tiers are {', '.join(names)}")
