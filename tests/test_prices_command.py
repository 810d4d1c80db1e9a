"""`mrt spend prices`, and the tables behind it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rig.command import Command, Home
from rig.loopback import ScriptedServer, in_turn
from rig.responses import json_response
from spend_kit import spend

from mrt.config import data_directory
from mrt.errors import MrtError, ProtocolFailure, Unreachable
from mrt.ledger import load_snapshot
from mrt.ledger.price_update import fetch_current, update_prices
from mrt.ledger.prices import PACKAGED, file_of
from mrt.pricing import PROVIDERS, find_rates
from mrt.pricing.convert import THEIR_IDS, content_of

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def config(home: Home, text: str) -> None:
    (home.config / "mrt").mkdir(parents=True, exist_ok=True)
    (home.config / "mrt" / "config.toml").write_text(text, encoding="utf-8")


# The command ------------------------------------------------------------------------------------------------------


def test_the_rates_of_a_model(store_home: Home) -> None:
    shown = spend(store_home, "prices", "anthropic/claude-haiku-5-5")
    assert shown.exit_code == 0
    assert shown.stdout == (
        "anthropic/claude-haiku-5-5, in dollars per million tokens\n"
        "                          input    output    cached input    cache write    cache write 1h\n"
        "------------------------  -------  --------  --------------  -------------  ----------------\n"
        "standard                  0.1      0.5       0.01            0.125          0.2\n"
        "over 100000 input tokens  0.5      2.5       0.05            0.625          1\n"
        "batch                     0.05     0.25      0.005           0.0625         0.1\n"
        "from genai-prices 0.2.3 (2026-11-10), listed as anthropic/claude-haiku-5-5\n"
        "max output: 128000\n"
        "context: 1000000\n"
    )


@pytest.mark.parametrize(
    ("model", "verdicts"),
    [
        pytest.param("anthropic/claude-opus-4-5-20251101", ["used", "agree"], id="two that agree"),
        pytest.param("deepseek/deepseek-chat", ["disagree", "disagree"], id="DeepSeek"),
        pytest.param("mistral/mistral-large-latest", ["disagree", "disagree"], id="Mistral's moving alias"),
        pytest.param("openrouter/qwen/qwen3-coder", ["disagree"], id="OpenRouter"),
        pytest.param("openai/o1-mini", ["unchecked"], id="nothing to compare with"),
    ],
)
def test_where_sources_differ(store_home: Home, model: str, verdicts: list[str]) -> None:
    data = spend(store_home, "prices", model, "--json").data
    assert [source["verdict"] for source in data["sources"]] == verdicts
    text = spend(store_home, "prices", model, "--sources").stdout
    assert [line.rpartition(" ")[2] for line in text.splitlines()[-len(verdicts) :]] == verdicts


def test_a_history_is_shown(store_home: Home) -> None:
    data = spend(store_home, "prices", "deepseek/deepseek-v4-pro", "--json").data
    assert [entry["when"] for entry in data["history"]] == [
        "otherwise",
        "from 2026-08-17",
        "daily 01:00-04:00 UTC",
        "daily 06:00-10:00 UTC",
    ]
    assert data["doubt"].startswith("DeepSeek's tariff")
    text = spend(store_home, "prices", "deepseek/deepseek-v4-pro").stdout
    assert "from 2026-08-17        0.66" in text
    assert "doubt: DeepSeek's tariff" in text


def test_the_users_price_wins_and_is_shown(store_home: Home) -> None:
    config(store_home, '[prices."openai/gpt-4o"]\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 2\n')
    data = spend(store_home, "prices", "openai/gpt-4o-2024-08-06", "--json").data
    assert (data["rates"]["input"], data["source"], data["id"]) == ("1", "config", "openai/gpt-4o")
    assert [(source["source"], source["verdict"]) for source in data["sources"]] == [
        ("config", "used"),
        ("genai-prices 0.2.3 (2026-11-10)", "agree"),
        ("litellm 1.106.2", "agree"),
    ]


def test_a_price_only_the_user_has(store_home: Home) -> None:
    config(
        store_home,
        '[endpoints.koala]\nkind = "litellm"\nurl = "http://koala:4000"\n'
        '[prices."koala/big"]\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 2\n',
    )
    data = spend(store_home, "prices", "koala/big", "--json").data
    assert (data["rates"]["output"], len(data["sources"]), data["context"]) == ("2", 1, None)


def test_a_local_model_is_free_whatever_its_name(store_home: Home) -> None:
    assert (
        spend(store_home, "prices", "ollama/gpt-oss-20b").stdout
        == "ollama/gpt-oss-20b is free: its endpoint is local\n"
    )
    data = spend(store_home, "prices", "llamacpp/gpt-4o", "--json").data
    assert (data["free"], data["rates"], data["source"]) == (True, None, None)


@pytest.mark.parametrize(
    ("model", "near"),
    [
        ("anthropic/claude-opus-9", "anthropic/claude-opus-5"),
        ("anthropic/claude-sonnet-4-5-zzz", "anthropic/claude-sonnet-4-5"),
        ("openai/gpt-oss-20b", None),
    ],
)
def test_an_unknown_price(store_home: Home, model: str, near: str | None) -> None:
    shown = spend(store_home, "prices", model)
    assert (shown.exit_code, shown.stdout) == (5, "")
    first, second = shown.stderr.splitlines()
    assert first.startswith(f"error: the price of {model} is not known")
    assert near is None or f"(close to {near}" in first
    assert second.startswith(f"hint: state it: mrt config set prices.{model}.input_usd_per_mtok DOLLARS")


def test_the_hint_works(store_home: Home, mrt: Command) -> None:
    key = "prices.anthropic/claude-opus-9"
    pairs = (f"{key}.input_usd_per_mtok", "1", f"{key}.output_usd_per_mtok", "2")
    assert mrt("config", "set", *pairs).exit_code == 0
    assert spend(store_home, "prices", "anthropic/claude-opus-9", "--json").data["source"] == "config"


@pytest.mark.parametrize(
    ("name", "exit_code", "begins"),
    [
        pytest.param("claude-haiku-5-5", 0, "anthropic/claude-haiku-5-5, in dollars", id="one provider has it"),
        pytest.param(
            "claude-haiku-5-5-20261001", 0, "anthropic/claude-haiku-5-5-20261001, in dollars", id="with a date"
        ),
        pytest.param(
            "claude-opus-9",
            5,
            "error: no provider's table lists 'claude-opus-9' (close to anthropic/claude-opus-",
            id="a cousin",
        ),
        pytest.param(
            "claude-sonnet-4-5-zzz", 5, "error: no provider's table lists 'claude-sonnet-4-5-zzz'", id="a suffix"
        ),
        pytest.param("gpt-oss-20b", 5, "error: no provider's table lists 'gpt-oss-20b'", id="open weights"),
    ],
)
def test_a_model_without_its_provider(store_home: Home, name: str, exit_code: int, begins: str) -> None:
    shown = spend(store_home, "prices", name)
    assert shown.exit_code == exit_code
    assert (shown.stdout or shown.stderr).startswith(begins)


def test_prices_need_a_model(store_home: Home) -> None:
    shown = spend(store_home, "prices")
    assert shown.exit_code == 2
    assert "name a model: mrt spend prices PROVIDER/MODEL" in shown.stderr


ENDPOINT = '[endpoints.work]\nkind = "{kind}"\nurl = "{url}"\n'


@pytest.mark.parametrize(
    ("kind", "url", "model", "known"),
    [
        pytest.param("anthropic", "https://api.anthropic.com", "claude-opus-5", True, id="the provider's own address"),
        pytest.param("openai", "https://api.groq.com/openai/v1", "openai/gpt-oss-20b", True, id="another provider's"),
        pytest.param("anthropic", "https://gateway.example", "claude-opus-5", False, id="a gateway of unknown prices"),
        pytest.param("openai", "http://127.0.0.1:8080/v1", "gpt-4o", False, id="a server that uses a famous name"),
    ],
)
def test_an_endpoint_of_the_users(store_home: Home, kind: str, url: str, model: str, known: bool) -> None:
    config(store_home, ENDPOINT.format(kind=kind, url=url))
    assert (spend(store_home, "prices", f"work/{model}").exit_code == 0) == known


# The tables -------------------------------------------------------------------------------------------------------


def users_table(folder: Path, date: str, provider: str = "openai", named: str = "openai") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    about = {"provider": named, "source": "mine", "version": "1", "date": date}
    model = {"id": "gpt-4o", "prices": [{"input": "9", "output": "9"}]}
    file_of(folder, provider).write_bytes(content_of([about, model]))


@pytest.mark.parametrize(
    ("date", "named", "dollars"),
    [
        pytest.param("2026-11-11", "openai", "9", id="newer"),
        pytest.param("2026-11-10", "openai", "2.5", id="as old"),
        pytest.param("2026-11-09", "openai", "2.5", id="older"),
        pytest.param("2026-11-11", "groq", "2.5", id="another provider's"),
    ],
)
def test_the_newer_table_counts(tmp_path: Path, date: str, named: str, dollars: str) -> None:
    users_table(tmp_path / "prices", date, named=named)
    rates = find_rates("openai", "gpt-4o", {}, load_snapshot(tmp_path))
    assert rates is not None
    assert rates.input == Decimal(dollars)


@pytest.mark.parametrize("content", [b"", b"{}\n", b"\xff"])
def test_a_broken_table_of_the_users_is_passed_over(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "prices").mkdir()
    file_of(tmp_path / "prices", "openai").write_bytes(content)
    assert load_snapshot(tmp_path)["openai"].about["source"] == "genai-prices"


def test_the_tables_of_the_package() -> None:
    tables = load_snapshot()
    assert sorted(tables) == sorted(path.stem for path in PACKAGED.iterdir()) == sorted(PROVIDERS)
    assert len(tables) == len(PROVIDERS)
    assert tables.get("ollama") is None
    for name, table in tables.items():
        assert table.about["provider"] == name
        assert table.about["license"]
        listed = list(table.names())
        assert len(listed) == len(set(listed)) > 5
    assert sum("max_output" in model for model in tables["anthropic"].models()) > 10
    assert any("retires" in model for model in tables["openai"].models())


# Refreshing -------------------------------------------------------------------------------------------------------


def raw_table(dollars: float = 1.0, leave_out: str | None = None) -> list[dict[str, Any]]:
    """A table in the form in which genai-prices publishes its own: one model for each provider."""
    return [
        {
            "id": theirs,
            "name": theirs,
            "api_pattern": "x",
            "models": [
                {
                    "id": "claude-opus-5" if theirs == "anthropic" else "some-model",
                    "match": {"equals": "claude-opus-5" if theirs == "anthropic" else "some-model"},
                    "prices": {"input_mtok": dollars, "output_mtok": 2 * dollars},
                }
            ],
        }
        for theirs in THEIR_IDS.values()
        if theirs != leave_out
    ]


def test_a_refresh_is_used_from_then_on(tmp_path: Path) -> None:
    with ScriptedServer({"*": in_turn(json_response(200, raw_table()))}) as server:
        update = update_prices(tmp_path, NOW, lambda: fetch_current(f"{server.url}/data.json"))
    assert update.changes["anthropic"] == (0, len(list(load_snapshot()["anthropic"].models())) - 1, 1)
    tables = load_snapshot(tmp_path)
    rates = find_rates("anthropic", "claude-opus-5", {}, tables, NOW)
    assert rates is not None
    assert (rates.input, rates.source) == (1, f"{update.source} (2026-11-20)")
    kept = tables["anthropic"].find("claude-opus-5")
    assert kept is not None
    assert kept["max_output"] == 128000
    assert tables["anthropic"].about["second"].startswith("litellm ")


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        pytest.param(json_response(500, {}), Unreachable, id="server error"),
        pytest.param(json_response(200, {"a": 1}), Unreachable, id="something else"),
        pytest.param(json_response(200, []), ProtocolFailure, id="nothing in it"),
        pytest.param(json_response(200, raw_table(leave_out="groq")), ProtocolFailure, id="a provider is missing"),
    ],
)
def test_a_refresh_that_fails_changes_nothing(tmp_path: Path, response: Any, kind: type[MrtError]) -> None:
    with ScriptedServer({"*": in_turn(response)}) as server, pytest.raises(kind) as caught:
        update_prices(tmp_path, NOW, lambda: fetch_current(f"{server.url}/data.json"))
    assert caught.value.hint == "the prices stay as they were"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["prices", "prices/xai.jsonl/more"])
def test_a_folder_that_cannot_be_written(tmp_path: Path, place: str) -> None:
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text("in the way")
    with (
        ScriptedServer({"*": in_turn(json_response(200, raw_table()))}) as server,
        pytest.raises(MrtError, match="cannot be written"),
    ):
        update_prices(tmp_path, NOW, lambda: fetch_current(f"{server.url}/data.json"))
    assert [path.name for path in tmp_path.rglob(".*")] == []


def test_what_a_table_without_a_second_source_becomes(tmp_path: Path) -> None:
    users_table(tmp_path / "prices", "2026-11-19")
    with ScriptedServer({"*": in_turn(json_response(200, raw_table()))}) as server:
        update = update_prices(tmp_path, NOW, lambda: fetch_current(f"{server.url}/data.json"))
    assert update.changes["openai"] == (1, 1, 0)
    assert "second" not in load_snapshot(tmp_path)["openai"].about


WITHOUT_PACKAGE = "raise ImportError('not installed')"


def test_a_refresh_without_the_extra_says_how_to_get_it(mrt: Command, tmp_path: Path) -> None:
    (tmp_path / "genai_prices.py").write_text(WITHOUT_PACKAGE)
    done = mrt("spend", "prices", "--update", env={"PYTHONPATH": str(tmp_path)})
    assert done.exit_code == 2
    assert done.stderr == (
        "error: refreshing prices needs the package genai-prices, which is missing\n"
        'hint: install it: pip install "mrt[prices]"\n'
    )


STAND_IN = """
from types import SimpleNamespace
from genai_table import providers
__version__ = "9.9"
class UpdatePrices:
    def fetch(self):
        return SimpleNamespace(providers=providers())
