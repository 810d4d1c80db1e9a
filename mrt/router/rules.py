"""What in a prompt speaks for work that a small model does badly: rules over words, files and length."""

from __future__ import annotations

import re
from typing import NamedTuple

# Strong signals count alone; ambiguous verbs only when the request says that it spans more than one place.
_STRONG = re.compile(
    r"\brefactor|\barchitect|\bmigrat(?:e|ion|ing)|\bre-?design|\broot[- ]cause|\bthink hard"
    r"|\bacross (?:all |many |several )?files|\bend[- ]to[- ]end\b",
    re.IGNORECASE,
)
_AMBIGUOUS = re.compile(r"\b(?:implement|debug|optimi[sz]e|design|build|fix|plan)\w*", re.IGNORECASE)
_SCOPE = re.compile(
    r"\b(?:whole|entire|across|several|multiple|systems?|from scratch|codebase|every (?:file|module|service)"
    r"|all (?:the )?(?:files|modules|services)|pipelines?|distributed)\b",
    re.IGNORECASE,
)
_PLANNING = re.compile(
    r"\b(?:strateg\w+|optimal|trade-?offs?|prove|proof|step[- ]by[- ]step plan|plan the|roadmap|compare and|analy[sz]e why)\b",
    re.IGNORECASE,
)
_FILE = re.compile(
    r"(?<![\w/.])[\w./-]*\w\.(?:[jt]sx?|py|go|rs|java|c|h|cc|cpp|hpp|cs|rb|php|kt|swift|sql|toml|ya?ml|json|md|html|css|sh)\b"
)
_CODE = re.compile(
    r"```|\b(?:function|class|script|regex|unit tests?|algorithm|SQL|API|implement|code)\b", re.IGNORECASE
)
BASE = 2.0
MANY_FILES = 3
# Characters from which length alone says that there is much to read: about a screen, and about a long file.
LONG, VERY_LONG = 2_000, 8_000


class Contribution(NamedTuple):
    """One thing that was found in the prompt, and what it adds to the complexity."""

    feature: str
    value: str
    weight: float


def contributions(prompt: str) -> tuple[Contribution, ...]:
    """Everything in the prompt that raises its complexity above the base of 2."""
    found = (_strong(prompt), _ambiguous(prompt), _planning(prompt), _files(prompt), _length(prompt), _code(prompt))
    return tuple(contribution for contribution in found if contribution is not None)


def _words(pattern: re.Pattern[str], prompt: str) -> list[str]:
    return sorted({match.group().lower() for match in pattern.finditer(prompt)})


def _strong(prompt: str) -> Contribution | None:
    words = _words(_STRONG, prompt)
    return Contribution("strong signal", ", ".join(words), 4.0 + min(len(words), 3)) if words else None


def _ambiguous(prompt: str) -> Contribution | None:
    verbs, scope = _words(_AMBIGUOUS, prompt), _words(_SCOPE, prompt)
    if not verbs:
        return None
    if not scope:
        return Contribution("a verb without a scope", ", ".join(verbs), 1.0)
    return Contribution(
        "a verb with a wide scope", f"{', '.join(verbs)} + {', '.join(scope)}", 4.0 + min(len(scope), 2)
    )


def _planning(prompt: str) -> Contribution | None:
    words = _words(_PLANNING, prompt)
    return Contribution("planning or proof", ", ".join(words), 2.0 + min(len(words), 3)) if words else None


def _files(prompt: str) -> Contribution | None:
    files = _words(_FILE, prompt)
    return Contribution("file mentions", str(len(files)), 4.0) if len(files) >= MANY_FILES else None


def _length(prompt: str) -> Contribution | None:
    size = len(prompt)
    return Contribution("length", f"{size} characters", 3.0 if size > VERY_LONG else 1.0) if size > LONG else None


def _code(prompt: str) -> Contribution | None:
    return Contribution("code", "asks for or shows code", 1.0) if _CODE.search(prompt) else None
