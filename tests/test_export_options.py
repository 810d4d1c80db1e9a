"""`mrt export litellm`: what a tier's own request fields become, and which LiteLLM has no way for."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from rig.command import Home
from rig.home_setup import configure, run_here

from mrt.exports.litellm_options import options

KEY = "sk-canary-0123456789abcdef"

PASSED: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "a field of chat completions": ("llamafile", {"seed": 1}, {"seed": 1}),
    "any other": ("llamafile", {"grammar": "x"}, {"extra_body": {"grammar": "x"}}),
    # LiteLLM leaves these out where its own lists do not have them for the client or the model.
    "one that is left out": (
        "llamafile",
        {"reasoning_effort": "low"},
        {"reasoning_effort": "low", "allowed_openai_params": ["reasoning_effort"]},
    ),
    "two that are left out": (
        "mistral",
        {"presence_penalty": 1, "seed": 2, "stop": "x"},
        {"presence_penalty": 1, "seed": 2, "stop": "x", "allowed_openai_params": ["presence_penalty", "stop"]},
    ),
    "thinking of a model it does not know": (
        "anthropic",
        {"thinking": {"type": "enabled"}},
        {"thinking": {"type": "enabled"}, "allowed_openai_params": ["thinking"]},
    ),
    "one that it translates": ("gemini", {"reasoning_effort": "low"}, {"reasoning_effort": "low"}),
    "Ollama's": (
        "ollama_chat",
        {"num_gpu": 3, "num_predict": 5, "format": "json"},
        {"num_gpu": 3, "max_tokens": 5, "format": "json", "extra_body": {"truncate": False, "shift": False}},
    ),
    "Ollama's, which may cut": ("ollama_chat", {"truncate": True}, {"extra_body": {"truncate": True, "shift": False}}),
    "a word for secrets that holds none": (
        "llamafile",
        {"schema": {"password": {"type": "string"}}},
        {"extra_body": {"schema": {"password": {"type": "string"}}}},
    ),
}


@pytest.mark.parametrize("case", PASSED)
def test_a_field_reaches_the_server_as_it_is(case: str) -> None:
    client, given, expected = PASSED[case]
    assert options("a", given, client, lost := []) == expected
    assert lost == []


NOT_PASSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "a key": ("llamacpp", {"api_key": "of-no-use"}, "it looks like a key"),
    "a key by its look": ("llamacpp", {"user": KEY}, "it looks like a key"),
    "a variable": ("llamacpp", {"user": "os.environ/HOME"}, "for the name of a variable"),
    "a key further in": ("llamacpp", {"extra": {"list": [{"word": KEY}]}}, "it looks like a key"),
    "a key by its name further in": ("llamacpp", {"headers": {"X-Api-Key": "of-no-use"}}, "it looks like a key"),
    "the model": ("llamacpp", {"model": "other"}, "decides this itself"),
    "for Ollama": ("ollama", {"grammar": "of-no-use"}, "no way to pass it on"),
    "for Ollama, taken for another": ("ollama", {"frequency_penalty": 0.5}, "no way to pass it on"),
    "for Anthropic": ("anthropic", {"grammar": "of-no-use"}, "no way to pass it on"),
    "for Gemini": ("gemini", {"logit_bias": {"5": -1}}, "no way to pass it on"),
}


@pytest.mark.parametrize("case", NOT_PASSED)
def test_an_option_that_litellm_would_keep_is_left_out_and_said(store_home: Home, case: str) -> None:
    provider, given, words = NOT_PASSED[case]
    configure(store_home, {"tiers.only": {"model": f"{provider}/m", "options": given}})
    data = json.loads(run_here(store_home, "export", "litellm", "--json").stdout)["data"]
    (lost,) = [lost for lost in data["unmapped"] if lost["setting"].startswith("tiers.only.options.")]
    assert words in lost["reason"]
    parameters = yaml.safe_load(data["text"])["model_list"][0]["litellm_params"]
    ((name, value),) = given.items()
    assert (parameters | parameters.get("extra_body", {})).get(name) != value
    assert not [text for text in (KEY, "of-no-use") if text in json.dumps(data)]
