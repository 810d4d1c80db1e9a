"""`mrt mcp config`: what registers mrt with a client, ready to paste."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import click

from mrt.commands._mcp_clients import CLIENTS, Launch
from mrt.commands._shared import ExamplesFirst, common_options, console

EXAMPLES = """
mrt mcp config claude-code > .mcp.json
mrt mcp config codex >> ~/.codex/config.toml
mrt mcp config vscode > .vscode/mcp.json
"""
HELP = """Print the entry that registers mrt with CLIENT, and on stderr where it belongs. Nothing is changed, and no key is
printed.

Clients keep other entries in the same file: add this one to them.

\b
CLIENT is one of
"""
# A client may start mrt without the user's shell; these only say where things are.
_PLACES = ("MRT_CONFIG", "MRT_DB")


def _listed() -> str:
    return textwrap.fill(", ".join(CLIENTS), 74, break_on_hyphens=False)


@click.command("config", cls=ExamplesFirst, examples=EXAMPLES, help=HELP + _listed())
@click.argument("client", metavar="CLIENT", type=click.Choice(list(CLIENTS)))
@common_options
def command(client: str) -> None:
    """Print the entry of `client`, and on stderr where it belongs."""
    chosen, to = CLIENTS[client], console()
    launch = launch_of(to.environment, to.config_path)
    text = chosen.text(launch)
    instead = chosen.instead(launch) if chosen.instead else None
    if to.mode == "json":
        data = {"client": client, "title": chosen.title, "where": chosen.where, "text": text, "command": instead}
        to.envelope("mcp", data)
        return
    to.result(text)
    to.note(f"for {chosen.title}, in {chosen.where}")
    if instead:
        to.note(f"or let it do that itself, for all projects: {instead}")
    missing = _left_out(to.environment)
    if missing:
        to.note(f"the client must have {', '.join(missing)} in its environment too, where mrt needs it")


def launch_of(environment: Mapping[str, str], config: Path | None) -> Launch:
    """How a client starts this very mrt, from any folder: by absolute paths."""
    arguments = ("mcp",) if config is None else ("mcp", "--config", str(config.absolute()))
    places = {name: _absolute(environment[name]) for name in _PLACES if environment.get(name)}
    script = _script()
    if script is not None:
        return Launch(script, arguments, places)
    return Launch(sys.executable, ("-m", "mrt", *arguments), places)


def _absolute(path: str) -> str:
    return path if path.startswith("~/") else str(Path(path).absolute())


def _script() -> str | None:
    """The installed `mrt` beside this Python, else the one that was started by name; None where there is none."""
    name = "mrt.exe" if os.name == "nt" else "mrt"
    beside = Path(sys.executable).parent / name
    if beside.is_file():
        return str(beside)
    started = shutil.which(sys.argv[0]) if Path(sys.argv[0]).name in ("mrt", "mrt.exe") else None
    return str(Path(started).absolute()) if started else None


def _left_out(environment: Mapping[str, str]) -> list[str]:
    """Variables by which mrt finds servers and keys, by name alone."""
    names = ("LOCAL_LLM_BASE_URL", "OLLAMA_BASE_URL", "VLLM_BASE_URL", "LMSTUDIO_BASE_URL", "LLAMACPP_BASE_URL")
    ours = (name for name in environment if name.startswith("MRT_") and name not in _PLACES)
    return [name for name in (*names, *sorted(ours)) if environment.get(name)]
