"""A LiteLLM proxy that runs on a configuration somebody else wrote, such as `mrt export litellm`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from rig.litellm_host import free_port, proxy_process, wait_until_alive
from rig.litellm_proxy import installed_command


@contextlib.contextmanager
def proxy_on(config: Path, variables: Mapping[str, str]) -> Iterator[str]:
    """The proxy's URL; it has these variables and no others. RuntimeError, with the end of its log, when it does not start."""
    port = free_port()
    with proxy_process(installed_command(), config, port, variables) as process:
        try:
            wait_until_alive(process, port)
        except RuntimeError as error:
            log = config.parent / "proxy.log"
            raise RuntimeError(f"{error}:\n{log.read_text(errors='replace')[-3000:]}") from None
        yield f"http://127.0.0.1:{port}"
