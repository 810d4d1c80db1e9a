"""Tiny GGUF models that llama.cpp really loads and that say exactly what a script tells them to say.

How it works. Every layer is all zeros: its kernels run, and the residual stream stays the embedding of the last token. The output
matrix holds one row per token; the row of the token that should come next is the embedding of the one before it, so the model
walks a chain. The chat template, which llama.cpp executes, looks for each cue in the last user message and ends the prompt with
that line's start token. Since the layers are zeros they cost no disk: the file is sparse, whatever size the model pretends to be.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
BYTES = 256
END_OF_ANSWER = BYTES + CONTROL.index("<|im_end|>")
ALIGNMENT = 32
FLOAT32_BYTES = 4


@dataclass(frozen=True)
class Line:
    """What to say when the last user message contains `cue`; the line with an empty cue answers everything else.

    `think` comes first, as reasoning. With `escalate` the answer is a call of the tool `escalate` with that reason, as long as
    the request offers tools. `confidence` is the probability of every single token. An `endless` line starts over forever.
    """

    cue: str
    text: str
    think: str = ""
    escalate: str = ""
    confidence: float = 0.9999
    endless: bool = False


@dataclass(frozen=True)
class Size:
    """Dimensions of the pretended model: they set how long a token takes. The width is a power of two."""

    layers: int = 2
    width: int = 64
    feed_forward: int = 128
    heads: int = 4

    def at_least(self, width: int) -> Size:
        """The same size, as wide as needed."""
        return replace(self, width=max(self.width, 1 << (width - 1).bit_length()))


FAST = Size()
# Slow enough to be interrupted in the middle of an answer, fast enough to begin one at once.
SLOW = Size(layers=8, width=512, feed_forward=2048, heads=8)


@dataclass(frozen=True)
class ModelScript:
    """All a scripted model knows. `context_length` is in tokens, and a prompt takes one token per byte."""

    lines: tuple[Line, ...]
    name: str = "scripted"
    size: Size = FAST
    context_length: int = 8192


def script(answers: str | dict[str, str], **options: Any) -> ModelScript:
    """A script from plain text, or from a table of cue -> text; `options` are those of ModelScript."""
    table = {"": answers} if isinstance(answers, str) else answers
    return ModelScript(tuple(Line(cue, text) for cue, text in table.items()), **options)


def write_model(model: ModelScript, folder: Path) -> Path:
    """The path of the model's GGUF in `folder`; a file that is already there is used again."""
    recipe = repr(model).encode() + Path(__file__).read_bytes()
    path = folder / f"{model.name}-{hashlib.sha256(recipe).hexdigest()[:16]}.gguf"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        _write(model, partial)
        partial.replace(path)
    return path


@dataclass
class _Vocabulary:
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


def _write(model: ModelScript, path: Path) -> None:
    vocabulary = _Vocabulary()
    template = chat_template(model.lines, vocabulary)
    size = model.size.at_least(len(vocabulary.sources()) + 1)
    writer = _metadata(replace(model, size=size), vocabulary, template, path)
    _write_tensors(writer, size, vocabulary, path)


def chat_template(lines: tuple[Line, ...], vocabulary: Any) -> str:
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


def _metadata(model: ModelScript, vocabulary: _Vocabulary, template: str, path: Path) -> Any:
    import gguf

    size, count = model.size, len(vocabulary.tokens)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(model.name)
    writer.add_context_length(model.context_length)
    writer.add_embedding_length(size.width)
    writer.add_block_count(size.layers)
    writer.add_feed_forward_length(size.feed_forward)
    writer.add_head_count(size.heads)
    writer.add_head_count_kv(size.heads)
    writer.add_rope_dimension_count(size.width // size.heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_vocab_size(count)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(vocabulary.tokens)
    kinds = [gguf.TokenType.CONTROL if token in vocabulary.control else gguf.TokenType.NORMAL for token in range(count)]
    writer.add_token_types(kinds)
    # The loader wants at least one merge; two spaces are harmless.
    space = vocabulary.tokens[ord(" ")]
    writer.add_token_merges([f"{space} {space}"])
    writer.add_add_bos_token(False)
    writer.add_bos_token_id(BYTES)
    writer.add_pad_token_id(BYTES)
    writer.add_eos_token_id(END_OF_ANSWER)
    writer.add_chat_template(template)
    return writer


def _write_tensors(writer: Any, size: Size, vocabulary: _Vocabulary, path: Path) -> None:
    """The tensors that hold something, then a hole as long as all the zeros."""
    import numpy

    embedding, output = _matrices(size, vocabulary)
    ones = numpy.ones(size.width, dtype=numpy.float32)
    dense = {"token_embd.weight": embedding, "output.weight": output, "output_norm.weight": ones}
    for layer in range(size.layers):
        dense[f"blk.{layer}.attn_norm.weight"] = ones
        dense[f"blk.{layer}.ffn_norm.weight"] = ones
    zeros = {
        f"blk.{layer}.{name}.weight": shape
        for layer in range(size.layers)
        for name, shape in _zero_shapes(size).items()
    }
    for name, array in dense.items():
        writer.add_tensor_info(name, array.shape, array.dtype, array.nbytes)
    for name, shape in zeros.items():
        writer.add_tensor_info(name, shape, numpy.dtype(numpy.float32), math.prod(shape) * FLOAT32_BYTES)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    with path.open("r+b") as file:
        file.seek(_padded(file.seek(0, os.SEEK_END)))
        for array in dense.values():
            file.write(array.tobytes().ljust(_padded(array.nbytes), b"\0"))
        file.truncate(file.tell() + sum(_padded(math.prod(shape) * FLOAT32_BYTES) for shape in zeros.values()))


def _padded(count: int) -> int:
    return -(-count // ALIGNMENT) * ALIGNMENT


def _zero_shapes(size: Size) -> dict[str, tuple[int, int]]:
    square, wide = (size.width, size.width), (size.feed_forward, size.width)
    attention = dict.fromkeys(("attn_q", "attn_k", "attn_v", "attn_output"), square)
    return {**attention, "ffn_gate": wide, "ffn_up": wide, "ffn_down": (size.width, size.feed_forward)}


def _matrices(size: Size, vocabulary: _Vocabulary) -> tuple[Any, Any]:
    """Embeddings that are exactly orthogonal along the chains, and the output rows that make the chains."""
    import numpy

    count = len(vocabulary.tokens)
    signs = numpy.ones((1, 1), dtype=numpy.float32)
    while len(signs) < size.width:
        signs = numpy.block([[signs, signs], [signs, -signs]])
    # All tokens that nothing follows share the first row; each of the others has one of its own.
    row = {token: number for number, token in enumerate(vocabulary.sources(), start=1)}
    embedding = signs[[row.get(token, 0) for token in range(count)]]
    output = numpy.zeros((count, size.width), dtype=numpy.float32)
    for token, following, confidence in vocabulary.steps:
        # Every other logit is 0, so that the probability of the next token is e^logit / (e^logit + count - 1).
        logit = math.log(confidence / (1 - confidence) * (count - 1))
        output[following] += embedding[token] * logit / size.width
    return embedding, output
