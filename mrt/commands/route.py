"""`mrt route`: which tier would answer, and why; nothing is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mrt.commands._lazy_commands import WordsOrCommand
from mrt.commands._options import stdin_options
from mrt.commands._shared import common_options, console

# MODULE and one line of help; their modules load only when they are named.
COMMANDS: dict[str, tuple[str, str]] = {
    "feedback": ("_route_feedback", "Say whether an answer was good: route feedback good|bad [ID]."),
    "learn": ("_route_learn", "What past outcomes changed: route learn --status, --rollback."),
}
EXAMPLES = """
mrt route "implement an LRU cache"
git diff | mrt route --explain "review this"
mrt route --json "refactor the provider layer" | jq -r .data.tier
mrt route --batch prompts.jsonl > tiers.jsonl
mrt route --batch prompts.jsonl --diff other.toml
"""


@click.command(cls=WordsOrCommand, lazy=COMMANDS, examples=EXAMPLES)
@click.argument("prompt", nargs=-1)
@click.option(
    "-f", "--file", "files", multiple=True, type=click.Path(path_type=Path), help="Add a file; may be repeated."
)
@click.option(
    "--explain", is_flag=True, help="Show every tier, what the complexity is made of and what would change it."
)
@click.option("--tier", metavar="TIER", help="Start at this tier.")
@click.option("--max-tier", metavar="TIER", help="Go no higher than this tier.")
@click.option(
    "--context", type=click.IntRange(min=1), metavar="N", help="Judge by this context length, whatever servers say."
)
@click.option(
    "--needs", multiple=True, type=click.Choice(["tools", "vision"]), help="The model must be able to; may be repeated."
)
@click.option(
    "--session", metavar="NAME", help='The conversation it belongs to: "continue" is as hard as what it continues.'
)
@click.option("--probe", is_flag=True, help="Check the servers of the tiers now.")
@click.option("--offline", is_flag=True, help="Leave out what the last probe found.")
@click.option(
    "--assess",
    metavar="MODEL",
    help="Let this model rate the prompt too; what that costs is booked.",
)
@click.option("--plan", is_flag=True, help="Let [planner] break the task down, and route each part.")
@click.option("--no-learn", is_flag=True, help="Go by the shipped probabilities of failure alone.")
@click.option("--batch", metavar="FILE|-", help='Route JSON lines {"prompt", "id"?} by complexity alone.')
@click.option("--eval", "evaluate", metavar="FILE", help="Measure the ranking on prompts with known outcomes.")
@click.option(
    "--diff", metavar="OTHER.toml", type=click.Path(path_type=Path), help="Show what changes tier under that config."
)
@stdin_options
@common_options
def command(**given: Any) -> int:
    """Say which tier would answer PROMPT, by the same decision that `mrt ask` takes. No model is asked.

    Text on stdin and files follow the prompt; `-` reads stdin explicitly. Ends with 0 when a tier can answer, with 5 when only a
    budget stands in the way, with 3 when nothing is reachable.
    """
    _refuse_contradictions(given)
    if given["batch"] is not None:
        from mrt.commands._route_batch import batch

        return batch(console(), given["batch"], given["diff"])
    if given["evaluate"] is not None:
        from mrt.commands._route_eval import show_evaluation

        return show_evaluation(console(), given["evaluate"])
    from mrt.commands._route_one import RouteOptions, route

    del given["batch"], given["evaluate"]
    return route(console(), RouteOptions(**given))


def _refuse_contradictions(given: dict[str, Any]) -> None:
    """Many prompts come from one place, and have no options of their own."""
    many = next((name for name in ("batch", "evaluate") if given[name] is not None), None)
    if many is None:
        return
    allowed = {"batch", "diff", "no_stdin", "encoding"} if many == "batch" else {"evaluate", "no_stdin", "encoding"}
    names = {"evaluate": "eval", "files": "file"}
    wrong = next((name for name, value in given.items() if value and name not in allowed), None)
    if wrong is not None:
        what = "a prompt" if wrong == "prompt" else f"--{names.get(wrong, wrong).replace('_', '-')}"
        raise click.UsageError(f"--{names.get(many, many)} goes without {what}")
