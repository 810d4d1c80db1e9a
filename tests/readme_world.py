"""The machine that the README's examples run on: its own configuration, two llama.cpp servers, a cloud, and `mrt` on the PATH.

The models are tiny ones that say what is written here; the servers around them, the shell and `mrt` are the real ones.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from readme_kit import blocks
from rig.command import Home, Result
from rig.llama_server import llama_server
from rig.loopback import Request, Response, ScriptedServer
from rig.responses import anthropic_sse, json_response
from rig.scripted_model import Line, ModelScript, write_model
from rig.wire_anthropic import end, say, start

from mrt.ledger import open_store
from mrt.ledger.facts import remember
from mrt.ledger.owner import host_name

SMALL_NAME, LARGE_NAME = "qwen2.5-coder:7b", "qwen2.5-coder:32b"
SMALL = ModelScript(
    name="small",
    context_length=32768,
    lines=(
        Line("deadlock", "Perhaps the lock.", escalate="needs the order of all locks, across both files"),
        Line("commit message", "Retry a connection that was lost"),
        Line("EAGAIN", "The call would block; try it again later."),
        Line("in one line", "A page about water, in a single line."),
        Line("names and dates", "Ada Lovelace, 10 December 1815"),
        Line("capital of France", "Paris."),
        Line("slugifies", "```bash\nslugify() { tr -cs '[:alnum:]' - <<< \"$1\"; }\n```"),
        Line(
            "slug(text)",
            "```python\nimport re\n\n\ndef slug(text):\n    return re.sub(r'[^a-z0-9]+', '-', text.lower())\n```",
        ),
        Line("", "Yes."),
    ),
)
LARGE = ModelScript(
    name="large",
    context_length=32768,
    lines=(
        Line("deadlock", "Both threads take the two locks, in opposite order."),
        Line("", "Certainly so."),
    ),
)
NOWHERE = "http://127.0.0.1:9"
CLOUD_ANSWER = "The first programmer was born in winter."
CLOUD_TOKENS = {"input_tokens": 2400, "output_tokens": 350}
CLOUD_MODELS = {"data": [{"type": "model", "id": "claude-haiku-4-5", "display_name": "Haiku"}], "has_more": False}


@dataclass(frozen=True)
class Machine:
    """A home with a working folder, and the cloud's server, which remembers what it was asked."""

    home: Home
    folder: Path
    cloud: ScriptedServer

    @property
    def config(self) -> Path:
        return self.home.config / "mrt" / "config.toml"

    def bash(self, script: str, *words: str, env: Mapping[str, str] | None = None, stdin: str = "") -> Result:
        """Run a script in the working folder, both streams apart."""
        done = subprocess.run(
            ["bash", "-c", script, "bash", *words],
            cwd=self.folder,
            env={**self.home.environment, **(env or {})},
            input=stdin.encode(),
            capture_output=True,
            timeout=120,
        )
        return Result(done.stdout, done.stderr, done.returncode)

    def limit(self, dollars: str) -> None:
        """Change the daily budget."""
        text = self.config.read_text()
        self.config.write_text(re.sub(r"daily_usd = .*", f"daily_usd = {dollars}", text))


def example_config() -> str:
    """The configuration that the README shows first."""
    (block,) = (block for block in blocks() if block.mark == ("", "config"))
    return block.text


@contextlib.contextmanager
def engines(folder: Path) -> Iterator[tuple[str, str]]:
    """The addresses of two llama.cpp servers: the small model and the large one."""
    with (
        llama_server(write_model(SMALL, folder), alias=SMALL_NAME, n_ctx=65536, n_parallel=4) as small,
        llama_server(write_model(LARGE, folder), alias=LARGE_NAME, n_ctx=32768, n_parallel=2) as large,
    ):
        yield small.url, large.url


def answer(request: Request) -> Response:
    """What the cloud says to everything, with so many tokens that it costs something."""
    model = request.json()["model"]
    words = re.findall(r"\S+\s*", CLOUD_ANSWER)
    usage = {"output_tokens": CLOUD_TOKENS["output_tokens"]}
    began = start(model=model, input_tokens=CLOUD_TOKENS["input_tokens"])
    return anthropic_sse([began, *say(*words), *end(usage=usage)])


@contextlib.contextmanager
def machine(home: Home, small: str, large: str) -> Iterator[Machine]:
    """A machine as the README describes it."""
    with ScriptedServer({"/v1/messages": answer, "/v1/models": json_response(200, CLOUD_MODELS)}) as cloud:
        folder = home.path / "work"
        folder.mkdir()
        programs = home.path / ".local" / "bin"
        programs.mkdir(parents=True)
        shim = programs / "mrt"
        shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mrt "$@"\n')
        shim.chmod(0o755)
        environment = {
            **home.environment,
            "PATH": f"{programs}:{os.environ['PATH']}",
            # Nothing else is to be found: a server on a usual port of the machine that runs the tests would be shown.
            "LOCAL_LLM_BASE_URL": NOWHERE,
            "LLAMACPP_BASE_URL": small,
            "ANTHROPIC_BASE_URL": cloud.url,
            "ANTHROPIC_API_KEY": "sk-ant-none",
        }
        settings = re.sub(r'url = "[^"]*"', f'url = "{large}"', example_config())
        (home.config / "mrt").mkdir()
        (home.config / "mrt" / "config.toml").write_text(settings)
        _has_room(home, {SMALL_NAME: small, LARGE_NAME: large})
        yield Machine(Home(home.path, environment), folder, cloud)


def _has_room(home: Home, models: Mapping[str, str]) -> None:
    """Models of these names fit, however little memory the machine has that runs this: nobody is warned that they do not."""
    with closing(open_store(home.data / "mrt" / "spend.db")) as store:
        for model, url in models.items():
            remember(store, url, model, f"advised on {host_name()}", "")


def need(*programs: str) -> None:
    """Skip where a program is not installed: the recipes use more than mrt brings."""
    import shutil

    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"the README uses {program}, which is not installed")
