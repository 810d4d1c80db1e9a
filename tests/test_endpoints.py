"""From a model id to a server: its address, its key, and what it says of itself."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rig.asking import PATIENT, World, canned
from rig.loopback import Action, Request, ScriptedServer, Wait
from rig.responses import body_response, chunk, head, html, json_response, redirect

from mrt.config import Config, EndpointSettings, Tier
from mrt.domain import Secret, Target
from mrt.endpoints import PROVIDERS, check_model, keys, offers_tools, resolve, warnings, with_key
from mrt.endpoints.resolve import resolve_tier
from mrt.errors import AuthError, ConfigError, ModelNotFound, MrtError, NotAnApi, Overloaded, UpstreamError, UsageError
from mrt.providers import Timers, protocol

EMPTY = Config(tiers=())
LOCAL = ["ollama", "vllm", "lm_studio", "llamacpp"]
NAMES = {
    "ollama": "OLLAMA",
    "vllm": "VLLM",
    "lm_studio": "LMSTUDIO",
    "llamacpp": "LLAMACPP",
    "llama_swap": "LLAMA_SWAP",
}
CLOUD = ["openai", "anthropic", "openrouter", "groq", "deepseek", "gemini", "xai", "mistral"]


def named(name: str = "koala", kind: Any = "litellm", url: str = "http://koala:4000", **fields: Any) -> Config:
    """A config with one endpoint."""
    return Config(tiers=(), endpoints={name: EndpointSettings(name, kind, url, **fields)})


# --- names


@pytest.mark.parametrize(
    ("name", "endpoint", "model"),
    [
        ("ollama/llama3.1:8b", "ollama", "llama3.1:8b"),
        ("vllm/Qwen/Qwen2.5-7B-Instruct", "vllm", "Qwen/Qwen2.5-7B-Instruct"),
        ("lm_studio/a", "lm_studio", "a"),
        ("llamacpp/x", "llamacpp", "x"),
        ("openai/gpt-4o", "openai", "gpt-4o"),
        ("koala/gpt-4o", "koala", "gpt-4o"),
        ("fast", "ollama", "qwen2.5-coder:7b"),
        ("first", "ollama", "small"),
        ("second", "ollama", "qwen2.5-coder:7b"),
    ],
)
def test_a_name_leads_to_a_model(name: str, endpoint: str, model: str) -> None:
    tiers = (Tier("first", "ollama/small"), Tier("second", "fast"))
    config = replace(named(), tiers=tiers, aliases={"fast": "ollama/qwen2.5-coder:7b"})
    found = resolve(name, config, {})
    assert (found.endpoint, found.model, found.name) == (endpoint, model, f"{endpoint}/{model}")
    assert found.key is None


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("ollama/", "'ollama/' has no usable model after the slash", "write PROVIDER/MODEL, for example"),
        ("ollama/a b", "'ollama/a b' has no usable model after the slash", "write PROVIDER/MODEL"),
        ("ollama/ ", "has no usable model after the slash", "write PROVIDER/MODEL"),
        ("ollama/a\tb", "has no usable model after the slash", "write PROVIDER/MODEL"),
        ("ollama/a\u2003b", "has no usable model after the slash", "write PROVIDER/MODEL"),
        ("openai-compat/x", "openai-compat/ is reserved", "name the server in the config: [endpoints.NAME]"),
        ("openai-compat/", "openai-compat/ is reserved", "name the server"),
        ("olama/x", "unknown provider or endpoint 'olama' (did you mean ollama", "mrt help config"),
        ("kaola/x", "(did you mean koala", "mrt help config"),
        ("zzz/x", "unknown provider or endpoint 'zzz'", "mrt help config"),
        ("/x", "unknown provider or endpoint ''", "mrt help config"),
        ("llama3", "'llama3' is no tier, alias or PROVIDER/MODEL", "`mrt config show` lists the tiers"),
        ("locl-fast", "'locl-fast' is no tier, alias or PROVIDER/MODEL (did you mean local-fast", "config show"),
        ("", "'' is no tier, alias or PROVIDER/MODEL", "config show"),
    ],
)
def test_a_name_that_leads_nowhere(name: str, message: str, hint: str) -> None:
    config = replace(named(), tiers=(Tier("local-fast", "ollama/x"),))
    with pytest.raises(UsageError) as caught:
        resolve(name, config, {})
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_a_tier_must_name_a_provider() -> None:
    with pytest.raises(UsageError) as caught:
        resolve_tier(Tier("fast", "llama3.1:8b"), EMPTY, {})
    assert caught.value.message == "tier fast: 'llama3.1:8b' is no PROVIDER/MODEL"
    assert caught.value.hint == "write for example: mrt config set tiers.fast.model ollama/llama3.1:8b"


def test_a_tier_says_how_its_model_thinks() -> None:
    assert resolve("t", Config(tiers=(Tier("t", "ollama/x", think="implicit"),)), {}).think == "implicit"


def test_an_endpoint_goes_before_a_provider_of_its_name() -> None:
    assert resolve("ollama/x", named("ollama", "ollama", "http://box:11434"), {}).url == "http://box:11434"


# --- addresses


DEFAULTS = {
    "ollama": "http://localhost:11434",
    "vllm": "http://localhost:8000",
    "lm_studio": "http://127.0.0.1:1234",
    "llamacpp": "http://localhost:8080",
}


@pytest.mark.parametrize("provider", LOCAL)
@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({}, None),
        ({"{}_BASE_URL": "http://own:1"}, "http://own:1"),
        ({"LOCAL_LLM_BASE_URL": "http://all:2"}, "http://all:2"),
        ({"{}_BASE_URL": "http://own:1", "LOCAL_LLM_BASE_URL": "http://all:2"}, "http://own:1"),
        ({"{}_BASE_URL": "", "LOCAL_LLM_BASE_URL": "http://all:2"}, "http://all:2"),
        ({"{}_BASE_URL": "  ", "LOCAL_LLM_BASE_URL": " "}, None),
        ({"{}_BASE_URL": "", "LOCAL_LLM_BASE_URL": ""}, None),
        ({"{}_BASE_URL": " http://own:1 "}, "http://own:1"),
        ({"OPENAI_BASE_URL": "http://openai:3"}, None),
    ],
    ids=str,
)
def test_where_a_local_server_is(provider: str, environment: Mapping[str, str], url: str | None) -> None:
    environment = {name.format(NAMES[provider]): value for name, value in environment.items()}
    assert resolve(f"{provider}/x", EMPTY, environment).url == (url or DEFAULTS[provider])


def test_the_address_of_one_provider_is_no_other_s() -> None:
    environment = {
        f"{stem}_BASE_URL": f"http://{stem.lower()}" for stem in (*NAMES.values(), "OPENAI", "ANTHROPIC", "GROQ")
    }
    for provider, stem in (*NAMES.items(), ("openai", "OPENAI"), ("anthropic", "ANTHROPIC"), ("groq", "GROQ")):
        assert resolve(f"{provider}/x", EMPTY, environment).url == f"http://{stem.lower()}"


@pytest.mark.parametrize("provider", [*CLOUD, "litellm"])
def test_a_cloud_provider_is_not_among_the_local_ones(provider: str) -> None:
    environment = {"LOCAL_LLM_BASE_URL": "http://all:2", "LOCAL_LLM_API_KEY": "sk-local"}
    found = resolve(f"{provider}/x", EMPTY, environment)
    assert found.url == PROVIDERS[provider].url
    assert not found.local


@pytest.mark.parametrize("base", ["http://h:1", "http://h:1/", "http://h:1/v1", "http://h:1/v1/"])
@pytest.mark.parametrize(
    ("provider", "path"),
    [
        ("ollama", "/api/chat"),
        ("vllm", "/v1/chat/completions"),
        ("lm_studio", "/v1/chat/completions"),
        ("llamacpp", "/v1/chat/completions"),
        ("litellm", "/v1/chat/completions"),
        ("openai", "/v1/chat/completions"),
        ("anthropic", "/v1/messages"),
    ],
)
def test_addresses_with_and_without_v1_work(provider: str, path: str, base: str) -> None:
    found = resolve(f"{provider}/x", EMPTY, {f"{PROVIDERS[provider].variables}_BASE_URL": base})
    assert protocol(found).url(found) == f"http://h:1{path}"


@pytest.mark.parametrize(
    ("provider", "url"),
    [
        ("openai", "https://api.openai.com/v1/chat/completions"),
        ("gemini", "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions"),
        ("groq", "https://api.groq.com/openai/v1/chat/completions"),
        ("openrouter", "https://openrouter.ai/api/v1/chat/completions"),
        ("anthropic", "https://api.anthropic.com/v1/messages"),
    ],
)
def test_cloud_addresses(provider: str, url: str) -> None:
    found = resolve(f"{provider}/x", EMPTY, {})
    assert protocol(found).url(found) == url


@pytest.mark.parametrize(
    ("name", "config", "free"),
    [
        ("ollama/llama3", EMPTY, True),
        ("ollama/gpt-oss:120b-cloud", EMPTY, False),
        ("ollama/kimi-k2:cloud", EMPTY, False),
        ("vllm/x-cloud", EMPTY, True),
        ("openai/llama3", EMPTY, False),
        ("litellm/llama3", EMPTY, False),
        ("koala/x", named(), False),
        ("koala/x", named(local=True), True),
        ("koala/x", named(kind="vllm"), True),
        ("koala/x", named(kind="vllm", local=False), False),
        ("koala/x-cloud", named(kind="ollama", local=True), False),
    ],
)
def test_what_is_free_is_decided_by_the_endpoint(name: str, config: Config, free: bool) -> None:
    assert resolve(name, config, {}).local is free


# --- keys


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


# --- what a server says of itself


def models(*names: str, key: str = "id") -> Any:
    """A list of models in the shape of OpenAI, or of Ollama with the key `name`."""
    rows = [{key: name} for name in names]
    return json_response(200, {"object": "list", "data": rows} if key == "id" else {"models": rows})


LISTS = {"ollama": "/api/tags", "vllm": "/v1/models", "lm_studio": "/v1/models", "llamacpp": "/v1/models"} | {
    "llama_swap": "/v1/models",
    "litellm": "/v1/models",
    "openai": "/v1/models",
    "anthropic": "/v1/models",
}


def check(kind: str, response: Any, model: str = "tiny", timers: Timers = PATIENT) -> str | None:
    """The warning of a probe of this kind of server."""
    with ScriptedServer({LISTS[kind]: response}) as server:
        found = replace(at(server.url, kind), model=model)
        return check_model(found, World().wire(), timers).warning


def at(url: str, kind: str) -> Target:
    """A model on a server of this kind."""
    provider = PROVIDERS[kind]
    return Target("near", "tiny", kind, provider.protocol, url, provider.local, Secret("sk-1"), "check the key")


@pytest.mark.parametrize(
    ("kind", "response"),
    [
        ("ollama", models("tiny:latest", "other:7b", key="name")),
        ("vllm", models("tiny")),
        ("llama_swap", models("loop", "tiny")),
        ("lm_studio", models("another-name")),
        ("llamacpp", models("models/tiny.gguf")),
        ("llamacpp", json_response(200, {"models": [{"name": "m"}], "data": [{"id": "m"}]})),
        ("litellm", models("hidden")),
        ("openai", models("gpt-4o")),
        ("anthropic", models("claude-haiku-4-5-20251001")),
        ("litellm", json_response(404, {"error": "no list"})),
    ],
)
def test_a_model_that_is_there(kind: str, response: Any) -> None:
    assert check(kind, response) is None


LOADING = json_response(503, {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}})


@pytest.mark.parametrize("kind", [*LOCAL, "llama_swap"])
@pytest.mark.parametrize(
    ("response", "failure", "words"),
    [
        (json_response(401, {"error": "no"}), AuthError, "near refuses the key (HTTP 401)"),
        (json_response(403, {"error": "no"}), AuthError, "near refuses the key (HTTP 403)"),
        (LOADING, Overloaded, "is still loading its model (HTTP 503)"),
        (json_response(500, {"error": "x"}), UpstreamError, "does not list its models (HTTP 500)"),
        (json_response(404, {"error": "x"}), UpstreamError, "does not list its models (HTTP 404)"),
        (redirect("http://127.0.0.1:1/"), UpstreamError, "does not list its models (HTTP 307)"),
        (html(), NotAnApi, "answers, but not as a model server"),
        (json_response(200, [1]), NotAnApi, "answers, but not as a model server"),
        (json_response(200, {"data": 5, "models": "x"}), NotAnApi, "answers, but not as a model server"),
        (body_response(200, b"[" * 100_000, "application/json"), NotAnApi, "answers, but not as a model server"),
        ([Action.RESET], UpstreamError, "closed the connection without an answer"),
        ([b"nonsense\r\n\r\n"], NotAnApi, "does not speak HTTP"),
        ([head(200, {"content-length": "99"}) + b"{"], UpstreamError, "closed the connection"),
    ],
    ids=["401", "403", "503", "500", "404", "redirect", "page", "list", "types", "deep", "reset", "no-http", "cut"],
)
def test_a_local_server_in_trouble_is_not_switched_to(
    kind: str, response: Any, failure: type[MrtError], words: str
) -> None:
    with pytest.raises(failure) as caught:
        check(kind, response)
    assert words in caught.value.message


def test_a_refused_key_says_where_it_is_from() -> None:
    with pytest.raises(AuthError) as caught:
        check("vllm", json_response(401, {}))
    assert caught.value.hint == "check the key"


@pytest.mark.parametrize(
    ("kind", "response", "model", "message", "hint"),
    [
        (
            "ollama",
            models("llama3.1:8b", "phi3:latest", key="name"),
            "llama3:8b",
            "has no model 'llama3:8b'; it has llama3.1:8b",
            "ollama pull llama3:8b",
        ),
        ("ollama", models("tiny:7b", key="name"), "zzz", "has no model 'zzz'", "ollama pull zzz"),
        ("ollama", models(key="name"), "tiny", "has no model 'tiny'", "ollama pull tiny"),
        (
            "vllm",
            models("Qwen/Qwen2.5-7B"),
            "Qwen/Qwen2-7B",
            "; it has Qwen/Qwen2.5-7B",
            "`--no-probe` asks it all the same",
        ),
        ("llama_swap", models("coder", "codex"), "code", "; it has codex and coder", "`--no-probe` asks"),
        (
            "vllm",
            json_response(200, {"data": [5, {}, {"id": None}, {"id": 7}]}),
            "x",
            "has no model 'x'",
            "`--no-probe`",
        ),
    ],
)
def test_a_model_that_is_missing(kind: str, response: Any, model: str, message: str, hint: str) -> None:
    with pytest.raises(ModelNotFound) as caught:
        check(kind, response, model)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def silent(milliseconds: int = 20) -> Any:
    """An answer that never ends."""
    never = threading.Event()

    def answer(_: Request) -> Any:
        yield head(200, {"content-type": "application/json", "transfer-encoding": "chunked"})
        while True:
            yield chunk(b" ")
            yield Wait(never, milliseconds / 1000)

    return answer


@pytest.mark.parametrize("kind", LOCAL)
@pytest.mark.parametrize("response", [[Action.HOLD], silent()], ids=["hangs", "drips"])
def test_a_local_server_that_is_too_slow_is_not_switched_to(kind: str, response: Any) -> None:
    with pytest.raises(MrtError) as caught:
        check(kind, response, timers=Timers(first_token=0.2))
    assert caught.value.code == "timeout"


def test_a_local_server_that_is_not_there_is_not_switched_to() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{holder.getsockname()[1]}"
        with pytest.raises(MrtError) as caught:
            check_model(at(url, "vllm"), World().wire(), PATIENT)
        assert (caught.value.code, caught.value.message) == (
            "unreachable",
            f"cannot connect to {url} (connection refused)",
        )
        finding = check_model(at(url, "openai"), World().wire(), PATIENT)
        assert finding.warning == f"near could not be checked: cannot connect to {url} (connection refused)"
        assert offers_tools(at(url, "llamacpp"), World().wire(), PATIENT) is None


@pytest.mark.parametrize("kind", ["litellm", "openai", "anthropic"])
@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 529])
def test_a_passing_trouble_of_a_cloud_provider_is_a_warning(kind: str, status: int) -> None:
    assert check(kind, json_response(status, {"error": "x"})) == f"near could not be checked: HTTP {status}"


@pytest.mark.parametrize("kind", ["litellm", "openai", "anthropic"])
@pytest.mark.parametrize("response", [[Action.HOLD], [Action.RESET], [Action.CLOSE]])
def test_an_unreachable_cloud_provider_is_a_warning(kind: str, response: Any) -> None:
    warning = check(kind, response, timers=Timers(first_token=0.2))
    assert warning is not None
    assert warning.startswith("near could not be checked: ")


@pytest.mark.parametrize("kind", ["litellm", "openai", "anthropic"])
@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_a_cloud_provider_refuses_is_final(kind: str, status: int) -> None:
    with pytest.raises(AuthError):
        check(kind, json_response(status, {"error": "x"}))


@pytest.mark.parametrize("kind", ["openai", "vllm"])
def test_an_unusable_address_is_final(kind: str) -> None:
    with pytest.raises(ConfigError):
        check_model(at("ftp://nowhere", kind), World().wire(), PATIENT)


@pytest.mark.parametrize("base", ["", "/", "/v1", "/v1/"])
@pytest.mark.parametrize("kind", LISTS)
def test_the_list_is_found_whatever_the_base(kind: str, base: str) -> None:
    listed = models("tiny", key="name" if kind == "ollama" else "id")
    with ScriptedServer({LISTS[kind]: listed}) as server:
        assert check_model(at(server.url + base, kind), World().wire(), PATIENT).warning is None
        request = server.requests[0]
    assert (request.method, request.path) == ("GET", LISTS[kind])
    assert "sk-1" in (request.headers.get("authorization", "") + request.headers.get("x-api-key", ""))


def test_an_endless_list_is_read_up_to_a_limit() -> None:
    def parts() -> Any:
        while True:
            yield b" " * 2**20

    world = World(canned(parts(), {"content-type": "application/json"}))
    with pytest.raises(NotAnApi):
        check_model(at("http://localhost:1", "vllm"), world.wire(), PATIENT)


def test_a_probe_is_traced_without_its_key() -> None:
    world = World()
    with ScriptedServer({"/v1/models": models("tiny")}) as server:
        check_model(at(server.url, "vllm"), world.wire(), PATIENT)
        assert f"> GET {server.url}/v1/models" in world.traced
    assert "< HTTP 200" in world.traced
    assert "sk-1" not in str(world.traced)


def show(*capabilities: str) -> Any:
    """What Ollama and LM Studio say of a model."""
    return json_response(200, {"id": "tiny", "capabilities": list(capabilities)})


def props(**caps: Any) -> Any:
    """What llama.cpp says of its model's template."""
    return json_response(200, {"chat_template_caps": caps, "total_slots": 1})


