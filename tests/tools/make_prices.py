"""Write mrt/data/prices: genai-prices' table with LiteLLM's output limits, retirement dates and rates for comparison.

    python tests/tools/make_prices.py --date 2026-11-10 --litellm .../litellm/model_prices_and_context_window_backup.json

`--date` is the release date of the installed genai-prices, which the package itself does not tell.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mrt.ledger.prices import PACKAGED, file_of
from mrt.pricing.convert import content_of, convert

LICENSE = "genai-prices: MIT, Copyright (c) Pydantic Services Inc.; LiteLLM: MIT, Copyright (c) Berri AI"


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Write mrt/data/prices.")
    parser.add_argument("--date", required=True)
    parser.add_argument("--litellm", type=Path)
    parser.add_argument("--into", type=Path, default=PACKAGED)
    arguments = parser.parse_args()
    from genai_prices.data import providers

    source = {
        "source": "genai-prices",
        "version": version("genai-prices"),
        "date": arguments.date,
        "unit": "USD per million tokens",
        "license": LICENSE,
    }
    tables = convert(providers, source)
    if arguments.litellm:
        add_litellm(tables, json.loads(arguments.litellm.read_text(), parse_float=Decimal), arguments.litellm)
    arguments.into.mkdir(parents=True, exist_ok=True)
    for name, lines in tables.items():
        file_of(arguments.into, name).write_bytes(content_of(lines))


def add_litellm(tables: Mapping[str, list[dict[str, Any]]], litellm: Mapping[str, Any], path: Path) -> None:
    """Limits and dates to the models, and the rates LiteLLM states for each name."""
    found = next(path.parent.parent.glob("litellm-*.dist-info"))
    for provider, (about, *models) in tables.items():
        about["second"] = found.name.removesuffix(".dist-info").replace("-", " ")
        for model in models:
            for name in (model["id"], *model.get("aliases", ())):
                theirs = litellm.get(f"{provider}/{name}") or litellm.get(name, {})
                if theirs.get("litellm_provider") == provider:
                    add_facts(model, name, theirs)


def add_facts(model: dict[str, Any], name: str, theirs: Mapping[str, Any]) -> None:
    """What LiteLLM knows of one name of a model."""
    if {"input_cost_per_token", "output_cost_per_token"} <= set(theirs):
        model.setdefault("second", {})[name] = litellm_rates(theirs)
    for ours, key in (("max_output", "max_output_tokens"), ("retires", "deprecation_date")):
        if theirs.get(key):
            model.setdefault(ours, theirs[key])


def litellm_rates(theirs: Mapping[str, Any]) -> dict[str, str]:
    """Dollars per million tokens, without the residue of binary fractions."""
    keys = {
        "input": "input_cost_per_token",
        "output": "output_cost_per_token",
        "cached_input": "cache_read_input_token_cost",
    }
    return {ours: _million(theirs[key]) for ours, key in keys.items() if theirs.get(key) is not None}


def _million(per_token: Any) -> str:
    amount = round(Decimal(str(per_token)) * 1_000_000, 9).normalize()
    return format(amount, "f")


if __name__ == "__main__":
    main()
