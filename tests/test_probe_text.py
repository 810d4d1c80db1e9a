"""What the probe prints, to the letter; what it gives to scripts, to the key."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mrt.endpoints.report import EndpointReport, ModelReport
from mrt.endpoints.tiers import TierState
from mrt.output.probe import model_table, probe_text, size
from mrt.output.probe_data import probe_data

CHAT = ModelReport(
    "llama3.1:8b",
    loaded=True,
    context_served=8192,
    context_trained=131072,
    quantization="Q4_K_M",
    size_bytes=4920753328,
    vram_bytes=6654289920,
    remote=False,
    tools=True,
    vision=False,
    reasoning=False,
    embedding=False,
)
CLOUD = ModelReport("gpt-oss:120b-cloud", remote=True, remote_host="https://ollama.com:443", tools=True, reasoning=True)
OLLAMA = EndpointReport(
    "ollama",
    "ollama",
    "http://localhost:11434",
    "ready",
    version="0.33.0",
    latency_ms=2,
    access="open",
    models=(CHAT, CLOUD),
    checked_at=1_800_000_000.0,
)
ROUTER = EndpointReport(
    "box", "llamacpp", "http://box:8080", "ready", router=True, slots=4, busy=1, queue=2, latency_ms=31
)
DOWN = EndpointReport(
    "vllm", "vllm", "http://localhost:8000", "down", message="cannot connect", hint="start it: vllm serve MODEL"
)
LOCKED = EndpointReport(
    "anthropic", "anthropic", "https://api.anthropic.com", "auth", message="no key", hint="export ANTHROPIC_API_KEY=..."
)
FAST = TierState("fast", "ollama/llama3.1:8b", "ollama", "ready", listed=True, remote=False)
MISSING = TierState(
    "heavy",
    "ollama/hermes3:70b",
    "ollama",
    "ready",
    listed=False,
    message="ollama has no model hermes3:70b",
    hint="ollama pull hermes3:70b",
)
PAID = TierState("cloud", "anthropic/claude-haiku-4-5", "anthropic", "auth", message="no key", hint="export ...")
ELSEWHERE = TierState("big", "ollama/gpt-oss:120b-cloud", "ollama", "ready", listed=True, remote=True)
UNSURE = TierState("any", "box/m", "box", "ready")


def test_the_whole_picture() -> None:
    text = probe_text(
        (OLLAMA, ROUTER, LOCKED, DOWN), (FAST, MISSING, ELSEWHERE, UNSURE, PAID), {"ollama", "box", "anthropic"}
    )
    assert (
        text
        == """\
endpoint   kind               state  version  latency        models  load                          url
---------  -----------------  -----  -------  -------  ------------  ----------------------------  -------------------------
ollama     ollama             ready  0.33.0      2 ms  2 (1 loaded)  -                             http://localhost:11434
box        llamacpp (router)  ready  -          31 ms             0  1 of 4 slots busy, 2 waiting  http://box:8080
anthropic  anthropic          auth   -              -             -  -                             https://api.anthropic.com
vllm       vllm               down   -              -             -  -                             http://localhost:8000

tier   model                       endpoint   state  model there
-----  --------------------------  ---------  -----  -------------------
fast   ollama/llama3.1:8b          ollama     ready  yes
heavy  ollama/hermes3:70b          ollama     ready  no
big    ollama/gpt-oss:120b-cloud   ollama     ready  yes, runs elsewhere
any    box/m                       box        ready  ?
cloud  anthropic/claude-haiku-4-5  anthropic  auth   -

anthropic: no key
  hint: export ANTHROPIC_API_KEY=...
heavy: ollama has no model hermes3:70b
  hint: ollama pull hermes3:70b"""
    )


def test_the_models() -> None:
    listed = [("ollama/llama3.1:8b", CHAT), ("ollama/gpt-oss:120b-cloud", CLOUD), ("box/m", ModelReport("m"))]
    assert (
        "\n".join(model_table(listed))
        == """\
model                      loaded  context  trained  quantization      size     VRAM  can               runs
-------------------------  ------  -------  -------  ------------  --------  -------  ----------------  ----------------------
ollama/llama3.1:8b         yes       8,192  131,072  Q4_K_M        4.58 GiB  6.2 GiB  tools             here
ollama/gpt-oss:120b-cloud  -             -        -  -                    -        -  tools, reasoning  https://ollama.com:443
box/m                      -             -        -  -                    -        -  -                 -"""
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (10**6, "977 KiB"),
        (2**20 - 1, "1024 KiB"),
        (5 * 2**30, "5 GiB"),
        (123 * 2**30, "123 GiB"),
        (5000 * 2**40, "5000 TiB"),
    ],
    ids=str,
)
def test_bytes_for_people(value: int | None, text: str) -> None:
    assert size(value) == text


def test_a_loaded_model_on_the_cpu_holds_no_vram_and_that_is_known() -> None:
    (_, _, line) = model_table([("a", replace(CHAT, vram_bytes=0))])
    assert "  0 B  " in line


def test_control_characters_of_a_server_reach_no_terminal() -> None:
    rude = replace(OLLAMA, version="1\x1b[31m\n2", models=(), message="a\x07b\nc", hint="d\x1b]0;x\x07e")
    text = probe_text((rude,), (), {"ollama"})
    assert not set(text) & {"\x1b", "\x07"}
    assert text.splitlines()[-2:] == ["ollama: ab c", "  hint: de"]


def test_a_note_on_an_endpoint_that_is_well() -> None:
    text = probe_text((replace(ROUTER, hint="it is llamacpp: write llamacpp/MODEL"),), (), {"box"})
    assert text.splitlines()[-1] == "box: it is llamacpp: write llamacpp/MODEL"


def test_for_scripts() -> None:
    data = probe_data((OLLAMA,), (MISSING,))
    assert data == {
        "endpoints": [
            {
                "name": "ollama",
                "kind": "ollama",
                "url": "http://localhost:11434",
                "state": "ready",
                "version": "0.33.0",
                "latency_ms": 2,
                "access": "open",
                "router": False,
                "slots": None,
                "busy": None,
                "queue": None,
                "models": [
                    {
                        "id": "llama3.1:8b",
                        "loaded": True,
                        "context_served": 8192,
                        "context_trained": 131072,
                        "quantization": "Q4_K_M",
                        "size_bytes": 4920753328,
                        "vram_bytes": 6654289920,
                        "remote": False,
                        "remote_host": None,
                        "tools": True,
                        "vision": False,
                        "reasoning": False,
                        "embedding": False,
                        "digest": None,
                    },
                    {
                        "id": "gpt-oss:120b-cloud",
                        "loaded": None,
                        "context_served": None,
                        "context_trained": None,
                        "quantization": None,
                        "size_bytes": None,
                        "vram_bytes": None,
                        "remote": True,
                        "remote_host": "https://ollama.com:443",
                        "tools": True,
                        "vision": None,
                        "reasoning": True,
                        "embedding": None,
                        "digest": None,
                    },
                ],
                "message": None,
                "hint": None,
                "checked_at": "2027-01-15T08:00:00Z",
            }
        ],
        "tiers": [
            {
                "tier": "heavy",
                "model": "ollama/hermes3:70b",
                "endpoint": "ollama",
                "state": "ready",
                "ready": True,
                "listed": False,
                "remote": None,
                "message": "ollama has no model hermes3:70b",
                "hint": "ollama pull hermes3:70b",
            }
        ],
    }
