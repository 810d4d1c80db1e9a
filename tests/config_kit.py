"""What the tests of the configuration share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mrt.config import load
from mrt.errors import UsageError

NOWHERE = {"HOME": "/nonexistent"}

# One of each, so that settings of named sections have a place.
NAMES = {
    "tiers": "a.b",
    "endpoints": "koala",
    "limits": "nightly",
    "prices": "koala/gpt-4.1",
    "aliases": "fast",
    "templates": "short",
}

# The fixture `write`: a text into a config file, whose path it gives.
Write = Callable[[str], Path]


def failure(path: Path | None, environment: Mapping[str, str] = NOWHERE) -> UsageError:
    """The error that loading ends with."""
    with pytest.raises(UsageError) as caught:
        load(environment, path)
    return caught.value
