"""The scripts of the README, run from its own text: real bash, git, xargs and jq, real llama.cpp servers, a cloud that counts."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from readme_kit import ROOT, blocks
from readme_world import CLOUD_ANSWER, NOWHERE, Machine, need
from rig.command import Result
from rig.home_setup import calls
from rig.loopback import Action
from rig.responses import anthropic_sse, json_response
from rig.wire_anthropic import block, delta, start

RECIPES = {each.name: each.text for each in blocks() if each.mark and each.mark[0] == "recipe"}
AUTHOR = {f"GIT_{who}_{what}": "nobody@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
MESSAGE = "Retry a connection that was lost"
ONLY_CLOUD = '[tiers.cloud]\nmodel = "anthropic/claude-haiku-4-5"\n[budget]\ndaily_usd = 0.03\n'


def asked_of_the_cloud(where: Machine) -> list[str]:
    """The prompts that left for the cloud."""
    posts = (request for request in where.cloud.requests if request.method == "POST")
    return [request.json()["messages"][-1]["content"] for request in posts]


def spent_nano(where: Machine) -> int:
    """What is booked, in billionths of a dollar."""
    return sum(call["cost_nano"] or 0 for call in calls(where.home))


def write(folder: Path, texts: Mapping[str, str]) -> None:
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_text(text)


@pytest.fixture
def repository(readme_machine: Machine) -> Machine:
    """The machine in a git repository with one commit and one change."""
    need("git")
    begin = "git init -q && echo 'connect()' > net.py && git add . && git commit -q -m begin && echo 'retry(connect)' > net.py"
    assert readme_machine.bash(begin, env=AUTHOR).exit_code == 0
    return readme_machine


def test_a_commit_message_from_a_diff(repository: Machine) -> None:
    done = repository.bash(RECIPES["commit-message"])
    assert (done.exit_code, done.stdout, done.stderr) == (0, f"{MESSAGE}\n", "")
    (call,) = calls(repository.home)
    diff = repository.bash("git diff").stdout
    assert call["input_tokens"] > len(diff) > 0  # the model takes one token a character
    assert call["local"] == 1


@pytest.mark.parametrize(
    ("commit", "env", "subject"),
    [
        ("git commit -q -a", {"GIT_EDITOR": "true"}, MESSAGE),
        ("git commit -q -a -m typed", {}, "typed"),
        (
            "git commit -q -a",
            {
                "GIT_EDITOR": "sh -c 'echo by hand > \"$1\"' sh",
                "LLAMACPP_BASE_URL": NOWHERE,
                "MRT_ENDPOINTS_BOX_URL": NOWHERE,
            },
            "by hand",
        ),
    ],
    ids=["proposed", "typed", "no-server"],
)
def test_a_git_hook_proposes_and_never_stands_in_the_way(
    repository: Machine, commit: str, env: dict[str, str], subject: str
) -> None:
    hook = repository.folder / ".git" / "hooks" / "prepare-commit-msg"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(RECIPES["git-hook"])
    hook.chmod(0o755)
    done = repository.bash(f"{commit} && git log -1 --format=%s", env={**AUTHOR, **env})
    assert (done.exit_code, done.stdout) == (0, f"{subject}\n"), done.stderr
    assert asked_of_the_cloud(repository) == []


NOTES = {f"note {number}.txt": f"Page {number} is about water.\n" for number in range(6)}


def test_a_map_over_files_books_every_call(readme_machine: Machine) -> None:
    write(readme_machine.folder / "notes", NOTES)
    done = readme_machine.bash(RECIPES["map"])
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
    summaries = sorted((readme_machine.folder / "notes").glob("*.summary"))
    assert [path.name for path in summaries] == [name.replace(".txt", ".summary") for name in sorted(NOTES)]
    assert {path.read_text() for path in summaries} == {"A page about water, in a single line.\n"}
    assert [call["tag"] for call in calls(readme_machine.home)] == ["notes"] * len(NOTES)


def test_a_map_over_files_keeps_to_the_budget(readme_machine: Machine) -> None:
    readme_machine.config.write_text(ONLY_CLOUD)
    write(readme_machine.folder / "notes", NOTES)
    done = readme_machine.bash(RECIPES["map"])
    assert done.exit_code == 123
    written = list((readme_machine.folder / "notes").glob("*.summary"))
    assert 1 <= len(written) == len(asked_of_the_cloud(readme_machine)) <= 3
    assert done.stderr.count("the daily budget of $0.03 does not allow this call") == len(NOTES) - len(written)
    assert 0 < spent_nano(readme_machine) <= 30_000_000


LETTERS = {f"{number}.txt": f"My dear friend, this is letter {number}, and it is private.\n" for number in range(3)}


def test_what_is_extracted_locally_is_all_that_leaves(readme_machine: Machine) -> None:
    write(readme_machine.folder / "letters", LETTERS)
    done = readme_machine.bash(RECIPES["extract-and-synthesize"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert (readme_machine.folder / "digest.txt").read_text() == f"{CLOUD_ANSWER}\n"
    (prompt,) = asked_of_the_cloud(readme_machine)
    assert prompt.count("Ada Lovelace, 10 December 1815") == len(LETTERS)
    assert "private" not in prompt
    assert re.search(r"^digest +4 .* \$0\.00415$", done.stdout, re.MULTILINE)


def test_an_extraction_that_fails_ends_the_script_before_anything_is_paid(readme_machine: Machine) -> None:
    write(readme_machine.folder / "letters", LETTERS)
    dead = {"LLAMACPP_BASE_URL": NOWHERE, "MRT_ENDPOINTS_BOX_URL": NOWHERE}
    done = readme_machine.bash(RECIPES["extract-and-synthesize"], env=dead)
    assert done.exit_code == 3
    assert asked_of_the_cloud(readme_machine) == []
    assert not (readme_machine.folder / "digest.txt").exists()


@pytest.mark.parametrize(
    ("limit", "mailed"),
    [("1.0", ""), ("0.005", "over: daily "), ("0.004", "over: daily ")],
    ids=["within", "nearly", "over"],
)
def test_cron_mails_when_the_budget_is_nearly_used(readme_machine: Machine, limit: str, mailed: str) -> None:
    assert readme_machine.bash("mrt ask -q --tier cloud hello").exit_code == 0
    readme_machine.limit(limit)
    *_, command = RECIPES["cron"].rstrip("\n").split(maxsplit=5)
    assert "%" not in command  # cron would end the line there
    home = readme_machine.home.path
    # Cron knows no XDG folders.
    (home / ".config").symlink_to(readme_machine.home.config)
    (home / ".local" / "share").symlink_to(readme_machine.home.data)
    bare = ["env", "-i", f"HOME={home}", "PATH=/usr/bin:/bin", "SHELL=/bin/sh", "TZ=UTC", "/bin/sh", "-c", command]
    done = subprocess.run(bare, cwd=home, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(mailed)
    assert done.stdout.count("\n") == bool(mailed)


ASSERTS = 'assert slug("A b") == "a-b"\n'


def _gate(where: Machine, script: str = RECIPES.get("gate", ""), env: Mapping[str, str] | None = None) -> Result:
    tests = where.folder / "test_slug.py"
    if not tests.exists():
        tests.write_text(ASSERTS)
    return where.bash(script, env=env)


def test_the_gate_is_open_when_all_is_well(readme_machine: Machine) -> None:
    if readme_machine.bash("mrt bench doctor").exit_code != 0:
        pytest.skip("no sandbox works here")
    done = _gate(readme_machine)
    assert done.exit_code == 0, done.stderr
    assert "def slug(text)" in (readme_machine.folder / "slug.py").read_text()


def _misspell(where: Machine) -> Result:
    where.config.write_text(where.config.read_text().replace("max_complexity", "max_complexitty"))
    return _gate(where)


def _smaller_card(where: Machine) -> Result:
    return _gate(where, RECIPES["gate"].replace("8GiB", "5GiB"))


def _server_down(where: Machine) -> Result:
    return _gate(where, RECIPES["gate"].replace("--timeout 60", "--timeout 0.5"), {"LLAMACPP_BASE_URL": NOWHERE})


def _nothing_left(where: Machine) -> Result:
    assert where.bash("mrt ask -q --tier cloud hello").exit_code == 0
    where.limit("0.004")
    return _gate(where)


def _hopeless_tests(where: Machine) -> Result:
    if where.bash("mrt bench doctor").exit_code != 0:
        pytest.skip("no sandbox works here")
    (where.folder / "test_slug.py").write_text('assert slug("A b") == "something else"\n')
    return _gate(where)


CLOSED: dict[str, tuple[Callable[[Machine], Result], int]] = {
    "config": (_misspell, 2),
    "fit": (_smaller_card, 9),
    "probe": (_server_down, 124),
    "budget": (_nothing_left, 5),
    "tests": (_hopeless_tests, 7),
}


@pytest.mark.parametrize(("breaking", "code"), CLOSED.values(), ids=CLOSED)
def test_the_gate_closes_with_the_code_it_says(
    readme_machine: Machine, breaking: Callable[[Machine], Result], code: int
) -> None:
    done = breaking(readme_machine)
    assert done.exit_code == code, done.stderr
    assert f"# {code}: " in RECIPES["gate"]


def test_json_for_jq(readme_machine: Machine) -> None:
    need("jq")
    done = readme_machine.bash(RECIPES["json"])
    assert (done.exit_code, done.stdout, done.stderr) == (0, "local-fast\tfree\tParis.\n", "")
    dead = {"LLAMACPP_BASE_URL": NOWHERE, "MRT_ENDPOINTS_BOX_URL": NOWHERE, "ANTHROPIC_BASE_URL": NOWHERE}
    assert readme_machine.bash(RECIPES["json"], env=dead).exit_code == 3


def test_a_job_goes_on_without_an_answer_over_budget_only(readme_machine: Machine) -> None:
    script, digest = RECIPES["exit-codes"], readme_machine.folder / "digest.txt"
    readme_machine.limit("0.001")
    done = readme_machine.bash(script)
    assert (done.exit_code, digest.exists()) == (0, False)
    assert done.stderr.endswith("no digest today: the budget is used up\n")
    readme_machine.limit("1.0")
    assert readme_machine.bash(script).exit_code == 0
    assert digest.read_text() == f"{CLOUD_ANSWER}\n"
    readme_machine.cloud.routes["/v1/messages"] = json_response(401, {"error": {"message": "invalid x-api-key"}})
    assert readme_machine.bash(script).exit_code == 4


def test_ctrl_c_ends_the_script_and_books_what_came(readme_machine: Machine) -> None:
    asked = threading.Event()
    beginning = anthropic_sse(
        [start(input_tokens=2400), block(0, "text", text=""), delta(0, "text_delta", text="Once")], finish=False
    )

    def hang(_request: object) -> list[bytes | Action]:
        asked.set()
        return [*beginning, Action.HOLD]

    readme_machine.cloud.routes["/v1/messages"] = hang
    with subprocess.Popen(
        ["bash", "-c", RECIPES["exit-codes"] + "touch went-on\n"],
        cwd=readme_machine.folder,
        env=dict(readme_machine.home.environment),
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            assert asked.wait(60)
            os.killpg(process.pid, signal.SIGINT)
            process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == -signal.SIGINT
    assert not (readme_machine.folder / "went-on").exists()
    (request,) = (request for request in readme_machine.cloud.requests if request.method == "POST")
    assert request.disconnected.wait(30)
    (call,) = calls(readme_machine.home)
    assert call["outcome"] == "interrupted"
    assert call["cost_nano"] > 0


def test_the_agent_starts_what_was_registered(readme_machine: Machine) -> None:
    assert readme_machine.bash(RECIPES["register"]).exit_code == 0
    entry = json.loads((readme_machine.folder / ".mcp.json").read_text())["mcpServers"]["mrt"]
    done = readme_machine.bash('"$@" tools --json', entry["command"], *entry["args"])
    assert "ask_local_model" in json.dumps(json.loads(done.stdout)["data"])


def test_the_completion_scripts_go_where_the_shells_look(readme_machine: Machine) -> None:
    assert readme_machine.bash(RECIPES["completion"]).exit_code == 0
    home = readme_machine.home.path
    for place, name in {
        ".bashrc": "mrt.bash",
        ".zfunc/_mrt": "_mrt",
        ".config/fish/completions/mrt.fish": "mrt.fish",
    }.items():
        assert (home / place).read_text() == (ROOT / "completions" / name).read_text()


def test_the_exports_hold_the_settings(readme_machine: Machine) -> None:
    done = readme_machine.bash(RECIPES["export"] + 'echo "$MRT_BUDGET_DAILY_USD $MRT_TIERS_CLOUD_MODEL"\n')
    assert (done.exit_code, done.stdout) == (0, "1.0 anthropic/claude-haiku-4-5\n")
    groups = re.findall(r"model_name: (.*)", (readme_machine.folder / "litellm.yaml").read_text())
    assert groups == ["local-fast", "local-heavy", "cloud"]


def test_jq_over_reports(readme_machine: Machine) -> None:
    need("jq")
    down = {"LLAMACPP_BASE_URL": NOWHERE}
    assert readme_machine.bash("mrt ask -q --max-tier local-fast hello", env=down).exit_code == 3
    done = readme_machine.bash(
        "set -eo pipefail\n" + RECIPES["jq"].replace("mrt probe --json", "{ mrt probe --json || true; }"), env=down
    )
    assert (done.exit_code, done.stderr) == (0, "")
    cost, *endpoints, last = done.stdout.splitlines()
    assert cost == "0"
    assert "llamacpp: down" in endpoints
    assert not [line for line in endpoints if line.startswith(("box:", "anthropic:"))]
    assert json.loads(last)["model"] == "llamacpp/qwen2.5-coder:7b"
