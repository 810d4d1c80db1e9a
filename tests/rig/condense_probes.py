"""Make the table of what real servers answer to a probe: `python -m rig.condense_probes CAPTURES_FOLDER`, run in `tests/`.

A capture is a file FOLDER/NAME.http: lines that start with `###` (method and URL, more), then the response as it came.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

TABLE = Path(__file__).parents[1] / "data" / "probes.json"
# Which captures make up which server; the path is taken from each capture.
SERVERS = {
    "ollama": ["ollama/version", "ollama/root", "ollama/tags", "ollama/ps_loaded", "ollama/v1_models"],
    "vllm": ["vllm/version", "vllm/v1_models", "vllm/metrics", "vllm/root", "vllm/props", "vllm/ollama_tags"],
    "llama_swap": ["llama-swap/running", "llama-swap/version", "llama-swap/v1_models", "llama-swap/health"],
    "llama-cpp-python": ["llama-cpp-python/v1_models", "llama-cpp-python/props", "llama-cpp-python/health"],
    "llamacpp": ["xllama/props", "xllama/v1_models", "xllama/metrics", "xllama/health", "xllama/ollama_version"],
    "llamacpp-loading": ["xllama/loading_props", "xllama/loading_models", "xllama/loading_health"],
    "llamacpp-locked": ["xllama_auth/props_nokey", "xllama_auth/v1_models_nokey", "xllama_auth/health_nokey"],
    "llamacpp-router": [
        "llama-server_router/props_nomodel",
        "llama-server_router/models_loaded",
        "llama-server_router/v1_models",
    ],
    "litellm": ["litellm/health_liveliness", "litellm/health_readiness", "litellm/v1_models", "litellm/model_info"],
    "litellm-no-key": ["litellm/health_liveliness", "litellm/v1_models_noauth"],
    "litellm-wrong-key": ["litellm/health_liveliness", "litellm/v1_models_badkey"],
}
_KEPT = ("content-type", "server", "x-litellm-version")
_TOLD = re.compile(r"supports_|mode$|max_input_tokens$|input_cost_per_token$|litellm_provider$")
_METRICS = re.compile(r"^(?:vllm:num_requests|llamacpp:requests)_.*$", re.MULTILINE)


def main() -> None:
    folder = Path(sys.argv[1])
    table = {name: dict(_condensed(folder / f"{file}.http") for file in files) for name, files in SERVERS.items()}
    TABLE.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _condensed(file: Path) -> tuple[str, dict[str, object]]:
    text = file.read_bytes().decode("utf-8").replace("\r\n", "\n")
    asked = re.match(r"### GET (\S+)\n", text)
    assert asked, file
    head, _, body = text[text.index("HTTP/1.1 ") :].partition("\n\n")
    status, *lines = head.split("\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines if ": " in line)}
    if urlsplit(asked[1]).path == "/metrics":
        body = "".join(f"{line}\n" for line in _METRICS.findall(body))
    if urlsplit(asked[1]).path == "/v1/model/info":
        body = json.dumps({"data": [_model_info(row) for row in json.loads(body)["data"]]})
    body = re.sub(r"/opt/[\w./-]*/", "/srv/", body.strip())
    kept = {name: headers[name] for name in _KEPT if name in headers}
    return urlsplit(asked[1]).path, {"status": int(status.split()[1]), "headers": kept, "body": body}


def _model_info(row: dict[str, Any]) -> dict[str, Any]:
    """One model of LiteLLM's long list, without its many prices."""
    about = {name: value for name, value in row["model_info"].items() if value is not None and _TOLD.match(name)}
    return {"model_name": row["model_name"], "litellm_params": row["litellm_params"], "model_info": about}


if __name__ == "__main__":
    main()
