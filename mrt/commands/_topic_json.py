"""`mrt help json`: the keys that scripts may rely on."""

from __future__ import annotations

JSON_TEXT = """\
--json prints one object:
  {"schema_version": 1, "command": "ask", "data": {...} or null, "errors": [{"code", "message", "hint", "exit_code"}]}
`mrt help json COMMAND` prints the JSON schema of that (mrt help json spend log; mrt help json ask lines, for what comes line by
line). Keys are stable; more may be added. Money is a decimal string in US dollars, counts are integers, unknown is null, never 0.
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
  size_bytes, vram_bytes, remote, remote_host, tools, vision, reasoning, embedding, digest}], message, hint, checked_at}],
  tiers [{tier, model, endpoint, state, ready, listed, remote, message, hint}].
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
