"""`mrt mcp tools`: what an agent is offered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mrt.commands._shared import ExamplesFirst, common_options, console

if TYPE_CHECKING:
    from mrt.commands._mcp_call import Tool

EXAMPLES = """
mrt mcp tools
mrt mcp tools --json | jq '.data.tools[] | {name, input_schema}'
"""


@click.command("tools", cls=ExamplesFirst, examples=EXAMPLES)
@common_options
def command() -> None:
    """List the tools: what each is good for, as an agent reads it, and what it takes."""
    from mrt.commands._mcp_tools import INSTRUCTIONS, TOOLS

    if console().mode == "json":
        console().envelope("mcp", {"instructions": INSTRUCTIONS, "tools": [_data(tool) for tool in TOOLS]})
    else:
        console().result("\n\n".join(_text(tool) for tool in TOOLS))


def _data(tool: Tool) -> dict[str, Any]:
    return {
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "input_schema": dict(tool.takes),
        "output_schema": dict(tool.gives),
    }


def _text(tool: Tool) -> str:
    import textwrap

    required = tool.takes.get("required", ())
    lines = [tool.name, *textwrap.wrap(tool.description, 110, initial_indent="  ", subsequent_indent="  ")]
    for name, about in tool.takes["properties"].items():
        label = f"    {name} ({about['type']}{', required' if name in required else ''}): "
        lines += textwrap.wrap(about["description"], 110, initial_indent=label, subsequent_indent="      ")
    return "\n".join(lines)
