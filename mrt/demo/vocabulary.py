"""The words of a tiny model, chained in the order in which it says them, and the chat template that picks a chain."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from mrt.demo.script import Line

CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
BYTES = 256
END_OF_ANSWER = BYTES + CONTROL.index("<|im_end|>")


@dataclass
class Vocabulary:
    """Token texts, and the chain as (token, next token, gain of the step)."""

    tokens: list[str] = field(default_factory=lambda: [*_byte_characters(), *CONTROL])
    control: set[int] = field(default_factory=lambda: set(range(BYTES, BYTES + len(CONTROL))))
    steps: list[tuple[int, int, float]] = field(default_factory=list)
    chained: dict[str, int] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def add_control(self, text: str) -> int:
        self.control.add(len(self.tokens))
        self.tokens.append(text)
        return len(self.tokens) - 1

    def add_chain(self, start: int, text: str, line: Line) -> None:
        """Make `start` say `text`; a text that two lines share is one chain."""
        first = self.chained.get(text)
        if first is None:
            ids = [self._token(chunk) for chunk in self._chunks(text)]
            first = self.chained[text] = ids[0]
            after = ids[0] if line.endless else END_OF_ANSWER
            self.steps += [(a, b, line.confidence) for a, b in zip(ids, [*ids[1:], after], strict=True)]
        self.steps.append((start, first, line.confidence))

    def sources(self) -> list[int]:
        """The tokens that another token follows."""
        return sorted({token for token, _, _ in self.steps})

    def _token(self, chunk: str) -> int:
        encoded = "".join(self.tokens[byte] for byte in chunk.encode())
        if len(encoded) == 1:
            return self.tokens.index(encoded)
        self.tokens.append(encoded)
        return len(self.tokens) - 1

    def _chunks(self, text: str) -> list[str]:
        """`text` in words with the space before them; no chunk is ever used twice, since a token has one successor."""
        chunks: list[str] = []
        held = ""
        for word in re.findall(r"\s*\S+|\s+$", text):
            held += word
            if held not in self.used:
                chunks.append(held)
                self.used.add(held)
                held = ""
        while held and held in self.used and chunks:
            held = chunks.pop() + held
        if held:
            if held in self.used:
                raise ValueError(f"cannot say {text!r}: other lines use all of its words")
            chunks.append(held)
            self.used.add(held)
        return chunks


def _byte_characters() -> list[str]:
    """The printable character that stands for each byte in GPT-2's vocabulary."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    stand_ins = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(stand_ins)) for byte in range(BYTES)]


def chat_template(lines: tuple[Line, ...], vocabulary: Vocabulary) -> str:
    """The Jinja template that picks a line; adds each line's start token and chain to `vocabulary`."""
    if not any(line.cue == "" for line in lines):
        raise ValueError("a script needs a line with an empty cue for everything else")
    branches = ""
    for number, line in enumerate(sorted(lines, key=lambda line: line.cue == "")):
        quoted = json.dumps(line.cue)
        if line.escalate:
            call = json.dumps({"name": "escalate", "arguments": {"reason": line.escalate}})
            name = f"<|call{number}|>"
            vocabulary.add_chain(vocabulary.add_control(name), f"<tool_call>\n{call}\n</tool_call>", line)
            branches += f"{{%- {'el' if branches else ''}if tools and {quoted} in said.last %}}{name}"
        name = f"<|line{number}|>"
        thought = f"<think>\n{line.think}\n</think>\n\n" if line.think else ""
        vocabulary.add_chain(vocabulary.add_control(name), thought + line.text, line)
        branches += f"{{%- {'el' if branches else ''}if {quoted} in said.last %}}{name}"
    tools = _TOOLS if any(line.escalate for line in lines) else ""
    thinking = _THINKING if any(line.think for line in lines) else ""
    return tools + _TURNS.replace("REASONING", thinking) + branches + "{%- endif %}{%- endif %}"


# llama.cpp learns from the template how the model marks reasoning and tool calls: it renders it with and without both.
_TOOLS = """{%- if tools %}<|im_start|>system
You may call these functions:
<tools>{% for tool in tools %}
{{ tool | tojson }}{% endfor %}
</tools>
Answer a call as <tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call><|im_end|>
{% endif %}"""
_THINKING = """{%- if message.reasoning_content %}<think>
{{ message.reasoning_content }}
</think>

{% endif %}"""
_TURNS = """{%- set said = namespace(last="") %}
{%- for message in messages %}
{%- if message.role == "user" %}{%- set said.last = message.content %}{%- endif %}
{%- if message.role == "assistant" %}<|im_start|>assistant
REASONING{{ message.content }}{%- if message.tool_calls %}{%- for call in message.tool_calls %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>{%- endfor %}{%- endif %}<|im_end|>
{% else %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endif %}{%- endfor %}{%- if add_generation_prompt %}<|im_start|>assistant
"""
