"""The world of one demo: a folder with config, spend store and cache, and an environment that leads nowhere else."""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from mrt.demo.cast import CHANGE
from mrt.demo.simulated import KEY
from mrt.errors import MrtError
from mrt.frozen import frozen
from mrt.ledger import load_snapshot
from mrt.pricing import Rates, find_rates

CHANGE_FILE = "change.diff"
PRICED_AS = ("anthropic", "claude-haiku-4-5")
_KEY_VARIABLE = "MRT_DEMO_KEY"
# What a process needs of the machine to start at all; keys, addresses, proxies and the user's settings stay outside.
_INHERITED = (
    "PATH",
    "PYTHONHOME",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "SYSTEMROOT",
    "COMSPEC",
    "LANG",
    "LC_ALL",
)


class Seat(NamedTuple):
    """A model server as the config names it: ENDPOINT/MODEL, its kind and where it is."""

    endpoint: str
    kind: str
    url: str
    model: str

    @property
    def name(self) -> str:
        """As models are named everywhere."""
        return f"{self.endpoint}/{self.model}"


@frozen
class World:
    """Where the commands of a demo run."""

    folder: Path
    environment: Mapping[str, str]


def make_world(folder: Path, fast: Seat, heavy: Seat, cloud: Seat, environment: Mapping[str, str]) -> World:
    """Write the files of a demo into `folder`; `environment` is the user's, of which next to nothing is passed on."""
    config = folder / "config.toml"
    config.write_text(_config(fast, heavy, cloud), encoding="utf-8")
    (folder / CHANGE_FILE).write_text(CHANGE, encoding="utf-8")
    own = {"HOME": folder, "USERPROFILE": folder, "MRT_CONFIG": config, "MRT_DB": folder / "spend.db"}
    own |= {f"XDG_{name}_HOME": folder / name.lower() for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    # Whatever else runs on the usual ports is left alone: all names of such a server lead to one that the config has, too.
    served = {_KEY_VARIABLE: KEY, "LOCAL_LLM_BASE_URL": heavy.url, "LITELLM_BASE_URL": heavy.url}
    return World(folder, inherited(environment) | {name: str(path) for name, path in own.items()} | served)


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """What child processes get of the user's environment, so that they find what this process found."""
    kept = {name: environment[name] for name in _INHERITED if name in environment}
    # Packages of the user's own lie below a home folder that child processes do not have.
    if site.ENABLE_USER_SITE and site.USER_BASE:
        kept["PYTHONUSERBASE"] = site.USER_BASE
    if paths := _module_paths(environment):
        kept["PYTHONPATH"] = os.pathsep.join(paths)
    return kept


def _module_paths(environment: Mapping[str, str]) -> list[str]:
    """Where Python looks for modules first, as it has to be told in another folder."""
    named = [Path(entry) for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry]
    try:
        here = Path.cwd()
    except FileNotFoundError:  # somebody removed it; nothing is found there
        return [str(path) for path in named if path.is_absolute()]
    # The current folder comes before all others for `python -m mrt`.
    first = [str(here)] if sys.path[:1] == [str(here)] else []
    return first + [str(here / path) for path in named]


def _config(fast: Seat, heavy: Seat, cloud: Seat) -> str:
    rates = _rates()
    tables = [
        "# The configuration of `mrt demo`; it is gone when the demo ends.",
        f'[tiers.local-fast]\nmodel = "{fast.name}"\nmax_complexity = 4\n',
        f'[tiers.local-heavy]\nmodel = "{heavy.name}"\nmax_complexity = 10\n',
        f'[tiers.cloud]\nmodel = "{cloud.name}"\n',
        *(f'[endpoints.{seat.endpoint}]\nkind = "{seat.kind}"\nurl = "{seat.url}"\n' for seat in (fast, heavy)),
        f'[endpoints.{cloud.endpoint}]\nkind = "{cloud.kind}"\nurl = "{cloud.url}"\nkey_env = "{_KEY_VARIABLE}"\n',
        f"# As {'/'.join(PRICED_AS)} costs: {rates.source}",
        f'[prices."{cloud.name}"]\ninput_usd_per_mtok = {rates.input}\noutput_usd_per_mtok = {rates.output}\n',
        '[budget]\ndaily_usd = 1.0\nmonthly_usd = 10.0\ntimezone = "UTC"\n',
    ]
    return "\n".join(tables)


def _rates() -> Rates:
    """What the shipped price table says of the model that the scripted cloud stands for."""
    provider, model = PRICED_AS
    rates = find_rates(provider, model, {}, load_snapshot(), datetime.now(UTC))
    if rates is None:
        raise MrtError(f"the price table has no {provider}/{model}")
    return rates
