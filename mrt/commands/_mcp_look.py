"""The tools that only look: what models there are, where a task would go, what fits, what was spent."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mrt.commands._mcp_call import Call, Outcome, failure_texts
from mrt.commands._mcp_scope import allowed, coder_of, explained, need_tiers
from mrt.config import Config, load
from mrt.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from mrt.commands._fit_options import FitOptions
    from mrt.commands._probe_scope import View
    from mrt.memory.shape import ModelShape

_MODELS = "name a tag (qwen3:8b), a repository, ENDPOINT/MODEL or a size (14b:q4_k_m); without `model` the known ones are ranked"
_FIT = {"quantization": "quant", "context": "ctx", "kv_cache_type": "kv"}


def list_models(call: Call) -> Outcome:
    """The models of the local servers, and the tiers made of them."""
    from mrt.commands._probe_list import model_rows
    from mrt.commands._probe_scope import look_at, scope_of

    environment = call.console.environment
    config = allowed(load(environment, call.console.config_path), environment)
    scope = scope_of(call.console)
    # Without paid ones no key leaves for a cloud just to have its list.
    places = tuple(place for place in scope.places if place.target.local or config.mcp.allow_paid)
    view = look_at(replace(scope, config=config, places=places))
    rows = [row for report in view.reports if report.state == "ready" for row in model_rows(report)]
    models = [row for row in rows if config.mcp.allow_paid or not row["remote"]]
    tiers = [_tier_row(config, state) for state in view.tiers]
    coder = _coder(config, environment)
    data = {
        "models": models,
        "tiers": tiers,
        "coding_model": coder,
        "paid_allowed": config.mcp.allow_paid,
        "unready": [_unready(report) for report in view.reports if report.state != "ready"],
    }
    return Outcome((_models_text(models, view, coder),), data)


def _coder(config: Config, environment: Mapping[str, str]) -> str | None:
    try:
        coder = coder_of(config, environment)
    except ConfigError:
        return None
    return coder.tier or coder.model


def _tier_row(config: Config, state: Any) -> dict[str, Any]:
    tier = next(one for one in config.tiers if one.name == state.tier)
    return {"max_complexity": tier.max_complexity, **asdict(state), "ready": state.complete}


def _unready(report: Any) -> dict[str, Any]:
    return {"endpoint": report.name, "state": report.state, "message": report.message, "hint": report.hint}


def _models_text(models: list[dict[str, Any]], view: View, coder: str | None) -> str:
    tiers = [
        f"tier {state.tier}: {state.model}, {'ready' if state.complete else state.message or state.state}"
        for state in view.tiers
    ]
    tiers += [f"code goes to: {coder}"] if coder else ["no tier is local: name a model"]
    if not models:
        return "\n".join(["no local model server answers, or none lists a model", *tiers])
    return "\n".join([*tiers, "models:", *(_model_line(model) for model in models)])


def _model_line(model: dict[str, Any]) -> str:
    context = model["context_served"] or model["context_trained"]
    parts = [
        "loaded" if model["loaded"] else "",
        f"context {context}" if context else "",
        model["quantization"] or "",
        "embeddings only" if model["embedding"] else "",
    ]
    return f"  {model['name']}" + "".join(f", {part}" for part in parts if part)


def route_task(call: Call) -> Outcome:
    """The decision that ask_local_model would take; nothing is sent."""
    from mrt.cascade.facts import Asking, decide
    from mrt.commands._input import ask_and_pasted, join_prompt
    from mrt.commands._route_one import RouteOptions, around_of, assessor_of, problem_of, wanted_of
    from mrt.commands._route_world import OpenedStore
    from mrt.output.route_data import decision_data
    from mrt.output.route_explain import explain_text
    from mrt.router.facts import Prompt

    environment = call.console.environment
    configured = load(environment, call.console.config_path)
    config = allowed(configured, environment)
    need_tiers(config)
    prompt, context = call.arguments["prompt"], call.arguments.get("context")
    if not prompt.strip():
        raise UsageError("the prompt is empty", "say what the task is")
    files = [("context", context)] if context else []
    asked = Prompt(*ask_and_pasted(prompt, files, None))
    options = RouteOptions(context=call.arguments.get("context_length"), session=call.session)
    with OpenedStore(environment) as store:
        around = replace(around_of(call.console, options, config, time.time(), store), tag=config.mcp.tag)
        decision = decide(Asking(join_prompt(prompt, files, None)), asked, around, wanted_of(options, config, True))
    problem = explained(problem_of(decision), config)
    data = decision_data(decision) | {"assessor_unasked": assessor_of(asked, config)}
    texts = (explain_text(decision),) if problem is None else (*failure_texts(problem), explain_text(decision))
    return Outcome(texts, data, problem)


def check_fit(call: Call) -> Outcome:
    """What memory a model takes here, or which models fit."""
    from mrt.commands._fit_options import FitOptions, check
    from mrt.commands._fit_run import answer_of, machine_of, origin_of

    given = {_FIT.get(name, name): value for name, value in call.arguments.items() if name != "model"}
    given |= {"ctx": str(given["ctx"])} if "ctx" in given else {}
    name = call.arguments.get("model")
    options = FitOptions(models=(name,) if name else (), **given)
    check(options)
    if not name:
        return _ranking(options)
    shape = _shape(name, options, call)
    answer = answer_of(options, shape, machine_of(options), call.console)
    from mrt.output.fit import fit_text, verdict_line
    from mrt.output.fit_data import fit_data

    origin = origin_of(options, answer)
    return Outcome((f"{verdict_line(answer)}\n\n{fit_text(answer, origin)}",), fit_data(answer, origin))


def _ranking(options: FitOptions) -> Outcome:
    from mrt.commands._fit_rank import ranking
    from mrt.commands._fit_run import machine_of
    from mrt.output.fit_rank import rank_data, rank_text

    machine = machine_of(options)
    found, settings = ranking(options, machine)
    data = rank_data(found, settings, machine)
    # Some agents read the data instead of the text: what every buffer takes is told of one model, not of each in a list.
    models = [{name: value for name, value in row.items() if name != "devices"} for row in data["models"]]
    return Outcome((rank_text(found, settings, machine),), {**data, "models": models})


def _shape(name: str, options: FitOptions, call: Call) -> ModelShape:
    """The model of a name. Files and addresses are the user's to name: an agent's words open none."""
    from mrt.commands._fit_sources import sources
    from mrt.models import resolve_model

    is_path = name.startswith((".", "/", "~")) or "\\" in name or name.lower().endswith(".gguf")
    if is_path or "://" in name:
        raise UsageError(
            f"tools open no files and no addresses: {name[:80]!r}",
            _MODELS,
        )
    # Nothing lies beneath the null device, so that ORG/MODEL is no folder of the place where the client was started.
    where = replace(sources(call.console), directory=Path(os.devnull))
    try:
        return resolve_model(name, options.quant, where)
    except UsageError as error:
        raise UsageError(error.message, _MODELS) from None


def spend_summary(call: Call) -> Outcome:
    """Today and this month, and how the budgets stand."""
    from mrt.commands._spend_summary import summary_now
    from mrt.output.spend_summary import summary_data, summary_text

    summary = summary_now(call.console)
    return Outcome((summary_text(summary),), summary_data(summary))
