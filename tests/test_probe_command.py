"""`mrt probe` as a user runs it: what it looks at, what it ends with, how it waits and watches."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from rig.command import Command, Home
from rig.home_setup import configure, run_here
from rig.loopback import ScriptedServer, in_turn
from rig.probe_servers import asked, black_hole, document, lm_studio, routes
from rig.responses import json_response

# Nothing of the machine that runs the tests: all usual ports are one where nobody listens.
NOWHERE = {"LOCAL_LLM_BASE_URL": "http://127.0.0.1:9"}


@pytest.fixture
def ollama() -> Iterator[ScriptedServer]:
    """A captured Ollama."""
    with ScriptedServer(routes("ollama")) as server:
        yield server


def tables(models: Mapping[str, str], **endpoints: tuple[str, str]) -> dict[str, dict[str, Any]]:
    """Tiers by name, and endpoints of a kind at a url."""
    found: dict[str, dict[str, Any]] = {f"tiers.{tier}": {"model": model} for tier, model in models.items()}
    return found | {f"endpoints.{name}": {"kind": kind, "url": url} for name, (kind, url) in endpoints.items()}


def probe(home: Home, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the JSON of a probe."""
    result = run_here(home, "probe", "--json", *arguments, env=NOWHERE)
    return result.exit_code, json.loads(result.stdout)


def test_all_is_ready(store_home: Home, ollama: ScriptedServer) -> None:
    configure(store_home, tables({"one": "box/tiny", "two": "box/slow:latest"}, box=("ollama", ollama.url)))
    code, found = probe(store_home)
    assert code == 0
    assert found["errors"] == []
    assert found["command"] == "probe"
    names = [one["name"] for one in found["data"]["endpoints"]]
    assert names[0] == "box"
    assert set(names) == {"box", "ollama", "litellm"}  # the usual ports are one place here, and LiteLLM's
    assert [(tier["tier"], tier["ready"], tier["listed"]) for tier in found["data"]["tiers"]] == [
        ("one", True, True),
        ("two", True, True),
    ]


def test_a_tier_whose_endpoint_is_not_ready_ends_with_3(store_home: Home, ollama: ScriptedServer) -> None:
    configure(store_home, tables({"one": "box/tiny", "two": "vllm/m"}, box=("ollama", ollama.url)))
    code, found = probe(store_home)
    assert code == 3
    (error,) = found["errors"]
    assert (error["code"], error["exit_code"]) == ("unreachable", 3)
    assert error["message"].startswith("tier two does not answer: cannot connect to http://127.0.0.1:9")
    assert error["hint"] == "start it: vllm serve MODEL"


def test_the_text_names_only_the_troubles_of_what_is_set_up(store_home: Home, ollama: ScriptedServer) -> None:
    configure(store_home, tables({"one": "box/tiny", "two": "box/none"}, box=("ollama", ollama.url)))
    result = run_here(store_home, "probe", env=NOWHERE)
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.search(r"^ollama +ollama +down ", result.stdout, re.MULTILINE)
    assert result.stdout.endswith(
        "\n\ntwo: box has no model none; it has tiny512:latest\n  hint: ollama pull none\n"
    ) or result.stdout.endswith("\n\ntwo: box has no model none\n  hint: ollama pull none\n")


