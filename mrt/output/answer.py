"""Show a running cascade: as text, as one JSON object, or as JSON lines."""

from __future__ import annotations

from typing import Any

from mrt.cascade import Chunk, Escalated, Event, Finished, Reasoning, Refused, Result, Retracted, Started
from mrt.domain import Attempt, Cost, Timing, Usage, usd
from mrt.errors import IncompleteError, MrtError
from mrt.frozen import frozen
from mrt.output.console import Console, error_data, is_terminal
from mrt.output.terminal import TerminalFilter, one_line, safe
from mrt.quality import extract_code


@frozen
class Manner:
    """How an answer is shown. `stream` None: live on a terminal, and in a pipe once no tier can take over."""

    stream: bool | None = None
    extract: bool = False
    last_block: bool = False
    reasoning: bool = False
    usage: bool = False
    session: str | None = None


class TextAnswer:
    """Exactly one answer on stdout; what happens on the way on stderr."""

    def __init__(self, console: Console, manner: Manner) -> None:
        self._console = console
        self._manner = manner
        self._terminal = is_terminal(console.stdout)
        self._filter = TerminalFilter()
        self._tier = ""
        self._live = False
        self._shown: set[str] = set()
        self._printed = ""
        self._dirty = False
        self._spoiled = False

    def show(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, Chunk):
            self._chunk(event.text)
        elif isinstance(event, Reasoning):
            self._reasoning(event.text)
        elif isinstance(event, Started):
            self._started(event)
        elif isinstance(event, Escalated):
            self._escalated(event)
        elif isinstance(event, Refused):
            self._refused(event)
        elif isinstance(event, Retracted):
            self._retracted()

    def _started(self, event: Started) -> None:
        if (not self._dirty and is_terminal(self._console.stderr)) or self._console.verbosity:
            self._console.note(f"routed to {event.tier} ({event.model}): {event.reason}", "bright_black")
        self._tier = event.tier
        choice = self._manner.stream
        self._live = (self._terminal or event.final) if choice is None else choice
        self._live = self._live and not self._manner.extract
        self._filter = TerminalFilter()

    def _chunk(self, text: str) -> None:
        if not self._live:
            return
        self._shown.add(self._tier)
        text = self._filter.feed(text) if self._terminal else text
        self._printed = (self._printed + text)[-1:]  # first: an interruption may come as soon as the text is out
        self._console.stdout.write(text)
        self._console.stdout.flush()

    def _reasoning(self, text: str) -> None:
        if self._manner.reasoning:
            self._console.aside(text)

    def _refused(self, event: Refused) -> None:
        line = f"{event.tier} ({event.model}) is not asked: {event.error.message}"
        if event.instead is None:
            self._console.detail(line)
        else:
            self._console.note(f"{line}; staying local: asking {event.instead}", "yellow")

    def _escalated(self, event: Escalated) -> None:
        self._break_line(f"escalated to {event.to} from {event.tier}: {one_line(event.reason)}")
        self._dirty = True

    def _retracted(self) -> None:
        if self._live and not self._terminal:
            self._spoiled = True
        self._break_line("what came before this line was reasoning, not the answer")

    def _break_line(self, text: str) -> None:
        """A note; where text stands above it that is not the answer, a line between the two for whoever reads stdout."""
        if self._printed:
            self._end_line()
            line, text = f"── {text} ──\n", f"── {text} ──"
            same_screen = self._terminal and is_terminal(self._console.stderr)
            if self._console.quiet or not same_screen:
                self._console.write(line)
        self._console.note(text, "yellow")

    def _end_line(self) -> None:
        if self._printed and self._printed != "\n":
            self._console.stdout.write("\n")
        self._printed = ""
        self._console.stdout.flush()

    def abandon(self) -> None:
        """The answer breaks off here: leave the cursor at the start of a line."""
        self._end_line()

    def finish(self, result: Result) -> MrtError | None:
        """The end: the answer if it was not shown while it came, then what was used. Returns the failure to report."""
        text = result.reply.text if result.reply else ""
        if self._manner.extract and text:
            text = extract_code(text, last=self._manner.last_block)
        if result.tier in self._shown:
            text = self._filter.finish()
        elif self._terminal:
            text = safe(text)
        if text:
            self._console.stdout.write(text)
            self._printed = text[-1:]
        self._end_line()
        if self._manner.usage:
            self._console.note(usage_line(result))
        if self._spoiled and result.error is None:
            return IncompleteError(
                "reasoning reached stdout before it was known as such", "ask again: it is known now for this model"
            )
        return result.error


class JsonAnswer:
    """One JSON object at the end."""

    def __init__(self, console: Console, manner: Manner) -> None:
        self._console = console
        self._manner = manner

    def show(self, event: Event) -> None:
        """Nothing is shown before the end."""

    def abandon(self) -> None:
        """Nothing is half printed."""

    def finish(self, result: Result) -> MrtError | None:
        """Print the object; the failure goes to stderr too, for people who read a log."""
        self._console.envelope("ask", answer_data(result, self._manner), [result.error] if result.error else [])
        return result.error


