"""Tiny GGUF models that llama.cpp really loads and that say exactly what a script tells them to say.

How it works. Every layer is all zeros: its kernels run, and the residual stream stays the embedding of the last token. The output
matrix holds one row per token; the row of the token that should come next is the embedding of the one before it, so the model
walks a chain. The chat template, which llama.cpp executes, looks for each cue in the last user message and ends the prompt with
that line's start token. Since the layers are zeros they cost no disk: the file is sparse, whatever size the model pretends to be.
"""

from __future__ import annotations

import hashlib
import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from mrt.demo.script import ModelScript, Size
from mrt.demo.vocabulary import BYTES, END_OF_ANSWER, Vocabulary, chat_template

ALIGNMENT = 32
FLOAT32_BYTES = 4


def write_model(model: ModelScript, folder: Path) -> Path:
    """The path of the model's GGUF in `folder`; a file that is already there is used again."""
    path = folder / f"{model.name}-{hashlib.sha256(repr(model).encode()).hexdigest()[:16]}.gguf"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        _write(model, partial)
        partial.replace(path)
    return path


def _write(model: ModelScript, path: Path) -> None:
    vocabulary = Vocabulary()
    template = chat_template(model.lines, vocabulary)
    size = model.size.at_least(len(vocabulary.sources()) + 1)
    writer = _metadata(replace(model, size=size), vocabulary, template, path)
    _write_tensors(writer, size, vocabulary, path)


def _metadata(model: ModelScript, vocabulary: Vocabulary, template: str, path: Path) -> Any:
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


def _write_tensors(writer: Any, size: Size, vocabulary: Vocabulary, path: Path) -> None:
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


def _matrices(size: Size, vocabulary: Vocabulary) -> tuple[Any, Any]:
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