def test_one_endpoint_or_one_tier_alone(store_home: Home, ollama: ScriptedServer) -> None:
    with ScriptedServer(lm_studio()) as studio:
        configure(
            store_home,
            tables(
                {"one": "box/tiny", "two": "studio/qwen/qwen3-8b", "three": "vllm/m"},
                box=("ollama", ollama.url),
                studio=("lm_studio", studio.url),
            ),
        )
        code, found = probe(store_home, "--tier", "one")
        assert studio.requests == []
        assert (code, [tier["tier"] for tier in found["data"]["tiers"]]) == (0, ["one"])
        code, found = probe(store_home, "--endpoint", "studio")
        assert [one["name"] for one in found["data"]["endpoints"]] == ["studio"]
        assert (code, [tier["tier"] for tier in found["data"]["tiers"]]) == (0, ["two"])
        code, found = probe(store_home, "--endpoint", "vllm")
        assert (code, found["errors"][0]["message"][:20]) == (3, "vllm does not answer")


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["--endpoint", "olama"], "no endpoint 'olama' (did you mean ollama?)", "`mrt probe` lists them"),
        (
            ["--tier", "locl-fast"],
            "no tier 'locl-fast' (did you mean local-fast?)",
            "`mrt config show` lists the tiers",
        ),
        (
            ["--tier", "cloud", "--endpoint", "ollama"],
            "--endpoint and --tier name two things to look at",
            "leave one of them out",
        ),
        (["--wait", "--watch"], "--wait and --watch contradict each other", "leave one of them out"),
        (["--deep", "ollama/x", "--wait"], "--wait and --deep contradict each other", "leave one of them out"),
        (["--interval", "3"], "--interval belongs to --watch", "add --watch"),
        (["--yes"], "--yes belongs to --deep", "add --deep"),
        (["--timeout", "0"], "Invalid value for '--timeout': 0.0 is not in the range", "`mrt probe --help`"),
        (["--timeout", "nan"], "Invalid value for '--timeout'", "`mrt probe --help`"),
        (["--timeout", "3", "models"], "the options of the probe come without a command", "`mrt probe --help`"),
        (["modles"], "No such command 'modles'", "`mrt probe --help`"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_makes_no_sense_is_said_before_anything_is_asked(
    store_home: Home, arguments: list[str], message: str, hint: str
) -> None:
    result = run_here(store_home, "probe", *arguments, env=NOWHERE)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert hint in result.stderr


def test_a_tier_that_leads_nowhere(store_home: Home) -> None:
    configure(store_home, tables({"one": "nowhere/m"}))
    code, found = probe(store_home)
    assert code == 3
    assert found["data"]["tiers"][0]["endpoint"] is None
    assert found["errors"][0]["message"].startswith("tier one cannot be used: unknown provider or endpoint 'nowhere'")


def test_the_names_of_one_usual_port_are_one_place_called_by_what_is_there(store_home: Home) -> None:
    with ScriptedServer(routes("llama_swap")) as swap:
        configure(store_home, tables({"one": "box/tiny"}, box=("llama_swap", "http://127.0.0.1:9")))
        result = run_here(store_home, "probe", "--json", env={"LOCAL_LLM_BASE_URL": swap.url})
        assert asked(swap).count("/running") == 1
    found = {one["name"]: one["state"] for one in json.loads(result.stdout)["data"]["endpoints"]}
    assert {name: state for name, state in found.items() if name != "litellm"} == {"box": "down", "llama_swap": "ready"}


def test_a_variable_that_leads_to_an_endpoint_is_no_second_place(store_home: Home, ollama: ScriptedServer) -> None:
    configure(store_home, tables({"one": "box/tiny"}, box=("ollama", ollama.url)))
    env = NOWHERE | {"OLLAMA_BASE_URL": f"{ollama.url}/v1", "LITELLM_BASE_URL": NOWHERE["LOCAL_LLM_BASE_URL"]}
    found = json.loads(run_here(store_home, "probe", "--json", env=env).stdout)["data"]
    assert [one["name"] for one in found["endpoints"]] == ["box", "litellm"]


def test_models_of_all_endpoints_or_of_one(store_home: Home, ollama: ScriptedServer) -> None:
    with ScriptedServer(lm_studio()) as studio:
        configure(
            store_home,
            tables({"one": "box/tiny"}, box=("ollama", ollama.url), studio=("lm_studio", studio.url)),
        )
        names = run_here(store_home, "probe", "models", "--names", env=NOWHERE)
        one = run_here(store_home, "probe", "models", "--names", "--endpoint", "studio", env=NOWHERE)
        data = run_here(store_home, "probe", "models", "--json", env=NOWHERE)
    assert one.stdout == "studio/qwen/qwen3-8b\nstudio/text-embedding-nomic\n"
    assert len(names.stdout.splitlines()) == 11
    row = json.loads(data.stdout)["data"]["models"][-1]
    assert (row["name"], row["endpoint"], row["kind"], row["embedding"]) == (
        "studio/text-embedding-nomic",
        "studio",
        "lm_studio",
        True,
    )
    # The servers are gone: only what was seen is left.
    cached = run_here(store_home, "probe", "models", "--names", "--cached", env=NOWHERE)
    assert sorted(cached.stdout.splitlines()) == sorted(names.stdout.splitlines())
    gone = run_here(store_home, "probe", "models", "--endpoint", "studio", env=NOWHERE)
    assert (gone.exit_code, gone.stdout) == (3, "")
    assert gone.stderr.startswith("error: studio does not answer: cannot connect")


def loading(times: int) -> dict[str, Any]:
    """A llama.cpp that answers "Loading model" so many times, and then is there."""
    busy = json_response(503, {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}})
    there = routes("llamacpp")
    return there | {"/props": in_turn(*[busy] * times, *[there["/props"]] * 5)}  # type: ignore[list-item]


