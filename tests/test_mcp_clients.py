"""What `mrt mcp config` prints, the tools as people read them, and what is said where the SDK is missing."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from mcp import StdioServerParameters
from mcp.client.client import Client
from mcp.client.stdio import stdio_client
from rig.command import Command, Home
from rig.home_setup import run_here

from mrt.commands._mcp_clients import CLIENTS
from mrt.commands._mcp_tools import TOOLS

KEY = "sk-canary-0123456789abcdef0123"
TOP = {"vscode": "servers", "zed": "context_servers", "opencode": "mcp", "codex": "mcp_servers"}


def entry(client: str, text: str) -> Mapping[str, Any]:
    """The one entry of a printed snippet, as the client would read it."""
    document = tomllib.loads(text) if client == "codex" else json.loads(text)
    servers = document[TOP.get(client, "mcpServers")]
    assert list(servers) == ["mrt"]
    found: Mapping[str, Any] = servers["mrt"]
    return found


def words(client: str, found: Mapping[str, Any]) -> list[str]:
    """The command line of an entry."""
    return list(found["command"]) if client == "opencode" else [found["command"], *found["args"]]


@pytest.mark.parametrize("client", CLIENTS)
def test_the_snippet_starts_this_mrt_from_anywhere(mrt: Command, client: str) -> None:
    result = mrt("mcp", "config", client, env={"OLLAMA_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY, "MRT_DB": "spend.db"})
    assert result.exit_code == 0
    found = entry(client, result.stdout)
    command = words(client, found)
    assert Path(command[0]).is_absolute()
    assert command[-1] == "mcp"
    assert found["environment" if client == "opencode" else "env"] == {"MRT_DB": str(mrt.home.path / "spend.db")}
    assert KEY not in result.stdout + result.stderr
    assert result.stderr.startswith(f"for {CLIENTS[client].title}, in ")
    done = subprocess.run([*command[:-1], "--version"], capture_output=True, text=True, cwd="/")
    assert (done.returncode, done.stdout[:4]) == (0, "mrt ")


@pytest.mark.parametrize(
    ("client", "key", "value"),
    [("codex", "tool_timeout_sec", 600), ("gemini-cli", "timeout", 600_000), ("cline", "timeout", 600)],
)
def test_clients_that_would_not_wait_are_told_to(store_home: Home, client: str, key: str, value: int) -> None:
    assert entry(client, run_here(store_home, "mcp", "config", client).stdout)[key] == value


def test_the_config_file_that_was_named_goes_along(home: Home) -> None:
    path = home.config / "mrt" / "config.toml"
    result = run_here(home, "mcp", "config", "cursor", "--config", path)
    assert entry("cursor", result.stdout)["args"][-2:] == ["--config", str(path)]
    assert "env" not in entry("cursor", result.stdout)


def test_what_the_client_must_have_too_is_named_without_its_value(store_home: Home) -> None:
    environment = {"OLLAMA_BASE_URL": f"http://user:{KEY}@box:11434", "MRT_ASK_TIMEOUT": "5"}
    result = run_here(store_home, "mcp", "config", "zed", env=environment)
    assert "OLLAMA_BASE_URL, MRT_ASK_TIMEOUT in its environment" in result.stderr
    assert KEY not in result.stdout + result.stderr


def test_claude_code_can_be_told_by_its_own_command(store_home: Home) -> None:
    result = run_here(store_home, "mcp", "config", "claude-code", "--json")
    data = json.loads(result.stdout)["data"]
    assert data.keys() == {"client", "title", "where", "text", "command"}
    assert data["command"].startswith("claude mcp add --scope user mrt -- /")
    assert entry("claude-code", data["text"])["type"] == "stdio"


def test_a_client_that_is_not_known(store_home: Home) -> None:
    result = run_here(store_home, "mcp", "config", "emacs")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'emacs' is not one of 'claude-code', " in result.stderr


def test_a_client_that_uses_the_snippet_gets_the_tools(mrt: Command, home: Home) -> None:
    import anyio

    found = entry("cursor", mrt("mcp", "config", "cursor").stdout)
    server = StdioServerParameters(command=found["command"], args=found["args"], env=dict(home.environment))

    async def run() -> list[str]:
        with anyio.fail_after(60):
            async with Client(stdio_client(server)) as client:
                return [tool.name for tool in (await client.list_tools()).tools]

    assert anyio.run(run) == [tool.name for tool in TOOLS]


def test_the_tools_are_listed_for_people_and_programs(store_home: Home) -> None:
    shown = run_here(store_home, "mcp", "tools").stdout
    data = json.loads(run_here(store_home, "mcp", "tools", "--json").stdout)["data"]
    assert [tool["name"] for tool in data["tools"]] == [tool.name for tool in TOOLS]
    for tool in TOOLS:
        assert f"{tool.name}\n  {tool.description[:60]}" in shown
        assert all(f"\n    {name} (" in shown for name in tool.takes["properties"])
    assert "prompt (string, required): " in shown


WITHOUT = "import sys; sys.modules['mcp'] = None; from mrt.cli import main; main()"


def test_without_the_sdk_one_line_says_what_to_install(home: Home) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", WITHOUT, *arguments]
        return subprocess.run(command, env=dict(home.environment), input="", capture_output=True, text=True, timeout=60)

    served = run("mcp")
    assert (served.returncode, served.stdout) == (2, "")
    assert served.stderr == ("error: the SDK of the protocol is not installed\nhint: pip install 'mrt[mcp]'\n")
    assert run("mcp", "config", "codex").returncode == 0
    assert run("mcp", "tools").returncode == 0


def test_json_is_not_what_a_server_speaks(store_home: Home) -> None:
    result = run_here(store_home, "mcp", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["errors"][0]["message"] == "`mrt mcp` speaks JSON-RPC on stdout, and nothing else"
