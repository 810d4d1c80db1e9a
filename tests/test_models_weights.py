"""The weights that lie in a model's folder: their headers, and files that lie."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from folder_kit import BASE, folder, safetensors
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mrt.errors import UsageError
from mrt.models import resolve_model
from mrt.models.hf_keys import HEAD_SIZE, KV_HEADS, LAYERS, WHOLE, WIDTH


def test_a_config_that_says_nothing_of_tying_means_yes_unless_the_weights_say_no(tmp_path: Path) -> None:
    config = {key: value for key, value in BASE.items() if key != "tie_word_embeddings"} | {"model_type": "gemma2"}
    tied = resolve_model(str(folder(tmp_path / "tied", config, {"model.embed_tokens.weight": ("F16", [10, 4])})))
    apart = resolve_model(str(folder(tmp_path / "apart", config, {"lm_head.weight": ("F16", [10, 4])})))
    assert (tied.tied_embeddings, apart.tied_embeddings, tied.quantization) == (True, False, "F16")


def test_weights_in_a_type_that_gguf_lacks_are_said(tmp_path: Path) -> None:
    config = {**BASE, "model_type": "llama", "quantization_config": {"quant_method": "awq", "bits": 4}}
    shape = resolve_model(str(folder(tmp_path / "model", config, {"a": ("U8", [100])})))
    assert (shape.quantization, shape.parameters, shape.file_bytes) == ("BF16", None, 100)
    assert shape.notes == ("its weights are stored quantized by awq; as GGUF they are counted as BF16",)


def test_several_files_are_found_by_their_index(tmp_path: Path) -> None:
    path = folder(tmp_path / "model", {**BASE, "model_type": "llama"})
    for number, name in enumerate(("a", "b")):
        safetensors(path / f"model-{number}.safetensors", {name: ("BF16", [10, 10])})
    index = path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "model-0.safetensors", "b": "model-1.safetensors"}}))
    assert resolve_model(str(path)).file_bytes == 400
    (path / "model-1.safetensors").unlink()
    with pytest.raises(UsageError, match=r"model-1\.safetensors is missing: model\.safetensors\.index\.json lists it"):
        resolve_model(str(path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "is no safetensors file", id="empty"),
        pytest.param(struct.pack("<Q", 1 << 60) + b"{}", "is no safetensors file", id="a header without end"),
        pytest.param(struct.pack("<Q", 2) + b"{{", "has a header that is no JSON", id="no JSON"),
        pytest.param(struct.pack("<Q", 2) + b"[]", "has a header that lists no tensors", id="a list"),
        pytest.param(struct.pack("<Q", 10) + b'{"a": "b"}', "describes its tensor 'a' wrongly", id="no entry"),
        pytest.param(
            struct.pack("<Q", 61) + b'{"a": {"dtype": "F32", "shape": [4], "data_offsets": [9, 1]}}',
            "describes its tensor 'a' wrongly",
            id="backwards",
        ),
        pytest.param(
            struct.pack("<Q", 70) + b'{"a": {"dtype": "F32", "shape": [Infinity], "data_offsets": [0, 16]}}'.ljust(70),
            "describes its tensor 'a' wrongly",
            id="no number",
        ),
        pytest.param(
            struct.pack("<Q", 62) + b'{"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}'[:62],
            "is cut off: 16 B of 16 B are missing",
            id="cut off",
        ),
    ],
)
def test_weights_that_are_none_are_told(tmp_path: Path, content: bytes, message: str) -> None:
    path = folder(tmp_path / "model", {**BASE, "model_type": "llama"})
    (path / "model.safetensors").write_bytes(content)
    with pytest.raises(UsageError) as raised:
        resolve_model(str(path))
    assert message in raised.value.message


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=4)),
    max_leaves=6,
)
NAMED = {name for names in (*WHOLE.values(), LAYERS, KV_HEADS, HEAD_SIZE, WIDTH) for name in names}
KEYS = (
    *sorted(NAMED),
    *(
        "layer_types",
        "hybrid_override_pattern",
        "attn_layer_indices",
        "attn_layer_period",
        "attn_layer_offset",
        "ffn_config",
    ),
    *(
        "attn_config",
        "qk_rope_head_dim",
        "qk_nope_head_dim",
        "v_head_dim",
        "text_config",
        "quantization_config",
        "torch_dtype",
    ),
    *("multi_query", "expert_layer_period", "expert_layer_offset", "use_sliding_window", "num_nextn_predict_layers"),
)
KINDS = [
    "llama",
    "gemma3",
    "gemma3_text",
    "llama4_text",
    "nemotron_h",
    "jamba",
    "dbrx",
    "deepseek_v3",
    "qwen3_next",
    "bert",
    "?",
]


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    kind=st.sampled_from(KINDS), values=st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=8), whole=st.booleans()
)
def test_no_config_breaks_the_reader(tmp_path: Path, kind: str, values: dict[str, object], whole: bool) -> None:
    path = folder(tmp_path / "model", {"model_type": kind, **(BASE if whole else {}), **values})
    try:
        assert resolve_model(str(path)).layers
    except UsageError as error:
        assert "\n" not in error.message
