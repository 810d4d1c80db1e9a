"""What `mrt fit` prints, to the letter: `tests/data/fit` holds a command, its output and its exit code in each file."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from fit_kit import data_of, fit
from rig.command import Home
from tools.make_fit_texts import COMMANDS, FOLDER, text_of


@pytest.mark.parametrize("name", COMMANDS)
def test_the_answer_is_this_text(store_home: Home, name: str) -> None:
    words = COMMANDS[name]
    result = fit(store_home, *shlex.split(words))
    assert text_of(words, result.stdout, result.stderr, result.exit_code) == (FOLDER / f"{name}.txt").read_text(
        encoding="utf-8"
    )


def test_there_is_a_command_for_every_file() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(COMMANDS)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "spills",
            "advice\n- qwen2.5-coder:7b (Q4_K_M, 5.3 GiB) fits wholly: a smaller model that fits beats qwen2.5-coder:14b",
        ),
        ("laptop", "GeForce RTX 4070 Mobile"),
        ("small", "models of 3B and less call tools unreliably"),
        ("beyond", "a context of 16,384 is more than the 4,096 it was trained for"),
        ("window-q8", "OLLAMA_KV_CACHE_TYPE=q8_0"),
        ("embedding", "an embedding model: it makes vectors and answers no prompts"),
    ],
)
def test_what_each_is_there_to_say(name: str, said: str) -> None:
    assert said in (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def test_a_laptop_gpu_has_its_own_bandwidth_and_memory(store_home: Home) -> None:
    laptop, desktop = (
        data_of(fit(store_home, "llama3.1:8b", "--gpu", name, "--json")) for name in ("RTX 4070 Laptop", "RTX 4070")
    )
    assert laptop["devices"][0]["total_bytes"] == 8 * 2**30
    assert desktop["devices"][0]["total_bytes"] == 12 * 2**30
    assert desktop["speed"]["decode"]["high"] / laptop["speed"]["decode"]["high"] == pytest.approx(
        504.2 / 256, rel=0.01
    )


KEYS = {
    "model": {"name", "source", "confidence", "architecture", "parameters", "file_bytes"},
    "settings": {
        *(
            "quantization",
            "context_length",
            "kv_type_k",
            "kv_type_v",
            "parallel",
            "ubatch",
            "flash_attention",
            "gpu_layers",
        ),
    },
    "speed": {"decode", "prompt", "source"},
}
DEVICE = {
    *(
        "name",
        "kind",
        "total_bytes",
        "free_bytes",
        "weights_bytes",
        "kv_cache_bytes",
        "recurrent_bytes",
        "compute_bytes",
    ),
    *("overhead_bytes", "margin_bytes"),
}


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"ranking", "ranking-cpu", "compare"}))
def test_the_json_says_the_same(store_home: Home, name: str) -> None:
    result = fit(store_home, *shlex.split(COMMANDS[name]), "--json")
    data = data_of(result)
    for part, keys in KEYS.items():
        assert keys <= set(data[part])
    assert all(set(device) >= DEVICE for device in data["devices"])
    assert sum(_buffers(device) for device in data["devices"]) == data["total_bytes"]
    assert (result.exit_code, result.stderr) == (0 if data["verdict"] in ("fits", "tight") else 9, "")
    assert (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()[1] == data["summary"]


def _buffers(device: dict[str, int]) -> int:
    return sum(device[f"{name}_bytes"] for name in ("weights", "kv_cache", "recurrent", "compute"))


@pytest.mark.parametrize(("strict", "code"), [([], 0), (["--strict"], 9)], ids=["tight-is-good", "strict"])
def test_a_tight_fit_is_good_enough_unless_it_is_not(store_home: Home, strict: list[str], code: int) -> None:
    result = fit(store_home, "qwen2.5-coder:14b", "--vram", "12GiB", *strict)
    assert (result.stdout.partition(":")[0], result.exit_code) == ("tight", code)


def test_quiet_is_the_verdict_alone(store_home: Home) -> None:
    result = fit(store_home, "llama3.1:8b", "--vram", "12GiB", "-q")
    assert result.stdout == "fits: 6.0 GiB of 12.0 GiB on the GPU\n"


def test_the_verdict_is_coloured_for_people(store_home: Home) -> None:
    coloured = fit_with_color(store_home, "llama3.1:8b", "--vram", "12GiB")
    assert coloured.startswith("\x1b[32m\x1b[1mfits\x1b[0m: ")
    assert fit_with_color(store_home, "llama3.1:8b", "--vram", "12GiB", "--no-color").startswith("fits: ")


def fit_with_color(home: Home, *arguments: str | Path) -> str:
    from rig.home_setup import run_here

    return run_here(home, "fit", *arguments, env={"FORCE_COLOR": "1"}).stdout


def test_explain_adds_up(store_home: Home) -> None:
    data = data_of(fit(store_home, "deepseek-v2:16b", "--gpu", "3060", "--ram", "32GiB", "--explain", "--json"))
    assert sum(line["bytes"] for line in data["buffers"]) == data["total_bytes"]
    assert all(line["formula"] and line["source"] for line in data["buffers"])


def test_an_alias_is_a_name_too(store_home: Home) -> None:
    config = store_home.config / "mrt" / "config.toml"
    config.parent.mkdir(exist_ok=True)
    config.write_text('[aliases]\nfast = "llama3.1:8b"\n')
    result = fit(store_home, "fast", "--vram", "12GiB", "-q")
    assert (result.stdout, result.exit_code) == ("fits: 6.0 GiB of 12.0 GiB on the GPU\n", 0)


def test_no_model_fits_a_very_small_card(store_home: Home) -> None:
    result = fit(store_home, "--vram", "16MiB")
    assert result.exit_code == 9
    assert result.stdout.endswith("no known model fits with these settings\n")


def test_the_ranking_in_json(store_home: Home) -> None:
    data = data_of(fit(store_home, *shlex.split(COMMANDS["ranking"]), "--json"))
    assert [entry["rank"] for entry in data["models"]] == [1, 2, 3, 4, 5, 6]
    assert all(entry["model"]["tools"] and entry["verdict"] == "fits" for entry in data["models"])
    assert data["machine"]["gpus"][0]["name"] == "GeForce RTX 3060 12 GB"
    text = (FOLDER / "ranking.txt").read_text(encoding="utf-8").splitlines()
    assert [line.split()[0] for line in text[6:-1]] == [entry["model"]["name"] for entry in data["models"]]


def test_the_comparison_in_json(store_home: Home) -> None:
    result = fit(store_home, *shlex.split(COMMANDS["compare"]), "--json")
    assert [entry["verdict"] for entry in data_of(result)["models"]] == ["fits", "fits", "partial"]
    assert result.exit_code == 9


def test_a_ranking_needs_some_memory(store_home: Home) -> None:
    result = fit(store_home, "--vram", "0")
    assert result.stderr == (
        "error: there is no memory to rank models for\nhint: say what there is: --vram 8GiB or --ram 32GiB\n"
    )
    assert result.exit_code == 2


def test_the_real_machine_is_planned_for(store_home: Home) -> None:
    data = data_of(fit(store_home, "qwen2.5:0.5b", "--json"))
    assert data["simulated"] is False
    assert data["devices"][-1]["total_bytes"]


@pytest.mark.parametrize(
    ("model", "projector", "more"),
    [("llama3.1:8b", "1GiB", 2**30), ("gemma3:4b", "off", None), ("gemma3:4b", "2GiB", None)],
    ids=["added", "left-out", "replaced"],
)
def test_a_projector_is_what_was_said(store_home: Home, model: str, projector: str, more: int | None) -> None:
    plain, with_it, without = (
        data_of(fit(store_home, model, "--vram", "24GiB", "--json", *extra))["total_bytes"]
        for extra in ([], ["--mmproj", projector], ["--mmproj", "off"])
    )
    expected = {"1GiB": 2**30, "2GiB": 2**31, "off": 0}[projector]
    assert with_it - without == expected
    if more is not None:
        assert with_it - plain == more