class JsonLinesAnswer:
    """A JSON line for every event; the last one is the result or the error."""

    def __init__(self, console: Console, manner: Manner) -> None:
        self._console = console
        self._manner = manner
        self._begun = False

    def show(self, event: Event) -> None:
        """Print one event."""
        name, fields = _line_of(event)
        if isinstance(event, Started):
            if not self._begun:
                self._console.event("route", {"tier": event.tier, "model": event.model, "reason": event.reason})
            self._begun = True
        self._console.event(name, fields)

    def abandon(self) -> None:
        """Nothing is half printed."""

    def finish(self, result: Result) -> MrtError | None:
        """Print usage, then the result, or the error with what there is of a result."""
        data = answer_data(result, self._manner)
        self._console.event("usage", {"usage": data["usage"], "cost": data["cost"]})
        if result.error is None:
            self._console.event("result", data)
        else:
            self._console.event("error", {**error_data(result.error), "data": data})
        return result.error


Answer = TextAnswer | JsonAnswer | JsonLinesAnswer


def _line_of(event: Event) -> tuple[str, dict[str, Any]]:
    if isinstance(event, Chunk):
        return "delta", {"text": event.text}
    if isinstance(event, Reasoning):
        return "reasoning", {"text": event.text}
    if isinstance(event, Started):
        return "start", {"tier": event.tier, "model": event.model, "final": event.final}
    if isinstance(event, Escalated):
        return "escalate", {"from": event.tier, "to": event.to, "check": event.check, "reason": one_line(event.reason)}
    if isinstance(event, Refused):
        return "refused", {
            "tier": event.tier,
            "model": event.model,
            "instead": event.instead,
            **error_data(event.error),
        }
    return "retract", {}


def answer_data(result: Result, manner: Manner) -> dict[str, Any]:
    """The result of `ask` by the JSON contract."""
    reply = result.reply
    text = reply.text if reply else None
    if text and manner.extract:
        text = extract_code(text, last=manner.last_block)
    return {
        "answer": text,
        "reasoning": (reply.reasoning or None) if reply else None,
        "tier": result.tier,
        "model": result.model,
        "served_model": reply.served_model if reply else None,
        "finish_reason": reply.finish_reason if reply else None,
        "complete": reply is not None and reply.complete,
        "usage": usage_data(reply.usage if reply else Usage()),
        "cost": cost_data(result.cost),
        "timing": timing_data(reply.timing if reply else Timing()),
        "attempts": [attempt_data(attempt) for attempt in result.attempts],
        "session": manner.session,
        "id": result.operation,
    }


def attempt_data(attempt: Attempt) -> dict[str, Any]:
    """One attempt by the JSON contract."""
    return {
        "tier": attempt.tier,
        "model": attempt.model,
        "outcome": attempt.outcome,
        "check": attempt.check,
        "reason": one_line(attempt.reason, 2000) if attempt.reason else None,
        "usage": usage_data(attempt.usage),
        "cost": cost_data(attempt.cost),
        "timing": timing_data(attempt.timing),
    }


def usage_data(usage: Usage) -> dict[str, Any]:
    """Token counts; unknown is null."""
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_tokens": usage.cached_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "source": usage.source,
    }


def cost_data(cost: Cost) -> dict[str, Any]:
    """A cost as a decimal string; unknown is null."""
    return {"state": cost.state, "usd": None if cost.nano is None else usd(cost.nano)}


def timing_data(timing: Timing) -> dict[str, Any]:
    """Times in milliseconds."""
    return {"ttft_ms": timing.ttft_ms, "total_ms": timing.total_ms, "tokens_per_second": timing.tokens_per_second}


def cost_text(cost: Cost) -> str:
    """A cost for people: what is unknown says so, and what is estimated too."""
    if cost.state == "free":
        return "no API cost"
    if cost.nano is None:
        return "cost unknown"
    about = "about " if cost.state == "estimated" else ""
    return f"{about}${usd(cost.nano)}"


def usage_line(result: Result) -> str:
    """The line of `-u`."""
    usage = result.reply.usage if result.reply else Usage()
    about = "about " if usage.source == "estimated" else ""
    counts = [
        "? tokens" if count is None else f"{about}{count} tokens" for count in (usage.input_tokens, usage.output_tokens)
    ]
    seconds = (result.reply.timing.total_ms if result.reply else 0) / 1000
    tried = f", {len(result.attempts)} attempts" if len(result.attempts) > 1 else ""
    return f"{result.tier} ({result.model}): {counts[0]} in, {counts[1]} out, {cost_text(result.cost)}, {seconds:.1f} s{tried}"


__all__ = ["Answer", "Finished", "JsonAnswer", "JsonLinesAnswer", "Manner", "TextAnswer", "cost_text"]
