"""Refresh the price tables through the optional package genai-prices."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from mrt.errors import MrtError, ProtocolFailure, Unreachable, UsageError
from mrt.ledger.prices import FOLDER, file_of, load_snapshot
from mrt.pricing import PROVIDERS, PriceTable

INSTALL_HINT = 'install it: pip install "mrt[prices]"'


class Update(NamedTuple):
    """What a refresh wrote: where, from what, and by provider how many models are new, gone or priced differently."""

    folder: Path
    source: str
    date: str
    changes: Mapping[str, tuple[int, int, int]]


def update_prices(data_directory: Path, now: datetime, fetch: Callable[[], tuple[Any, str]] | None = None) -> Update:
    """Fetch the current table and write it into the data folder, from where later runs prefer it.

    Raises UsageError when genai-prices is not installed, Unreachable when the table cannot be fetched, ProtocolFailure when it
    is not whole; what was there stays then.
    """
    from mrt.pricing.convert import content_of, convert

    providers, version = (fetch or fetch_current)()
    about = {"source": "genai-prices", "version": version, "date": now.date().isoformat()}
    tables = convert(providers, {**about, "unit": "USD per million tokens"})
    if not all(len(tables.get(name, ())) > 1 for name in PROVIDERS):
        raise ProtocolFailure("the price table that was fetched lacks providers", "the prices stay as they were")
    before = load_snapshot(data_directory)
    changes = {name: _changes(before[name], lines[1:]) for name, lines in tables.items()}
    folder = data_directory / FOLDER
    for name, lines in tables.items():
        _keep_second_source(before[name], lines)
        _write(file_of(folder, name), content_of(lines))
    return Update(folder, f"genai-prices {version}", about["date"], changes)


def fetch_current(url: str | None = None) -> tuple[Any, str]:
    """The providers of genai-prices' current table, from its own place unless `url` says otherwise, and its version."""
    try:
        from genai_prices import UpdatePrices, __version__
    except ImportError:
        raise UsageError("refreshing prices needs the package genai-prices, which is missing", INSTALL_HINT) from None
    updater = UpdatePrices(url=url) if url else UpdatePrices()
    try:
        snapshot = updater.fetch()
    except Exception as error:  # its HTTP client has failures of its own, which are no dependency of ours
        raise Unreachable(f"the price table cannot be fetched: {error}", "the prices stay as they were") from error
    return (snapshot.providers if snapshot else ()), __version__


def _changes(before: PriceTable, models: Sequence[Mapping[str, Any]]) -> tuple[int, int, int]:
    old = {model["id"]: model["prices"] for model in before.models()}
    new = {model["id"]: model["prices"] for model in models}
    differing = sum(old[name] != new[name] for name in old.keys() & new.keys())
    return len(new.keys() - old.keys()), len(old.keys() - new.keys()), differing


def _keep_second_source(before: PriceTable, lines: Sequence[dict[str, Any]]) -> None:
    """Limits, dates and rates that came from another table, which is not asked here."""
    about, *models = lines
    if "second" in before.about:
        about["second"] = before.about["second"]
    known = {model["id"]: model for model in before.models()}
    for model in models:
        old = known.get(model["id"], {})
        model.update({key: old[key] for key in ("max_output", "retires", "second") if key in old})


def _write(path: Path, content: bytes) -> None:
    """Replace a file in one step; raises MrtError when it cannot be written."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise MrtError(f"{path} cannot be written: {error.strerror}", "check the permissions of its folder") from None
