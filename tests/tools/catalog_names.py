"""The names under which a model of the catalog is found, in lower case: its tag, its repositories, the bare family."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

Row = Mapping[str, str]

# The size that a bare family name means, as the library's page of the family shows it beside `latest`.
_LATEST = """
    llama2:7b llama3:8b llama3.1:8b llama3.2:3b llama3.2-vision:11b llama4:16x17b llama-guard3:8b hermes3:8b
    tulu3:8b nemotron-3-nano:30b qwen:4b qwen2:7b qwen2.5:7b qwen2.5-coder:7b qwen2.5vl:7b qwen3:8b qwen3-coder:30b qwen3-vl:8b
    qwen3-embedding:8b qwen3.5:9b gemma:7b gemma2:9b gemma3:4b gemma3n:e4b gemma4:e4b codegemma:7b medgemma:4b
    mistral-small:24b mixtral:8x7b ministral-3:8b phi3:3.8b deepseek-coder:1.3b deepseek-coder-v2:16b deepseek-llm:7b
    deepseek-r1:8b deepcoder:14b openthinker:7b cogito:8b gpt-oss:20b aya:8b aya-expanse:8b granite-code:3b granite3-dense:2b
    granite3-moe:1b granite3.1-dense:8b granite3.1-moe:1b granite3.2:8b granite3.3:8b granite4:3b granite-embedding:30m
    starcoder2:3b codellama:7b yi:6b yi-coder:9b falcon:7b falcon3:7b smollm:1.7b smollm2:1.7b orca-mini:3b vicuna:7b
    wizardlm2:7b sqlcoder:7b opencoder:8b exaone3.5:7.8b exaone-deep:7.8b olmo2:7b olmo-3:7b internlm2:7b stablelm2:1.6b
    llava:7b all-minilm:22m snowflake-arctic-embed:335m
"""
LATEST = dict(entry.split(":") for entry in _LATEST.split())
# Tags of the library that name another model's shape.
ALSO = {
    "llama3.1:8b": ("deepseek-r1:8b-llama-distill",),
    "llama3.3:70b": ("deepseek-r1:70b-llama-distill",),
    "mistral-small:24b": ("mistral-small:24b-instruct-2501",),
}


def names_of(row: Row, rows: Sequence[Row]) -> list[str]:
    """All names of a row: the tag, `FAMILY:latest` of the family's usual size, repositories of the model and its files."""
    return list(dict.fromkeys(name.lower() for name in _names(row, rows)))


def _names(row: Row, rows: Sequence[Row]) -> Iterator[str]:
    tag = row["ollama_tag"]
    if tag:
        yield tag
        family, _, size = tag.partition(":")
        siblings = [other for other in rows if other["ollama_tag"].partition(":")[0] == family]
        if LATEST.get(family) == size or len(siblings) == 1:
            yield f"{family}:latest"
        yield from ALSO.get(tag, ())
    yield row["hf_id"]
    yield from re.split(r"[\s,;]+", row["gguf_repos"].strip()) if row["gguf_repos"].strip() else ()
