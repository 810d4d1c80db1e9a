"""The tools of `mrt mcp`, and what an agent is told of each: what it is good for, when not to use it, what a failure means."""

from __future__ import annotations

from mrt.commands import _mcp_schemas as schemas
from mrt.commands._mcp_ask import ask_coding, ask_local
from mrt.commands._mcp_call import Tool
from mrt.commands._mcp_look import check_fit, list_models, route_task, spend_summary

INSTRUCTIONS = (
    "mrt gives you the language models that run on the user's own machines, as tools. You stay the one who reasons "
    "and decides; they do parts of the work that can be handed over: summaries, extraction, translation, drafts, "
    "boilerplate, tests, commit messages, a second opinion. They are free of charge unless the user allows paid ones, "
    "their prompts stay on the user's machines, and every answer is checked before you see it (complete, no refusal, "
    "no loop, code that parses). A rejected answer is an error: do the part yourself, or ask again with a clearer "
    "prompt. The models see only what you send: no files, no conversation."
)
_FAILS = (
    "An answer that fails the checks on every tier comes back as an error with the reason; the best text there was is "
    "marked as not accepted: do not use it as it is. Each call is booked in the user's spend store."
)

TOOLS: tuple[Tool, ...] = (
    Tool(
        name="ask_local_model",
        title="Ask a local model",
        description=(
            "Ask a language model on the user's own machines. Good for self-contained work on text you hand over: "
            "summarize or extract from long logs and documents, classify, translate, rephrase, draft commit messages and "
            "docs, answer from given material, a second opinion; above all many such pieces, and text that should not "
            "leave the machine. Not for what needs your conversation, the repository, tools, recent facts or careful "
            "multi-step reasoning: do that yourself. Costs nothing unless the user allows paid tiers. The first tier that "
            "is able enough answers; a poor answer goes up a tier by itself. "
            f"{_FAILS}"
        ),
        takes=schemas.ASK_LOCAL,
        gives=schemas.ANSWER,
        run=ask_local,
        asks=True,
    ),
    Tool(
        name="ask_coding_model",
        title="Ask a local coding model",
        description=(
            "Have the user's local coding model write code: a function or a script from a precise description, tests for "
            "given code, boilerplate, a translation between languages, a regular expression, SQL, docstrings. Hand over "
            "all it must know: signatures, types, examples, the files concerned. Code that does not parse is rejected; "
            "with `tests` it must also pass them in a sandbox. Not for changes across a repository you have not handed "
            "over, nor for design. It writes no files: you get text. "
            f"{_FAILS}"
        ),
        takes=schemas.ASK_CODING,
        gives=schemas.ANSWER,
        run=ask_coding,
        asks=True,
    ),
    Tool(
        name="list_local_models",
        title="List local models",
        description=(
            "The models that the user's servers offer now, with context length, whether each is loaded, and the tiers "
            "made of them. Use it before you name a model, or when a call failed because a server is down. Not needed "
            "before every call: without a name the right tier is chosen. Loads and asks no model."
        ),
        takes=schemas.NOTHING,
        gives=schemas.MODELS,
        run=list_models,
    ),
    Tool(
        name="route_task",
        title="Rate a task",
        description=(
            "How hard a task is (1 to 10), which tier ask_local_model would start it on, how likely each tier fails, and "
            "why; in milliseconds, with nothing sent. Use it to decide whether to hand a task over or do it yourself: "
            "keep what is rated high or likely to fail. Not needed before a plain call, which takes the same decision."
        ),
        takes=schemas.ROUTE,
        gives=schemas.ROUTED,
        run=route_task,
    ),
    Tool(
        name="check_fit",
        title="Check what fits the memory",
        description=(
            "Whether a model fits this machine's memory (or a described one), per device and buffer, how fast it may be, "
            "and what would fit instead. Use it when the user asks which model to run, before suggesting to download one, "
            "or when a local model is slow. That a model does not fit is an answer, not an error. Downloads and loads "
            "nothing."
        ),
        takes=schemas.FIT,
        gives=schemas.FITTED,
        run=check_fit,
    ),
    Tool(
        name="spend_summary",
        title="What was spent",
        description=(
            "What mrt's calls of today and this month came to, by tier and model, and how the user's budgets stand. Use "
            "it when the user asks about cost, or when a paid call was refused. It knows mrt's own calls, not what your "
            "own use costs."
        ),
        takes=schemas.NOTHING,
        gives=schemas.SPENT,
        run=spend_summary,
    ),
)
