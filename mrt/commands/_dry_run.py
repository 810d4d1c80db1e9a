"""What `mrt ask --dry-run` shows: the request as it would leave, and the most it can cost."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mrt.cascade.cost import price_of
from mrt.cascade.job import gives_probabilities, request_for
from mrt.cascade.tier_checks import TierChecks
from mrt.domain import Cost, CostState, Secret
from mrt.endpoints.abilities import last_seen
from mrt.ledger import learned
from mrt.output.answer import cost_data
from mrt.providers import protocol, shown
from mrt.providers.heal import apply
from mrt.providers.http import masked
from mrt.quality import intent

if TYPE_CHECKING:
    from mrt.commands._ask_job import Prepared


def request_data(prepared: Prepared) -> dict[str, Any]:
    """The request of the tier that would start; its key is not even fetched."""
    job, world = prepared.job, prepared.world
    step = job.steps[0]
    target = replace(step.target, key=Secret("placeholder"))
    facts = learned(world.store, target.url, target.model)
    checks = TierChecks(job, step, world, lambda *_: None)
    # Where the tier does not say, the server would be asked whether it takes tools: a dry run asks nobody.
    tools = bool(step.tier.tools) and target.local and len(job.steps) > 1
    request = request_for(
        job,
        step,
        world.config,
        wants_code=intent(job.prompt).code,
        confidence=checks.confidence and gives_probabilities(target, tools, last_seen(world.store, target)),
        tools=tools,
    )
    speaker = protocol(target)
    bound = price_of(request, step.target, world).bound
    state: CostState = "free" if target.local else "unknown" if bound is None else "estimated"
    return {
        "tier": step.tier.name,
        "model": target.name,
        "tiers": [one.tier.name for one in job.steps],
        "reason": job.decision.reason if job.decision else "",
        "method": "POST",
        "url": shown(speaker.url(target)),
        "headers": masked(speaker.headers(target)),
        "body": apply(speaker.body(request, target), facts),
        "bound": cost_data(Cost(state, bound)),
    }


def request_text(data: dict[str, Any]) -> str:
    """The same for people."""
    bound = data["bound"]
    most = {"free": "no API cost", "unknown": "unknown: no price for this model"}.get(
        bound["state"], f"at most ${bound['usd']}"
    )
    lines = [
        f"routed to {data['tier']} ({data['model']}): {data['reason']}",
        f"then {', '.join(data['tiers'][1:])}" if data["tiers"][1:] else "no tier above it",
        f"cost: {most}",
        f"{data['method']} {data['url']}",
        *(f"{name}: {value}" for name, value in data["headers"].items()),
        json.dumps(data["body"], ensure_ascii=False, indent=2),
    ]
    return "\n".join(lines)
