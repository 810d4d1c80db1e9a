"""Read the price tables that come with the package, or newer ones of the user's; `mrt.pricing` is pure and cannot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from mrt.pricing import PROVIDERS, PriceTable

PACKAGED = Path(__file__).parent.parent / "data" / "prices"
FOLDER = "prices"


class PriceTables(Mapping[str, PriceTable]):
    """Tables by provider; one is read when it is asked for, and then kept."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self._folders = folders
        self._read: dict[str, PriceTable] = {}

    def __getitem__(self, provider: str) -> PriceTable:
        if provider not in self._read:
            found = [table for folder in self._folders if (table := _table(folder, provider)) is not None]
            if not found:
                raise KeyError(provider)
            self._read[provider] = max(found, key=lambda table: str(table.about["date"]))
        return self._read[provider]

    def __iter__(self) -> Iterator[str]:
        return iter(PROVIDERS)

    def __len__(self) -> int:
        return len(PROVIDERS)


def load_snapshot(data_directory: Path | None = None) -> PriceTables:
    """The tables of the package and, where they are newer, those that `mrt spend prices --update` wrote."""
    return PriceTables((PACKAGED,) if data_directory is None else (PACKAGED, data_directory / FOLDER))


def file_of(folder: Path, provider: str) -> Path:
    """Where a provider's table is."""
    return folder / f"{provider}.jsonl"


def _table(folder: Path, provider: str) -> PriceTable | None:
    """A folder's table; None where there is none, or none that can be used."""
    if provider not in PROVIDERS:
        return None
    try:
        table = PriceTable(file_of(folder, provider).read_bytes())
    except (OSError, ValueError):
        return None
    return table if table.about["provider"] == provider else None
