"""Read the price table that comes with the package; `mrt.pricing` is pure and cannot."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from mrt.pricing import Snapshot, parse_snapshot

PRICES_FILE = Path(__file__).parent.parent / "data" / "prices.json"


def load_snapshot(path: Path = PRICES_FILE) -> Snapshot:
    """Rates by provider and model id, with the table's date in each one's `source`."""
    return parse_snapshot(json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal))
