"""`mrt ask`: one prompt through the cascade, one clean answer out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mrt.commands._options import SECONDS, SEED, Finite, stdin_options
from mrt.commands._shared import ExamplesFirst, common_options, console

if TYPE_CHECKING:
    from mrt.cascade import Result
    from mrt.commands._ask_job import AskOptions, Prepared
    from mrt.output.answer import Answer, Manner

EXAMPLES = """
mrt ask "what does EAGAIN mean?"
git diff | mrt ask "write a commit message"
mrt ask -f main.py "find the bug" --tier local-heavy
mrt ask "a bash function that slugifies" -x > slugify.sh
mrt ask -m ollama/qwen2.5-coder:7b "explain this regex: ^(?!.*foo)"
mrt ask --json "capital of France" | jq -r .data.answer
"""
_BEGINNING = "deciding who answers ..."


@click.command(cls=ExamplesFirst, examples=EXAMPLES)
@click.argument("prompt", nargs=-1)
@click.option(
    "-f", "--file", "files", multiple=True, type=click.Path(path_type=Path), help="Add a file; may be repeated."
)
@click.option("-s", "--system", metavar="TEXT", help="System prompt instead of the tier's own.")
@click.option("-t", "--template", metavar="NAME", help="Use [templates.NAME] of the config.")
@click.option(
    "-m",
    "--model",
    metavar="MODEL",
    help="Ask just this tier, alias or PROVIDER/MODEL.",
)
@click.option("-o", "--option", multiple=True, metavar="KEY=VALUE", help="Add a request field; may be repeated.")
@click.option("-x", "--extract", is_flag=True, help="Print only the first code block (all of it when there is none).")
@click.option("--xl", "extract_last", is_flag=True, help="Print only the last code block.")
@click.option("-c", "--continue", "continue_last", is_flag=True, help="Continue the last conversation.")
@click.option("--session", metavar="NAME", help="Keep a conversation under this name.")
@click.option("--clear", is_flag=True, help="Forget the conversation and the tier it had escalated to.")
@click.option("--schema", metavar="FILE|JSON", help="The answer must be JSON that is valid under this schema.")
@click.option("--stream-json", is_flag=True, help="Print a JSON line for every event.")
@click.option("--max-tokens", type=click.IntRange(min=1), help="Most tokens of the answer.")
@click.option("--temperature", type=Finite(0, 2), help="Sampling temperature.")
@click.option("--seed", type=SEED, metavar="N", help="Sample by this seed, so that it can be repeated.")
@click.option("--effort", type=click.Choice(["low", "medium", "high"]), help="Reasoning effort of cloud models.")
@click.option("--strict", is_flag=True, help="Refuse --effort for local models instead of leaving it out.")
@click.option("--timeout", type=SECONDS, metavar="SECONDS", help="For everything together.")
@click.option("--idle-timeout", type=SECONDS, metavar="SECONDS", help="Longest wait for the next token.")
@click.option("--reasoning", type=click.Choice(["none", "stderr"]), help="Where the model's reasoning goes.")
@click.option(
    "--verify", metavar="COMMAND", help="Accept an answer only if this command, given it on stdin, ends with 0."
)
@click.option(
    "--tests",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Accept code only if the asserts of this file hold for it, in the sandbox.",
)
@click.option("--agree", is_flag=True, help="Accept an answer only if a second local opinion agrees.")
@click.option("--tier", metavar="TIER", help="Start at this tier.")
@click.option("--max-tier", metavar="TIER", help="Go no higher than this tier.")
@click.option("--escalate/--no-escalate", default=None, help="Whether a failed tier hands on to the next.")
@click.option(
    "--stream/--no-stream", default=None, help="Print tokens as they come, or the answer when it is accepted."
)
@click.option("--dry-run", is_flag=True, help="Show the request and the most it can cost; send nothing.")
@click.option("-u", "--usage", is_flag=True, help="Say on stderr what was used.")
@click.option(
    "-n", "--no-log", is_flag=True, help="Keep no text of this conversation; the spend is booked all the same."
)
@click.option("--debug-http", is_flag=True, help="Show the HTTP traffic on stderr, without keys.")
@click.option("--no-probe", is_flag=True, help="Do not check a model named with -m first.")
@click.option("--allow-unpriced", is_flag=True, help="Ask a paid model whose price is not known, whatever the budget.")
@click.option("--tag", metavar="NAME", help="Book the calls under this tag.")
@click.option("--project", metavar="NAME", help="Book the calls under this project.")
@stdin_options
@common_options
def command(**given: Any) -> int:
    """Answer PROMPT through the cascade of tiers: the cheap one first, the strong one when it is needed.

    Text on stdin and files follow the prompt; `-` reads stdin explicitly. The answer goes to stdout, everything else to stderr.
    """
    from contextlib import closing

    with console().waiting(_BEGINNING):  # what loads now is most of the time until the first line
        from mrt.commands._ask_advice import advise_once
        from mrt.commands._ask_job import AskOptions, prepare
        from mrt.commands._input import says_something

    options = AskOptions(**given)
    if options.stream_json:
        console().mode = "stream-json"
    asked = bool(options.prompt or options.files or options.template)
    if options.clear and not options.dry_run:
        cleared = clear(options)
        if not asked and (_nothing_piped(options) or not says_something(console(), _patience(options))):
            return show_cleared(cleared)
    if not asked and _nothing_piped(options):
        raise click.UsageError('there is no prompt: mrt ask "your question"')
    with console().waiting(_BEGINNING):
        prepared = prepare(options, console())
    with closing(prepared.world.store):
        if options.dry_run:
            return dry_run(prepared)
        advise_once(prepared.job.steps[0].target, prepared.world.store, console())
        return answer(prepared, options)


def _nothing_piped(options: AskOptions) -> bool:
    from mrt.output.console import is_terminal

    stdin = console().stdin
    return options.no_stdin or stdin is None or is_terminal(stdin)


def _patience(options: AskOptions) -> float:
    """How many seconds a pipe may take to say something."""
    from mrt.config import load

    if options.stdin_timeout is not None:
        return options.stdin_timeout
    return load(console().environment, console().config_path).ask.stdin_timeout


def clear(options: AskOptions) -> str | None:
    """Forget the named or the last conversation; gives its name, None when there was none."""
    from mrt.commands._world import open_or_memory
    from mrt.ledger import clear_conversation, last_conversation_name

    store = open_or_memory(console())
    name = options.session or last_conversation_name(store)
    return name if name is not None and clear_conversation(store, name) else None


def show_cleared(name: str | None) -> int:
    """Say what `--clear` alone has done."""
    if console().mode == "json":
        console().envelope("ask", {"cleared": name})
    elif console().mode == "stream-json":
        console().event("result", {"cleared": name})
    else:
        console().note(f"cleared conversation {name}" if name else "there is no such conversation to clear")
    return 0


def answer(prepared: Prepared, options: AskOptions) -> int:
    """Run the cascade and show it."""
    from contextlib import closing

    from mrt.cascade import Finished, run

    shown = _answer(options, prepared)
    failure = None
    with closing(run(prepared.job, prepared.world)) as events:
        try:
            for event in events:
                if isinstance(event, Finished):
                    failure = shown.finish(event.result)
                    keep(prepared, options, event.result)
                else:
                    shown.show(event)
        except KeyboardInterrupt:
            shown.abandon()
            raise
    if failure is None:
        return 0
    console().failure(failure)
    return int(failure.exit_code)


def _answer(options: AskOptions, prepared: Prepared) -> Answer:
    from mrt.output.answer import JsonAnswer, JsonLinesAnswer, TextAnswer

    kinds: dict[str, Any] = {"text": TextAnswer, "json": JsonAnswer, "stream-json": JsonLinesAnswer}
    kind: type[Answer] = kinds[console().mode]
    return kind(console(), manner(options, prepared))


def manner(options: AskOptions, prepared: Prepared) -> Manner:
    """How this answer is to be shown."""
    from mrt.output.answer import Manner

    ask = prepared.config.ask
    configured = {"auto": None, "always": True, "never": False}[ask.stream]
    return Manner(
        stream=configured if options.stream is None else options.stream,
        extract=options.extract or options.extract_last,
        last_block=options.extract_last,
        reasoning=(options.reasoning or ask.reasoning) == "stderr",
        usage=options.usage,
        session=prepared.job.conversation,
    )


def keep(prepared: Prepared, options: AskOptions, result: Result) -> None:
    """Remember the exchange and, after an escalation, the tier that the conversation now stays on."""
    from mrt.errors import StoreError
    from mrt.ledger import append_exchange, stick

    name, store = prepared.job.conversation, prepared.world.store
    if options.no_log or name is None or result.reply is None or result.error is not None:
        return
    escalated_to = next((step.tier.name for step in prepared.job.steps[1:] if step.tier.name == result.tier), None)
    try:
        append_exchange(store, name, prepared.job.prompt, result.reply.text, result.operation)
        if escalated_to is not None:
            stick(store, name, escalated_to)
    except StoreError as error:
        # The answer is whole and printed: that it cannot be kept does not make it a failure.
        console().warn(f"{error.message}; the conversation is not kept")


def dry_run(prepared: Prepared) -> int:
    """Show the exact request of the first tier and the most it can cost; nothing is sent."""
    import json

    from mrt.commands._dry_run import request_data, request_text

    data = request_data(prepared)
    if console().mode == "text":
        console().result(request_text(data))
    elif console().mode == "json":
        console().envelope("ask", data)
    else:
        console().result(json.dumps({"event": "result", **data}, ensure_ascii=False))
    return 0
