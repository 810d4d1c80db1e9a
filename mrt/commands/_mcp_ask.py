"""The tools that ask: through the same cascade, checks and books as `mrt ask`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

from mrt.cascade import Chunk, Escalated, Event, Finished, Reasoning, Refused, Result, Started, Wish, run
from mrt.cascade.verify import run_check, schema_checker
from mrt.commands._ask_job import AskOptions, Prepared, prepare_routed
from mrt.commands._ask_route import Given, Routing
from mrt.commands._ask_tests import asserts_check
from mrt.commands._input import ask_and_pasted, join_prompt
from mrt.commands._mcp_arguments import in_arguments
from mrt.commands._mcp_call import Call, Outcome, Update, failure_texts
from mrt.commands._mcp_schemas import ASK_LOCAL
from mrt.commands._mcp_scope import allowed, coder_of, explained, need_tiers, refuse_paid
from mrt.commands._wire import real_wire
from mrt.commands._world import open_or_memory, timers_of, world_of
from mrt.config import Config, Tier, load
from mrt.errors import MrtError, UsageError
from mrt.ledger import Conversation
from mrt.output import one_line
from mrt.output.answer import Manner, answer_data, cost_text
from mrt.providers.estimate import estimate_tokens
from mrt.quality import DEFAULT_CHECKS, extract_code

_BETWEEN_UPDATES_S = 0.5


def ask_local(call: Call) -> Outcome:
    """Ask the local tiers, or the one model that is named."""
    config = load(call.console.environment, call.console.config_path)
    model = call.arguments.get("model")
    refuse_paid(model, config, call.console.environment)
    return _ask(call, config, AskOptions(model=model, **_limits(call)))


def ask_coding(call: Call) -> Outcome:
    """Ask the coder, and go up from there."""
    config = load(call.console.environment, call.console.config_path)
    environment = call.console.environment
    refuse_paid(config.mcp.coding_model, config, environment)
    coder = coder_of(allowed(config, environment), environment)
    if coder.note:
        call.console.note(coder.note)
    tiers = tuple(replace(tier, checks=_with_code(tier)) for tier in config.tiers)
    options = AskOptions(model=coder.model, tier=coder.tier, **_limits(call))
    return _ask(call, replace(config, tiers=tiers), options)


def _limits(call: Call) -> dict[str, Any]:
    return {"timeout": call.arguments.get("timeout_seconds")}


def _with_code(tier: Tier) -> tuple[str, ...]:
    """The tier's checks, that of code among them."""
    checks = DEFAULT_CHECKS if tier.checks is None else tier.checks
    return checks if "code" in checks else (*checks, "code")


def _ask(call: Call, configured: Config, options: AskOptions) -> Outcome:
    config = allowed(configured, call.console.environment)
    if options.model is None:
        need_tiers(config)
    options = replace(options, tag=config.mcp.tag)
    given = _given(call.arguments)
    wish = _wish(call.arguments)
    wire = call.stop.on(real_wire(call.console))
    seconds = config.ask.timeout if options.timeout is None else options.timeout
    with closing(open_or_memory(call.console)) as store:
        world = world_of(call.console, config, store, wire, timers_of(config.ask, wire, seconds))
        world = replace(world, run_check=call.stop.during(run_check))
        conversation = Conversation(call.session)
        prepared = prepare_routed(Routing(options, given, None, conversation, wish, world, call.console))
        call.stop.check()
        result = _run(call, prepared)
    error = explained(result.error, config)
    if error is not None:
        in_arguments(error, ASK_LOCAL)
    return _outcome(call, result, error)


def _given(arguments: Mapping[str, Any]) -> Given:
    """The prompt and the texts that came with it. Nothing is read from disk: a client hands over what is to be seen."""
    prompt = arguments["prompt"]
    files = [(one["name"], one["text"]) for one in arguments.get("files", ())]
    if arguments.get("context"):
        files.append(("context", arguments["context"]))
    if not prompt.strip():
        raise UsageError("the prompt is empty", "say what to do")
    return Given(join_prompt(prompt, files, None), *ask_and_pasted(prompt, files, None))


def _wish(arguments: Mapping[str, Any]) -> Wish:
    schema, tests = arguments.get("schema"), arguments.get("tests")
    if schema is not None:
        schema_checker(schema)  # what is wrong with it is said before anything is sent
    return Wish(
        system=arguments.get("system"),
        max_tokens=arguments.get("max_tokens"),
        temperature=arguments.get("temperature"),
        schema=schema,
        tests=asserts_check(tests, "tests") if tests else None,
    )


def _run(call: Call, prepared: Prepared) -> Result:
    """The end of the cascade. Raises Stopped; what was used until then is booked."""
    progress = _Progress(call, prepared)
    with closing(run(prepared.job, prepared.world)) as events:
        for event in events:
            call.stop.check()
            if isinstance(event, Finished):
                return event.result
            progress.show(event)
    raise RuntimeError("a cascade ended without a result")


class _Progress:
    """Tells what happens: every step, and now and then how much of an answer there is."""

    def __init__(self, call: Call, prepared: Prepared) -> None:
        self._tell = call.tell
        self._clock = prepared.world.wire.clock
        self._due = 0.0
        self._tier = ""
        self._text = ""

    def show(self, event: Event) -> None:
        """Tell of one event."""
        if isinstance(event, Chunk | Reasoning):
            self._text += event.text
            if self._clock() < self._due:
                return
            self._due = self._clock() + _BETWEEN_UPDATES_S
            message = f"{self._tier}: about {estimate_tokens(self._text)} tokens so far"
        elif isinstance(event, Started):
            self._tier, self._text, self._due = event.tier, "", 0.0  # that an answer begins is told at once
            message = f"asking {event.tier} ({event.model})"
        elif isinstance(event, Escalated):
            message = f"escalated to {event.to} from {event.tier}: {one_line(event.reason)}"
        elif isinstance(event, Refused):
            message = f"{event.tier} ({event.model}) is not asked: {one_line(event.error.message)}"
        else:
            return
        self._tell(Update(message))


def _outcome(call: Call, result: Result, error: MrtError | None) -> Outcome:
    data = answer_data(result, Manner(session=call.session))
    if not call.arguments.get("include_reasoning"):
        data["reasoning"] = None
    text = result.reply.text if result.reply else ""
    if call.arguments.get("code_only"):
        text = extract_code(text)
        data["code"] = text or None
    data = {"accepted": error is None, **data}
    if error is None:
        return Outcome((text, _provenance(result)), data)
    return Outcome(_rejected(error, text, result), data, error)


def _provenance(result: Result) -> str:
    tried = f" after {len(result.attempts)} attempts" if len(result.attempts) > 1 else ""
    seconds = (result.reply.timing.total_ms if result.reply else 0) / 1000
    return f"[{result.tier} ({result.model}){tried}, checks passed, {cost_text(result.cost)}, {seconds:.1f} s]"


def _rejected(error: MrtError, text: str, result: Result) -> tuple[str, ...]:
    """Why there is no answer; and what there is instead, plainly called that."""
    if not text.strip():
        return failure_texts(error)
    (why,) = failure_texts(error)
    return (
        f"NOT ACCEPTED. {why}",
        f"The best text there is, which did not pass ({result.tier}, {result.model}); do not rely on it:",
        text,
    )
