"""Wire cases: streams of the chat-completions protocol that hold a whole answer, in the many ways servers tell it."""

from __future__ import annotations

from typing import Any

from rig.expectation import Expectation
from rig.wire_case import WireCase, answered

DONE = "[DONE]"
Event = Any


def chunk(delta: Any, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    """One chunk with one choice; `fields` stand beside the choices."""
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **fields}


def say(*words: str) -> list[Event]:
    """One chunk for each piece of text."""
    return [chunk({"content": word}) for word in words]


def counts(incoming: int, outgoing: int, **more: Any) -> dict[str, Any]:
    """A usage object."""
    return {"prompt_tokens": incoming, "completion_tokens": outgoing, "total_tokens": incoming + outgoing, **more}


ROLE = chunk({"role": "assistant", "content": ""})
STOP = chunk({}, "stop")
RAIN = say("It", " rains.")
USAGE = {"choices": [], "usage": counts(12, 3)}
TOLD = Expectation("It rains.", "stop")
COUNTED = Expectation("It rains.", "stop", 12, 3)


def _case(name: str, events: list[Event], expect: Expectation = TOLD, why: str = "") -> WireCase:
    return answered(name, "chat", events, expect, why)


_USAGE = (
    _case("plain", [ROLE, *RAIN, STOP, USAGE, DONE], COUNTED),
    _case(
        "usage-missing",
        [ROLE, *RAIN, STOP, DONE],
        why="LM Studio, older llama-cpp-python: the count is unknown, not zero",
    ),
    _case("usage-on-the-finish-chunk", [ROLE, *RAIN, chunk({}, "stop", usage=counts(12, 3)), DONE], COUNTED),
    _case(
        "usage-on-every-chunk",
        [
            chunk({"content": "It"}, usage=counts(12, 1)),
            chunk({"content": " rains."}, usage=counts(12, 2)),
            chunk({}, "stop", usage=counts(12, 3)),
            DONE,
        ],
        COUNTED,
        "it is cumulative: the last one counts, a sum would be wrong",
    ),
    _case("usage-without-choices", [ROLE, *RAIN, STOP, {"usage": counts(12, 3)}, DONE], COUNTED),
    _case("usage-beside-an-empty-delta", [ROLE, *RAIN, STOP, chunk({}, usage=counts(12, 3)), DONE], COUNTED, "LiteLLM"),
    _case(
        "usage-null-before",
        [chunk({"content": "It"}, usage=None), chunk({"content": " rains."}, usage=None), STOP, USAGE, DONE],
        COUNTED,
    ),
    _case(
        "usage-zero-placeholder", [chunk({"role": "assistant"}, usage=counts(0, 0)), *RAIN, STOP, USAGE, DONE], COUNTED
    ),
    _case(
        "usage-zero-only",
        [ROLE, *RAIN, chunk({}, "stop", usage=counts(0, 0)), DONE],
        why="zero tokens for a text is no count",
    ),
    _case("usage-after-zero", [ROLE, *RAIN, STOP, USAGE, {"choices": [], "usage": counts(0, 0)}, DONE], COUNTED),
    _case(
        "usage-details",
        [ROLE, *RAIN, STOP, {"choices": [], "usage": counts(12, 3, prompt_tokens_details={"cached_tokens": 8})}, DONE],
        Expectation("It rains.", "stop", 12, 3, 8),
    ),
    _case(
        "usage-details-null",
        [ROLE, *RAIN, STOP, {"choices": [], "usage": counts(12, 3, prompt_tokens_details=None)}, DONE],
        COUNTED,
        "vLLM",
    ),
    _case(
        "usage-of-deepseek",
        [
            ROLE,
            *RAIN,
            STOP,
            {"choices": [], "usage": counts(12, 3, prompt_cache_hit_tokens=8, prompt_cache_miss_tokens=4)},
            DONE,
        ],
        Expectation("It rains.", "stop", 12, 3, 8),
    ),
    _case("usage-of-groq", [ROLE, *RAIN, chunk({}, "stop", x_groq={"usage": counts(12, 3)}), DONE], COUNTED),
    _case(
        "usage-with-a-cost",
        [ROLE, *RAIN, STOP, {"choices": [], "usage": counts(12, 3, cost=0.00025)}, DONE],
        Expectation("It rains.", "stop", 12, 3, cost_usd="0.00025"),
        "OpenRouter and LiteLLM say what it cost",
    ),
    _case(
        "timings-without-usage",
        [ROLE, *RAIN, chunk({}, "stop", timings={"cache_n": 9, "prompt_n": 3, "predicted_n": 3}), DONE],
        Expectation("It rains.", "stop", 12, 3, 9),
        "llama.cpp when no usage was asked for",
    ),
    _case(
        "timings-on-every-chunk",
        [
            chunk({"content": "It"}, timings={"cache_n": 9, "prompt_n": 3, "predicted_n": 1}),
            chunk({"content": " rains."}, timings={"cache_n": 9, "prompt_n": 3, "predicted_n": 2}),
            chunk({}, "stop", timings={"cache_n": 9, "prompt_n": 3, "predicted_n": 3}),
            DONE,
        ],
        Expectation("It rains.", "stop", 12, 3, 9),
        "llama.cpp with timings_per_token: the last one counts",
    ),
)
_SHAPES = (
    _case("content-null", [chunk({"role": "assistant", "content": None}), *RAIN, STOP, DONE], why="llama.cpp"),
    _case("role-only", [chunk({"role": "assistant"}), *RAIN, STOP, DONE]),
    _case(
        "role-on-every-chunk",
        [chunk({"role": "assistant", "content": word}) for word in ("It", " rains.")] + [STOP, DONE],
    ),
    _case(
        "finish-reason-empty-text",
        [chunk({"content": "It"}, ""), chunk({"content": " rains."}, ""), STOP, DONE],
        why="an empty reason is none",
    ),
    _case(
        "text-beside-the-finish-reason",
        [ROLE, chunk({"content": "It"}), chunk({"content": " rains."}, "stop"), DONE],
        why="vLLM",
    ),
    _case(
        "finish-reason-in-camel-case",
        [*RAIN, {"choices": [{"index": 0, "delta": {}, "finishReason": "stop"}]}, DONE],
        why="early Gemini",
    ),
    _case("finish-reason-in-capitals", [*RAIN, chunk({}, "STOP"), DONE], Expectation("It rains.", "STOP"), "Gemini"),
    _case(
        "finish-reason-of-the-messages-api", [*RAIN, chunk({}, "end_turn"), DONE], Expectation("It rains.", "end_turn")
    ),
    _case("finish-reason-eos", [*RAIN, chunk({}, "eos"), DONE], Expectation("It rains.", "eos"), "Together"),
    _case("finish-never-sent", [ROLE, *RAIN, DONE], Expectation("It rains."), "[DONE] alone says that it is whole"),
    _case("done-never-sent", [ROLE, *RAIN, STOP], why="the finish reason alone says that it is whole"),
    _case("done-never-sent-but-usage", [ROLE, *RAIN, STOP, USAGE], COUNTED),
    _case("finish-twice", [ROLE, *RAIN, STOP, STOP, DONE]),
    _case(
        "azure-first-chunk",
        [
            {
                "id": "",
                "model": "",
                "choices": [],
                "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}],
            },
            ROLE,
            *RAIN,
            STOP,
            DONE,
        ],
        why="Azure filters the prompt first",
    ),
    _case(
        "azure-choice-without-delta",
        [
            ROLE,
            *RAIN,
            {"choices": [{"index": 0, "finish_reason": None, "content_filter_offsets": {"check_offset": 4}}]},
            STOP,
            DONE,
        ],
        why="Azure filters as it streams",
    ),
    _case("delta-null", [ROLE, chunk(None), *RAIN, chunk(None, "stop"), DONE]),
    _case("chunk-without-choices", [{"id": "c1", "object": "chat.completion.chunk"}, *RAIN, STOP, DONE]),
    _case("choices-null", [{"choices": None}, *RAIN, STOP, DONE]),
    _case(
        "error-null",
        [chunk({"content": word}, error=None) for word in ("It", " rains.")] + [STOP, DONE],
        why="no error is not an error",
    ),
    _case("ping-as-json", [{"type": "ping"}, ROLE, *RAIN, {"type": "ping"}, STOP, DONE]),
    _case("blank-frame", ["", ROLE, "  ", *RAIN, STOP, DONE]),
    _case("json-that-is-no-object", [1, None, "null", [], *RAIN, STOP, DONE], why="nothing to read, nothing to fear"),
    _case(
        "prompt-progress",
        [
            chunk({"role": "assistant", "content": None}, prompt_progress={"total": 9, "processed": 3}),
            *RAIN,
            STOP,
            DONE,
        ],
        why="llama.cpp with return_progress",
    ),
    _case(
        "second-choice-ignored",
        [*RAIN, {"choices": [{"index": 1, "delta": {"content": "Snow."}, "finish_reason": "length"}]}, STOP, DONE],
    ),
    _case("after-done-nothing-counts", [*RAIN, STOP, DONE, *say(" Not!"), {"error": {"message": "late"}}, "{broken"]),
    _case("broken-json-after-the-finish", [*RAIN, STOP, '{"choices":[', DONE], why="the text is whole"),
    _case("content-in-parts", [chunk({"content": [{"type": "text", "text": "It rains."}]}), STOP, DONE], why="Mistral"),
    _case(
        "text-field",
        [{"choices": [{"index": 0, "text": "It rains.", "finish_reason": "stop"}]}, DONE],
        why="the old completions shape",
    ),
    _case(
        "message-instead-of-delta",
        [
            {
                "choices": [
                    {"index": 0, "message": {"role": "assistant", "content": "It rains."}, "finish_reason": "stop"}
                ]
            },
            DONE,
        ],
    ),
    _case(
        "odd-line-separators-in-text",
        [*say("It\u2028", "rains.\x0b\x85"), STOP, DONE],
        Expectation("It\u2028rains.\x0b\x85", "stop"),
    ),
)
_MODEL = (
    _case(
        "served-model",
        [chunk({"content": "It rains."}, model="rain-2"), chunk({}, "stop", model="rain-2"), DONE],
        Expectation("It rains.", "stop", served_model="rain-2"),
    ),
    _case(
        "model-name-empty-later",
        [chunk({"content": "It rains."}, model="rain-2"), chunk({}, "stop", model=""), DONE],
        Expectation("It rains.", "stop", served_model="rain-2"),
    ),
    _case(
        "log-probabilities",
        [
            {
                "choices": [
                    {
                        "index": 0,
                        "delta": {"content": "It"},
                        "logprobs": {"content": [{"token": "It", "logprob": -0.5}]},
                    }
                ]
            },
            {
                "choices": [
                    {
                        "index": 0,
                        "delta": {"content": " rains."},
                        "logprobs": {"content": [{"logprob": -0.25}, {"logprob": 0}]},
                    }
                ]
            },
            {"choices": [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}]},
            DONE,
        ],
        Expectation("It rains.", "stop", mean_logprob=-0.25),
    ),
)
WEIGHED = Expectation("It rains.", "stop", reasoning="Clouds?")
_REASONING = (
    _case(
        "reasoning-content",
        [ROLE, chunk({"reasoning_content": "Clou"}), chunk({"reasoning_content": "ds?"}), *RAIN, STOP, DONE],
        WEIGHED,
        "DeepSeek, llama.cpp, LM Studio, LiteLLM",
    ),
    _case(
        "reasoning",
        [
            ROLE,
            chunk({"reasoning": "Clou", "content": ""}),
            chunk({"reasoning": "ds?", "content": ""}),
            *RAIN,
            STOP,
            DONE,
        ],
        WEIGHED,
        "Ollama, vLLM, Groq",
    ),
    _case(
        "reasoning-under-both-names",
        [ROLE, chunk({"reasoning": "Clouds?", "reasoning_content": "Clouds?"}), *RAIN, STOP, DONE],
        WEIGHED,
        "it counts once",
    ),
    _case(
        "reasoning-details-too",
        [
            chunk({"reasoning": "Clouds?", "reasoning_details": [{"type": "reasoning.text", "text": "Clouds?"}]}),
            *RAIN,
            STOP,
            DONE,
        ],
        WEIGHED,
        "OpenRouter",
    ),
    _case(
        "reasoning-null", [chunk({"reasoning": None, "reasoning_content": None, "content": "It rains."}), STOP, DONE]
    ),
    _case(
        "reasoning-in-tags",
        [*say("<think>", "Clouds?", "</think>", "\n\nIt", " rains."), STOP, DONE],
        WEIGHED,
        "servers without a reasoning parser",
    ),
    _case(
        "reasoning-without-an-opening-tag",
        [*say("Clouds?\n", "</think>\n\n", "It rains."), STOP, DONE],
        WEIGHED,
        "templates that put the opening tag into the prompt",
    ),
    _case(
        "reasoning-in-parts",
        [
            chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Clouds?"}]}]}),
            *RAIN,
            STOP,
            DONE,
        ],
        WEIGHED,
        "Mistral",
    ),
)

CHAT_CASES: tuple[WireCase, ...] = (*_USAGE, *_SHAPES, *_MODEL, *_REASONING)