"""
STAND_IN_TABLE = """
from decimal import Decimal
from types import SimpleNamespace as N
NAMES = ["anthropic", "openai", "google", "x-ai", "groq", "deepseek", "mistral", "openrouter"]
def providers():
    found = []
    for name in NAMES:
        model = N(id="m", match=N(equals="m"), prices=N(input_mtok=Decimal(1), output_mtok=Decimal(2)),
                  price_variants=None, context_window=None)
        found.append(N(id=name, models=[model], find_model=lambda ref, model=model: model if ref == "m" else None))
    return found
"""


@pytest.fixture
def stand_in(tmp_path: Path) -> dict[str, str]:
    """An environment in which genai-prices is one that needs no network."""
    folder = tmp_path / "packages"
    folder.mkdir()
    (folder / "genai_prices.py").write_text(STAND_IN)
    (folder / "genai_table.py").write_text(STAND_IN_TABLE)
    return {"PYTHONPATH": f"{folder}:{Path(__file__).parent.parent}"}


def test_a_refresh_by_command(mrt: Command, store_home: Home, stand_in: dict[str, str]) -> None:
    done = mrt("spend", "prices", "--update", env=stand_in)
    assert (done.exit_code, done.stdout.splitlines()[0].split()) == (
        0,
        ["provider", "new", "models", "gone", "other", "price"],
    )
    assert "wrote the tables of genai-prices 9.9 to" in done.stderr
    assert file_of(data_directory(store_home.environment) / "prices", "groq").is_file()
    found = json.loads(mrt("spend", "prices", "--update", "--json", env=stand_in).stdout)["data"]
    assert found["changes"]["groq"] == {"added": 0, "removed": 0, "changed": 0}
    both = mrt("spend", "prices", "groq/m", "--update", env=stand_in)
    assert "the price tables are now those of genai-prices 9.9" in both.stderr
    assert both.stdout.startswith("groq/m, in dollars per million tokens")
