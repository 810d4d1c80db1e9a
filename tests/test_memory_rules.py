"""The rules of memory one by one: types, mixtures, caches and states, beside figures that engines have printed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from memory_kit import HUGE, MIB, catalog, dense, planned, sparse, whole

from mrt.errors import UsageError
from mrt.memory.ggml_types import cuda_bytes, fitting, tensor_bytes
from mrt.memory.kv import cells_of, kv_cache
from mrt.memory.mixture import FILE_TYPES, canonical, more_bits
from mrt.memory.recurrent import recurrent_state
from mrt.memory.settings import RunSettings
from mrt.memory.shape import LatentAttention, Layer, ModelShape
from mrt.memory.weights import file_bytes, tensors_of, weights


@pytest.mark.parametrize(
    ("type_name", "row", "expected"),
    [
        ("Q4_K", 4096, "Q4_K"),
        ("Q4_K", 896, "Q5_0"),
        ("Q5_K", 2880, "Q5_1"),
        ("Q6_K", 960, "Q8_0"),
        ("Q3_K", 576, "Q4_0"),
        ("IQ3_XXS", 2688, "IQ4_NL"),
        ("Q6_K", 100, "F16"),
        ("MXFP4", 2880, "MXFP4"),
        ("Q8_0", 33, "F16"),
    ],
)
def test_a_row_that_no_block_divides_falls_back(type_name: str, row: int, expected: str) -> None:
    assert fitting(type_name, row) == expected


@pytest.mark.parametrize(
    ("type_name", "shape", "file", "card"),
    [
        pytest.param("Q4_K", (4096, 4096), 9437184, 9437184, id="rows of whole blocks"),
        pytest.param("Q5_0", (896, 10), 6160, 6272, id="the last row padded to 512, and all to 128"),
        pytest.param("F32", (100,), 400, 512, id="plain numbers are only aligned"),
    ],
)
def test_cuda_pads_what_a_file_does_not(type_name: str, shape: tuple[int, ...], file: int, card: int) -> None:
    assert (tensor_bytes(type_name, shape), cuda_bytes(type_name, shape)) == (file, card)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("q4_k_m", "Q4_K_M"),
        ("Q4-K-M", "Q4_K_M"),
        ("fp16", "F16"),
        (" bf16 ", "BF16"),
        ("q4_k", "Q4_K_M"),
        ("q9", None),
        ("", None),
    ],
)
def test_file_types_are_known_under_the_names_people_write(name: str, found: str | None) -> None:
    assert canonical(name) == found


def test_about_half_the_layers_get_more_bits() -> None:
    chosen = [index for index in range(32) if more_bits(index, 32)]
    assert chosen == [0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 28, 29, 30, 31]


def kinds(shape: ModelShape, quantization: str, end: str) -> list[str]:
    """Types of all tensors with this end of a name, in order."""
    return [tensor.type for tensor in tensors_of(shape, quantization) if f".{tensor.name}".endswith(f".{end}")]


@pytest.mark.parametrize(
    ("shape", "quantization", "end", "expected"),
    [
        pytest.param(dense(8), "Q4_K_M", "attn_v.weight", "Q6 Q4 Q4 Q6 Q4 Q4 Q6 Q6", id="medium lifts values"),
        pytest.param(dense(8), "Q4_K_M", "ffn_down.weight", "Q6 Q4 Q4 Q6 Q4 Q4 Q6 Q6", id="and down"),
        pytest.param(dense(8), "Q4_K_S", "attn_v.weight", "Q5 Q5 Q5 Q5 Q4 Q4 Q4 Q4", id="small lifts the first four"),
        pytest.param(dense(8), "Q4_K_S", "ffn_down.weight", "Q5 Q4 Q4 Q4 Q4 Q4 Q4 Q4", id="and an eighth of down"),
        pytest.param(dense(8), "Q3_K_M", "attn_v.weight", "Q5 Q5 Q4 Q4 Q4 Q4 Q4 Q4", id="3-bit medium"),
        pytest.param(dense(8), "Q2_K", "attn_output.weight", "Q3 Q3 Q3 Q3 Q3 Q3 Q3 Q3", id="2-bit output"),
        pytest.param(
            dense(8),
            "IQ3_XS",
            "ffn_up.weight",
            "IQ3_S IQ3_XXS IQ3_XXS IQ3_XXS IQ3_XXS IQ3_XXS IQ3_XXS IQ3_S",
            id="middle",
        ),
        pytest.param(sparse(8), "Q4_K_M", "attn_k.weight", "Q8_0 Q8_0 Q8_0 Q8_0", id="eight experts keep their keys"),
        pytest.param(sparse(8), "Q4_K_M", "attn_output.weight", "Q5 Q5 Q5 Q5", id="eight experts lift the output"),
        pytest.param(
            sparse(), "MXFP4_MOE", "ffn_up_exps.weight", "MXFP4 MXFP4 MXFP4 MXFP4", id="experts alone in MXFP4"
        ),
        pytest.param(sparse(), "MXFP4_MOE", "attn_q.weight", "Q8_0 Q8_0 Q8_0 Q8_0", id="the rest in Q8_0"),
        pytest.param(sparse(), "Q4_K_M", "ffn_gate_inp.weight", "F32 F32 F32 F32", id="routers stay whole"),
        pytest.param(dense(), "Q4_K_M", "output.weight", "Q6", id="output"),
        pytest.param(dense(), "Q4_K_M", "token_embd.weight", "Q4", id="embeddings apart"),
        pytest.param(
            dense(tied_embeddings=True), "Q4_K_M", "token_embd.weight", "Q6", id="embeddings that are the output too"
        ),
        pytest.param(
            dense(type_overrides=(("attn_v.weight", "F16"),)),
            "Q4_K_M",
            "attn_v.weight",
            "F16 F16 F16 F16",
            id="a quirk",
        ),
    ],
)
def test_mixtures_choose_types_by_role_and_place(shape: ModelShape, quantization: str, end: str, expected: str) -> None:
    long = [word if "_" in word or word.startswith(("F", "M")) else f"{word}_K" for word in expected.split()]
    assert kinds(shape, quantization, end) == long


def test_a_seventy_billion_gets_five_bits_for_its_values() -> None:
    layer = Layer(heads=64, kv_heads=8, key_head=128, value_head=128, feed_forward=1024)
    shape = dense(80, embedding=8192, layers=(layer,) * 80)
    assert set(kinds(shape, "Q4_K_M", "attn_v.weight")) == {"Q6_K", "Q5_K"}
    assert set(kinds(replace(shape, traits=frozenset(("go_mixture",))), "Q4_K_M", "attn_v.weight")) == {"Q6_K", "Q4_K"}


@pytest.mark.parametrize("quantization", FILE_TYPES)
def test_the_sum_by_kinds_of_blocks_is_the_sum_of_the_tensors(quantization: str) -> None:
    for shape in (dense(9), sparse(8), catalog()["nemotron-3-nano:30b"], catalog()["gemma3n:e2b"]):
        one_by_one = sum(
            -(-tensor_bytes(tensor.type, tensor.shape) // 32) * 32 for tensor in tensors_of(shape, quantization)
        )
        assert weights(shape, quantization).file == one_by_one


def test_a_table_of_a_file_is_believed_and_not_rebuilt() -> None:
    shape = dense()
    table = tuple(
        replace(tensor, type="F32") if "ffn_up" in tensor.name else tensor for tensor in tensors_of(shape, "Q4_K_M")
    )
    real = replace(shape, tensors=table)
    assert file_bytes(real, "Q4_K_M") - file_bytes(shape, "Q4_K_M") == 4 * 512 * 1536 * (4 - 0.5625)
    assert file_bytes(real, "Q8_0") == file_bytes(shape, "Q8_0")


def test_an_unknown_quantization_is_refused_with_the_list() -> None:
    with pytest.raises(UsageError, match="unknown quantization 'Q9_K'") as refused:
        weights(dense(), "Q9_K")
    assert "Q4_K_M" in str(refused.value.hint)


@pytest.mark.parametrize(
    ("name", "card", "host"),
    [
        ("llama3.1:8b", 4403.49, 281.81),
        ("qwen2.5-coder:7b", 4168.09, 292.36),
        ("qwen2.5-coder:32b", 18508.35, 417.66),
    ],
)
def test_weights_are_what_llama_cpp_printed(name: str, card: float, host: float) -> None:
    found = weights(replace(catalog()[name], type_overrides=(), tensors=None), "Q4_K_M")
    assert sum(layer.gpu for layer in found.layers) + found.output.gpu == pytest.approx(card * MIB, abs=0.006 * MIB)
    assert found.inputs.file == pytest.approx(host * MIB, abs=0.006 * MIB)


@pytest.mark.parametrize(
    ("name", "context", "full", "window"),
    [
        pytest.param("llama3.1:8b", 8192, 1024.0, 0.0, id="grouped heads"),
        pytest.param("gemma3:27b", 131072, 10240.0, 624.0, id="sliding windows hold a window and a micro-batch"),
        pytest.param("gpt-oss:20b", 8192, 192.0, 18.0, id="small windows"),
        pytest.param("deepseek-r1:671b", 8192, 549.0, 0.0, id="the compressed form, no V"),
        pytest.param("qwen3-coder-next:latest", 8192, 192.0, 0.0, id="a quarter of the layers"),
        pytest.param("nomic-embed-text:latest", 2048, 0.0, 0.0, id="an encoder keeps nothing"),
        pytest.param("llama3.1:8b", 1000, 128.0, 0.0, id="cells come in multiples of 256"),
    ],
)
def test_caches_are_what_the_layers_keep(name: str, context: int, full: float, window: float) -> None:
    device = whole(catalog()[name], context=context)
    assert (device.kv_full_bytes / MIB, device.kv_window_bytes / MIB) == (full, window)


def test_older_builds_kept_v_beside_the_compressed_form_and_the_oldest_everything() -> None:
    shape = catalog()["deepseek-r1:671b"]
    sizes = [
        sum(full for full, _ in kv_cache(shape, RunSettings(context=16384, build=build))) / MIB
        for build in ("", "2025-05-01", "2025-04-01")
    ]
    assert sizes == [1098.0, 1098.0 + 976.0, 16384 * 61 * (24576 + 16384) * 2 / MIB]


def test_files_from_before_the_split_cache_all_heads() -> None:
    shape = catalog()["deepseek-r1:671b"]
    joined = replace(shape, traits=shape.traits | {"kv_b_joined"})
    assert whole(joined, context=2048).kv_full_bytes == 61 * 2048 * (24576 + 16384) * 2


def test_the_state_of_recurrent_layers_grows_with_slots_not_with_context() -> None:
    shape = catalog()["qwen3.5:35b"]
    one = sum(recurrent_state(shape, RunSettings(context=2048)))
    assert one / MIB == pytest.approx(62.81, abs=0.005)
    assert sum(recurrent_state(shape, RunSettings(context=131072))) == one
    assert sum(recurrent_state(shape, RunSettings(context=2048, parallel=3))) == 3 * one
    assert sum(recurrent_state(shape, RunSettings(context=2048, draft_tokens=2))) == 3 * one


def test_layers_that_share_a_cache_add_none() -> None:
    layer = Layer(heads=8, kv_heads=2, key_head=64, value_head=64, feed_forward=1536)
    shape = dense(layers=(layer, replace(layer, shares_kv=True)))
    assert [full for full, _ in kv_cache(shape, RunSettings(context=1024))] == [1024 * 2 * 128 * 2, 0]


def test_without_flash_attention_v_is_as_wide_as_the_widest_layer() -> None:
    narrow = Layer(heads=8, kv_heads=2, key_head=64, value_head=64, feed_forward=1536)
    shape = dense(layers=(narrow, replace(narrow, kv_heads=4)))
    with_flash, without = (
        sum(f for f, _ in kv_cache(shape, RunSettings(1024, flash_attention=flash))) for flash in (True, False)
    )
    assert without - with_flash == 1024 * 2 * 64 * 2


def test_unified_slots_share_one_stream_and_one_window_each() -> None:
    apart = cells_of(RunSettings(context=4096, parallel=4))
    together = cells_of(RunSettings(context=4096, parallel=4, unified=True))
    assert (apart.full, apart.streams, apart.window(1024)) == (4096, 4, 1536)
    assert (together.full, together.streams, together.window(1024)) == (16384, 1, 4608)


def test_ollama_reserves_logits_for_its_slots_alone_since_it_runs_on_the_server() -> None:
    rows = {
        build: whole(catalog()["llama3.1:8b"], engine="ollama", build=build, parallel=2).compute_bytes
        for build in ("", "2026-01-01")
    }
    assert rows[""] < rows["2026-01-01"] / 2


def test_quantised_caches_cost_a_copy_of_one_layer_in_the_compute_buffer() -> None:
    shape = dense(embedding=512, vocabulary=1000)
    plain, quantised = (whole(shape, context=65536, type_k=kind, type_v=kind).compute_bytes for kind in ("F16", "Q8_0"))
    assert quantised - plain > 65536 * 2 * 128 * 2 * 0.7


def test_a_latent_model_without_a_query_rank_is_built_too() -> None:
    latent = LatentAttention(kv_rank=512, query_rank=0, rope_head=64, nope_head=128, value_head=128)
    shape = replace(catalog()["deepseek-coder-v2:16b"], latent=latent)
    assert any(tensor.name == "blk.0.attn_q.weight" for tensor in tensors_of(shape, "Q4_K_M"))


def test_the_explanation_adds_up_to_the_total() -> None:
    found = planned("gemma3:27b", HUGE)
    assert sum(line.bytes for line in found.lines) == found.total_bytes
    assert {line.label for line in found.lines} == {"weights", "KV cache", "KV cache, sliding window", "compute buffer"}
    assert all(line.formula and line.source for line in found.lines)
