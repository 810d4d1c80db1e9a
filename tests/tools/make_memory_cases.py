"""Write mrt/data/memory_cases.json: what llama.cpp's own dry run allocates for models of the catalog, for `mrt fit --selftest`.

    python tests/tools/make_memory_cases.py --date 2026-11-21

Every case is the shape of a model in a sparse file, placed on GPUs that exist on paper (see rig/fake_gpu.py).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a script

from rig.llama_dry_run import BUILD, Held, dry_run

from mrt.memory.placing import with_quantization
from mrt.models.catalog import all_shapes

INTO = Path(__file__).parents[2] / "mrt" / "data" / "memory_cases.json"
MODELS = (
    *(
        "llama3.1:8b",
        "llama3.3:70b",
        "qwen2.5:0.5b",
        "qwen2.5-coder:14b",
        "qwen3:8b",
        "qwen3:30b",
        "gemma:2b",
        "gemma2:9b",
        "gemma3:4b",
    ),
    *(
        "gemma3:27b",
        "phi3:3.8b",
        "phi4:14b",
        "deepseek-r1:671b",
        "deepseek-coder-v2:16b",
        "gpt-oss:20b",
        "gpt-oss:120b",
        "llama4:16x17b",
    ),
    *(
        "command-r7b:7b",
        "granite3.3:8b",
        "olmo2:7b",
        "mistral-small3.1:24b",
        "qwen3-coder-next:latest",
        "qwen3.5:4b",
        "granite4:tiny-h",
    ),
    *(
        "lfm2.5-thinking:1.2b",
        "exaone3.5:7.8b",
        "starcoder2:3b",
        "falcon:7b",
        "stablelm2:1.6b",
        "nomic-embed-text:latest",
    ),
)
SETTINGS: tuple[dict[str, Any], ...] = (
    {"context": 8192},
    {"context": 32768, "ubatch": 1024},
    {"context": 4096, "flash_attention": False},
)
# Settings that only some models show something new under.
MORE: tuple[tuple[str, str | None, dict[str, Any]], ...] = (
    ("llama3.1:8b", "Q8_0", {"context": 131072}),
    ("llama3.1:8b", None, {"context": 8192, "gpus": 2}),
    ("gemma3:27b", None, {"context": 8192, "gpus": 3}),
    ("llama3.1:8b", None, {"context": 8192, "gpu_layers": 0}),
    ("llama3.1:8b", None, {"context": 8192, "parallel": 4}),
    ("gemma3:4b", None, {"context": 8192, "parallel": 4}),
    ("gemma3:4b", None, {"context": 16384, "full_window": True}),
    ("qwen3:30b", None, {"context": 8192, "cpu_moe": 48}),
    ("gpt-oss:120b", None, {"context": 8192, "cpu_moe": 36}),
    ("qwen3.5:4b", None, {"context": 8192, "parallel": 2}),
    ("qwen2.5:0.5b", "Q2_K", {"context": 2048, "ubatch": 256}),
    ("qwen3:8b", "IQ4_XS", {"context": 8192, "outputs": 1}),
)


def cases() -> Iterator[tuple[str, str | None, dict[str, Any]]]:
    """Model, quantization (None: its own) and settings."""
    for name in MODELS:
        for settings in SETTINGS:
            yield name, None, settings
    yield from MORE


def measured(held: Held) -> dict[str, int]:
    """Bytes on all GPUs together, and on the host."""
    cards = [name for name in held.model if name.startswith("CUDA") and name != "CUDA_Host"]
    cards = cards or [name for name in held.compute if name.startswith("CUDA") and name != "CUDA_Host"]
    hosts = [name for name in {*held.model, *held.compute} if name not in cards and name != "CUDA0"]
    return {
        "weights": sum(held.model.get(name, 0) for name in cards),
        "cache": sum(held.cache.get(name, 0) for name in cards),
        "compute": sum(held.compute.get(name, 0) for name in cards),
        "weights_host": sum(held.model.get(name, 0) for name in hosts),
        "compute_host": sum(held.compute.get(name, 0) for name in hosts),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the cases of `mrt fit --selftest`.")
    parser.add_argument("--date", required=True, help="the day of the measurement, YYYY-MM-DD")
    date = parser.parse_args().date
    shapes = {shape.name: shape for shape in all_shapes()}
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for name, quantization, settings in cases():
            shape = with_quantization(shapes[name], quantization or shapes[name].quantization)
            held = dry_run(Path(folder), shape, **settings)
            found.append(
                {"model": name, "quantization": shape.quantization, "settings": settings, "measured": measured(held)}
            )
    head = {"engine": f"llama.cpp in xllamacpp {version('xllamacpp')}", "build": BUILD, "date": date}
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in found)
    INTO.write_text(json.dumps(head)[:-1] + ', "cases": [\n' + lines + "\n]}\n", encoding="utf-8")
    sys.stdout.write(f"{len(found)} cases\n")


if __name__ == "__main__":
    main()
