"""The help topics; each text is made from the declarations it describes, so that it cannot drift from them."""

from __future__ import annotations

from collections.abc import Callable

JSON_TEXT = """\
--json prints one object:
  {"schema_version": 1, "command": "ask", "data": {...} or null, "errors": [{"code", "message", "hint", "exit_code"}]}
Keys are stable; more may be added. Money is a decimal string in US dollars, counts are integers, unknown is null, never 0.
  cost   {"state": "reported|priced|estimated|unknown|free", "usd": "0.001234" or null}
  usage  {"input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "source": "reported|estimated|unknown"}
ask: answer, reasoning, tier, model, served_model, finish_reason, complete, usage, cost, timing {ttft_ms, total_ms,
  tokens_per_second}, attempts [{tier, model, outcome: accepted|rejected|failed|interrupted|refused, check, reason, usage,
  cost, timing}], session, id. On a failure data still carries what there is.
route: complexity, score, parts {component, coordinative, dynamic}, prior_only, tier, model, order, reason, abstains, check,
  tiers [{tier, model, open, verdict, reason, p_fail {mean, low, high, n}, cost, cost_bound, seconds, input_tokens,
  output_tokens, budget_left_usd, gates [{gate, state: open|closed|unknown, figure}]}], contributions [{feature, value,
  weight}], counterfactuals, escalations {mean, low, high, n}, escalation, assessor_unasked, plan (with --plan). tier is null
  when none is open; assessor_unasked is the model that ask lets rate the prompt and route did not.
route --batch: one JSON object a line, {"id", "complexity", "score", "tier"}, or {"id", "error"} for a line that is none.
spend: period {from, to, timezone}, total {cost, unpriced_calls, calls, input_tokens, output_tokens, ...}, groups [{key, keys,
  ...total}], budgets [{scope, period, limit_usd, used_usd, reserved_usd, left_usd}], forecast {low, expected, high, until,
  limit_reached_on}, burn_usd_per_day, savings {low, high, baseline_model}. What has unknown parts is null, and the part that is
  known stands beside it: cost.at_least_usd, used_at_least_usd, burn_at_least_usd_per_day, forecast.at_least.
probe: endpoints [{name, kind, url, state: ready|loading|auth|down|unknown, version, latency_ms, access:
  open|accepted|missing|refused, router, slots, busy, queue, models [{id, loaded, context_served, context_trained, quantization,
  size_bytes, vram_bytes, remote, remote_host, tools, vision, reasoning, embedding}], message, hint, checked_at}], tiers [{tier,
  model, endpoint, state, ready, listed, remote, message, hint}].
probe --deep: trials [{tier, model, streaming, usage, stream_options, reasoning, logprobs, json_schema, tools, max_tokens,
  context, ttft_ms, tokens_per_second, tried_at, calls, error}]. doctor: findings [{area, level, detail, hint}].
fit: model {name, source, confidence, architecture, parameters, file_bytes, ...}, settings {quantization, context_length,
  kv_type_k, kv_type_v, parallel, ubatch, flash_attention, gpu_layers, ...}, devices [{name, kind: gpu|cpu, total_bytes,
  free_bytes, weights_bytes, kv_cache_bytes, recurrent_bytes, compute_bytes, overhead_bytes {low, high}, margin_bytes,
  ...}], total_bytes, verdict: fits|tight|partial|ram|no, fits_now, frontier [{setting, value, verdict, total_bytes, speed,
  ...}], smaller, speed {decode {low, high}, prompt {low, high}, source}, advice, notes, commands; buffers with --explain.
  Without a model, and with --compare: models [...]. --verify: buffers [{device, label, planned_bytes, found_bytes,
  difference_percent}].
ask --stream-json: one JSON object a line, {"event": NAME, ...}. NAME is route, start, delta, reasoning, retract, escalate,
  refused, usage, result or error. delta and reasoning have text; retract says that the text so far was reasoning; the last
  line is result or error."""

SANDBOX_TEXT = """\
Code that a model wrote runs only in a child process that can compute and nothing else: `mrt bench` grades answers in it, and
`mrt ask --tests FILE` tries them there. What is expected of the code stays outside; only plain values come back.
  limits      CPU seconds, memory, file size, open files; the wall clock outside, and the whole session is killed at the end
  landlock    no file but the interpreter's own library can be read, none but a scratch folder's written; no TCP, no signals
  seccomp     only system calls that computing needs: no sockets, no processes, no programs, no change of what a file is
  bubblewrap  around the others where it is installed and works
Before the first program, real attacks run inside. If one succeeds, nothing is run and the exit code is 69. `mrt bench doctor`
shows the layers. The ways on: a kernel with Landlock (Linux 5.13 or newer), `mrt bench --executor docker` or podman, or
`mrt bench --speed-only`, which runs no code. Windows has none: use WSL2. On macOS the system's seatbelt takes their place.
What no layer here stops: a fault of the kernel itself, and asking whether a file exists."""

