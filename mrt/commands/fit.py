"""`mrt fit`: what memory a model takes, buffer by buffer, and what would fit instead."""

from __future__ import annotations

from typing import Any

import click

from mrt.commands._shared import ExamplesFirst, common_options, console
from mrt.errors import UsageError

_ALL_LAYERS = 100_000
EXAMPLES = """
mrt fit qwen2.5-coder:14b
mrt fit qwen2.5-coder:14b --vram 8GiB
mrt fit gemma3:27b --gpu "RTX 4090" --ctx 128k --kv q8_0
mrt fit gpt-oss:120b --gpu 3090x2 --ram 64GiB --explain
mrt fit ./model.gguf --ctx max --parallel 4
mrt fit --compare qwen3:8b gemma3:12b gpt-oss:20b
mrt fit --tools --min-ctx 32k
mrt fit llama3.1:8b --strict -q && ollama run llama3.1:8b
"""


def _layers(_: click.Context, __: click.Parameter, text: str | None) -> int | None:
    """llama.cpp's own words for them; None, -1 and "auto": as many as fit."""
    if text is None or text.strip().lower() in ("-1", "auto"):
        return None
    if text.strip().lower() in ("-2", "all"):
        return _ALL_LAYERS
    if not text.strip().isdecimal() or int(text.strip()[:9]) > _ALL_LAYERS:
        raise UsageError(
            f"--ngl {text.strip()[:40]!r} is no number of layers", "as in --ngl 20, --ngl all or --ngl auto"
        )
    return int(text.strip())


@click.command(cls=ExamplesFirst, examples=EXAMPLES)
@click.argument("models", metavar="[MODEL]...", nargs=-1)
@click.option("--quant", metavar="TYPE", help="Quantization instead of the model's own, such as Q4_K_M.")
@click.option(
    "--ctx", metavar="N|max", help="Context length in tokens (8192, or what the model was trained for if less)."
)
@click.option("--kv", metavar="TYPE[,TYPE]", help="KV cache type: f16, q8_0, q4_0 ...; K and V apart with a comma.")
@click.option("--kv-k", metavar="TYPE", help="Type of K alone.")
@click.option("--kv-v", metavar="TYPE", help="Type of V alone.")
@click.option("--parallel", type=click.IntRange(1, 1024), metavar="N", help="Slots that answer at the same time (1).")
@click.option("--batch", type=click.IntRange(1, 2**20), metavar="N", help="Logical batch in tokens (2048).")
@click.option("--ubatch", type=click.IntRange(1, 2**20), metavar="N", help="Physical batch in tokens (512).")
@click.option("--flash-attn", type=click.Choice(["on", "off"]), help="Flash attention (on).")
@click.option("--ngl", metavar="N|all|auto", callback=_layers, help="Layers on GPUs (as many as fit).")
@click.option("--cpu-moe", is_flag=True, help="Keep all experts on the CPU.")
@click.option(
    "--n-cpu-moe", type=click.IntRange(0, 100_000), metavar="N", help="Keep the experts of N layers on the CPU."
)
@click.option("--tensor-split", metavar="A,B,...", help="Share of each GPU, as in 3,1.")
@click.option("--mmproj", metavar="FILE|SIZE|off", help="Vision projector: its file, or its size such as 850MiB.")
@click.option("--draft", metavar="MODEL", help="Add a draft model for speculative decoding.")
@click.option(
    "--engine",
    metavar="NAME[@BUILD]",
    help="llama.cpp, ollama or vllm; @2025-04-01 or @b6182 takes the rules of that build.",
)
@click.option("--gpu", metavar="NAME", help='Plan for this GPU instead of this machine: "RTX 3060", 3090x2, "M4 Max".')
@click.option("--vram", metavar="SIZE", help="Plan for a GPU with so much memory, as 8GiB; with --gpu, its memory.")
@click.option("--ram", metavar="SIZE", help="RAM of the machine to plan for.")
@click.option("--headroom", metavar="PERCENT", help="Part of the memory that must stay free to count as fitting (20).")
@click.option("--endpoint", metavar="NAME", help="The model that this endpoint serves, as it serves it.")
@click.option("--explain", is_flag=True, help="Show every buffer with its formula, inputs and source.")
@click.option("--compare", is_flag=True, help="Put several models side by side.")
@click.option("--verify", is_flag=True, help="Compare the plan with llama.cpp's own tool or a running server.")
@click.option("--selftest", is_flag=True, help="Show how well the rules meet what llama.cpp itself allocates.")
@click.option("--strict", is_flag=True, help="Exit 9 for a tight fit too.")
@click.option("--tools", is_flag=True, help="Ranking: models that take tools.")
@click.option("--vision", is_flag=True, help="Ranking: models that see images.")
@click.option("--min-ctx", metavar="N", help="Ranking: models that fit with at least this context.")
@click.option("--family", metavar="NAME", help="Ranking: models of this family, such as qwen3.")
@click.option("--limit", type=click.IntRange(1, 10_000), metavar="N", help="Ranking: so many models (20).")
@common_options
def command(**given: Any) -> int:
    """Say what memory MODEL takes on this machine: per device and buffer, whether it fits, how fast it may be, what would fit.

    MODEL is a tag (qwen3:8b), a Hugging Face id, an alias, a GGUF file or URL, a folder with a config.json, ENDPOINT/MODEL, or
    just a size (14b:q4_k_m). Without MODEL, the known models are ranked for this machine. Sizes are binary: 8GB means 8 GiB.

    Exit 0: fits or is tight; 9: some of it, or all, is left to the CPU, or it does not fit. With -q the verdict alone is printed.
    """
    from mrt.commands._fit_options import FitOptions
    from mrt.commands._fit_run import run

    return run(FitOptions(**given), console())
