"""Lines of CSV (RFC 4180); what is not known is empty."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any


def csv_line(values: Iterable[Any]) -> str:
    """One record, without the end of its line."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(values)
    return text.getvalue()
