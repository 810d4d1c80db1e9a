"""Files that lie: no bytes make the reader take long, take much memory, or fail in any way but one line."""

from __future__ import annotations

import struct
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_kit import llama_metadata, llama_tensors, write_gguf

from mrt.errors import MrtError, UsageError
from mrt.memory.shape import ModelShape
from mrt.models import resolve_model
from mrt.models.gguf.cursor import HeaderError
from mrt.models.gguf.header import read_header

MOST_MEMORY = 48 * 1024 * 1024
MOST_SECONDS = 6.0
HUGE = (1 << 64) - 1


def text(value: str) -> bytes:
    """A string of the format."""
    return struct.pack("<Q", len(value)) + value.encode()


def pair(key: str, kind: int, value: bytes) -> bytes:
    """A key and its value."""
    return text(key) + struct.pack("<I", kind) + value


def header(
    *pairs: bytes, tensors: tuple[bytes, ...] = (), keys: int | None = None, count: int | None = None, version: int = 3
) -> bytes:
    """A header whose counts are true unless others are given."""
    counts = struct.pack("<QQ", len(tensors) if count is None else count, len(pairs) if keys is None else keys)
    return b"GGUF" + struct.pack("<I", version) + counts + b"".join(pairs) + b"".join(tensors)


def tensor(name: str, *sizes: int, kind: int = 0, offset: int = 0, dimensions: int | None = None) -> bytes:
    """An entry of the table of tensors."""
    shape = struct.pack(f"<{len(sizes)}Q", *sizes)
    return (
        text(name)
        + struct.pack("<I", len(sizes) if dimensions is None else dimensions)
        + shape
        + struct.pack("<IQ", kind, offset)
    )


LLAMA = pair("general.architecture", 8, text("llama"))
BLOCKS = pair("llama.block_count", 4, struct.pack("<I", 2))
HEADS = pair("llama.attention.head_count", 4, struct.pack("<I", 4))
WIDTH = pair("llama.embedding_length", 4, struct.pack("<I", 64))


def strings(length: int, *values: str) -> bytes:
    """An array of strings that claims a length."""
    return struct.pack("<IQ", 8, length) + b"".join(map(text, values))


