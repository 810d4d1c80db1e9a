"""`mrt fit` starts in a blink, and `mrt ask` advises once: what is loaded, and what is said."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from fit_kit import gpu, machine
from rig.command import Home
from rig.home_setup import configure, run_here, says
from rig.loopback import ScriptedServer
from test_cli import foreign, modules, ours

from mrt.commands._ask_advice import advise_once
from mrt.domain import Target
from mrt.ledger import Store, memory_store
from mrt.memory.hardware import Machine
from mrt.output import Console

MACHINE = {
    "mrt.machine.world",
    "mrt.machine.ram",
    "mrt.machine.nvidia",
    "mrt.machine.apple",
    "mrt.machine.graphics_cards",
}


def test_a_tag_on_a_described_machine_needs_click_alone(store_home: Home) -> None:
    loaded = modules(store_home, "fit", "llama3.1:8b", "--vram", "12GiB")
    assert foreign(loaded) == {"click"}
    assert not ours(loaded) & {
        *MACHINE,
        "mrt.memory.gpus",
        "mrt.config",
        "mrt.providers",
        "mrt.endpoints",
        "mrt.ledger",
    }
    assert not loaded & {"asyncio", "importlib.metadata", "sqlite3", "subprocess", "socket", "ssl", "csv", "tomllib"}


def test_the_ranking_needs_click_alone(store_home: Home) -> None:
    loaded = modules(store_home, "fit", "--gpu", "RTX 3060")
    assert foreign(loaded) == {"click"}
    assert not ours(loaded) & {*MACHINE, "mrt.config", "mrt.providers"}


def test_the_real_machine_is_asked_when_it_is_meant(store_home: Home) -> None:
    loaded = modules(store_home, "fit", "llama3.1:8b")
    assert foreign(loaded) <= {"click", "psutil", "pynvml"}
    assert {"mrt.machine.reading", "mrt.machine.ram"} <= ours(loaded)


def test_its_help_loads_nothing_more(store_home: Home) -> None:
    loaded = modules(store_home, "fit", "--help")
    assert "mrt.commands.fit" in loaded
    assert not {name for name in ours(loaded) if name.startswith(("mrt.memory", "mrt.models", "mrt.machine"))}


# --- the advisory of `mrt ask`

HERE = Target("box", "qwen2.5-coder:14b", "ollama", "chat", "http://127.0.0.1:11434", local=True)
SPILLS = "warning: qwen2.5-coder:14b does not fit the GPU: "
SMALL = machine(gpu(8), ram=32)


def advised(store: Store, target: Target = HERE, there: Machine = SMALL, quiet: bool = False) -> str:
    """What is said on stderr."""
    stderr = io.StringIO()
    advise_once(target, store, Console(None, io.StringIO(), stderr, {}, quiet=quiet), lambda: there)
    return stderr.getvalue()


def test_it_is_said_once_for_a_model_and_a_machine() -> None:
    store = memory_store()
    first = advised(store)
    assert first.startswith(SPILLS)
    assert first.endswith("; `mrt fit qwen2.5-coder:14b` shows what would\n")
    assert first.count("\n") == 1
    assert advised(store) == ""
    assert "qwen2.5-coder:32b does not fit the GPU" in advised(store, replace(HERE, model="qwen2.5-coder:32b"))


def test_quiet_silences_it_and_does_not_use_it_up() -> None:
    store = memory_store()
    assert advised(store, quiet=True) == ""
    assert advised(store).startswith(SPILLS)


@pytest.mark.parametrize(
    "target",
    [
        replace(HERE, model="qwen2.5-coder:7b"),
        replace(HERE, model="nobody-knows-this"),
        replace(HERE, url="http://10.0.0.5:11434"),
        replace(HERE, local=False),
    ],
    ids=["fits", "unknown", "elsewhere", "paid"],
)
def test_there_is_nothing_to_say(target: Target) -> None:
    assert advised(memory_store(), target) == ""


def test_a_small_model_is_said_to_be_bad_at_tools() -> None:
    assert advised(memory_store(), replace(HERE, model="llama3.2:1b")).startswith(
        "warning: models of 3B and less call tools unreliably"
    )


def test_a_machine_that_cannot_be_read_is_no_reason_to_warn() -> None:
    assert advised(memory_store(), there=Machine()) == ""


def test_ask_advises_before_it_answers(store_home: Home) -> None:
    with ScriptedServer({"*": says("Paris.")}) as server:
        endpoint = {"kind": "vllm", "url": server.url}
        configure(store_home, {"tiers.only": {"model": "box/deepseek-r1:671b"}, "endpoints.box": endpoint})
        first, second = (run_here(store_home, "ask", "hi") for _ in range(2))
    assert "warning: deepseek-r1:671b does not fit" in first.stderr
    assert "warning" not in second.stderr
    assert (first.stdout, second.stdout) == ("Paris.\n", "Paris.\n")
