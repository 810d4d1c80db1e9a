"""Child process of `litellm_proxy`: runs the proxy and its upstreams for as long as a test process uses them.

Usage: litellm_host.py LITELLM_COMMAND FOLDER. Writes FOLDER/ready.json and closes standard output once the proxy answers. Every
user holds a shared lock on FOLDER/users.lock, which the system gives back even for a killed process: when the last one is gone,
all ends.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import pytest

from rig.litellm_environment import locked
from rig.llama_server import llama_server
from rig.loopback import Response, ScriptedServer, Wait
from rig.responses import sse
from rig.scripted_model import script, write_model

START_SECONDS = 180
KEY = "sk-test-master"
# Nobody listens on the discard port.
DEAD_URL = "http://127.0.0.1:9/v1"
LOCAL_ANSWER = "Hello from the engine behind the proxy."
INPUT_COST, OUTPUT_COST = 0.000001, 0.000002
BEGINNING = [
    {
        "id": "c",
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": word}}],
    }
    for word in ("The", " beginning")
]


def configuration(engine: str, broken: str) -> dict[str, Any]:
    """The proxy's configuration: `engine` is a llama.cpp server's URL, `broken` that of upstreams that break off."""
    mocks = {
        "mock-cloud": "Hello from the mock cloud.",
        "mock-429": "litellm.RateLimitError",
        "mock-500": "litellm.InternalServerError",
        "mock-context": "litellm.ContextWindowExceededError",
        "limited": "ok",
    }
    upstreams = {
        "local": f"{engine}/v1",
        "unpriced": f"{engine}/v1",
        "dead": DEAD_URL,
        "with-fallback": DEAD_URL,
        "cut-upstream": f"{broken}/cut",
        "silent-upstream": f"{broken}/silent",
    }
    models: dict[str, dict[str, Any]] = {
        name: {"model": "openai/gpt-4o", "mock_response": text} for name, text in mocks.items()
    }
    models["mock-claude"] = {"model": "anthropic/claude-sonnet-4-5", "mock_response": "Hello from the mock claude."}
    models |= {name: {"model": "openai/tiny", "api_base": url} for name, url in upstreams.items()}
    models["local"] |= {"input_cost_per_token": INPUT_COST, "output_cost_per_token": OUTPUT_COST}
    models["limited"] |= {"rpm": 1}
    return {
        "model_list": [
            {"model_name": name, "litellm_params": {"api_key": "none", "num_retries": 0, **parameters}}
            for name, parameters in models.items()
        ],
        "general_settings": {"master_key": KEY},
        "litellm_settings": {"drop_params": True, "telemetry": False},
        "router_settings": {
            # Without the check a limit only decorates the headers.
            "optional_pre_call_checks": ["enforce_model_rate_limits"],
            "fallbacks": [{"with-fallback": ["mock-cloud"]}],
            "num_retries": 0,
        },
    }


def main() -> None:
    command, folder = Path(sys.argv[1]), Path(sys.argv[2])
    state = folder / "ready.json"
    try:
        with running(command, folder) as facts:
            _publish(state, facts)
            with locked(folder / "users.lock"):
                state.unlink()
    except pytest.skip.Exception as reason:
        _publish(state, {"unavailable": str(reason)})


def _publish(state: Path, facts: dict[str, Any]) -> None:
    partial = state.with_suffix(".partial")
    partial.write_text(json.dumps(facts))
    partial.replace(state)
    os.close(1)


@contextlib.contextmanager
def running(command: Path, folder: Path) -> Iterator[dict[str, Any]]:
    """The proxy with its upstreams, as the fields of `LiteLLMProxy`."""
    model = write_model(script(LOCAL_ANSWER, name="behind-the-proxy"), folder)
    # The proxy passes a beginning on only while nothing has gone wrong yet, so the cut comes a moment later.
    moment = Wait(threading.Event(), 0.3)
    routes: dict[str, Response] = {
        "/cut/chat/completions": [*sse(BEGINNING, finish=False), moment],
        "/silent/chat/completions": sse(BEGINNING, chunked=False),
    }
    with llama_server(model, alias="tiny", n_ctx=2048) as engine, ScriptedServer(routes) as broken:
        # JSON is YAML.
        config = folder / "config.yaml"
        config.write_text(json.dumps(configuration(engine.url, broken.url)))
        port = free_port()
        with proxy_process(command, config, port) as process:
            wait_until_alive(process, port)
            yield {"url": f"http://127.0.0.1:{port}", "key": KEY, "pid": process.pid, "upstream": engine.url}


@contextlib.contextmanager
def proxy_process(
    command: Path, config: Path, port: int, variables: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """The proxy on that port, with no environment but `variables`; its log goes to proxy.log beside the configuration."""
    arguments = [str(command), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(config.parent),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_TELEMETRY": "False",
        "NO_PROXY": "*",
        **(variables or {}),
    }
    with (
        (config.parent / "proxy.log").open("wb") as log,
        subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            cwd=config.parent,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def wait_until_alive(process: subprocess.Popen[bytes], port: int) -> None:
    """Raises RuntimeError when the proxy ends, or does not answer in time."""
    ticks_per_second = 10
    for _ in range(START_SECONDS * ticks_per_second):
        with contextlib.suppress(subprocess.TimeoutExpired):
            raise RuntimeError(f"the proxy ended with exit code {process.wait(1 / ticks_per_second)}")
        if _alive(port):
            return
    raise RuntimeError(f"the proxy did not answer within {START_SECONDS} seconds")


def _alive(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/liveliness")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    main()
