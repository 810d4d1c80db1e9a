"""`mrt mcp`: the local models as tools of an agent, over the Model Context Protocol."""

from __future__ import annotations

import click

from mrt.commands._lazy_commands import LazyGroup
from mrt.commands._shared import common_options, console
from mrt.errors import UsageError

COMMANDS: dict[str, tuple[str, str]] = {
    "config": ("_mcp_config", "Print what registers mrt with a client."),
    "tools": ("_mcp_list", "List the tools and what they take."),
}
EXAMPLES = """
mrt mcp config claude-code
mrt mcp config codex >> ~/.codex/config.toml
mrt mcp tools
mrt config set mcp.coding_model ollama/qwen2.5-coder:7b
"""
NO_SDK = "the SDK of the protocol is not installed"
INSTALL = "pip install 'mrt[mcp]'"


@click.group(cls=LazyGroup, lazy=COMMANDS, examples=EXAMPLES, invoke_without_command=True)
@common_options
@click.pass_context
def command(context: click.Context, /) -> int:
    """Serve tools to an agent over stdin and stdout: ask local models, list them, rate a task, check what fits, see the spend.

    A client such as Claude Code, Cursor or VS Code starts this command; `mrt mcp config CLIENT` prints what registers it. Only
    local models are asked, unless mcp.allow_paid lets tools spend within the budget. Each call reads the configuration anew.
    """
    if context.invoked_subcommand is not None:
        return 0
    to = console()
    if to.mode == "json":
        raise UsageError("`mrt mcp` speaks JSON-RPC on stdout, and nothing else", "leave out --json")
    try:
        from mrt.commands._mcp_serve import serve
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types", "anyio"):
            raise
        raise UsageError(NO_SDK, INSTALL) from None
    from mrt.commands._settings import configured
    from mrt.output.console import is_terminal

    configured(to)  # what is wrong is said at once, not at the first call
    if is_terminal(to.stdin):
        to.note("waiting for a client on stdin, one JSON-RPC message a line; Ctrl-C ends it")
        to.note("a client starts `mrt mcp` by itself: `mrt mcp config claude-code` prints what registers it")
    return serve(to)