PLACES = {"llamacpp": "/props", "ollama": "/api/show", "lm_studio": "/api/v0/models/tiny"}


@pytest.mark.parametrize(
    ("kind", "response", "able"),
    [
        ("llamacpp", props(supports_tools=True), True),
        ("llamacpp", props(supports_tools=False), False),
        ("llamacpp", props(supports_tools="yes"), False),
        ("llamacpp", json_response(200, {"total_slots": 1}), False),
        ("llamacpp", json_response(200, [{"chat_template_caps": 1}]), False),
        ("llamacpp", LOADING, None),
        ("ollama", show("completion", "tools", "thinking"), True),
        ("ollama", show("completion"), False),
        ("ollama", json_response(200, {"capabilities": "tools"}), False),
        ("ollama", json_response(200, {"capabilities": 5}), False),
        ("ollama", json_response(404, {"error": "model 'tiny' not found"}), None),
        ("lm_studio", show("tool_use"), True),
        ("lm_studio", show("vision"), False),
        ("lm_studio", html(), False),
        ("lm_studio", json_response(404, {"error": "x"}), None),
        ("llamacpp", [Action.RESET], None),
    ],
)
@pytest.mark.parametrize("base", ["", "/v1/"])
def test_whether_a_model_can_be_given_tools(kind: str, response: Any, able: bool | None, base: str) -> None:
    with ScriptedServer({PLACES[kind]: response}) as server:
        assert offers_tools(at(server.url + base, kind), World().wire(), PATIENT) is able
        if kind == "ollama":
            assert server.requests[0].json() == {"model": "tiny"}


@pytest.mark.parametrize(
    ("kind", "able"), [("vllm", True), ("llama_swap", False), ("litellm", False), ("openai", False)]
)
def test_some_servers_need_not_be_asked_about_tools(kind: str, able: bool) -> None:
    with ScriptedServer({"*": html()}) as server:
        assert offers_tools(at(server.url, kind), World().wire(), PATIENT) is able
        assert server.requests == []


def test_the_name_of_a_model_stays_in_its_place() -> None:
    with ScriptedServer({"*": show("tool_use")}) as server:
        offers_tools(replace(at(server.url, "lm_studio"), model="org/a?b#c d"), World().wire(), PATIENT)
        assert server.requests[0].path == "/api/v0/models/org/a%3Fb%23c%20d"
