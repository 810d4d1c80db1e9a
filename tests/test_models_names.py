"""What people call models, and what the catalog makes of it, with no network and no file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import mrt
from mrt.errors import UsageError
from mrt.models import Sources, check_quantization, resolve_model
from mrt.models.catalog import all_shapes, names, packaged, siblings
from mrt.models.guess import size_of

# name -> the model's name, layers, embedding, query heads, KV heads of the first layer, quantization, confidence
NAMES = {
    "qwen2.5-coder:14b": ("qwen2.5-coder:14b", 48, 5120, 40, 8, "Q4_K_M", "exact"),
    "QWEN2.5-Coder:14B": ("qwen2.5-coder:14b", 48, 5120, 40, 8, "Q4_K_M", "exact"),
    "llama3.1": ("llama3.1:8b", 32, 4096, 32, 8, "Q4_K_M", "exact"),
    "llama3.1:latest": ("llama3.1:8b", 32, 4096, 32, 8, "Q4_K_M", "exact"),
    "library/llama3.2:3b": ("llama3.2:3b", 28, 3072, 24, 8, "Q4_K_M", "exact"),
    "qwen2.5-coder:14b-q4_K_M": ("qwen2.5-coder:14b", 48, 5120, 40, 8, "Q4_K_M", "exact"),
    "qwen2.5-coder:14b-instruct-q8_0": ("qwen2.5-coder:14b-instruct-q8_0", 48, 5120, 40, 8, "Q8_0", "exact"),
    "llama3.2:3b-instruct-fp16": ("llama3.2:3b-instruct-fp16", 28, 3072, 24, 8, "F16", "exact"),
    "qwen3:30b-a3b-instruct-2507-q4_K_M": ("qwen3:30b-a3b-instruct-2507-q4_K_M", 48, 2048, 32, 4, "Q4_K_M", "exact"),
    "gemma3:27b-it-qat": ("gemma3:27b-it-qat", 62, 5376, 32, 16, "Q4_0", "exact"),
    "deepseek-r1:8b": ("deepseek-r1:8b", 36, 4096, 32, 8, "Q4_K_M", "exact"),
    "deepseek-r1:8b-llama-distill": ("deepseek-r1:8b-llama-distill", 32, 4096, 32, 8, "Q4_K_M", "exact"),
    "Qwen/Qwen2.5-Coder-14B-Instruct": ("Qwen/Qwen2.5-Coder-14B-Instruct", 48, 5120, 40, 8, "Q4_K_M", "exact"),
    "Qwen/Qwen2.5-7B": ("Qwen/Qwen2.5-7B", 28, 3584, 28, 4, "Q4_K_M", "exact"),
    "Qwen/Qwen2.5-7B-Instruct-AWQ": ("Qwen/Qwen2.5-7B-Instruct-AWQ", 28, 3584, 28, 4, "Q4_K_M", "exact"),
    "Meta-Llama-3.1-8B-Instruct-Q8_0": ("Meta-Llama-3.1-8B-Instruct-Q8_0", 32, 4096, 32, 8, "Q8_0", "exact"),
    "hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q6_K": (
        "hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q6_K", 28, 3072, 24, 8, "Q6_K", "exact",
    ),
    "https://huggingface.co/Qwen/Qwen3-8B": ("https://huggingface.co/Qwen/Qwen3-8B", 36, 4096, 32, 8, "Q4_K_M", "exact"),
    "openai/gpt-oss-20b": ("openai/gpt-oss-20b", 24, 2880, 64, 8, "MXFP4", "exact"),
    "https://ollama.com/library/qwen3:8b": ("qwen3:8b", 36, 4096, 32, 8, "Q4_K_M", "exact"),
    "https://huggingface.co/Qwen/Qwen3-8B/tree/main": (
        "https://huggingface.co/Qwen/Qwen3-8B/tree/main", 36, 4096, 32, 8, "Q4_K_M", "exact",
    ),
    "qwen2.5-coder-14b": ("qwen2.5-coder-14b", 48, 5120, 40, 8, "Q4_K_M", "exact"),
    "unsloth/Meta-Llama-3.1-8B-Instruct-bnb-4bit": (
        "unsloth/Meta-Llama-3.1-8B-Instruct-bnb-4bit", 32, 4096, 32, 8, "Q4_K_M", "exact",
    ),
    "microsoft/Phi-4-mini": ("microsoft/Phi-4-mini", 32, 3072, 24, 8, "Q4_K_M", "exact"),
    "phi3:14b-medium-128k-instruct-q4_0": ("phi3:14b-medium-128k-instruct-q4_0", 40, 5120, 40, 10, "Q4_0", "approximate"),
    "hf.co/unsloth/Qwen3-8B-GGUF:UD-Q4_K_XL": (
        "hf.co/unsloth/Qwen3-8B-GGUF:UD-Q4_K_XL", 36, 4096, 32, 8, "Q4_K_M", "approximate",
    ),
    "Qwen3-8B-UD-IQ2_XXS": ("Qwen3-8B-UD-IQ2_XXS", 36, 4096, 32, 8, "IQ2_XXS", "exact"),
    "Llama 3.1 8B": ("Llama 3.1 8B", 32, 4096, 32, 8, "Q4_K_M", "exact"),
    "Qwen2.5 Coder 14B Instruct": ("Qwen2.5 Coder 14B Instruct", 48, 5120, 40, 8, "Q4_K_M", "exact"),
    "gemma-3-27b-q8_0": ("gemma-3-27b-q8_0", 62, 5376, 32, 16, "Q8_0", "exact"),
    "mine": ("mixtral:8x7b", 32, 4096, 32, 8, "Q4_0", "exact"),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_leads_to_its_model(name: str) -> None:
    shape = resolve_model(name, sources=Sources(aliases={"mine": "mixtral"}))
    first = shape.layers[0]
    built = (shape.name, len(shape.layers), shape.embedding, first.heads, first.kv_heads)
    assert (*built, shape.quantization, shape.confidence) == NAMES[name]


def test_a_published_file_keeps_what_is_known_of_it_and_others_do_not() -> None:
    published, other, repository = (resolve_model(name) for name in ("qwen3:8b", "qwen3:8b-fp16", "Qwen/Qwen3-8B"))
    assert (published.file_bytes, published.type_overrides) == (5225374496, (("v.weight", "F16"),))
    assert (other.file_bytes, other.type_overrides, other.quantization) == (None, (), "F16")
    assert (repository.file_bytes, repository.type_overrides) == (None, ())


def test_words_that_were_left_out_are_said() -> None:
    assert resolve_model("qwen3:8b-thinking-2507").notes == ("taken to have the shape of qwen3:8b",)
    assert resolve_model("qwen3:8b").notes == ()


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        pytest.param("", "a model needs a name", "for example", id="nothing"),
        pytest.param(
            "a\x1b[31mb",
            "no model's name has control characters in it: 'a\\x1b[31mb'",
            "for example",
            id="control characters",
        ),
        pytest.param("lama3.1", "unknown model 'lama3.1'", "llama3.1", id="a letter missing in the family"),
        pytest.param(
            "qwen2.5-codr:14b",
            "unknown model 'qwen2.5-codr:14b'",
            "qwen2.5-coder:14b",
            id="a letter missing in the tag",
        ),
        pytest.param(
            "qwen2.5:99b",
            "qwen2.5:99b is no size of qwen2.5 that the catalog knows",
            "qwen2.5:72b",
            id="a size that is none",
        ),
        pytest.param("granite4.1", "granite4.1 has several sizes", "granite4.1:8b", id="a family without a usual size"),
        pytest.param(
            "command-r:35b-v0.1-q4_0",
            "command-r:35b-v0.1-q4_0 is no size of command-r that the catalog knows",
            "command-r:35b",
            id="a release of another shape",
        ),
        pytest.param(
            "sailor2:8b-chat-q4_0",
            "unknown model 'sailor2:8b-chat-q4_0'",
            "`mrt fit 8b` estimates any model of that size",
            id="a size known",
        ),
        pytest.param(
            "https://me:secret@example.org/m.gguf?key=1",
            "https://example.org/m.gguf cannot be read offline",
            "",
            id="secrets",
        ),
        pytest.param("jamba", "unknown model 'jamba'", "ai21labs/AI21-Jamba-Mini-1.7", id="a part of a name"),
        pytest.param("zzzzzz", "unknown model 'zzzzzz'", "14b:q4_k_m", id="nothing like it"),
        pytest.param("14b:q9", "there is no quantization 'q9'", "Q4_K_M", id="a quantization that is none"),
        pytest.param("0b", "0b: no dense model is that size", "500b", id="too small"),
        pytest.param("9000b", "9000b: no dense model is that size", "500b", id="too large"),
        pytest.param(
            "hf.co/nobody/nothing-GGUF", "the catalog does not know hf.co/nobody/nothing-GGUF", "resolve/main", id="hub"
        ),
        pytest.param("ollama/", "unknown model 'ollama/'", "", id="a server without a model"),
        pytest.param(
            "https://example.org/m.gguf",
            "https://example.org/m.gguf cannot be read offline",
            "download",
            id="offline url",
        ),
        pytest.param("./missing.gguf", "missing.gguf does not exist", "name a .gguf file", id="no such file"),
        pytest.param("/", "/ holds no config.json", "config.json", id="a folder without a model"),
        pytest.param("x" * 2000, f"no model's name has 2,000 characters: '{'x' * 40}'", "", id="endless"),
    ],
)
def test_a_name_that_leads_nowhere_is_refused_with_a_hint(name: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        resolve_model(name)
    assert raised.value.message == message
    assert hint in (raised.value.hint or "")


@pytest.mark.parametrize(
    ("name", "quantization", "expected"),
    [
        pytest.param("llama3.1:8b", "q8_0", "Q8_0", id="as people write it"),
        pytest.param("llama3.1:8b", "FP16", "F16", id="by its other name"),
        pytest.param("llama3.1:8b-instruct-q8_0", "Q8_0", "Q8_0", id="both the same"),
        pytest.param("7b", "iq2_xs", "IQ2_XS", id="of a size"),
    ],
)
def test_a_quantization_may_be_given_beside_the_name(name: str, quantization: str, expected: str) -> None:
    assert resolve_model(name, quantization).quantization == expected


@pytest.mark.parametrize(
    ("name", "quantization", "expected"),
    [
        pytest.param("Qwen/Qwen2.5-7B-Instruct", None, "BF16", id="a repository"),
        pytest.param("qwen2.5:7b", None, "BF16", id="a tag"),
        pytest.param("Qwen/Qwen2.5-7B-Instruct-AWQ", None, "Q4_0", id="4 bits"),
        pytest.param("Qwen/Qwen2.5-7B-Instruct-FP8", None, "Q8_0", id="8 bits"),
        pytest.param("qwen2.5:7b", "q4_k_m", "Q4_K_M", id="told"),
        pytest.param("qwen2.5:7b-instruct-q8_0", None, "Q8_0", id="named"),
    ],
)
def test_an_engine_that_converts_nothing_runs_a_repositorys_own_weights(
    name: str, quantization: str | None, expected: str
) -> None:
    assert resolve_model(name, quantization, Sources(unconverted=True)).quantization == expected


def test_two_quantizations_contradict_each_other() -> None:
    with pytest.raises(UsageError, match=r"llama3\.1:8b-instruct-q8_0 names Q8_0, --quant Q4_K_M"):
        resolve_model("llama3.1:8b-instruct-q8_0", "q4_k_m")


@pytest.mark.parametrize(("wrong", "near"), [("q4_k_n", "Q4_K_M"), ("iq3_xx", "IQ3_XXS"), ("q8", "Q8_0")])
def test_a_quantization_that_is_none_names_near_ones(wrong: str, near: str) -> None:
    with pytest.raises(UsageError) as raised:
        check_quantization(wrong)
    assert near in (raised.value.hint or "")


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("14b", 14 * 10**9),
        ("1.5B", 15 * 10**8),
        ("350m", 350 * 10**6),
        ("1t", 10**12),
        ("b", None),
        ("14", None),
        ("-3b", None),
    ],
)
def test_a_size_is_a_number_and_a_unit(text: str, parameters: int | None) -> None:
    assert size_of(text) == parameters


@pytest.mark.parametrize(
    "size", ["60m", "350m", "1b", "3b", "7B", "8b", "14b:q4_k_m", "22b", "32b-q8_0", "70b", "123b", "405b", "450b"]
)
def test_a_size_alone_gives_a_dense_model_of_that_size_marked_as_approximate(size: str) -> None:
    shape = resolve_model(size)
    layer = shape.layers[0]
    attention = 2 * shape.embedding * layer.key_head * (layer.heads + layer.kv_heads)
    blocks = len(shape.layers) * (attention + 3 * shape.embedding * layer.feed_forward)
    total = blocks + shape.vocabulary * shape.embedding * (1 if shape.tied_embeddings else 2)
    assert shape.confidence == "approximate"
    assert shape.notes == ("only the size is known: every figure is approximate",)
    assert "between" in shape.source or "like" in shape.source
    assert total == pytest.approx(shape.parameters, rel=0.15 if size == "60m" else 0.04)


def test_every_model_of_the_catalog_is_found_by_its_name_and_its_repository() -> None:
    catalog = packaged()
    for name in names():
        shape = resolve_model(name)
        assert shape.name == name, name
    for row in (Path(mrt.__file__).parent / "data" / "catalog.jsonl").read_text().splitlines()[1:]:
        for other in json.loads(row)["names"]:
            assert catalog.find(other) is not None, other


def test_every_row_says_where_it_is_from_and_how_sure_it_is() -> None:
    shapes = all_shapes()
    assert len(shapes) == packaged().about["models"]
    assert {shape.confidence for shape in shapes} == {"exact", "good", "approximate"}
    for shape in shapes:
        assert shape.source.startswith("catalog 20"), shape.name
        assert shape.embedding > 0, shape.name
        assert shape.layers, shape.name
        assert shape.vocabulary > 0, shape.name


# tokens' bytes of the F16 cache: with the whole context, and in sliding windows (facts of the models' own pages)
@pytest.mark.parametrize(
    ("name", "full", "sliding"),
    [
        pytest.param("llama3.1:8b", 128, 0, id="grouped queries"),
        pytest.param("qwen:72b", 2560, 0, id="a head each"),
        pytest.param("gemma3:27b", 80, 416, id="five of six slide"),
        pytest.param("gpt-oss:20b", 24, 24, id="every second slides"),
        pytest.param("qwen3.6:35b", 20, 0, id="three of four recurrent"),
        pytest.param("granite4:small-h", 16, 0, id="four of forty attend"),
        pytest.param("nemotron-3-nano:30b", 6, 0, id="six of 52 attend"),
    ],
)
def test_the_layers_of_the_catalog_hold_the_cache_they_should(name: str, full: int, sliding: int) -> None:
    layers = [layer for layer in resolve_model(name).layers if not layer.shares_kv]
    kib = [(layer.window, 2 * layer.kv_heads * (layer.key_head + layer.value_head) / 1024) for layer in layers]
    assert (sum(size for window, size in kib if not window), sum(size for window, size in kib if window)) == (
        full,
        sliding,
    )


def test_siblings_are_the_other_sizes_of_the_family_the_largest_first() -> None:
    family = [shape.name.partition(":")[2] for shape in siblings(resolve_model("qwen2.5-coder:14b-instruct-q8_0"))]
    assert family == ["32b", "7b", "3b", "1.5b", "0.5b"]


def test_a_model_known_by_its_build_alone_has_siblings_too() -> None:
    from dataclasses import replace

    shape = replace(resolve_model("qwen2.5-coder:32b"), name="somebody's file.gguf")
    assert siblings(shape)[0].name.startswith("qwen2.5")


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("qwen2.5-coder:14b", (True, False, False, False)),
        ("gemma3:27b", (False, True, False, False)),
        ("qwen3:8b", (True, False, True, False)),
        ("nomic-embed-text", (False, False, False, True)),
    ],
)
def test_the_catalog_knows_what_a_model_can(name: str, flags: tuple[bool, ...]) -> None:
    shape = resolve_model(name)
    assert (shape.tools, shape.vision, shape.thinking, shape.embeds) == flags
