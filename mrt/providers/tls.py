"""Whether a server that makes no sense in plain text speaks TLS."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit


def speaks_tls(url: str, seconds: float) -> bool:
    """Offer a handshake at the host and port of a URL; nothing else is sent. An alert is an answer in TLS too."""
    import ssl

    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        parts = urlsplit(url)
        address = (parts.hostname or "", parts.port or 80)
        with socket.create_connection(address, seconds) as connection:
            connection.settimeout(seconds)
            with context.wrap_socket(connection, server_hostname=parts.hostname):
                return True
    except ssl.SSLError as error:
        return "alert" in str(error).lower()
    except (OSError, ValueError):
        return False
