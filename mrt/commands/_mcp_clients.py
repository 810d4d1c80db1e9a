"""How each client wants a tool server registered: which file, which shape."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

NAME = "mrt"
# Local models take their time, most of all the first answer after a load; what a client waits by default can be a minute.
CALL_SECONDS = 600


class Launch(NamedTuple):
    """The command that a client runs, and what it must find in its environment; never a key."""

    command: str
    arguments: Sequence[str]
    environment: Mapping[str, str]


class Client(NamedTuple):
    """A client. `where` says where the text belongs, `instead` how the client itself would write it."""

    title: str
    where: str
    text: Callable[[Launch], str]
    instead: Callable[[Launch], str] | None = None


def _entry(launch: Launch, **more: Any) -> dict[str, Any]:
    environment = {"env": dict(launch.environment)} if launch.environment else {}
    return {**more, "command": launch.command, "args": list(launch.arguments), **environment}


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def _servers(launch: Launch) -> str:
    return _json({"mcpServers": {NAME: _entry(launch)}})


def _typed_servers(launch: Launch) -> str:
    return _json({"mcpServers": {NAME: _entry(launch, type="stdio")}})


def _gemini(launch: Launch) -> str:
    return _json({"mcpServers": {NAME: {**_entry(launch), "timeout": CALL_SECONDS * 1000}}})


def _cline(launch: Launch) -> str:
    return _json({"mcpServers": {NAME: {**_entry(launch), "timeout": CALL_SECONDS}}})


def _vscode(launch: Launch) -> str:
    return _json({"servers": {NAME: _entry(launch, type="stdio")}})


def _zed(launch: Launch) -> str:
    return _json({"context_servers": {NAME: _entry(launch)}})


def _opencode(launch: Launch) -> str:
    environment = {"environment": dict(launch.environment)} if launch.environment else {}
    entry = {"type": "local", "command": [launch.command, *launch.arguments], "enabled": True, **environment}
    return _json({"$schema": "https://opencode.ai/config.json", "mcp": {NAME: entry}})


def _codex(launch: Launch) -> str:
    # Strings and lists of them are written in TOML as in JSON.
    lines = [
        f"[mcp_servers.{NAME}]",
        f"command = {json.dumps(launch.command)}",
        f"args = {json.dumps(list(launch.arguments))}",
        f"tool_timeout_sec = {CALL_SECONDS}",
    ]
    if launch.environment:
        pairs = ", ".join(f"{name} = {json.dumps(value)}" for name, value in launch.environment.items())
        lines.append(f"env = {{ {pairs} }}")
    return "\n".join(lines)


def _claude_add(launch: Launch) -> str:
    import shlex

    pairs = [word for name, value in launch.environment.items() for word in ("--env", f"{name}={value}")]
    command = ["claude", "mcp", "add", "--scope", "user", NAME, *pairs, "--", launch.command, *launch.arguments]
    return shlex.join(command)


CLIENTS: dict[str, Client] = {
    "claude-code": Client("Claude Code", ".mcp.json in the project's folder", _typed_servers, _claude_add),
    "claude-desktop": Client(
        "Claude Desktop",
        "claude_desktop_config.json: Settings > Developer > Edit Config (macOS: ~/Library/Application Support/Claude, "
        "Windows: %APPDATA%\\Claude); then start it anew",
        _servers,
    ),
    "cline": Client("Cline", "cline_mcp_settings.json: MCP Servers > Configure MCP Servers", _cline),
    "codex": Client("Codex", "~/.codex/config.toml", _codex),
    "cursor": Client("Cursor", "~/.cursor/mcp.json, or .cursor/mcp.json in the project's folder", _typed_servers),
    "gemini-cli": Client(
        "Gemini CLI", "~/.gemini/settings.json, or .gemini/settings.json in the project's folder", _gemini
    ),
    "lm-studio": Client("LM Studio", "mcp.json: Program > Install > Edit mcp.json", _servers),
    "opencode": Client(
        "opencode", "opencode.json in the project's folder, or ~/.config/opencode/opencode.json", _opencode
    ),
    "vscode": Client("VS Code", ".vscode/mcp.json in the project's folder, or `MCP: Open User Configuration`", _vscode),
    "windsurf": Client("Windsurf", "~/.codeium/windsurf/mcp_config.json", _servers),
    "zed": Client("Zed", "Zed's settings.json: zed: open settings file", _zed),
}