HOSTILE = {
    "empty": (b"", "is no GGUF file"),
    "another kind": (b"PK\x03\x04" + bytes(100), "is no GGUF file"),
    "the magic alone": (b"GGUF", "is cut off inside its header"),
    "half a version": (b"GGUF\x03\x00", "is cut off inside its header"),
    "version 1": (header(version=1), "is in GGUF version 1, which llama.cpp no longer reads"),
    "version 9": (header(version=9), "is in GGUF version 9; 2 and 3 are known"),
    "too many keys": (header(keys=HUGE), f"claims {HUGE} keys; no model has so many"),
    "more keys than bytes": (header(keys=60000), "is cut off inside its header"),
    "too many tensors": (header(count=HUGE), f"claims {HUGE} tensors; no model has so many"),
    "more tensors than bytes": (header(count=99999), "is cut off inside its header"),
    "a key without end": (
        header(struct.pack("<Q", HUGE) + bytes(64)),
        f"has a name of {HUGE} bytes; no model has such",
    ),
    "a text without end": (header(text("a") + struct.pack("<IQ", 8, HUGE) + bytes(64)), "is cut off inside its header"),
    "a value of no type": (header(pair("a", 77, bytes(8)) + bytes(16)), "has a value of unknown type 77"),
    "the same key twice": (header(LLAMA, LLAMA), "has the key 'general.architecture' twice"),
    "lists inside of lists": (header(pair("a", 9, struct.pack("<IQIQ", 9, 1, 9, 1) * 9)), "has lists inside of lists"),
    "a list of no type": (header(pair("a", 9, struct.pack("<IQ", 77, 1) + bytes(32))), "has a list of unknown type 77"),
    "a list without end": (
        header(pair("a", 9, struct.pack("<IQ", 4, HUGE) + bytes(32))),
        "is cut off inside its header",
    ),
    "words without end": (
        header(pair("a", 9, strings(HUGE))),
        f"claims {HUGE} strings in one list; no vocabulary has so many",
    ),
    "more words than bytes": (header(pair("a", 9, strings(1_900_000))), "is cut off inside its header"),
    "a word without end": (
        header(pair("a", 9, struct.pack("<IQQ", 8, 1, HUGE) + bytes(64))),
        "is cut off inside its header",
    ),
    "no alignment": (header(pair("general.alignment", 4, bytes(4))), "has an impossible alignment: 0"),
    "an odd alignment": (
        header(pair("general.alignment", 4, struct.pack("<I", 48))),
        "has an impossible alignment: 48",
    ),
    "alignment in words": (header(pair("general.alignment", 8, text("much"))), "has an impossible alignment: much"),
    "no dimensions": (header(tensors=(tensor("t", dimensions=0) + bytes(32),)), "has a tensor 't' of 0 dimensions"),
    "many dimensions": (
        header(tensors=(tensor("t", 1, dimensions=1000) + bytes(32),)),
        "has a tensor 't' of 1000 dimensions",
    ),
    "no elements": (header(tensors=(tensor("t", 0, 5),)), "has a tensor 't' of an impossible shape"),
    "overflow": (header(tensors=(tensor("t", 1 << 40, 1 << 40),)), "has a tensor 't' of an impossible shape"),
    "part of a block": (header(tensors=(tensor("t", 33, kind=8),)), "has a tensor 't' of an impossible shape"),
    "no such type": (
        header(tensors=(tensor("t", 32, kind=1000),)),
        "has the tensor 't' in type 1000, which is not known",
    ),
    "the same tensor twice": (header(tensors=(tensor("t", 32), tensor("t", 32))), "has the tensor 't' twice"),
    "far away": (header(tensors=(tensor("t", 32, offset=HUGE),)), "puts the tensor 't' at an impossible place"),
    "no architecture": (header(BLOCKS), "names no architecture: it is no model"),
    "an architecture that paints the screen": (
        header(pair("general.architecture", 8, text("\x1b[31mllama"))),
        "names no architecture: it is no model",
    ),
    "an architecture that is a number": (
        header(pair("general.architecture", 4, bytes(4))),
        "names no architecture: it is no model",
    ),
    "no layers": (header(LLAMA), "has no layers (llama.block_count): it is no language model"),
    "layers without end": (
        header(LLAMA, pair("llama.block_count", 10, struct.pack("<Q", 1 << 60))),
        f"has {1 << 60} layers (llama.block_count): it is no language model",
    ),
    "fewer layers than none": (
        header(LLAMA, pair("llama.block_count", 5, struct.pack("<i", -3))),
        "has no layers (llama.block_count): it is no language model",
    ),
    "no width": (header(LLAMA, BLOCKS), "has no usable llama.embedding_length: it is no language model"),
    "no heads": (header(LLAMA, BLOCKS, WIDTH), "has no usable llama.attention.head_count: it is no language model"),
    "no vocabulary": (header(LLAMA, BLOCKS, WIDTH, HEADS), "has no usable vocabulary: it is no language model"),
    "a width without end": (
        header(LLAMA, BLOCKS, pair("llama.embedding_length", 10, struct.pack("<Q", 1 << 50))),
        "has no usable llama.embedding_length: it is no language model",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_file_that_lies_is_refused_in_one_line(tmp_path: Path, case: str) -> None:
    content, message = HOSTILE[case]
    path = tmp_path / "hostile.gguf"
    path.write_bytes(content)
    with pytest.raises(UsageError) as raised:
        resolve_model(str(path))
    assert raised.value.message == f"{path} {message}"


def test_tensors_behind_the_end_of_the_file_mean_that_it_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "far.gguf"
    path.write_bytes(header(LLAMA, BLOCKS, WIDTH, tensors=(tensor("t", 32, offset=1 << 50),)))
    with pytest.raises(UsageError, match=r"far\.gguf is cut off: 1024\.0 TiB of 1024\.0 TiB are missing"):
        resolve_model(str(path))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(header(pair("a", 9, struct.pack("<IQ", 8, 2_000_000) + bytes(16_000_000))), id="empty words"),
        pytest.param(header(*(pair(f"k{number}", 4, bytes(4)) for number in range(60_000))), id="keys"),
        pytest.param(header(tensors=tuple(tensor(f"t{number}", 1) for number in range(60_000))), id="tensors"),
        pytest.param(
            header(pair("a", 9, struct.pack("<IQ", 0, 60_000_000) + bytes(60_000_000))), id="a long list of bytes"
        ),
        pytest.param(header(pair("a", 8, struct.pack("<Q", 60_000_000) + bytes(60_000_000))), id="a long text"),
    ],
)
def test_a_header_as_large_as_it_may_be_costs_little(content: bytes) -> None:
    def fetch(offset: int, size: int) -> bytes:
        return content[offset : offset + size]

    began = time.process_time()
    read_header(fetch, len(content))
    assert time.process_time() - began < MOST_SECONDS
    tracemalloc.start()
    try:
        read_header(fetch, len(content))
        used = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert used < MOST_MEMORY


