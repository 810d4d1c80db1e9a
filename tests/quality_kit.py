"""What the tests of the checks share."""

from __future__ import annotations

from mrt.domain import Reply
from mrt.quality import DEFAULT_CHECKS, JudgeContext, Verdict, judge

PYTHON = "write a python function that adds two numbers"
JAVASCRIPT = "write a function in JavaScript that adds two numbers"
ASKS_JSON = "List three colours. Return JSON."
TALK = "what is the capital of France?"


def verdict(text: str, prompt: str = TALK, checks: tuple[str, ...] = DEFAULT_CHECKS) -> Verdict:
    return judge(Reply(text=text), JudgeContext(prompt, checks))
