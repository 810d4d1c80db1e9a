"""What can be wrong with an endpoint's key: where it lies, who can read it, how it travels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from mrt.config.keys import format_key
from mrt.config.load import key_file_path
from mrt.config.paths import readable_by_others
from mrt.config.resolution import Finding, Resolution

# In the order in which they are asked.
KEY_SOURCES = ("key_env", "key_cmd", "key_file")
_LOOPBACK = r"http://(?:[^\s/@]*@)?(?:(?:[^\s/:]+\.)?localhost|127(?:\.\d+){3}|\[::1\])(?:[:/?#].*)?"


def endpoint_findings(
    environment: Mapping[str, str], config_file: Path | None, resolution: Resolution
) -> Iterator[Finding]:
    """Problems of the keys of all endpoints. No key is read, and no command is run."""
    for name in resolution.names["endpoints"]:
        yield from _source_findings(environment, name, resolution)
        yield from _key_file_findings(environment, config_file, name, resolution)
        yield from _transport_findings(name, resolution)


def _source_findings(environment: Mapping[str, str], name: str, resolution: Resolution) -> Iterator[Finding]:
    used = [source for source in KEY_SOURCES if resolution.get("endpoints", name, source) is not None]
    if len(used) > 1:
        key = ("endpoints", name, used[1])
        message = f"{format_key(key)} is never asked, since {used[0]} is there too"
        yield Finding("warning", resolution.where(key), message, "keep one of them")
    variable = resolution.get("endpoints", name, "key_env")
    if variable is not None and not environment.get(variable):
        key = ("endpoints", name, "key_env")
        yield Finding(
            "warning",
            resolution.where(key),
            f"{format_key(key)} names {variable}, which is not set",
            f"export {variable}=...",
        )


def _key_file_findings(
    environment: Mapping[str, str], config_file: Path | None, name: str, resolution: Resolution
) -> Iterator[Finding]:
    key = ("endpoints", name, "key_file")
    text = resolution.get(*key)
    if text is None:
        return
    path = key_file_path(environment, config_file, text)
    where = resolution.where(key)
    if not path.is_file():
        yield Finding(
            "warning", where, f"{format_key(key)} names {path}, which is no file", "put the key alone into it"
        )
    elif readable_by_others(path):
        yield Finding("error", where, f"others can read the key in {path}", f"chmod 600 {path}")


def _transport_findings(name: str, resolution: Resolution) -> Iterator[Finding]:
    key = ("endpoints", name, "url")
    url = resolution.get(*key) or ""
    has_key = any(resolution.get("endpoints", name, source) is not None for source in KEY_SOURCES)
    if has_key and url.startswith("http:") and not re.fullmatch(_LOOPBACK, url, re.IGNORECASE):
        message = f"the key of {format_key(key[:2])} goes over the network unencrypted"
        yield Finding("warning", resolution.where(key), message, "use https, or an SSH tunnel to localhost")
