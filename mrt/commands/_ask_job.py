"""From the options of `mrt ask` to a job for the cascade and the world it runs in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mrt.cascade import Job, Step, Wish, World
from mrt.cascade.job import takes_seed
from mrt.cascade.verify import schema_checker
from mrt.commands._ask_route import DIRECT, Given, Routing, free_below, route
from mrt.commands._ask_tests import tests_check
from mrt.commands._input import ask_and_pasted, decode, join_prompt, read_files, read_stdin
from mrt.commands._settings import configured
from mrt.commands._wire import probe_before_asking, real_wire
from mrt.commands._world import open_or_memory, timers_of, world_of
from mrt.config import Config, Template, Tier
from mrt.endpoints import resolve
from mrt.errors import ConfigError, StoreError, UsageError
from mrt.frozen import frozen
from mrt.ledger import Conversation, Store, last_conversation_name, load_conversation, new_id
from mrt.near import guessed, nearest
from mrt.output import Console
from mrt.quality import external_checks, parse_checks

# Request fields that mrt sets itself, and what sets them instead. A token limit or a number of answers that came in beside the
# booked ones would make the reserved bound a lie.
_FIELDS_WITH_FLAGS = {
    "model": "-m",
    "messages": "the prompt",
    "stream": "--stream",
    "max_tokens": "--max-tokens",
    "max_completion_tokens": "--max-tokens",
    "max_output_tokens": "--max-tokens",
    "num_predict": "--max-tokens",
    "n": "several asks",
    "best_of": "several asks",
    "models": "-m",
    "extra_body": "-o for each field",
    "temperature": "--temperature",
}
_TOKEN_LIMITS = frozenset(name for name, flag in _FIELDS_WITH_FLAGS.items() if flag == "--max-tokens")


@frozen
class AskOptions:
    """The command line of `mrt ask`, as parsed; None and False where nothing was said."""

    prompt: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    system: str | None = None
    template: str | None = None
    model: str | None = None
    option: tuple[str, ...] = ()
    extract: bool = False
    extract_last: bool = False
    continue_last: bool = False
    session: str | None = None
    clear: bool = False
    schema: str | None = None
    stream_json: bool = False
    max_tokens: int | None = None
    temperature: float | None = None
    seed: int | None = None
    effort: str | None = None
    strict: bool = False
    timeout: float | None = None
    idle_timeout: float | None = None
    reasoning: str | None = None
    verify: str | None = None
    tests: Path | None = None
    agree: bool = False
    tier: str | None = None
    max_tier: str | None = None
    escalate: bool | None = None
    stream: bool | None = None
    dry_run: bool = False
    usage: bool = False
    no_log: bool = False
    debug_http: bool = False
    no_probe: bool = False
    allow_unpriced: bool = False
    tag: str | None = None
    project: str | None = None
    no_stdin: bool = False
    stdin_timeout: float | None = None
    encoding: str = "utf-8"


@frozen
class Prepared:
    """Everything one ask needs."""

    job: Job
    world: World
    config: Config


def prepare(options: AskOptions, console: Console) -> Prepared:
    """Read, decide and open; nothing is sent but the probe of a model named with -m."""
    config = configured(console)
    template = _template(options, config)
    given = _prompt(options, template, config, console)
    store = open_or_memory(console)
    wire = real_wire(console, options.debug_http)
    conversation = _conversation(options, store, wire.now())
    wish = _wish(options, template)
    seconds = options.timeout if options.timeout is not None else config.ask.timeout
    world = world_of(console, config, store, wire, timers_of(config.ask, wire, seconds, options.idle_timeout))
    routing = Routing(options, given, template.model if template else None, conversation, wish, world, console)
    return prepare_routed(routing)


def prepare_routed(routing: Routing) -> Prepared:
    """Decide; all of what is asked has been read, and the store and the wire are open.

    A model named alone is checked first, which is all that is sent. Raises what is wrong with the options or the tiers.
    """
    options, wish, world, console = routing.options, routing.wish, routing.world, routing.console
    config, given, conversation = world.config, routing.given, routing.conversation
    steps, decision, asides = route(routing)
    # A tier that the user named is theirs to pay for, or not: no other takes its place.
    named = routing.model or options.tier
    below = () if named or options.escalate is False else free_below(steps, config, console.environment)
    _refuse_effort(wish, steps)
    _warn_of_seed(wish, (*steps, *below), console)
    for step in (*steps, *below):
        _check_tier(step.tier, config, console.environment)
    job = Job(given.text, steps, decision, below, wish, conversation.messages, conversation.name, asides=asides)
    job = replace(job, tag=options.tag or config.ask.tag, project=options.project or config.ask.project)
    if options.model and steps[0].tier.name == DIRECT and not (options.no_probe or options.dry_run):
        probe_before_asking(steps[0].target, config, console, world.wire, world.timers)
    return Prepared(job, world, config)


def _prompt(options: AskOptions, template: Template | None, config: Config, console: Console) -> Given:
    words = [word for word in options.prompt if word != "-"]
    explicit = "-" in options.prompt
    given = " ".join(words)
    files = read_files(options.files, options.encoding)
    has_prompt = bool(given or files or (template and template.prompt))
    stdin = None
    if not options.no_stdin:
        patience = config.ask.stdin_timeout if options.stdin_timeout is None else options.stdin_timeout
        stdin = read_stdin(console, explicit, has_prompt, patience, options.encoding)
    text = join_prompt(given, files, stdin)
    ask, pasted = ask_and_pasted(given, files, stdin)
    if template and template.prompt:
        text = _fill(template.prompt, text)
        ask, pasted = _fill(template.prompt, given), pasted or ("" if given else ask)
    if not text.strip():
        raise UsageError("there is no prompt", 'mrt ask "your question", or pipe one in')
    return Given(text, ask, pasted)


def _fill(pattern: str, text: str) -> str:
    return pattern.replace("{input}", text) if "{input}" in pattern else f"{pattern}\n\n{text}".strip()


def _template(options: AskOptions, config: Config) -> Template | None:
    name = options.template
    if name is None:
        return None
    if name in config.templates:
        return config.templates[name]
    guess = guessed(nearest(name, config.templates))
    raise UsageError(f"no template {name!r}{guess}", f"write [templates.{name}] with a prompt into the config")


def _conversation(options: AskOptions, store: Store, now: float) -> Conversation:
    """The conversation to go on with: a named one, the last one, or a new one under the id of this ask."""
    try:
        return _stored_conversation(options, store, now)
    except StoreError:
        if options.session or options.continue_last:
            raise
        return Conversation(f"ask-{new_id(now)}", None, ())


def _stored_conversation(options: AskOptions, store: Store, now: float) -> Conversation:
    name = options.session
    if options.continue_last and name is None and not options.clear:
        name = last_conversation_name(store)
        if name is None:
            raise UsageError("there is no conversation to continue", "leave out -c, or name one with --session")
    if name is None:
        return Conversation(f"ask-{new_id(now)}", None, ())
    return load_conversation(store, name) or Conversation(name, None, ())


def _wish(options: AskOptions, template: Template | None) -> Wish:
    return Wish(
        system=options.system if options.system is not None else template.system if template else None,
        max_tokens=options.max_tokens,
        temperature=options.temperature,
        seed=options.seed,
        effort=options.effort,
        strict=options.strict,
        schema=_schema(options.schema),
        options=_request_options(options.option),
        verify=options.verify,
        agree=options.agree,
        tests=tests_check(options.tests, options.encoding),
        allow_unpriced=options.allow_unpriced,
    )


def _schema(given: str | None) -> dict[str, Any] | None:
    if given is None:
        return None
    text = given
    if not given.lstrip().startswith("{"):
        try:
            text = decode(Path(given).read_bytes(), given, "utf-8")
        except OSError as error:
            raise UsageError(
                f"the schema {given} cannot be read: {error.strerror}", "give a file or the JSON itself"
            ) from None
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the schema is not JSON: {error}", "give a file or the JSON itself") from None
    if not isinstance(schema, dict):
        raise UsageError("the schema is not a JSON object", 'for example {"type": "object"}')
    schema_checker(schema)  # what is wrong with it is said before anything is sent
    return schema


def _request_options(pairs: Sequence[str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"-o takes KEY=VALUE, not {pair!r}", "for example -o top_p=0.9")
        if name in _FIELDS_WITH_FLAGS:
            raise UsageError(f"-o cannot set {name}", f"use {_FIELDS_WITH_FLAGS[name]}")
        try:
            options[name] = json.loads(value, parse_constant=_no_number)
        except (ValueError, RecursionError):
            options[name] = value
    return options


def _no_number(name: str) -> Any:
    raise ValueError(name)  # NaN and Infinity are no JSON: the word stays a word


def _refuse_effort(wish: Wish, steps: Sequence[Step]) -> None:
    local = next((step for step in steps if step.target.local), None)
    if wish.strict and wish.effort is not None and local is not None:
        raise UsageError(
            f"{local.target.name} is local and takes no reasoning effort", "leave out --effort or --strict"
        )


def _warn_of_seed(wish: Wish, steps: Sequence[Step], console: Console) -> None:
    deaf = next((step.target for step in steps if not takes_seed(step.target)), None)
    if wish.seed is not None and deaf is not None:
        console.warn(f"{deaf.name} takes no seed: asked again, it may answer otherwise")


def _check_tier(tier: Tier, config: Config, environment: Mapping[str, str]) -> None:
    """Refuse what only shows when the tier's turn comes, before anything is sent."""
    for check, argument in external_checks(parse_checks(tier.checks or ())):
        if check == "agree" and argument:
            resolve(argument, config, environment)
    for name in sorted(tier.options):
        if name in _TOKEN_LIMITS:
            raise ConfigError(f"tiers.{tier.name}.options cannot set {name}", f"use tiers.{tier.name}.max_tokens")
        if name in _FIELDS_WITH_FLAGS and name != "temperature":
            raise ConfigError(f"tiers.{tier.name}.options cannot set {name}", f"leave it out; mrt sets {name} itself")
