"""Which type each tensor gets under a file type such as Q4_K_M: the rules of llama.cpp's quantizer (src/llama-quant.cpp)."""

from __future__ import annotations

from mrt.frozen import frozen
from mrt.memory.ggml_types import BLOCKS, fitting

# File types whose tensors start from another type than their own name says.
_BASE = {
    "Q2_K_S": "Q2_K",
    "Q3_K_S": "Q3_K",
    "Q3_K_M": "Q3_K",
    "Q3_K_L": "Q3_K",
    "Q4_K_S": "Q4_K",
    "Q4_K_M": "Q4_K",
    "Q5_K_S": "Q5_K",
    "Q5_K_M": "Q5_K",
    "IQ3_XS": "IQ3_S",
    "IQ3_M": "IQ3_S",
    "IQ2_S": "IQ2_XS",
    "IQ2_M": "IQ2_S",
    "MXFP4_MOE": "Q8_0",
    # As the makers of gpt-oss publish it: experts in MXFP4, all else as trained.
    "MXFP4": "BF16",
}
# Names people and model registries use for the same thing.
ALIASES = {"FP16": "F16", "FP32": "F32", "Q3_K": "Q3_K_M", "Q4_K": "Q4_K_M", "Q5_K": "Q5_K_M"}
_SMALL = frozenset(("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M"))
_GOOD_SMALL = frozenset(("IQ2_S", "IQ2_M"))
_ROUGH_EMBEDDING = frozenset(("IQ2_XXS", "IQ2_XS", "IQ1_S", "IQ1_M"))
_GENERAL = {
    # file type: (attn_output, ffn_down) where one type serves every layer; "" keeps the base
    "Q2_K": ("Q3_K", "Q3_K"),
    "Q3_K_L": ("Q5_K", "Q5_K"),
    "Q3_K_M": ("Q4_K", ""),
    "IQ3_XXS": ("IQ3_S", ""),
    "IQ3_M": ("Q4_K", ""),
}
_EIGHT_EXPERTS_OUTPUT = frozenset(
    ("Q2_K", "IQ3_XS", "IQ3_XXS", "Q3_K_S", "Q3_K_M", "IQ4_NL", "Q4_K_S", "Q4_K_M", "IQ3_S", "IQ3_M", "IQ4_XS")
)
# File types that treat every layer alike.
UNIFORM = frozenset(
    ("F32", "F16", "BF16", "Q8_0", "Q6_K", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q5_K_S", "MXFP4", "MXFP4_MOE")
)
# Types no file consists of.
_PARTS = frozenset(("F64", "I8", "I16", "I32", "I64", "Q8_1", "Q8_K", *ALIASES))
FILE_TYPES: tuple[str, ...] = tuple(sorted({*_BASE, *BLOCKS} - _PARTS))


@frozen
class Facts:
    """What the rules ask of a model: grouped-query ratio, experts, layers, tensors that count as attn_v, special cases."""

    gqa: int
    experts: int
    layers: int
    values: int
    falcon: bool = False
    seventy: bool = False
    tied: bool = False


def canonical(name: str) -> str | None:
    """The file type's own spelling ("q4_k_m" is Q4_K_M), None when there is no such type."""
    upper = name.strip().upper().replace("-", "_")
    upper = ALIASES.get(upper, upper)
    return upper if upper in FILE_TYPES else None


def base_type(file_type: str) -> str:
    """The type of every tensor that no rule lifts."""
    return _BASE.get(file_type, file_type)


def more_bits(index: int, count: int) -> bool:
    """The first and the last eighth, and every third layer between them."""
    return index < count // 8 or index >= 7 * count // 8 or (index - count // 8) % 3 == 2


def embedding_type(file_type: str, row: int, facts: Facts, *, output: bool) -> str:
    """Type of `output` and `token_embd`; a tied token_embd is treated as the output it also is."""
    base = base_type(file_type)
    if base in ("F32", "F16", "BF16"):
        return base
    chosen = _output(file_type, base, row, facts) if output or facts.tied else _input(file_type, base)
    return fitting(chosen, row)


def _output(file_type: str, base: str, row: int, facts: Facts) -> str:
    if file_type == "MXFP4_MOE" or facts.falcon or row % BLOCKS[base][0]:
        return "Q8_0"
    if file_type in _SMALL or file_type == "IQ3_XXS":
        return "Q5_K"
    return base if base == "Q8_0" else "Q6_K"


def _input(file_type: str, base: str) -> str:
    if file_type in _ROUGH_EMBEDDING:
        return "Q2_K"
    if file_type in _GOOD_SMALL or file_type == "IQ3_XXS":
        return "IQ3_S"
    return "Q4_K" if file_type in ("TQ1_0", "TQ2_0", "Q2_0") else base


def layer_type(file_type: str, category: str, index: int, facts: Facts) -> str:
    """Type of a tensor inside a layer before the fallback for odd rows. `index` counts layers, or attn_v tensors for "v".

    Categories: "v" (attn_v, attn_qkv, attn_kv_b), "k", "q", "o" (attn_output), "down", "gate", "up", "" for the rest,
    "qkv" for joined projections under the older rule.
    """
    base = base_type(file_type)
    if not category or base in ("F32", "F16", "BF16") or file_type == "MXFP4_MOE":
        return base
    if category == "qkv":
        return {"Q3_K_M": "Q4_K", "Q3_K_L": "Q4_K", "IQ3_M": "Q4_K", "Q4_K_M": "Q5_K", "Q5_K_M": "Q6_K"}.get(
            file_type, base
        )
    if file_type in _SMALL:
        return _small(file_type, category, index, facts) or base
    rule = {"v": _value, "k": _query_key, "q": _query_key, "o": _attention_output, "down": _down}.get(category, _gate)
    return rule(file_type, category, index, facts) or base


def _small(file_type: str, category: str, index: int, facts: Facts) -> str:
    good = file_type in _GOOD_SMALL
    if category == "v":
        return "Q4_K" if facts.gqa >= 4 or facts.experts >= 4 else "IQ3_S" if good else "Q2_K"
    if category == "k" and facts.experts == 8:
        return "Q4_K"
    if category == "down" and index < facts.layers // 8:
        return "IQ3_S" if good else "Q2_K"
    if category == "o":
        return (
            "Q5_K" if facts.experts == 8 else "IQ2_XXS" if file_type in ("IQ1_S", "IQ1_M") else "IQ3_S" if good else ""
        )
    return ""


def _value(file_type: str, _: str, index: int, facts: Facts) -> str:
    if facts.experts == 8:
        return "Q8_0"
    chosen = _value_of(file_type, index, facts)
    return "Q5_K" if facts.seventy and (chosen or base_type(file_type)) in ("Q3_K", "Q4_K") else chosen


def _value_of(file_type: str, index: int, facts: Facts) -> str:
    grouped = facts.gqa >= 4
    if file_type in ("Q4_K_M", "Q5_K_M"):
        return "Q6_K" if more_bits(index, facts.values) else ""
    if file_type in ("Q3_K_M", "Q4_K_S"):
        return "Q5_K" if index < (2 if file_type == "Q3_K_M" else 4) else "Q4_K"
    if file_type in ("IQ4_NL", "IQ4_XS"):
        return "Q5_K" if grouped else ""
    always = {"Q3_K_L": "Q5_K", "IQ3_M": "Q4_K"}.get(file_type)
    if always is not None:
        return always
    ungrouped = {"Q2_K": "Q3_K", "Q2_K_S": "", "IQ3_XXS": "IQ3_XXS", "IQ3_XS": "", "IQ3_S": ""}.get(file_type)
    return "" if ungrouped is None else "Q4_K" if grouped else ungrouped


def _query_key(file_type: str, category: str, _: int, facts: Facts) -> str:
    if category == "k" and facts.experts == 8:
        return "Q8_0"
    return {"IQ3_XS": "IQ3_XXS", "IQ3_XXS": "IQ2_S"}.get(file_type, "")


def _attention_output(file_type: str, _: str, __: int, facts: Facts) -> str:
    if facts.falcon:
        return "Q4_K" if file_type == "Q3_K_L" else ""
    if facts.experts == 8:
        return "Q5_K" if file_type in _EIGHT_EXPERTS_OUTPUT else ""
    return _GENERAL.get(file_type, ("", ""))[0]


def _down(file_type: str, _: str, index: int, facts: Facts) -> str:
    count = facts.layers
    if file_type in ("Q4_K_M", "Q5_K_M"):
        return _down_medium(file_type, index, facts)
    if file_type == "Q3_K_M":
        soft = facts.falcon and not more_bits(index, count)
        return "Q5_K" if index < count // 16 else "Q3_K" if soft else "Q4_K"
    if file_type == "Q3_K_L":
        return "Q4_K" if facts.falcon else "Q5_K"
    if file_type == "IQ3_M":
        return "Q4_K" if index < count // 8 or (facts.experts == 8 and more_bits(index, count)) else ""
    first = {"Q4_K_S": "" if facts.falcon else "Q5_K", "IQ4_NL": "Q5_K", "IQ4_XS": "Q5_K", "Q2_K_S": "Q4_K"}.get(
        file_type, ""
    )
    return (first if index < count // 8 else "") or _GENERAL.get(file_type, ("", ""))[1]


def _down_medium(file_type: str, index: int, facts: Facts) -> str:
    if facts.falcon and file_type == "Q4_K_M":
        more = more_bits(index, facts.layers)
        return "Q6_K" if index < facts.layers // 16 else "Q5_K" if more else "Q4_K"
    return "Q6_K" if more_bits(index, facts.layers) else ""


def _gate(file_type: str, _: str, index: int, facts: Facts) -> str:
    middle = facts.layers // 8 <= index < 7 * facts.layers // 8
    return "IQ3_XXS" if file_type == "IQ3_XS" and middle else ""
