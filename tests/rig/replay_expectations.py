"""What each replay says, written down by hand from its bytes, and which failure it stands for."""

from __future__ import annotations

from collections.abc import Mapping

from rig.expectation import Expectation, fails

ADD = "```python\ndef add(a, b):\n    return a + b\n```\n"
HELLO, MOCK = "Hello from a tiny model.", "Hello from the mock cloud."
THOUGHT, FOUR = "Let me think about it.", "The answer is 4."

LLAMA_CPP_PYTHON: dict[str, Expectation] = {
    "chat": Expectation(ADD, "stop", 30, 7),
    "chat_stream": Expectation(ADD, "stop"),
    "chat_stream_usage": Expectation(ADD, "stop"),  # usage was asked for, and ignored
    "err_ctx_overflow": fails("context", "maximum context length is 2048", "5019"),
    "err_model": Expectation(ADD, "stop", 30, 7, served_model="nope"),  # any name is accepted and echoed
}
LLAMACPP_ROUTER: dict[str, Expectation] = {
    "chat": Expectation(ADD, "stop", 30, 8, 0, served_model="tiny"),
    "chat_noautoload": fails("model_not_found", "model is not loaded"),
    "chat_stream": Expectation(ADD, "stop", 30, 8, 29, served_model="tiny"),
    "chat_swap": Expectation("tick tock goes", "length", 29, 3, 0, failure="max_tokens", served_model="loop"),
    "err_broken": fails("upstream", "badarch failed to load"),
    "err_model": fails("model_not_found", "'nope' not found"),
}
LLAMA_SWAP: dict[str, Expectation] = {
    "chat": Expectation(ADD, "stop", 30, 8, 0, served_model="models/llama-Q8_0.gguf"),
    "chat_stream": Expectation(ADD, "stop", 30, 8, 29),
    "chat_swap": Expectation("tick tock goes the", "length", 29, 4, 0, failure="max_tokens"),
    "err_broken": fails("upstream", "unable to start process"),
    "err_model": fails("model_not_found", "could not find suitable inference handler for nope"),
    "messages": Expectation(ADD, "end_turn", 30, 8, 0),
}
LITELLM: dict[str, Expectation] = {
    "chat_claude": Expectation("Hello from the mock claude.", "stop", 10, 20, cost_usd="0.00033"),
    "chat_dead": fails("upstream", "connection error", "local-dead"),
    "chat_local": Expectation(ADD, "stop", 30, 8, 0, cost_usd="0.000046"),
    "chat_local_ctx_overflow": fails("context", "5019 tokens", "2048 tokens"),
    "chat_local_logprobs": Expectation(
        "```python\ndef add(a,",
        "length",
        30,
        2,
        29,
        failure="max_tokens",
        cost_usd="0.000034",
        mean_logprob=-1.1324889e-06,
    ),
    "chat_local_stream": Expectation(ADD, "stop"),
    "chat_local_stream_usage": Expectation(ADD, "stop", 30, 8, 29, cost_usd="0.000046"),
    "chat_mock": Expectation(MOCK, "stop", 10, 20, cost_usd="0.000225"),
    # A stream's headers say `cost-original: 0.0` before anything is known: no cost was reported.
    "chat_mock_stream": Expectation(MOCK, "stop"),
    "chat_mock_stream_usage": Expectation(MOCK, "stop", 9, 6, cost_usd="0.0000825"),
    "err_429": fails("rate_limit", "mock rate limit error"),
    "err_500": fails("upstream", "mock internal server error"),
    "err_badkey": fails("auth", "no connected db"),
    "err_ctx": fails("context", "mock context window exceeded error"),
    "err_model": fails("model_not_found", "invalid model name", "nope"),
    "err_noauth": fails("auth", "no api key passed in"),
    "fallback": Expectation(MOCK, "stop", 10, 20, cost_usd="0.000225", served_model="mock-cloud"),
    "fallback_stream": Expectation(MOCK, "stop", served_model="mock-cloud"),
    # No price is known for this model: the headers are absent, which is not a cost of zero.
    "local_ollama": Expectation(ADD, "stop", 30, 8),
    "local_ollama_stream": Expectation(ADD, "stop", 30, 8),
    "messages_429": fails("rate_limit", "mock rate limit error"),
    "messages_dead": fails("upstream", "cannot connect to host 127.0.0.1:9"),
    "messages_local": Expectation(ADD, "end_turn", 30, 8, 29, cost_usd="0.000046"),
    # message_start says zero tokens; the truth comes with message_delta.
    "messages_local_stream": Expectation(ADD, "end_turn", 30, 8, 29),
    "messages_mock": Expectation("Hello from the mock claude.", "end_turn", 2095, 503, 0),
    "messages_mock_stream": Expectation(
        "Hello from the mock claude.", "end_turn", 2095, 503, 0
    ),  # JSON though a stream was asked
    "messages_noauth": fails("auth", "no api key passed in"),
    "messages_upstream_killed_midstream": Expectation(
        "tick tock goes the slow clocktick tock goes the", failure="upstream", words=("not enough data",)
    ),
    "rpm_first": Expectation("ok", "stop", 10, 20, cost_usd="0.000225"),
    "rpm_second": fails("rate_limit", "rpm limit=1"),
    "upstream_killed_midstream": Expectation(
        "tick tock goes tock goes the", failure="upstream", words=("not enough data",)
    ),
}
OLLAMA: dict[str, Expectation] = {
    "api_queue_full": fails("overloaded", "server busy", "maximum pending requests exceeded"),
    "chat_404": fails("model_not_found", "model 'nope' not found"),
    "chat_bad_option": fails("upstream", "num_ctx", "must be of type integer"),
    "chat_badmodel_load": fails("upstream", "llama-server process has terminated"),
    "chat_length": Expectation("```python\ndef add(a, b):", "length", 30, 3, failure="max_tokens"),
    "chat_logprobs": Expectation(
        "```python\ndef add(a,", "length", 30, 2, failure="max_tokens", mean_logprob=-1.1324889e-06
    ),
    "chat_nostream": Expectation(ADD, "stop", 30, 8),
    "chat_stream": Expectation(ADD, "stop", 30, 8),
    # This template has no reasoning parser: the tags stay in the text, whatever `think` says.
    "chat_think": Expectation(FOUR, "stop", 32, 12, reasoning=THOUGHT),
    "chat_think_stream": Expectation(FOUR, "stop", 32, 12, reasoning=THOUGHT),
    "chat_think_unsupported": fails("bad_request", "does not support thinking"),
    "chat_tools_unsupported": fails("bad_request", "does not support tools"),
    "ctx_history_truncated": Expectation(ADD, "stop", 99, 8),  # 2113 tokens were sent: nothing in the bytes says so
    "ctx_truncate_false": fails("context", "2113 tokens", "512 tokens"),  # JSON inside a JSON string
    "runner_killed_midstream": Expectation(
        "tick tock goes the goes the slow", failure="upstream", words=("unexpected eof",)
    ),
    "think_stream": Expectation(FOUR, "stop", 23, 12, reasoning=THOUGHT),
    "think_true": Expectation(FOUR, "stop", 23, 12, reasoning=THOUGHT),
    "toolcall": Expectation("", "stop", 585, 8, tool_calls=("get_weather",), failure="tool_calls"),
    "v1_badmodel_load": fails("upstream", "llama-server process has terminated"),
    "v1_chat": Expectation(ADD, "stop", 30, 8),
    "v1_chat_404": fails("model_not_found", "model 'nope' not found"),
    "v1_chat_length": Expectation("```python\ndef add(a, b):", "length", 30, 3, failure="max_tokens"),
    "v1_chat_stream": Expectation(ADD, "stop"),
    "v1_chat_stream_usage": Expectation(ADD, "stop", 30, 8),
    "v1_chat_tools_unsupported": fails("bad_request", "does not support tools"),
    "v1_ctx_last_too_long": fails("context", "1244 tokens", "512 tokens"),
    "v1_ctx_last_too_long_stream": fails("context", "1244 tokens", "512 tokens"),
    "v1_messages": Expectation(ADD, "end_turn", 30, 8, 0),
    "v1_messages_404": fails("model_not_found", "model 'nope' not found"),
    "v1_messages_runner_killed_midstream": Expectation(
        "tick tock tock goes the slow", None, 1, None, 0, failure="truncated"
    ),
    "v1_messages_stream": Expectation(ADD, "end_turn", 30, 8, 0),  # message_start says 3 input tokens, message_delta 30
    "v1_messages_think": Expectation(FOUR, "end_turn", 23, 12, 0, reasoning=THOUGHT),
    "v1_reasoning_stream": Expectation(FOUR, "stop", reasoning=THOUGHT),
    # The error became an empty chunk with an empty model name: no finish reason, no [DONE], no message.
    "v1_runner_killed_midstream": Expectation(
        "tick tock goes thetick tock goes", failure="truncated", served_model="slow"
    ),
    "v1_think": Expectation(FOUR, "stop", 32, 12, reasoning=THOUGHT),
    "v1_think_stream": Expectation(FOUR, "stop", reasoning=THOUGHT),
    "v1_toolcall": Expectation("", "tool_calls", 585, 8, tool_calls=("get_weather",), failure="tool_calls"),
    "v_queue_full": fails("overloaded", "server busy"),
}
VLLM: dict[str, Expectation] = {
    "chat": Expectation(ADD, "stop", 30, 10),
    "chat_length": Expectation("```python\ndef add(a,", "length", 30, 3, failure="max_tokens"),
    "chat_logprobs": Expectation("```python\ndef", "length", 30, 2, failure="max_tokens", mean_logprob=-8.3446466e-07),
    "chat_stream": Expectation(ADD, "stop"),
    "chat_stream_cont_usage": Expectation("```python\ndef", "length", 30, 2, failure="max_tokens"),
    "chat_stream_usage": Expectation(ADD, "stop", 30, 10),
    "err_ctx_overflow": fails("context", "maximum context length is 2048"),
    "err_maxtokens_too_big": fails("context", "max_tokens=5000 cannot be greater than max_model_len=2048"),
    "err_model": fails("model_not_found", "does not exist", "tiny"),
    "err_temp": fails("bad_request", "temperature must be non-negative"),
    "err_tools": fails("bad_request", "--enable-auto-tool-choice"),
    "messages": Expectation(ADD, "end_turn", 30, 10, 0),
    "messages_err": fails("model_not_found", "does not exist"),
    "messages_stream": Expectation(ADD, "end_turn", 30, 10, 0),
}
LLAMACPP: dict[str, Expectation] = {
    "anthropic_messages": Expectation(HELLO, "end_turn", 21, 6, 20),
    "anthropic_messages_stream": Expectation(HELLO, "end_turn", 21, 6, 20),
    "chat": Expectation(HELLO, "stop", 21, 6, 20),
    "chat_length": Expectation("Hello from a", "length", 21, 3, 20, failure="max_tokens"),
    "chat_logprobs": Expectation("Hello from", "length", 21, 2, 20, failure="max_tokens", mean_logprob=-0.0016672495),
    # No usage was asked for; `timings` still counts: cache_n + prompt_n, and predicted_n.
    "chat_logprobs_stream": Expectation(
        "Hello from", "length", 21, 2, 20, failure="max_tokens", mean_logprob=-0.0016672495
    ),
    "chat_stop": Expectation("Hello from a", "stop", 21, 4, 20),
    "chat_stream_nousage": Expectation(HELLO, "stop", 21, 6, 20),
    "chat_stream_usage": Expectation(HELLO, "stop", 21, 6, 20),
    # The name that was asked does not exist: the server answers with its only model and says which.
    "chat_wrong_model": Expectation(HELLO, "stop", 21, 6, 20, served_model="models/tiny-llama.gguf"),
    "err_ctx_overflow": fails("context", "5019 tokens", "2048 tokens"),
    "err_tools_unsupported": Expectation(HELLO, "stop", 21, 6, 20),  # tools were offered to a template without any
    "killed_midstream": Expectation("tick tock goes goes the slow clock", failure="truncated"),
    "loading_chat": fails("overloaded", "loading model"),
    "options": Expectation("Hello from", "length", 21, 2, 20, failure="max_tokens"),  # timings on every chunk
    "reasoning": Expectation(FOUR, "stop", 23, 12, 0, reasoning=THOUGHT),
    "reasoning_stream": Expectation(FOUR, "stop", 23, 12, 22, reasoning=THOUGHT),
    "stream_ping": Expectation("tick tock", "length", 6019, 2, 6, failure="max_tokens"),
    "stream_ping_progress": Expectation("tick tock", "length", 6019, 2, 0, failure="max_tokens"),
    "toolcall": Expectation("", "tool_calls", 585, 8, 1, tool_calls=("get_weather",), failure="tool_calls"),
    "toolcall_stream": Expectation("", "tool_calls", 585, 8, 584, tool_calls=("get_weather",), failure="tool_calls"),
}
LLAMACPP_AUTH: dict[str, Expectation] = {
    "chat_badkey": fails("auth", "invalid api key"),
    "chat_key": Expectation(ADD, "stop", 30, 8, 0, served_model="tiny-alias"),
    "chat_nokey": fails("auth", "invalid api key"),
    "chat_xapikey": Expectation(ADD, "stop", 30, 8, 29, served_model="tiny-alias"),
}
_SERVERS = {
    "llama-cpp-python": LLAMA_CPP_PYTHON,
    "llamacpp-router": LLAMACPP_ROUTER,
    "llama-swap": LLAMA_SWAP,
    "litellm": LITELLM,
    "ollama": OLLAMA,
    "vllm": VLLM,
    "llamacpp": LLAMACPP,
    "llamacpp-auth": LLAMACPP_AUTH,
}
EXPECTATIONS: Mapping[str, Expectation] = {
    f"{server}/{name}": expectation for server, table in _SERVERS.items() for name, expectation in table.items()
}
