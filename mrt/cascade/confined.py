"""What must not leave: requests that hold secrets, where they are to stay local."""

from __future__ import annotations

from mrt.config import Config
from mrt.domain import Request, Target
from mrt.errors import Unreachable
from mrt.router.secrets import secret_in


def keep_secrets(request: Request, target: Target, config: Config) -> None:
    """Raises Unreachable before anything is sent that route.secrets confines to local tiers."""
    if config.route.secrets != "local" or target.local:
        return
    found = next((found for message in request.messages if (found := secret_in(message.content))), None)
    if found is not None:
        raise Unreachable(
            f"the prompt holds {found}, and route.secrets keeps it local",
            "take it out, or allow it this once: MRT_ROUTE_SECRETS=any",
        )
