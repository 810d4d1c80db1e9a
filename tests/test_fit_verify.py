"""`mrt fit --verify`: the plan beside llama.cpp's own tool, and beside what a running server says."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from fit_kit import GIB, LLAMA, MIB, data_of, device, gpu, machine, made
from rig.cast import FAST_MODEL
from rig.command import Command
from rig.llama_server import LlamaServer
from rig.scripted_model import write_model

from mrt.commands._fit_verify import compared, verify_server
from mrt.errors import UsageError
from mrt.memory.answer import answer as answered
from mrt.memory.plan import Plan
from mrt.memory.settings import RunSettings
from mrt.models.running import Running
from mrt.output import Console
from mrt.output.fit_verify import Compared

PRINTED = """CUDA0 4403 1024 300
CUDA1 100 0 0
host 281 0 20
"""


def plan(gpus: int = 1) -> Plan:
    """4 GiB of weights and 1 GiB of KV cache on each GPU, a quarter of a GiB on the host."""
    return made([*[device("gpu", 12, 4, 1, layers=32)] * gpus, device("cpu", 64, 0.25)])


def test_each_buffer_beside_the_tools() -> None:
    assert compared(plan(), "CUDA0 4403 1024 300\nhost 281 0 20\n") == [
        Compared("card", "weights", 4096 * MIB, 4403 * MIB),
        Compared("card", "KV cache and state", 1024 * MIB, 1024 * MIB),
        Compared("card", "compute buffer", 0, 300 * MIB),
        Compared("RAM", "weights", 256 * MIB, 281 * MIB),
        Compared("RAM", "KV cache and state", 0, 0),
        Compared("RAM", "compute buffer", 0, 20 * MIB),
    ]


def test_several_gpus_are_compared_in_order() -> None:
    found = [one.found // MIB for one in compared(plan(2), PRINTED) if one.label == "weights"]
    assert found == [4403, 100, 281]


@pytest.mark.parametrize(
    ("planned", "found", "percent"), [(110, 100, 10.0), (100, 100, 0.0), (95, 100, -5.0), (1, 0, None)], ids=str
)
def test_the_difference_is_in_percent_of_what_was_found(planned: int, found: int, percent: float | None) -> None:
    assert Compared("card", "weights", planned, found).difference == percent


# --- the command


@pytest.fixture
def model(models_folder: Path) -> Path:
    """A small model's file."""
    return Path(write_model(FAST_MODEL, models_folder))


def tool(folder: Path, script: str) -> dict[str, str]:
    """An environment whose PATH begins with this `llama-fit-params`."""
    path = folder / "bin" / "llama-fit-params"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {"PATH": f"{path.parent}:/usr/bin:/bin"}


def test_the_tool_is_asked_for_the_same_run(mrt: Command, tmp_path: Path, model: Path) -> None:
    heard = tmp_path / "heard"
    environment = tool(tmp_path, f'echo "$@" > {heard}; echo "host 12 3 4"')
    result = mrt("fit", model, "--verify", "--ctx", "1024", "--json", env=environment)
    assert (result.stderr, result.exit_code) == ("", 0)
    assert heard.read_text() == f"-m {model} -c 1024 -ngl 0 -fa on -np 1 --fit-print on\n"
    data = data_of(result)
    assert data["against"] == "llama-fit-params"
    assert [(one["label"], one["found_bytes"]) for one in data["buffers"]] == [
        ("weights", 12 * MIB),
        ("KV cache and state", 3 * MIB),
        ("compute buffer", 4 * MIB),
    ]


def test_the_comparison_for_people(mrt: Command, tmp_path: Path, model: Path) -> None:
    result = mrt("fit", model, "--verify", env=tool(tmp_path, "echo host 12 3 4"))
    lines = result.stdout.splitlines()
    assert lines[0].endswith(" beside llama-fit-params")
    assert lines[2].split() == ["MiB", "planned", "found", "difference"]
    assert [line.split()[0] for line in lines[4:]] == ["RAM", "RAM", "RAM"]


@pytest.mark.parametrize(
    ("script", "message", "hint"),
    [
        (
            "echo no such option >&2; exit 1",
            "llama-fit-params prints no memory: no such option",
            "its --fit-print came with llama.cpp of April 2026",
        ),
        (
            "exit 0",
            "llama-fit-params prints no memory: it prints nothing",
            "its --fit-print came with llama.cpp of April 2026",
        ),
    ],
    ids=["refuses", "silent"],
)
def test_a_tool_that_does_not_answer(
    mrt: Command, tmp_path: Path, model: Path, script: str, message: str, hint: str
) -> None:
    result = mrt("fit", model, "--verify", env=tool(tmp_path, script))
    assert (result.stdout, result.stderr, result.exit_code) == ("", f"error: {message}\nhint: {hint}\n", 3)


def test_without_the_tool_it_is_said_what_to_install(mrt: Command, model: Path) -> None:
    result = mrt("fit", model, "--verify", env={"PATH": "/nowhere"})
    assert result.exit_code == 2
    assert result.stderr.startswith("error: llama-fit-params of llama.cpp is not on the PATH\nhint: install llama.cpp")


def test_a_name_has_no_file_to_verify(mrt: Command) -> None:
    result = mrt("fit", "qwen3:8b", "--verify")
    assert result.stderr.startswith("error: --verify needs a GGUF file or a running server\n")
    assert result.exit_code == 2


def test_a_running_server_is_planned_as_it_runs(mrt: Command, llama_fast: LlamaServer) -> None:
    result = mrt("fit", "--endpoint", "llamacpp", "--vram", "8GiB", "--json", env={"LLAMACPP_BASE_URL": llama_fast.url})
    assert (result.stderr, result.exit_code) == ("", 0)
    settings = data_of(result)["settings"]
    assert (settings["context_length"], settings["parallel"]) == (8192, 2)


def test_what_a_server_and_the_driver_say() -> None:
    answer = answered(LLAMA, RunSettings(8192, outputs=1), machine(replace(gpu(12), free_bytes=6 * GIB)))
    stdout = io.StringIO()
    console = Console(None, stdout, io.StringIO(), {})
    assert verify_server(Running(LLAMA, vram_bytes=5 * GIB), answer, console) == 0
    lines = [line.split("  ") for line in stdout.getvalue().splitlines()]
    assert [[cell.strip() for cell in line if cell.strip()] for line in lines[4:]] == [
        ["GPUs", "as the server says", "5,874", "5,120", "+14.7 %"],
        ["GPUs", "all that is in use now", "5,874", "6,144", "-4.4 %"],
    ]


def test_a_server_that_says_nothing_on_a_machine_without_gpu() -> None:
    answer = answered(LLAMA, RunSettings(8192), machine(ram=64))
    with pytest.raises(UsageError, match="neither the server nor a driver"):
        verify_server(Running(LLAMA), answer, Console(None, io.StringIO(), io.StringIO(), {}))