CHECKS_TEXT = """\
An answer is accepted when it passes every check of its tier; else the next tier is asked, and stderr says why.
  finish            the server says that the answer is whole (always on)
  empty             there is an answer (always on)
  refusal           it is not a refusal or "I don't know"
  repetition        it does not loop; a looping answer is stopped while it streams
  code              where code was asked for: fences closed, Python compiles, JSON parses, brackets balance
  json              where JSON was asked for: it parses
  confidence=0.45   mean probability of the tokens, where the server gives it (llama.cpp, vLLM, Ollama)
  verify=COMMAND    the answer on the command's stdin; exit 0 accepts, its stderr is the reason (also --verify)
  agree, agree=MODEL   another local model, or a second sample, gives the same answer (also --agree)
`checks = ["code", "confidence=0.6"]` under [tiers.NAME] replaces the usual ones: refusal, repetition, code, json,
confidence=0.45. --schema adds a check of its own."""

BUDGETS_TEXT = """\
A budget is a promise: N processes on one machine never start a paid call when what is settled, what is reserved and the most
this call can cost exceed it together. A call that was sent is never forgotten, and an unknown price is never zero.
  before   the most the call can cost (the prompt's tokens and the token limit at the model's price) is reserved in the store,
           before each paid attempt, at every escalation; what does not fit is not sent, and the cascade stays local
  after    the reservation is settled to what the call came to: reported by the server, else priced from tokens; of a cut stream
           what came counts, and where nothing is known the reserved bound does
  later    a reservation whose process died, or that is an hour old, is closed at its bound by the next run
  unknown  without a price there is no bound: such a call is refused, unless --allow-unpriced or a price in [prices]
Days and months are the calendar's in budget.timezone; changing it counts all days anew. Without it they stay those of the zone
in which the first call was booked, TZ or the machine's.
What it cannot promise: that the provider's bill agrees, or that a server respects the token limit. A call that cost more than its
bound is booked in full.
  mrt spend            the report          mrt spend check    exit 0 within, 5 over
  mrt spend why ID     one call's cost     mrt spend doctor   whether the store is sound
Savings compare the answers with what the strongest paid tier would have taken for them, at the prices of their time: a range,
since another model counts and answers differently (input -20 to +25 %, output half to double). What rejected attempts cost
counts against it.
Imported calls count in reports, not against the budgets: each machine has its own."""


def _exit_codes() -> str:
    from mrt.errors import EXIT_CODE_MEANINGS

    lines = [f"{int(code):>3}  {meaning}" for code, meaning in EXIT_CODE_MEANINGS.items()]
    return "\n".join([*lines, "128 + N  ended by signal N (129: hang-up, 143: terminated)"])


def _environment() -> str:
    from mrt.config import describe
    from mrt.endpoints import PROVIDERS

    lines = [
        "MRT_CONFIG   the config file (default: $XDG_CONFIG_HOME/mrt/config.toml)",
        "MRT_DB       the spend store (default: $XDG_DATA_HOME/mrt/spend.db)",
        "NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE, TERM=dumb   whether to colour",
        "",
        "Each provider's address and key (empty counts as unset):",
    ]
    for name, provider in PROVIDERS.items():
        stem = provider.variables
        also = ", then LOCAL_LLM_BASE_URL and LOCAL_LLM_API_KEY" if provider.local else ""
        lines.append(f"  {name + '/':<12} {stem}_BASE_URL, {stem}_API_KEY{also}")
    lines += ["", "Each setting:"]
    lines += [f"  {', '.join(setting.environment)}  ({setting.name})" for setting in describe()]
    return "\n".join(lines)


def _config() -> str:
    from mrt.config import describe

    lines = ["Settings of config.toml; precedence: flag, environment, file, default.", ""]
    for setting in describe():
        lines.append(f"{setting.name} = {setting.default or '(unset)'}  ({setting.type})")
        lines.append(f"    {setting.help}")
    return "\n".join(lines)


TOPICS: dict[str, tuple[str, Callable[[], str]]] = {
    "exit-codes": ("what mrt's exit codes mean", _exit_codes),
    "environment": ("environment variables", _environment),
    "config": ("every setting, its type and default", _config),
    "json": ("what --json and --stream-json print", lambda: JSON_TEXT),
    "checks": ("how an answer is judged", lambda: CHECKS_TEXT),
    "budgets": ("what a budget promises, and how", lambda: BUDGETS_TEXT),
    "sandbox": ("where code that a model wrote runs", lambda: SANDBOX_TEXT),
}
