"""What a URL says about where it leads."""

from __future__ import annotations

from urllib.parse import urlsplit

from mrt.config.secrets import shown

__all__ = ["is_loopback", "origin", "shown"]


def is_loopback(url: str) -> bool:
    """Whether a URL stays on this machine."""
    try:
        host = (urlsplit(url).hostname or "").lower()
    except ValueError:
        return False
    if host in ("localhost", "::1", "0.0.0.0") or host.endswith(".localhost"):  # noqa: S104
        return True
    # A name may begin with these digits as well: 127.0.0.1.example.org is anywhere.
    return host.startswith("127.") and host.replace(".", "").isdecimal()


def origin(url: str) -> str:
    """Scheme, host and port: what decides whether two URLs are on one server. Raises a ValueError for a port that is none."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{port}"
