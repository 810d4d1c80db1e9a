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
ask --stream-json: one JSON object a line, {"event": NAME, ...}. NAME is route, start, delta, reasoning, retract, escalate,
  refused, usage, result or error. delta and reasoning have text; retract says that the text so far was reasoning; the last
  line is result or error."""

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


def _exit_codes() -> str:
    from mrt.errors import EXIT_CODE_MEANINGS

    return "\n".join(f"{int(code):>3}  {meaning}" for code, meaning in EXIT_CODE_MEANINGS.items())


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
}
