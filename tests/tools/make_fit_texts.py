"""Write tests/data/fit: what `mrt fit` prints for the commands below. Look at every difference before keeping it.

python tests/tools/make_fit_texts.py
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "data" / "fit"
COMMANDS = {
    "spills": "qwen2.5-coder:14b --vram 8GiB",
    "tight": "qwen2.5-coder:14b --vram 12GiB --ctx 8192",
    "laptop": 'qwen2.5-coder:14b --gpu "RTX 4070 Laptop"',
    "desktop": 'qwen2.5-coder:14b --gpu "RTX 4070"',
    "apple": 'qwen2.5-coder:14b --gpu "M4 Max"',
    "apple-64": 'qwen2.5-coder:32b --gpu "M4 Max" --ram 64GiB',
    "huge": "deepseek-r1:671b --gpu 3090x2 --ram 64GiB",
    "huge-ram": "deepseek-r1:671b --gpu 3090 --ram 512GiB",
    "window": "gemma3:27b --ctx 128k --gpu 4090",
    "window-q8": "gemma3:27b --ctx 128k --gpu 4090 --kv q8_0",
    "experts": "gpt-oss:20b --gpu 3060",
    "experts-fit": 'gpt-oss:20b --gpu "RTX 4060 Ti 16GB"',
    "embedding": "nomic-embed-text --vram 4GiB",
    "vision": "qwen2.5vl:7b --gpu 3060",
    "small": "llama3.2:1b --vram 4GiB",
    "slots": "qwen3:8b --gpu 3090 --parallel 4 --ctx 16k --kv q8_0,f16",
    "draft": "qwen2.5-coder:32b --gpu 3090x2 --draft qwen2.5-coder:0.5b",
    "cpu": "qwen3:4b --ram 16GiB",
    "layers": "llama3.1:8b --gpu 3060 --ngl 20 --ram 32GiB",
    "layers-over": "llama3.1:70b --gpu 3060 --ngl 80 --ram 64GiB",
    "amd": "mistral-small3.2:24b --gpu 7900xtx --engine ollama",
    "vllm": "qwen3:8b --gpu 4090 --engine vllm --ctx 32k",
    "size": "14b:q4_k_m --vram 12GiB",
    "beyond": "llama2:7b --vram 24GiB --ctx 16k",
    "ranking": "--gpu 3060 --ram 32GiB --tools --limit 6",
    "ranking-cpu": "--ram 16GiB --min-ctx 16k --limit 5",
    "compare": "--compare qwen3:8b gemma3:12b gpt-oss:20b --gpu 3060 --ram 32GiB",
    "explain": "qwen3:0.6b --vram 4GiB --explain",
}


def main() -> None:
    """Run all commands."""
    FOLDER.mkdir(exist_ok=True)
    for name, words in COMMANDS.items():
        done = subprocess.run([sys.executable, "-m", "mrt", "fit", *shlex.split(words)], capture_output=True, text=True)
        (FOLDER / f"{name}.txt").write_text(text_of(words, done.stdout, done.stderr, done.returncode), encoding="utf-8")


def text_of(words: str, stdout: str, stderr: str, code: int) -> str:
    """A file's content."""
    return f"$ mrt fit {words}\n{stdout}{stderr}[exit {code}]\n"


if __name__ == "__main__":
    main()
