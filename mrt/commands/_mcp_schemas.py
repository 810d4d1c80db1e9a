"""What the tools take and give, as JSON Schema: the field's words, each with what an agent needs to know of it."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def _object(properties: Schema, *required: str, closed: bool = True) -> Schema:
    made: Schema = {"type": "object", "properties": properties}
    if required:
        made["required"] = list(required)
    return made | {"additionalProperties": False} if closed else made


def _is(kind: str | list[str], description: str, **more: Any) -> Schema:
    return {"type": kind, "description": description, **more}


_FILE = _object(
    {"name": _is("string", "Its path or name, for the model to refer to."), "text": _is("string", "Its content.")},
    "name",
    "text",
)
_ASKING: Schema = {
    "prompt": _is(
        "string", "What to do, complete in itself: the model sees nothing of your conversation.", minLength=1
    ),
    "context": _is("string", "Material that the prompt is about: a diff, a log, notes."),
    "files": {
        "type": "array",
        "items": _FILE,
        "description": "Files as text. Nothing is read from disk: hand over what is to be seen.",
    },
    "system": _is("string", "System prompt in place of the tier's own."),
    "max_tokens": _is(
        "integer", "Most tokens of the answer; one that is cut is not accepted.", minimum=1, maximum=10_000_000
    ),
    "timeout_seconds": _is("number", "For everything together.", exclusiveMinimum=0, maximum=604800),
    "include_reasoning": _is("boolean", "Give the model's reasoning too. Without it `reasoning` is null."),
}
ASK_LOCAL = _object(
    {
        **_ASKING,
        "model": _is(
            "string",
            "Ask just this tier, alias or ENDPOINT/MODEL of list_local_models; no other takes over. Leave it out as a rule: "
            "then the first tier that is able enough answers, and a poor answer goes up by itself.",
        ),
        "temperature": _is("number", "Sampling temperature.", minimum=0, maximum=2),
        "schema": _is(
            "object", "A JSON Schema (draft 4, 6 or 7): the answer must be JSON that is valid under it, or is rejected."
        ),
    },
    "prompt",
)
ASK_CODING = _object(
    {
        **_ASKING,
        "tests": _is(
            "string",
            "Python asserts that the code must satisfy, one a line. They are run with it in a sandbox without network or "
            "files, and an answer that fails them is rejected. The best way to get code that needs no second look.",
        ),
        "code_only": _is("boolean", "Give the first code block alone as text."),
    },
    "prompt",
)
ROUTE = _object(
    {
        "prompt": _is("string", "The task, as you would ask it.", minLength=1),
        "context": _is("string", "Material that would go with it; its length decides what fits."),
        "context_length": _is("integer", "Judge by this context length, whatever servers say.", minimum=1),
    },
    "prompt",
)
FIT = _object(
    {
        "model": _is(
            "string",
            "A tag (qwen2.5-coder:14b), a repository (Qwen/Qwen3-8B), ENDPOINT/MODEL, or a size (14b:q4_k_m). Without it the "
            "known models are ranked for the machine. No files and no addresses.",
        ),
        "quantization": _is("string", "Instead of the model's own, such as Q4_K_M."),
        "context": _is("integer", "Context length in tokens.", minimum=1),
        "kv_cache_type": _is("string", "f16, q8_0, q4_0 ...; K and V apart with a comma."),
        "parallel": _is("integer", "Slots that answer at the same time.", minimum=1, maximum=1024),
        "engine": _is("string", "llama.cpp, ollama or vllm."),
        "gpu": _is("string", 'Another machine\'s GPU, such as "RTX 4090" or 3090x2.'),
        "vram": _is("string", "Another machine's GPU memory, such as 8GiB."),
        "ram": _is("string", "Another machine's RAM, such as 64GiB."),
        "limit": _is("integer", "Without a model: so many of them.", minimum=1, maximum=50),
    }
)
NOTHING = _object({})

_FAILURE: Schema = {
    "error": {
        "type": ["object", "null"],
        "description": "null when all went well, else what happened and what to do.",
        "properties": {
            "code": _is("string", "Stable, for programs."),
            "message": {"type": "string"},
            "hint": {"type": ["string", "null"]},
            "exit_code": {"type": "integer"},
        },
    },
    "warnings": {"type": "array", "items": {"type": "string"}, "description": "For the user to know."},
}
_COST = {
    "type": "object",
    "description": "`usd` is a decimal string, null when unknown: never take that for nothing.",
    "properties": {
        "state": {"enum": ["reported", "priced", "estimated", "unknown", "free"]},
        "usd": {"type": ["string", "null"]},
    },
}
_MAYBE_TEXT = ["string", "null"]


def _given(properties: Schema) -> Schema:
    """What a tool gives. Nothing is required: of a call that failed early, there is only the error."""
    return _object({**properties, **_FAILURE}, "error", "warnings", closed=False)


ANSWER = _given(
    {
        "accepted": _is(
            "boolean", "Whether the answer passed the checks. If not, `answer` is the best there was: unverified."
        ),
        "answer": _is(_MAYBE_TEXT, "The text."),
        "code": _is(_MAYBE_TEXT, "With `code_only`: the first code block."),
        "reasoning": {"type": _MAYBE_TEXT},
        "tier": {"type": _MAYBE_TEXT},
        "model": {"type": _MAYBE_TEXT},
        "served_model": _is(_MAYBE_TEXT, "What the server says answered."),
        "finish_reason": {"type": _MAYBE_TEXT},
        "complete": {"type": "boolean"},
        "usage": {"type": "object"},
        "cost": _COST,
        "timing": {"type": "object"},
        "attempts": {
            "type": "array",
            "items": {"type": "object"},
            "description": "Every try, with its outcome and reason.",
        },
        "session": {"type": _MAYBE_TEXT},
        "id": _is("string", "`mrt spend why ID` explains the call to the user."),
    }
)
MODELS = _given(
    {
        "models": {
            "type": "array",
            "items": {"type": "object"},
            "description": "`name` is what `model` of ask_local_model takes.",
        },
        "tiers": {"type": "array", "items": {"type": "object"}, "description": "The ladder, from the cheapest up."},
        "coding_model": {"type": _MAYBE_TEXT},
        "paid_allowed": {"type": "boolean"},
        "unready": {
            "type": "array",
            "items": {"type": "object"},
            "description": "Endpoints that cannot be asked now, and why.",
        },
    }
)
ROUTED = _given(
    {
        "complexity": _is("number", "1 to 10."),
        "tier": _is(_MAYBE_TEXT, "The tier that would start; null when none can."),
        "model": {"type": _MAYBE_TEXT},
        "order": {"type": "array", "items": {"type": "string"}},
        "reason": {"type": "string"},
        "tiers": {
            "type": "array",
            "items": {"type": "object"},
            "description": "Each with `p_fail`, how likely its answer fails.",
        },
    }
)
FITTED = _given(
    {
        "verdict": _is("string", "fits, tight, partial, ram or no."),
        "summary": {"type": "string"},
        "total_bytes": {"type": "integer"},
        "frontier": {"type": "array", "items": {"type": "object"}, "description": "What would fit instead."},
        "advice": {"type": "array", "items": {"type": "string"}},
        "models": {"type": "array", "items": {"type": "object"}, "description": "Without a model: the ranking."},
    }
)
SPENT = _given(
    {
        "date": {"type": "string"},
        "timezone": {"type": "string"},
        "status": _is("string", "How the budgets stand: within, near or over."),
        "today": {"type": "object"},
        "month": {"type": "object"},
        "tiers": {"type": "array", "items": {"type": "object"}},
        "models": {"type": "array", "items": {"type": "object"}},
        "budgets": {"type": "array", "items": {"type": "object"}},
    }
)