def test_waiting_until_a_model_is_loaded(store_home: Home) -> None:
    with ScriptedServer(loading(2)) as server:
        configure(store_home, tables({"one": "box/m", "two": "vllm/x"}, box=("llamacpp", server.url)))
        code, found = probe(store_home, "--wait", "--tier", "one", "--timeout", "60")
    assert (code, found["data"]["tiers"][0]["state"]) == (0, "ready")
    assert asked(server).count("/props") == 3


def test_waiting_ends_with_the_time(store_home: Home) -> None:
    with ScriptedServer(routes("llamacpp-loading")) as server:
        configure(store_home, tables({"one": "box/m"}, box=("llamacpp", server.url)))
        result = run_here(store_home, "probe", "--wait", "--timeout", "0.3", env=NOWHERE)
    assert (result.exit_code, result.stdout) == (124, "")
    assert result.stderr == (
        "error: not ready after 0.3 s: one: it is loading its model\nhint: raise --timeout, or see `mrt probe doctor`\n"
    )


def test_waiting_for_a_model_that_is_being_pulled(store_home: Home) -> None:
    tags = document("ollama", "/api/tags")
    without = {"models": [row for row in tags["models"] if row["name"] != "tiny:latest"]}
    pulled = in_turn(json_response(200, without), *[json_response(200, tags)] * 3)
    with ScriptedServer(routes("ollama", api__tags=pulled)) as server:
        configure(store_home, tables({"one": "box/tiny"}, box=("ollama", server.url)))
        code, _ = probe(store_home, "--wait", "--timeout", "60")
    assert code == 0
    assert asked(server).count("/api/tags") == 2


@pytest.mark.parametrize(
    ("model", "kind", "code", "words"),
    [
        ("box/m", "openai", 4, "error: one: no key for box"),
        ("nowhere/m", "openai", 2, "error: one: unknown provider or endpoint 'nowhere'"),
    ],
    ids=["no-key", "leads-nowhere"],
)
def test_waiting_ends_at_once_where_it_cannot_help(
    store_home: Home, model: str, kind: str, code: int, words: str
) -> None:
    server = json_response(401, {"error": {"message": "no"}})
    with ScriptedServer({"*": server}) as box:
        found = tables({"one": model}, box=(kind, box.url))
        configure(store_home, found)
        result = run_here(store_home, "probe", "--wait", "--timeout", "60", env=NOWHERE)
    assert result.exit_code == code
    assert result.stderr.startswith(words) or "it wants a key" in result.stderr


