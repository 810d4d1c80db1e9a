"""What to do when a real server cannot run here: a developer's run skips, a CI run fails."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def unavailable(reason: str) -> NoReturn:
    """Skip the test that asked; with CI=true fail instead, so that a green run there means that the servers were used."""
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(f"required in CI: {reason}", pytrace=False)
    pytest.skip(reason)
