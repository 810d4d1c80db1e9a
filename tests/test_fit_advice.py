"""What `mrt fit` advises: it is true when it is followed, and says no more than is known."""

from __future__ import annotations

import pytest
from fit_kit import data_of, fit
from rig.command import Home

SMALL = ["--gpu", "3060", "--ram", "64GiB"]
FOLLOWED = [
    # model and machine, what is said, what it then is run with, the verdict
    (["gemma3:27b", "--ctx", "128k", "--gpu", "4090"], "with a KV cache of q8_0 it fits", ["--kv", "q8_0"], "tight"),
    (["qwen2.5-coder:14b", "--vram", "8GiB"], "as IQ3_XXS it fits", ["--quant", "IQ3_XXS"], "tight"),
    (["qwen3:30b", *SMALL], "--n-cpu-moe 20", ["--n-cpu-moe", "20"], "partial"),
]


@pytest.mark.parametrize(("words", "said", "followed", "verdict"), FOLLOWED, ids=[row[1] for row in FOLLOWED])
def test_advice_holds_when_it_is_followed(
    store_home: Home, words: list[str], said: str, followed: list[str], verdict: str
) -> None:
    assert any(said in line for line in data_of(fit(store_home, *words, "--json"))["advice"])
    assert data_of(fit(store_home, *words, *followed, "--json"))["verdict"] == verdict


def test_too_many_layers_are_told_how_many_run(store_home: Home) -> None:
    words = ["llama3.1:70b", *SMALL]
    told = next(line for line in data_of(fit(store_home, *words, "--ngl", "80", "--json"))["advice"] if "--ngl" in line)
    layers = told.rpartition(" ")[2]
    assert data_of(fit(store_home, *words, "--ngl", layers, "--json"))["verdict"] == "partial"
    assert data_of(fit(store_home, *words, "--ngl", str(int(layers) + 1), "--json"))["verdict"] == "no"


@pytest.mark.parametrize(
    ("words", "name", "how"),
    [
        (["qwen2.5-coder:14b", "--vram", "8GiB"], "qwen2.5-coder:7b", "a smaller model that fits beats "),
        (["qwen3:30b", *SMALL], "qwen3:8b", "no faster than qwen3:30b with experts on the CPU"),
        (["deepseek-r1:671b", "--vram", "24GiB"], "deepseek-r1:", "far smaller though than deepseek-r1:671b"),
        (["granite4:small-h", *SMALL, "--ctx", "max"], "granite4:", ", context 32,768)"),
    ],
    ids=["near", "as fast with experts apart", "far", "less context"],
)
def test_a_smaller_model_is_praised_for_what_it_is(store_home: Home, words: list[str], name: str, how: str) -> None:
    first = data_of(fit(store_home, *words, "--json"))["advice"][0]
    assert first.startswith(name)
    assert how in first


def test_an_embedding_model_writes_nothing(store_home: Home) -> None:
    found = data_of(fit(store_home, "bge-m3", "--ram", "16GiB", "--json"))
    assert found["speed"]["decode"] == {"low": None, "high": None}
    assert found["speed"]["prompt"]["low"] > 0
    ranking = fit(store_home, "--family", "nomic-embed-text", "--gpu", "3060").stdout
    assert "context up to 8,192" in ranking
    assert ranking.split()[-2:] == ["2,048", "embedding"]
