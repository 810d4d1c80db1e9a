"""What `mrt config check` finds in a file of this text, for its tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from mrt.config.check import Finding, findings

KOALA = '[endpoints.koala]\nkind = "litellm"\nurl = "http://localhost:4000"\n'
ELSEWHERE = "take it out and name its place with key_env, key_cmd or key_file"

Check = Callable[..., list[Finding]]


def checks_in(directory: Path) -> Check:
    """Findings of a file with this text, with the file's own path taken out of them."""

    def check(text: str, environment: Mapping[str, str] | None = None, mode: int = 0o600) -> list[Finding]:
        path = directory / "config.toml"
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        found = findings({"HOME": str(directory)} | dict(environment or {}), path)
        return [relative(finding, directory) for finding in found]

    return check


def relative(finding: Finding, directory: Path) -> Finding:
    """The finding without the directory in its texts."""
    return Finding(*(part and part.replace(f"{directory}/", "") for part in finding))
