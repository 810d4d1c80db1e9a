"""Whether an answer holds anything at all."""

from __future__ import annotations

import re

from mrt.domain import Reply

_LEAKED_REASONING = r"(?is)<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)"
_ORPHAN_END = r"(?i)</think(?:ing)?>"
_TEMPLATE_MARKS = r"<\|[\w/ ]{1,40}\|>|</s>"
_FENCE_LINES = r"(?m)^[ \t]*(?:`{3,}|~{3,})[^\n`]*$"
# An empty list or object, and a lone sign in code quotes, are answers.
_MEANT = r"(?s)\A\s*(?:\[.*\]|\{.*\}|\(\))\s*\Z|(?<!`)`[^`\s]+`(?!`)"
_SCAFFOLDING = frozenset(".,;:!?…*_#>~|-–—'\"“”‘’«»`()[]{}\\。，、；：！？（）【】「」·•\ufffd")


def emptiness(reply: Reply) -> str | None:
    """Why the answer counts as empty, or None. Short answers ("4", "no", "=", an emoji) are answers."""
    rest = re.split(_ORPHAN_END, re.sub(_LEAKED_REASONING, "", reply.text))[-1]
    if _has_content(rest):
        return None
    if reply.tool_calls:
        return f"a call of the tool {reply.tool_calls[0].name} and no text"
    if reply.reasoning.strip() or rest != reply.text:
        return f"only reasoning came, {len(reply.reasoning or reply.text)} characters, and no answer"
    return f"nothing but {len(reply.text)} characters of spacing and punctuation" if reply.text else "no text came"


def _has_content(text: str) -> bool:
    text = re.sub(_FENCE_LINES, "", re.sub(_TEMPLATE_MARKS, "", text))
    if re.search(_MEANT, text):
        return True
    return any(sign not in _SCAFFOLDING and sign.isprintable() and not sign.isspace() for sign in text)
