"""Keys that stand in the config file, or can be read by others: `mrt config check` finds them and repeats none."""

from __future__ import annotations

from pathlib import Path

import pytest
from config_check_kit import ELSEWHERE, KOALA, Check, checks_in
from hypothesis import given
from hypothesis import strategies as st

from mrt.config.check import Finding
from mrt.config.secrets import looks_secret, mask


@pytest.fixture
def check(tmp_path: Path) -> Check:
    return checks_in(tmp_path)


SECRETS = [
    "sk-1234",
    "sk-abcDEF_ghiJKL-mnoPQRs",
    "sk-ant-api03-AbCd",
    "sk-or-v1-0123456789",
    "gsk_abcdefghijklmnop",
    "xai-abcdefghijklmnop",
    "hf_abcdefghijklmnop",
    "ghp_abcdefghijklmnopqrst",
    "AIzaSyA-abcdefghijklmnopq",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-def",
]
HARMLESS = [
    "use sk-learn for this",
    "risk-1234-assessment",
    "ollama/qwen2.5-coder:7b",
    "http://koala:4000/v1",
    "pass show work/openai",
    "KOALA_KEY",
    "~/.config/mrt/koala.key",
    "hf.co/org/repo-name-with-a-long-name:Q4_K_M",
    "",
]


@pytest.mark.parametrize("secret", [*SECRETS, "http://user:pa55@koala"])
def test_what_looks_like_a_key_is_known_and_masked(secret: str) -> None:
    assert looks_secret(f"export X={secret} # mine")
    assert secret not in mask(f"export X={secret} # mine")
    assert not looks_secret(mask(f"export X={secret} # mine"))


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_key_is_left_alone(text: str) -> None:
    assert not looks_secret(text)
    assert mask(text) == text


@given(st.text())
def test_masked_text_has_no_key_left(text: str) -> None:
    assert not looks_secret(mask(text))


@pytest.mark.parametrize("secret", SECRETS)
def test_a_key_in_the_file_is_an_error_that_does_not_repeat_it(check: Check, secret: str) -> None:
    found = check(f'{KOALA}key_cmd = "echo {secret}"\n')
    assert found == [Finding("error", "config.toml:4", "something that looks like a key stands here", ELSEWHERE)]


@pytest.mark.parametrize("name", ["key", "api_key", "apikey", "token", "API-KEY", "secret", "password"])
def test_a_setting_named_like_a_key_is_an_error_whatever_it_holds(check: Check, name: str) -> None:
    assert check(f'{KOALA}{name} = "hunter2"\n') == [
        Finding(
            "error",
            "config.toml:4",
            f"unknown setting endpoints.koala.{name}",
            "keys do not stand in the config file: use key_env, key_cmd or key_file of an endpoint",
        )
    ]


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_file_with_a_key_that_others_can_read_is_a_second_error(check: Check, tmp_path: Path, mode: int) -> None:
    assert check("# sk-12345678\n", mode=mode) == [
        Finding("error", "config.toml:1", "something that looks like a key stands here", ELSEWHERE),
        Finding("error", "config.toml", "others can read this file and the key in it", "chmod 600 config.toml"),
    ]
    assert check("# no key\n", mode=mode) == []


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (0o600, []),
        (0o400, []),
        (0o640, [Finding("error", "config.toml:4", "others can read the key in k.key", "chmod 600 k.key")]),
        (0o604, [Finding("error", "config.toml:4", "others can read the key in k.key", "chmod 600 k.key")]),
        (
            None,
            [
                Finding(
                    "warning",
                    "config.toml:4",
                    "endpoints.koala.key_file names k.key, which is no file",
                    "put the key alone into it",
                )
            ],
        ),
    ],
)
def test_a_key_file_is_for_its_owner_only(
    check: Check, tmp_path: Path, mode: int | None, expected: list[Finding]
) -> None:
    if mode is not None:
        (tmp_path / "k.key").write_text("secret")
        (tmp_path / "k.key").chmod(mode)
    assert check(f'{KOALA}key_file = "k.key"\n') == expected
    assert check(f'{KOALA}key_file = "~/k.key"\n') == expected


@pytest.mark.parametrize("value", [None, ""])
def test_a_key_variable_that_is_not_set_is_a_warning(check: Check, value: str | None) -> None:
    text = f'{KOALA}key_env = "KOALA_KEY"\n'
    assert check(text, {} if value is None else {"KOALA_KEY": value}) == [
        Finding(
            "warning",
            "config.toml:4",
            "endpoints.koala.key_env names KOALA_KEY, which is not set",
            "export KOALA_KEY=...",
        )
    ]
    assert check(text, {"KOALA_KEY": "x"}) == []


def test_a_second_place_for_the_key_is_a_warning(check: Check) -> None:
    text = f'{KOALA}key_env = "KOALA_KEY"\nkey_cmd = "pass show koala"\n'
    assert check(text, {"KOALA_KEY": "x"}) == [
        Finding(
            "warning",
            "config.toml:5",
            "endpoints.koala.key_cmd is never asked, since key_env is there too",
            "keep one of them",
        )
    ]


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("http://koala:4000", True),
        ("http://192.168.1.4:8000/v1", True),
        ("http://localhost.example.org", True),
        ("http://127.evil.org", True),
        ("https://koala", False),
        ("http://localhost:4000", False),
        ("http://LocalHost", False),
        ("http://proxy.localhost/v1", False),
        ("http://127.0.0.2:1234", False),
        ("http://[::1]:8080", False),
    ],
)
def test_a_key_over_plain_http_is_a_warning_unless_it_stays_on_this_machine(
    check: Check, url: str, warned: bool
) -> None:
    text = f'[endpoints.k]\nkind = "litellm"\nurl = "{url}"\n'
    expected = Finding(
        "warning",
        "config.toml:3",
        "the key of endpoints.k goes over the network unencrypted",
        "use https, or an SSH tunnel to localhost",
    )
    assert check(text) == []
    assert check(f'{text}key_cmd = "pass show k"\n') == ([expected] if warned else [])
