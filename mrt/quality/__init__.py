"""Reply -> accept, or escalate with a reason."""

from mrt.quality.agreement import agreement, agrees
from mrt.quality.check_names import DEFAULT_CHECKS, external_checks, parse_checks
from mrt.quality.checks import JudgeContext, Verdict, judge
from mrt.quality.extract import CodeBlock, code_blocks, extract_code
from mrt.quality.intent import Intent, intent
from mrt.quality.loops import LoopWatch, looped

__all__ = [
    "DEFAULT_CHECKS",
    "CodeBlock",
    "Intent",
    "JudgeContext",
    "LoopWatch",
    "Verdict",
    "agreement",
    "agrees",
    "code_blocks",
    "external_checks",
    "extract_code",
    "intent",
    "judge",
    "looped",
    "parse_checks",
]