def test_watching_through_a_pipe_is_one_picture_after_the_other(mrt: Command, ollama: ScriptedServer) -> None:
    configure(mrt.home, tables({"one": "box/tiny"}, box=("ollama", ollama.url)))
    with mrt.start("probe", "--watch", "--interval", "0.1", "--endpoint", "box") as process:
        assert process.stdout is not None
        shown = b""
        while shown.count(b"endpoint ") < 5:
            shown += os.read(process.stdout.fileno(), 65536)
        process.send_signal(signal.SIGINT)
        process.wait(20)
    assert b"\x1b" not in shown
    assert process.returncode in {-signal.SIGINT, 130}
    assert b"\n\nendpoint" in shown


def test_a_black_hole_costs_the_timeout_it_is_given(store_home: Home, ollama: ScriptedServer) -> None:
    with black_hole() as hole:
        configure(store_home, tables({"one": "box/tiny"}, box=("ollama", ollama.url), hole=("litellm", hole)))
        start = time.monotonic()
        code, found = probe(store_home, "--timeout", "0.4")
        took = time.monotonic() - start
    states = {one["name"]: one["state"] for one in found["data"]["endpoints"]}
    assert (code, states["box"], states["hole"]) == (0, "ready", "down")
    assert 0.4 <= took < 3


def test_the_help_names_every_command(mrt: Command) -> None:
    result = mrt("probe", "--help")
    assert result.stdout.startswith("Examples:\n  mrt probe\n")
    assert re.search(r"^  doctor +Examine", result.stdout, re.MULTILINE)
    assert re.search(r"^  models +List", result.stdout, re.MULTILINE)


def completed(home: Home, words: str, mrt: Command) -> list[str]:
    """What bash would be offered."""
    env = {"_MRT_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    return [line.partition(",")[2] for line in mrt(env=env).stdout.splitlines()]


def test_models_are_completed_from_what_was_seen(mrt: Command, ollama: ScriptedServer) -> None:
    configure(mrt.home, tables({"one": "box/tiny"}, box=("ollama", ollama.url)))
    run_here(mrt.home, "probe", env=NOWHERE)
    before = len(ollama.requests)
    assert completed(mrt.home, "mrt ask -m box/t", mrt) == ["box/tiny512:latest", "box/think:latest", "box/tiny:latest"]
    assert completed(mrt.home, "mrt ask -m o", mrt) == ["one"]
    assert completed(mrt.home, "mrt probe --endpoint b", mrt) == ["box"]
    assert completed(mrt.home, "mrt probe --tier o", mrt) == ["one"]
    assert completed(mrt.home, "mrt probe --deep box/slow", mrt) == ["box/slow:latest"]
    assert completed(mrt.home, "mrt probe do", mrt) == ["doctor"]
    assert len(ollama.requests) == before


def test_what_a_server_calls_its_models_does_nothing_in_a_shell(mrt: Command) -> None:
    rude = ["good:1b", "$(touch pwned)", "a;b", "`id`", "two words", "new\nline", "tick'"]
    tags = json_response(200, {"models": [{"name": name} for name in rude]})
    with ScriptedServer(routes("ollama", api__tags=tags)) as server:
        configure(mrt.home, tables({"one": "box/tiny"}, box=("ollama", server.url)))
        run_here(mrt.home, "probe", env=NOWHERE)
    assert completed(mrt.home, "mrt ask -m box/", mrt) == ["box/good:1b"]


def test_completion_of_a_broken_configuration_is_what_was_seen(
    mrt: Command, ollama: ScriptedServer, tmp_path: Path
) -> None:
    configure(mrt.home, tables({"one": "box/tiny"}, box=("ollama", ollama.url)))
    run_here(mrt.home, "probe", env=NOWHERE)
    (mrt.home.config / "mrt" / "config.toml").write_text("[tiers")
    assert completed(mrt.home, "mrt ask -m box/slow", mrt) == ["box/slow:latest"]
