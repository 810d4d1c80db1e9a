"""Where the key of an endpoint comes from, and where it never goes."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from endpoint_kit import CLOUD, EMPTY, LOCAL, NAMES, named

from mrt.config import Config
from mrt.domain import Secret, Target
from mrt.endpoints import PROVIDERS, keys, resolve, warnings, with_key
from mrt.errors import AuthError, ConfigError


def key_of(name: str, config: Config = EMPTY, environment: Mapping[str, str] | None = None) -> str | None:
    """The key that would be sent."""
    found = with_key(resolve(name, config, environment or {}), config, environment or {})
    return found.key.reveal() if found.key else None


@pytest.mark.parametrize("provider", LOCAL)
@pytest.mark.parametrize(
    ("environment", "key"),
    [
        ({}, "mrt"),
        ({"{}_API_KEY": "own"}, "own"),
        ({"LOCAL_LLM_API_KEY": "all"}, "all"),
        ({"{}_API_KEY": "own", "LOCAL_LLM_API_KEY": "all"}, "own"),
        ({"{}_API_KEY": "", "LOCAL_LLM_API_KEY": "all"}, "all"),
        ({"{}_API_KEY": " ", "LOCAL_LLM_API_KEY": ""}, "mrt"),
        ({"{}_API_KEY": " own\n"}, "own"),
        ({"OPENAI_API_KEY": "sk-cloud", "ANTHROPIC_API_KEY": "sk-ant", "GROQ_API_KEY": "gsk"}, "mrt"),
    ],
    ids=str,
)
def test_the_key_of_a_local_server(provider: str, environment: Mapping[str, str], key: str) -> None:
    assert key_of(f"{provider}/x", environment={n.format(NAMES[provider]): v for n, v in environment.items()}) == key


@pytest.mark.parametrize("provider", CLOUD)
def test_the_key_of_a_cloud_provider(provider: str) -> None:
    stem = PROVIDERS[provider].variables
    others = {f"{PROVIDERS[other].variables}_API_KEY": f"sk-{other}" for other in CLOUD if other != provider}
    assert key_of(f"{provider}/x", environment={**others, f"{stem}_API_KEY": "sk-own"}) == "sk-own"
    for environment in ({}, {f"{stem}_API_KEY": ""}, {**others, "LOCAL_LLM_API_KEY": "all"}):
        with pytest.raises(AuthError) as caught:
            key_of(f"{provider}/x", environment=environment)
        assert caught.value.message == f"no key for {provider}"
        assert caught.value.hint == f"export {stem}_API_KEY=..."


def test_a_stand_in_on_this_machine_needs_no_key() -> None:
    assert key_of("openai/x", environment={"OPENAI_BASE_URL": "http://127.0.0.1:1"}) is None
    assert key_of("anthropic/x", environment={"ANTHROPIC_BASE_URL": "http://localhost:1"}) is None
    with pytest.raises(AuthError):
        key_of("openai/x", environment={"OPENAI_BASE_URL": "http://127.0.0.1.example.org"})


def test_a_proxy_of_one_s_own_needs_no_key() -> None:
    assert key_of("litellm/x") is None
    assert key_of("litellm/x", environment={"LITELLM_API_KEY": "sk-l", "OPENAI_API_KEY": "sk-o"}) == "sk-l"


def test_an_endpoint_gets_no_key_but_its_own() -> None:
    environment = {
        "OPENAI_API_KEY": "sk-o",
        "LITELLM_API_KEY": "sk-l",
        "LOCAL_LLM_API_KEY": "sk-all",
        "VLLM_API_KEY": "v",
    }
    assert key_of("koala/x", named(), environment) is None
    assert key_of("koala/x", named(kind="openai"), environment) is None
    assert key_of("koala/x", named(kind="vllm"), environment) == "mrt"
    assert key_of("koala/x", named(kind="anthropic"), environment) is None
    assert key_of("koala/x", named(key_env="KOALA"), {**environment, "KOALA": " sk-koala "}) == "sk-koala"


def test_a_variable_that_is_not_set() -> None:
    for environment in ({}, {"KOALA": " "}):
        with pytest.raises(AuthError) as caught:
            key_of("koala/x", named(key_env="KOALA"), environment)
        assert caught.value.message == "endpoints.koala.key_env names KOALA, which is not set"
        assert caught.value.hint == "export KOALA=..."


@pytest.mark.parametrize("key", ["sk-ä", "sk-\x1b[31m", "sk\u200b", "two\tparts", "sk-1\nsk-2"])
def test_a_key_that_no_header_can_carry(key: str) -> None:
    with pytest.raises(AuthError) as caught:
        key_of("koala/x", named(key_env="KOALA"), {"KOALA": key})
    assert caught.value.message == "the key of koala holds characters that no header can carry"
    assert key not in str(caught.value.hint)


@pytest.mark.parametrize(
    ("config", "hint"),
    [
        (named(key_env="KOALA"), "check the key in KOALA"),
        (named(key_cmd="echo k"), "check what endpoints.koala.key_cmd prints"),
        (named(), "mrt config set endpoints.koala.key_env NAME_OF_A_VARIABLE"),
    ],
)
def test_a_refused_key_has_a_hint(config: Config, hint: str) -> None:
    environment = {"KOALA": "k", "PATH": "/bin:/usr/bin"}
    assert with_key(resolve("koala/x", config, environment), config, environment).key_hint == hint


PATH = {"PATH": "/usr/bin:/bin"}


@pytest.mark.parametrize(
    ("command", "key"),
    [
        ("echo sk-1", "sk-1"),
        ("printf '  sk-2  '", "sk-2"),
        (r"printf '\n\nsk-3\nlogin: me\nurl: x\n'", "sk-3"),
        (r"printf 'sk-4\r\n'", "sk-4"),
        ("echo noise >&2; echo sk-5", "sk-5"),
        ('echo "$KOALA"', "from-the-environment"),
        ("cat; echo sk-6", "sk-6"),
    ],
)
def test_a_command_prints_the_key(command: str, key: str) -> None:
    assert key_of("koala/x", named(key_cmd=command), {**PATH, "KOALA": "from-the-environment"}) == key


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("exit 3", "ended with code 3 and no key"),
        ("echo sk-1; exit 1", "ended with code 1 and no key"),
        ("true", "ended with code 0 and no key"),
        (r"printf '\n \n'", "ended with code 0 and no key"),
        ("no-such-command-at-all", "ended with code 127 and no key"),
        (r"printf '\377\376'", "did not print a key"),
        ("sleep 60", "did not print a key"),
    ],
)
def test_a_command_that_prints_no_key(command: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "KEY_COMMAND_TIMEOUT_S", 0.5)
    with pytest.raises(AuthError) as caught:
        key_of("koala/x", named(key_cmd=command), {**PATH, "LC_ALL": "C.UTF-8"})
    assert caught.value.message == f"endpoints.koala.key_cmd {message}"
    assert caught.value.hint == f"run it by hand: {command}"


def key_file(path: Path, text: bytes, mode: int = 0o600) -> Config:
    """A config whose key is in this file."""
    path.write_bytes(text)
    path.chmod(mode)
    return named(key_file=str(path))


@pytest.mark.parametrize(
    ("text", "key"), [(b"sk-1", "sk-1"), (b"\n sk-2 \n", "sk-2"), (b"sk-3\nnote\n", "sk-3"), (b"sk-4\r\nx", "sk-4")]
)
@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_holds_the_key(tmp_path: Path, text: bytes, key: str, mode: int) -> None:
    assert key_of("koala/x", key_file(tmp_path / "key", text, mode)) == key


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o660, 0o666])
def test_a_key_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigError) as caught:
        key_of("koala/x", key_file(tmp_path / "key", b"sk-1", mode))
    assert caught.value.message == f"endpoints.koala.key_file {tmp_path / 'key'} can be read by others"
    assert caught.value.hint == f"chmod 600 {tmp_path / 'key'}"


def test_files_without_a_key(tmp_path: Path) -> None:
    with pytest.raises(AuthError, match="is empty"):
        key_of("koala/x", key_file(tmp_path / "key", b" \n"))
    with pytest.raises(AuthError, match="it is no text"):
        key_of("koala/x", key_file(tmp_path / "key", b"\xff\xfe"))
    with pytest.raises(AuthError, match="No such file"):
        key_of("koala/x", named(key_file=str(tmp_path / "missing")))
    (tmp_path / "folder").mkdir(mode=0o700)
    with pytest.raises(AuthError, match="Is a directory"):
        key_of("koala/x", named(key_file=str(tmp_path / "folder")))


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes with names here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "key", 0o600)
    with pytest.raises(AuthError, match="is a pipe"):
        key_of("koala/x", named(key_file=str(tmp_path / "key")))


@pytest.mark.skipif(sys.platform == "win32", reason="there is no endless file")
def test_an_endless_file_is_not_read() -> None:
    with pytest.raises(ConfigError, match="can be read by others"):
        key_of("koala/x", named(key_file="/dev/zero"))


def test_a_key_file_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    key_file(tmp_path / "key", b"sk-1")
    assert key_of("koala/x", named(key_file="~/key")) == "sk-1"


@pytest.mark.parametrize(
    ("url", "local", "key", "warned"),
    [
        ("http://koala:4000", False, "k", True),
        ("https://koala:4000", False, "k", False),
        ("http://127.0.0.1:4000", False, "k", False),
        ("http://koala:4000", True, "k", False),
        ("http://koala:4000", False, None, False),
        ("http://127.0.0.1.example.org", False, "k", True),
    ],
)
def test_a_key_over_plain_http_is_warned_of(url: str, local: bool, key: str | None, warned: bool) -> None:
    found = Target("koala", "x", "litellm", "chat", url, local, Secret(key) if key else None)
    assert warnings(found) == ((f"the key of koala goes to {url} unencrypted",) if warned else ())


def test_warnings_show_no_password() -> None:
    found = Target("koala", "x", "litellm", "chat", "http://me:secret@koala", False, Secret("k"))
    assert warnings(found) == ("the key of koala goes to http://koala unencrypted",)