def test_a_source_of_unknown_size_is_not_read_for_ever() -> None:
    """A server that says no size and sends words without end: the reader stops at the largest header there can be."""
    start = header(pair("a", 9, struct.pack("<IQ", 8, 2_000_000)))
    fetched = 0

    def fetch(offset: int, size: int) -> bytes:
        nonlocal fetched
        fetched += size
        return (start[offset : offset + size] + struct.pack("<Q", 100) * (size // 8 + 1))[:size]

    with pytest.raises(HeaderError, match="too large to be one"):
        read_header(fetch, None)
    assert fetched < 150 * 1024 * 1024


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file that is right."""
    path = tmp_path_factory.mktemp("gguf") / "whole.gguf"
    facts = llama_metadata() | {"tokenizer.ggml.tokens": ["a", "b"] * 50, "llama.attention.head_count_kv": [2, 2]}
    return write_gguf(path, facts, llama_tensors()).read_bytes()


FUZZ = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def outcome(path: Path) -> ModelShape | str:
    """The shape, or the one line that says why there is none."""
    began = time.process_time()
    try:
        return resolve_model(str(path))
    except MrtError as error:
        assert "\n" not in error.message
        return error.message
    finally:
        assert time.process_time() - began < MOST_SECONDS


@FUZZ
@given(data=st.data())
def test_no_change_of_a_few_bytes_breaks_the_reader(whole: bytes, tmp_path: Path, data: st.DataObject) -> None:
    changed = bytearray(whole[: 4096 + len(whole) // 2])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(4, 4000))
        put = data.draw(st.binary(min_size=1, max_size=9))
        changed[at : at + len(put)] = put
    path = tmp_path / "changed.gguf"
    path.write_bytes(changed)
    outcome(path)


@FUZZ
@given(end=st.integers(0, 6000))
def test_a_file_cut_anywhere_says_so(whole: bytes, tmp_path: Path, end: int) -> None:
    path = tmp_path / "cut.gguf"
    path.write_bytes(whole[:end])
    told = outcome(path)
    assert isinstance(told, str)
    assert "is cut off" in told or "is no GGUF file" in told


@FUZZ
@given(rest=st.binary(max_size=600), keys=st.integers(0, 50), count=st.integers(0, 50))
def test_no_bytes_at_all_break_the_reader(tmp_path: Path, rest: bytes, keys: int, count: int) -> None:
    path = tmp_path / "random.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, count, keys) + rest)
    outcome(path)


NUMBERS = st.one_of(
    st.integers(-5, 5), st.integers(-(2**63), 2**64 - 1), st.booleans(), st.floats(), st.text(max_size=3)
)
KEYS = (
    "block_count", "embedding_length", "feed_forward_length", "attention.head_count", "attention.head_count_kv", "vocab_size",
    "attention.key_length", "attention.value_length", "attention.key_length_mla", "attention.value_length_mla",
    "attention.kv_lora_rank", "attention.sliding_window", "attention.sliding_window_pattern", "attention.shared_kv_layers",
    "expert_count", "expert_used_count", "expert_feed_forward_length", "nextn_predict_layers", "full_attention_interval",
    "ssm.conv_kernel", "ssm.inner_size", "shortconv.l_cache", "interleave_moe_layer_step", "context_length",
    "rope.dimension_count", "recurrent_layers", "expert_layers", "attention.cross_attention_layers", "kda.head_dim",
    "wkv.head_size",
    "attention.key_length_swa", "leading_dense_block_count", "expert_shared_count", "ssm.time_step_rank", "ssm.group_count",
)  # fmt: skip


@FUZZ
@given(
    architecture=st.sampled_from(
        ["llama", "gemma3", "gemma3n", "qwen3next", "deepseek2", "falcon-h1", "lfm2", "nemotron_h", "mamba", "bert"]
    ),
    values=st.dictionaries(st.sampled_from(KEYS), st.one_of(NUMBERS, st.lists(NUMBERS, max_size=5))),
)
def test_no_values_of_the_keys_break_the_shape(architecture: str, values: dict[str, object]) -> None:
    from mrt.models.metadata import NotAModel, Origin, shape_of

    metadata = {"general.architecture": architecture} | {
        f"{architecture}.{key}": value for key, value in values.items()
    }
    try:
        shape = shape_of(metadata, (), Origin("m", "a test"))
    except NotAModel:
        return
    assert 1 <= len(shape.layers) <= 512
    for layer in shape.layers:
        numbers = (layer.heads, layer.kv_heads, layer.key_head, layer.value_head, layer.feed_forward)
        assert all(isinstance(number, int) and number >= 0 for number in numbers)
