"""Bad input to `mrt fit`: one line that says what is wrong, one hint, one exit code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from fit_kit import data_of, fit
from hypothesis import given
from hypothesis import strategies as st
from rig.command import Home

from mrt.memory.builds import date_of_build
from mrt.output.fit_words import parameters

MODEL = "qwen2.5-coder:14b"

WRONG = [
    # arguments, message, hint
    (["qwen2.5-coder:14c"], "qwen2.5-coder:14c is no size of qwen2.5-coder that the catalog knows", "sizes are "),
    (["qwen2.5-codr:14b"], "unknown model 'qwen2.5-codr:14b'", "did you mean qwen2.5-coder:14b"),
    (["/nowhere/model.gguf"], "/nowhere/model.gguf does not exist", "name a .gguf file"),
    ([MODEL, "--quant", "Q9_K"], "there is no quantization 'Q9_K'", "did you mean "),
    ([MODEL, "--ctx", "0"], "--ctx '0' is no number of tokens", "write it as in --ctx 32768 or --ctx 32k"),
    ([MODEL, "--ctx", "-5"], "--ctx '-5' is no number of tokens", "write it as in --ctx 32768 or --ctx 32k"),
    ([MODEL, "--ctx", "many"], "--ctx 'many' is no number of tokens", "write it as in --ctx 32768 or --ctx 32k"),
    (
        [MODEL, "--ctx", "99999999999"],
        "--ctx '99999999999' is no number of tokens",
        "write it as in --ctx 32768 or --ctx 32k",
    ),
    (
        [MODEL, "--kv", "q7"],
        "--kv 'q7' is no type of a KV cache",
        "it is one of f32, f16, bf16, q8_0, q5_1, q5_0, q4_1, q4_0, iq4_nl",
    ),
    ([MODEL, "--kv", "f16,f16,f16"], "--kv 'f16,f16,f16' names more than K and V", "as in --kv q8_0,f16"),
    ([MODEL, "--kv-v", "q4_K"], "--kv 'q4_K' is no type of a KV cache", "it is one of "),
    (
        [MODEL, "--kv", "q8_0", "--flash-attn", "off"],
        "a V cache of q8_0 needs flash attention",
        "leave out --flash-attn off, or say --kv-v f16",
    ),
    (
        [MODEL, "--kv", "f16", "--kv-k", "q8_0"],
        "--kv says the type of K already: --kv and --kv-k do not go together",
        "leave one of them out",
    ),
    ([MODEL, "--cpu-moe"], "qwen2.5-coder:14b has no experts", "leave out --cpu-moe and --n-cpu-moe"),
    (
        ["gpt-oss:20b", "--cpu-moe", "--n-cpu-moe", "4"],
        (
            "--cpu-moe keeps the experts of all layers on the CPU, --n-cpu-moe those of some:"
            " --cpu-moe and --n-cpu-moe do not go together"
        ),
        "leave one of them out",
    ),
    ([MODEL, "--ngl", "0", "--tensor-split", "1,1"], "--ngl 0 leaves nothing to split", "leave out --tensor-split"),
    ([MODEL, "--tensor-split", "a,b"], "--tensor-split 'a,b' is no list of shares", "as in --tensor-split 3,1"),
    ([MODEL, "--tensor-split", "0,0"], "--tensor-split '0,0' is no list of shares", "as in --tensor-split 3,1"),
    (
        [MODEL, "--tensor-split", "3,1"],
        "--tensor-split names 2 GPUs, this machine has 1",
        "one share for each GPU",
    ),
    ([MODEL, "--engine", "exllama"], "--engine 'exllama' is not known", "it is one of llama.cpp, ollama, vllm"),
    ([MODEL, "--engine", "ollama@0.6"], "--engine: the build '0.6' is no date", "as in --engine ollama@2025-04-01"),
    (
        [MODEL, "--engine", "llama.cpp@2025-02-31"],
        "--engine: the build '2025-02-31' is no date",
        "as in --engine llama.cpp@2025-04-01 or --engine llama.cpp@b6182",
    ),
    (
        [MODEL, "--engine", "llama.cpp@b99999999"],
        "--engine: when b99999999 was built is not known",
        "say the day, as in --engine llama.cpp@2025-04-01",
    ),
    ([MODEL, "--engine", ""], "--engine '' is not known", "it is one of llama.cpp, ollama, vllm"),
    (
        [MODEL, "--engine", "vllm@2025-04-01"],
        "what vLLM takes is not told apart by its builds here",
        "leave out what follows the @",
    ),
    ([MODEL, "--engine", "vllm", "--ngl", "3"], "--ngl is no setting of vLLM", "leave out --ngl"),
    (["gpt-oss:20b", "--engine", "vllm", "--cpu-moe"], "--cpu-moe is no setting of vLLM", "leave out --cpu-moe"),
    (
        [MODEL, "--engine", "vllm", "--kv", "q4_0"],
        "vLLM has no KV cache of q4_0",
        "it is one of f16, bf16 and q8_0, which stands for fp8",
    ),
    ([MODEL, "--kv", ""], "--kv '' is no type of a KV cache", "it is one of "),
    ([MODEL, "--quant", ""], "there is no quantization ''", "such as "),
    ([MODEL, "--ngl", "some"], "--ngl 'some' is no number of layers", "as in --ngl 20, --ngl all or --ngl auto"),
    ([MODEL, "--ngl", "-3"], "--ngl '-3' is no number of layers", "as in --ngl 20, --ngl all or --ngl auto"),
    (
        [MODEL, "--draft", "nomic-embed-text"],
        "nomic-embed-text:latest makes vectors and drafts no text",
        "name a small model of the same family",
    ),
    ([MODEL, "--headroom", "120"], "--headroom '120' is no part of the memory", "as in --headroom 20"),
    ([MODEL, "--headroom", "some"], "--headroom 'some' is no part of the memory", "as in --headroom 20"),
    (
        [MODEL, "--mmproj", "lots"],
        "--mmproj 'lots' is neither a file nor a size",
        "as in --mmproj mmproj.gguf or --mmproj 850MiB",
    ),
    ([MODEL, "--draft", "qwen2.5-codr:1b"], "unknown model 'qwen2.5-codr:1b'", "did you mean "),
    ([MODEL, "llama3.1:8b"], "2 models are given", "mrt fit --compare puts them side by side"),
    (["--compare", MODEL], "--compare needs two models or more", "mrt fit --compare qwen3:8b gemma3:12b"),
    (
        ["--compare", MODEL, "llama3.1:8b", "--explain"],
        "--explain takes one model: --compare and --explain do not go together",
        "leave one of them out",
    ),
    ([MODEL, "--tools"], "--tools is for the ranking, which takes no model", "mrt fit --help shows how it is used"),
    (["--ngl", "3"], "--ngl needs a model", "mrt fit --help shows how it is used"),
    (["--family", "qwen33"], "no family 'qwen33' in the catalog", "did you mean qwen3"),
    (["--min-ctx", "big"], "--min-ctx 'big' is no number of tokens", "write it as in --min-ctx 32768 or --min-ctx 32k"),
    (
        ["--selftest", MODEL],
        "--selftest takes no model: --selftest and MODEL do not go together",
        "leave one of them out",
    ),
    (
        [MODEL, "--verify"],
        "--verify looks at this machine, not at a described one: --vram and --verify do not go together",
        "leave one of them out",
    ),
    (
        ["--endpoint", "ollama", "--quant", "Q8_0"],
        "--endpoint serves its model in the quantization it has: --endpoint and --quant do not go together",
        "leave one of them out",
    ),
    (["--endpoint", "nobody"], "no endpoint 'nobody'", "it is one of llamacpp, lm_studio, ollama, vllm"),
]


@pytest.mark.parametrize(("arguments", "message", "hint"), WRONG, ids=[" ".join(row[0]) for row in WRONG])
def test_what_cannot_be_is_one_line(store_home: Home, arguments: Sequence[str], message: str, hint: str) -> None:
    result = fit(store_home, *arguments, "--vram", "8GiB")
    lines = result.stderr.splitlines()
    assert (result.stdout, result.exit_code) == ("", 2)
    assert lines[0] == f"error: {message}"
    assert lines[1].startswith(f"hint: {hint}")
    assert len(lines) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--gpu", "RTX 6000"],
            "'RTX 6000' is no one GPU: Quadro RTX 6000, RTX 6000 Ada Generation, RTX PRO 6000 Blackwell",
        ),
        (["--gpu", "RTX 9999"], "no GPU 'RTX 9999' in the table"),
        (["--gpu", "GTX 1060"], "no GPU 'GTX 1060' in the table"),
        (["--gpu", "Radeon 780M"], "no GPU 'Radeon 780M' in the table"),
        (["--vram", "8 apples"], "--vram '8 apples' is no amount of memory"),
        (["--ram", "0"], "a machine without RAM runs nothing"),
    ],
)
def test_a_machine_that_cannot_be(store_home: Home, arguments: Sequence[str], message: str) -> None:
    result = fit(store_home, MODEL, *arguments)
    assert (result.stdout, result.exit_code) == ("", 2)
    assert result.stderr.splitlines()[0] == f"error: {message}"


def test_a_failure_in_json(store_home: Home) -> None:
    result = fit(store_home, "nosuchmodel", "--vram", "8GiB", "--json")
    document = json.loads(result.stdout)
    assert (document["data"], result.exit_code) == (None, 2)
    assert document["errors"][0]["message"] == "unknown model 'nosuchmodel'"


def test_a_dead_endpoint(store_home: Home) -> None:
    config = store_home.config / "mrt" / "config.toml"
    config.parent.mkdir(exist_ok=True)
    config.write_text('[endpoints.box]\nkind = "llamacpp"\nurl = "http://127.0.0.1:1"\n')
    result = fit(store_home, "--endpoint", "box", "--vram", "8GiB")
    assert (result.stdout, result.exit_code) == ("", 3)
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.splitlines()) == 2


def test_a_file_that_is_no_model(store_home: Home) -> None:
    path = store_home.path / "cut.gguf"
    path.write_bytes(b"GGUF\x03\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff")
    result = fit(store_home, path, "--vram", "8GiB")
    assert (result.stdout, result.exit_code) == ("", 2)
    assert len(result.stderr.splitlines()) <= 2


@pytest.mark.parametrize(
    "card", ["Radeon 780M", "Iris Xe", "Intel UHD Graphics 770", "Radeon Vega 8", "Intel Arc 140V"]
)
def test_a_gpu_inside_a_processor_is_said_to_share_the_ram(store_home: Home, card: str) -> None:
    assert "hint: it shares the RAM: " in fit(store_home, MODEL, "--gpu", card).stderr


def test_what_lies_in_this_folder_is_named_as_a_path(
    store_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my-model").mkdir()
    monkeypatch.chdir(tmp_path)
    assert fit(store_home, "my-model").stderr == (
        "error: unknown model 'my-model'\nhint: write ./my-model for what lies in this folder\n"
    )


@pytest.mark.parametrize(
    ("words", "layers"), [("auto", 29), ("-1", 29), ("all", 49), ("-2", 49), ("0", 0), ("7", 7), ("999", 49)]
)
def test_layers_in_the_words_of_the_engine(store_home: Home, words: str, layers: int) -> None:
    found = data_of(fit(store_home, MODEL, "--ngl", words, "--vram", "8GiB", "--json"))["settings"]["gpu_layers"]
    assert abs(found - layers) <= (1 if layers == 29 else 0)


def test_without_a_layer_on_it_a_gpu_is_used_all_the_same(store_home: Home) -> None:
    line = fit(store_home, MODEL, "--ngl", "0", "--vram", "8GiB", "-q").stdout
    assert "no layer is on a GPU" in line


@pytest.mark.parametrize(
    ("build", "day"), [("b6182", "2025-08-15"), ("b6301", "2025-08-27"), ("2025-05-01", "2025-05-01")]
)
def test_a_build_is_a_day(store_home: Home, build: str, day: str) -> None:
    found = data_of(fit(store_home, MODEL, "--engine", f"llama.cpp@{build}", "--vram", "8GiB", "--json"))
    assert found["settings"]["build"] == day


@given(st.integers(992, 13760))
def test_a_later_build_has_no_earlier_day(number: int) -> None:
    one, next_one = date_of_build(number), date_of_build(number - 1)
    assert one is not None
    assert next_one is None or next_one <= one
    assert "2023-08-17" <= one < "2027-06"


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (None, "unknown number of parameters"),
        (64, "64 parameters"),
        (99_499, "99,499 parameters"),
        (260_000, "0.26M parameters"),
        (9_900_000, "9.9M parameters"),
        (22_565_376, "23M parameters"),
        (999_700_000, "1.0B parameters"),
        (1_000_000_000_000, "1.00T parameters"),
    ],
)
def test_a_model_is_never_of_no_parameters(count: int | None, words: str) -> None:
    assert parameters(count) == words


def test_a_draft_with_other_tokens_is_noted(store_home: Home) -> None:
    def notes(draft: str) -> list[str]:
        found: list[str] = data_of(fit(store_home, MODEL, "--draft", draft, "--vram", "24GiB", "--json"))["notes"]
        return [note for note in found if "vocabulary" in note]

    assert notes("qwen2.5-coder:0.5b") == []
    assert len(notes("llama3.2:1b")) == 1
