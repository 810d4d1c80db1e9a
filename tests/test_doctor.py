"""`mrt doctor`: every problem is found, and comes with the command that mends it."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ledger_kit import booking
from rig.command import Command, Home
from rig.home_setup import configure, run_here, store_path
from rig.loopback import ScriptedServer
from rig.probe_servers import KEY, config_of, endpoint, named_places, routes

from mrt.commands._probe_examine import terminal_finding
from mrt.endpoints.checkup import Finding, problems
from mrt.endpoints.checkup.machine import clock_finding, gpu_findings, store_findings
from mrt.endpoints.checkup.setup import key_findings, mode_findings, python_finding
from mrt.ledger import open_store, reserve
from mrt.memory.hardware import Gpu, Machine
from mrt.output import Console
from mrt.output.checkup import checkup_text

NOWHERE = {"LOCAL_LLM_BASE_URL": "http://127.0.0.1:9"}
NOW = datetime(2027, 1, 15, 8, 0, tzinfo=UTC).timestamp()
AREAS = ["python", "config", "file mode", "key", "endpoint", "tier", "clock", "GPU", "store", "terminal"]
as_owner = pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")


@pytest.fixture
def ollama() -> Iterator[ScriptedServer]:
    """A captured Ollama."""
    with ScriptedServer(routes("ollama")) as server:
        yield server


def settle(home: Home, server: ScriptedServer, model: str = "tiny", **fields: Any) -> None:
    """One tier, its model at that server."""
    box = {"kind": "ollama", "url": server.url, **fields}
    configure(home, {"tiers.one": {"model": f"box/{model}"}, "endpoints.box": box})


def examined(home: Home, *arguments: str, **env: str) -> tuple[int, list[Finding]]:
    """The exit code and the findings."""
    result = run_here(home, "doctor", "--json", *arguments, env={**NOWHERE, **env})
    document = json.loads(result.stdout)
    found = [Finding(**one) for one in document["data"]["findings"]]
    assert len(document["errors"]) == len(problems(found))
    return result.exit_code, found


def test_a_machine_where_all_is_well(store_home: Home, ollama: ScriptedServer) -> None:
    settle(store_home, ollama)
    code, found = examined(store_home)
    assert (code, problems(found)) == (0, [])
    assert list(dict.fromkeys(one.area for one in found if one.area not in ("setting", "RAM"))) == AREAS
    details = [one.detail for one in found]
    assert f"box: ollama 0.33.0-rc2 at {ollama.url}, 9 models" in details
    assert "one (box/tiny) is ready" in details
    assert "box: none" in details


def test_it_is_the_same_under_both_names(store_home: Home, ollama: ScriptedServer) -> None:
    settle(store_home, ollama)
    long = run_here(store_home, "probe", "doctor", env=NOWHERE)
    short = run_here(store_home, "doctor", env=NOWHERE)
    assert (long.exit_code, short.exit_code) == (0, 0)
    assert [line.split()[:2] for line in long.stdout.splitlines()] == [
        line.split()[:2] for line in short.stdout.splitlines()
    ]


def test_a_missing_model_comes_with_the_command_that_pulls_it(store_home: Home, ollama: ScriptedServer) -> None:
    settle(store_home, ollama, "qwen3:8b")
    code, found = examined(store_home)
    assert code == 3
    assert problems(found) == [
        Finding("tier", "problem", "one (box/qwen3:8b): box has no model qwen3:8b", "ollama pull qwen3:8b")
    ]


def test_a_server_that_is_down_comes_with_the_command_that_starts_it(store_home: Home) -> None:
    configure(store_home, {"tiers.one": {"model": "ollama/tiny"}})
    code, found = examined(store_home)
    assert code == 3
    endpoint_problem, tier_problem = problems(found)
    assert endpoint_problem.detail.startswith("ollama does not answer: cannot connect to http://127.0.0.1:9")
    assert tier_problem.detail == "one (ollama/tiny) cannot answer: ollama does not answer"
    assert endpoint_problem.hint == tier_problem.hint == "start it: ollama serve"


def test_a_broken_config_is_all_that_is_said_of_it(store_home: Home) -> None:
    path = store_home.config / "mrt" / "config.toml"
    path.parent.mkdir()
    path.write_text("[tiers.one]\nmodel = 5\n")
    code, found = examined(store_home)
    assert code == 3
    assert [one.area for one in problems(found)] == ["config"]
    assert f"{path}:2" in problems(found)[0].detail
    assert "endpoint" not in [one.area for one in found]
    assert "store" in [one.area for one in found]


def test_where_settings_come_from_is_told_with_v(store_home: Home, ollama: ScriptedServer) -> None:
    settle(store_home, ollama)
    path = store_home.config / "mrt" / "config.toml"
    loud = run_here(store_home, "doctor", "-v", env={**NOWHERE, "MRT_BUDGET_DAILY_USD": "1"})
    assert f"tiers.one.model: {path}:2" in loud.stdout
    assert "budget.daily_usd: MRT_BUDGET_DAILY_USD" in loud.stdout
    assert f"{path}; settings: 3 in the file, 1 from the environment" in loud.stdout
    assert "tiers.one.model" not in run_here(store_home, "doctor", env=NOWHERE).stdout


KEYS: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "env": ({"key_env": "K"}, {"K": KEY}, "environment variable K"),
    "env-not-set": ({"key_env": "K"}, {}, "environment variable K (not set)"),
    "cmd": ({"key_cmd": "pass show box"}, {}, "command: pass show box"),
    "cmd-with-a-key-in-it": ({"key_cmd": f"echo {KEY}"}, {}, "command: echo ***"),
    "file": ({"key_file": "/keys/box"}, {}, "file /keys/box"),
    "none": ({}, {}, "none"),
}


@pytest.mark.parametrize(("fields", "environment", "text"), KEYS.values(), ids=KEYS)
def test_where_a_key_comes_from_and_never_the_key(
    fields: dict[str, Any], environment: dict[str, str], text: str
) -> None:
    places = named_places(config_of(endpoint("box", "litellm", "http://box:4000", **fields)), environment)
    assert [one.detail for one in key_findings(places)] == [f"box: {text}"]


@pytest.mark.parametrize(
    ("provider", "environment", "text"),
    [
        ("vllm", {"VLLM_API_KEY": KEY, "LOCAL_LLM_API_KEY": "x"}, "environment variable VLLM_API_KEY"),
        ("vllm", {"VLLM_BASE_URL": "http://box", "LOCAL_LLM_API_KEY": KEY}, "environment variable LOCAL_LLM_API_KEY"),
        ("vllm", {"VLLM_BASE_URL": "http://box"}, "none, and none is needed"),
        ("groq", {"GROQ_API_KEY": KEY}, "environment variable GROQ_API_KEY"),
        ("groq", {"GROQ_BASE_URL": "http://box"}, "none (GROQ_API_KEY is not set)"),
    ],
)
def test_where_a_provider_s_key_comes_from(provider: str, environment: dict[str, str], text: str) -> None:
    places = named_places(config_of(), environment)
    assert f"{provider}: {text}" in [one.detail for one in key_findings(places)]


def test_an_old_python() -> None:
    found = python_finding((3, 9))
    assert (found.level, found.hint) == ("problem", "install Python 3.11")
    assert python_finding().level == "ok"


@pytest.mark.skipif(os.name != "posix", reason="modes mean nothing here")
def test_a_key_that_others_can_read(tmp_path: Path) -> None:
    file = tmp_path / "my key"
    file.write_text(KEY)
    file.chmod(0o644)
    config = config_of(endpoint("box", "litellm", "http://box:4000", key_file=str(file)))
    environment = {"HOME": str(tmp_path)}
    (found,) = mode_findings(config, environment)
    assert (found.level, found.hint) == ("problem", f"chmod 600 '{file}'")
    file.chmod(0o600)
    assert [one.level for one in mode_findings(config, environment)] == ["ok"]


@pytest.mark.skipif(os.name != "posix", reason="modes mean nothing here")
@pytest.mark.parametrize(("mode", "level"), [(0o644, "ok"), (0o664, "ok"), (0o666, "warning")])
def test_a_configuration_that_others_can_change(tmp_path: Path, mode: int, level: str) -> None:
    """It names commands that are run."""
    file = tmp_path / "config.toml"
    file.touch()
    file.chmod(mode)
    first, *_ = mode_findings(replace(config_of(), path=file), {"HOME": str(tmp_path)})
    assert first.level == level
    assert level == "ok" or (first.detail, first.hint) == (f"others can write to {file}", f"chmod go-w {file}")


def test_gpus_notes_and_a_driver_that_fails() -> None:
    machine = Machine((Gpu("RTX 4090", "cuda", 24 * 2**30, 20 * 2**30),), 64 * 2**30, None, notes=("the driver sulks",))
    assert list(gpu_findings(lambda: machine)) == [
        Finding("GPU", "ok", "RTX 4090 (cuda): 24.0 GiB, 20.0 GiB free"),
        Finding("GPU", "warning", "the driver sulks"),
        Finding("RAM", "ok", "64.0 GiB"),
    ]

    def broken() -> Machine:
        raise RuntimeError("no reading")

    (found,) = gpu_findings(broken)
    assert (found.level, found.detail) == ("warning", "the machine cannot be read: RuntimeError: no reading")


def test_a_store_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "spend.db"
    (found,) = store_findings({"MRT_DB": str(path)}, NOW)
    assert (found.level, found.detail) == ("ok", f"{path} will be made by the first call")
    assert list(tmp_path.iterdir()) == []


@as_owner
def test_a_store_that_cannot_be_made(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    (found,) = store_findings({"MRT_DB": str(locked / "spend.db")}, NOW)
    assert (found.level, found.hint) == ("problem", f"chmod u+wx {locked}")


def test_a_store_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "spend.db"
    path.write_bytes(b"this is no database, whatever its name says" * 100)
    (found,) = store_findings({"MRT_DB": str(path)}, NOW)
    assert (found.area, found.level) == ("store", "problem")
    assert found.hint


@pytest.mark.skipif(os.name != "posix", reason="modes mean nothing here")
def test_a_store_that_others_can_read(store_home: Home, ollama: ScriptedServer) -> None:
    settle(store_home, ollama)
    path = store_path(store_home)
    open_store(path).close()
    path.chmod(0o644)
    code, found = examined(store_home)
    assert code == 3
    assert (problems(found)[0].hint or "").startswith(f"chmod 600 {path}")


def test_a_clock_that_went_back(tmp_path: Path) -> None:
    path = tmp_path / "spend.db"
    store = open_store(path, lambda: NOW + 3600)
    reserve(store, booking(), None)
    store.close()
    found = [one for one in store_findings({"MRT_DB": str(path)}, NOW) if one.area == "clock"]
    assert [one.detail for one in found] == ["the last booked call lies 3600 s in the future"]
    assert [one for one in store_findings({"MRT_DB": str(path)}, NOW + 3600) if one.area == "clock"] == []


def test_what_time_it_is() -> None:
    good = clock_finding(config_of(), {"TZ": "Europe/Berlin"}, NOW)
    assert (good.level, good.detail) == ("ok", "2027-01-15 08:00 UTC; budgets count days in Europe/Berlin")
    past = clock_finding(config_of(), {}, 0.0)
    assert (past.level, past.detail) == ("problem", "the clock says 1970-01-01, which is over")


def test_the_terminal(mrt: Command, ollama: ScriptedServer) -> None:
    settle(mrt.home, ollama)
    shown = mrt("doctor", env=NOWHERE, tty=True)
    assert "terminal   xterm-256color, 80 x 24, colours" in shown.stdout
    latin = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    found = terminal_finding(Console(None, latin, latin, {}))
    assert (found.level, found.detail) == ("warning", "it shows latin-1, not UTF-8")


def test_the_text_to_the_letter() -> None:
    assert checkup_text([Finding("python", "ok", "3.12")]) == "ok       python  3.12\n\nall is well"
    found = [
        Finding("python", "ok", "Python 3.12", "never shown"),
        Finding("tier", "problem", "one\x1b[31m is lost", "mend\nit"),
        Finding("endpoint", "warning", "odd", "look"),
    ]
    assert (
        checkup_text(found)
        == """\
ok       python    Python 3.12
problem  tier      one is lost
                   hint: mend it
warning  endpoint  odd
                   hint: look

1 problem, 1 warning"""
    )
