"""Make the replay table from captured HTTP exchanges: `python tests/rig/condense_captures.py CAPTURES_FOLDER OUT_FILE`.

A capture is a file FOLDER/NAME.http: lines that start with `###` (method and URL, request body, more), then the response as
it came, with the chunk framing taken off, and one newline. Kept is what an `ask` could have met: chat requests as `ask` would
make them.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Folder of captures -> (name in ids, server, version).
SERVERS = {
    "llama-cpp-python": ("llama-cpp-python", "llama-cpp-python", "0.3.36"),
    "llama-server_router": ("llamacpp-router", "llama.cpp's llama-server", "router mode"),
    "llama-swap": ("llama-swap", "llama-swap", "v200"),
    "litellm": ("litellm", "LiteLLM", "1.106.2"),
    "ollama": ("ollama", "Ollama", "0.33.0-rc2"),
    "vllm": ("vllm", "vLLM", "0.32.0"),
    "xllama": ("llamacpp", "llama.cpp", "b11549"),
    "xllama_auth": ("llamacpp-auth", "llama.cpp", "b11549"),
}
PROTOCOLS = {"/chat/completions": "chat", "/v1/messages": "anthropic", "/api/chat": "ollama"}
# The captures of a full queue name no URL.
NO_URL = {"api_queue_full": "/api/chat", "v_queue_full": "/v1/chat/completions"}
# Requests that `ask` never makes: broken JSON, no model, no messages, odd roles, images, loading and unloading; and repetitions.
SKIPPED = re.compile(
    r"badjson|bad_json|nomodel|nomessages|no_messages|bad_role|messages_string|neg_temp|image|chat_empty|load_only|chat_unload"
    r"|numctx|raw_chunked|format_json_schema|ctx_shift_false|ctx_truncate_false_long|ctx_last_msg|chat_dead_stream|err_429_stream"
    r"|ctx_overflow_stream|err_broken_stream|nomax|think_false|gotmpl|rpm_third|ctx_history$|unknown_option"
)
HEADER = re.compile(r"content-type|server|retry-after|llm_provider-retry-after|x-ratelimit-.*|x-litellm-.*")
NOISE = re.compile(r"x-litellm-(call-id|model-id|timeout|.*-duration-ms|.*-margin-.*|.*-discount-.*|.*-tool-usage)")
MODEL_FOLDER = re.compile(r'"/[^"]*/(?=models/[^"/]+\.gguf")')
CUT = re.compile(r"curl: \(18\).*", re.DOTALL)
MOST_EVENTS, KEPT_EVENTS = 30, 4


@dataclass(frozen=True)
class Capture:
    """One captured exchange, split into its parts."""

    notes: list[str]
    status: int
    headers: dict[str, str]
    body: str


def read_capture(text: str) -> Capture:
    """The parts of one capture file. Line ends of the head are CRLF, those of the notes LF."""
    lines = text.split("\n")
    notes = [line for line in lines if line.startswith("### ")]
    response = "\n".join(lines[len(notes) :])
    head, _, body = response.partition("\r\n\r\n")
    first, *fields = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    return Capture(notes, int(first.split()[1]), headers, body.removesuffix("\n"))


def replay(folder: str, name: str, capture: Capture) -> dict[str, Any] | None:
    """The entry of the table for one capture, or None for requests that `ask` does not make."""
    method, _, url = capture.notes[0].removeprefix("### ").partition(" ")
    path = NO_URL.get(name, url).partition("?")[0]
    protocol = next((protocol for end, protocol in PROTOCOLS.items() if path.endswith(end)), None)
    if method != "POST" or protocol is None or SKIPPED.search(name):
        return None
    prefix, server, version = SERVERS[folder]
    request = " ".join(capture.notes[1:]).replace(" ", "")
    whole, cut = CUT.subn("", capture.body)
    return {
        "id": f"{prefix}/{name}",
        "protocol": protocol,
        "streamed": '"stream":true' in request or (protocol == "ollama" and '"stream":false' not in request),
        "source": f"captured from {server} {version}, 2026-11-20",
        "status": capture.status,
        "headers": {
            name: value
            for name, value in capture.headers.items()
            if HEADER.fullmatch(name) and not NOISE.fullmatch(name)
        },
        "cut": bool(cut),
        # Where the model files lay is nobody's business.
        "body": shortened(MODEL_FOLDER.sub('"', whole)),
    }


def shortened(body: str) -> str:
    """The body without the middle of a long stream; what is left are whole events."""
    separator = "\n\n" if "\n\n" in body.strip() else "\n"
    events = body.removesuffix(separator).split(separator)
    if len(events) <= MOST_EVENTS:
        return body
    return separator.join([*events[:KEPT_EVENTS], *events[-KEPT_EVENTS:], ""])


def main() -> None:
    captures, out = Path(sys.argv[1]), Path(sys.argv[2])
    entries = []
    for folder in SERVERS:
        for path in sorted((captures / folder).glob("*.http")):
            entry = replay(folder, path.stem, read_capture(path.read_bytes().decode()))
            if entry is not None:
                entries.append(entry)
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    out.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
