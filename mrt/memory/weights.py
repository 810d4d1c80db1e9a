"""The weights: which tensor has which type, and the bytes they take in the file, on the GPU and on the host."""

from __future__ import annotations

from functools import cache
from itertools import accumulate
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from mrt.errors import UsageError
from mrt.memory.ggml_types import cuda_bytes, fitting, tensor_bytes
from mrt.memory.mixture import FILE_TYPES, UNIFORM, Facts, base_type, canonical, embedding_type, layer_type
from mrt.memory.parts import Part, global_parts, has_output, layer_parts
from mrt.memory.shape import Tensor
from mrt.memory.traits import traits_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mrt.memory.shape import Layer, ModelShape

FILE_ALIGNMENT = 32
_CATEGORIES = (
    ("attn_qkv.weight", "v"),
    ("attn_kv_b.weight", "v"),
    ("attn_v.weight", "v"),
    ("attn_k.weight", "k"),
    ("attn_q.weight", "q"),
    ("attn_output.weight", "o"),
    ("ffn_up", "up"),
    ("ffn_gate", "gate"),
    ("ffn_down", "down"),
)
# Two-dimensional tensors the quantizer leaves alone, and those the converters write in full precision.
_LEFT = ("_norm.weight", "altup", "laurel", "per_layer_model_proj", "shortconv.conv")
_SPARED_LATER = ("altup", "laurel", "per_layer_model_proj")
_FULL = (
    "ffn_gate_inp.weight",
    "ssm_conv1d",
    "ssm_norm",
    "_norm.weight",
    "position_embd",
    "token_types",
    "coef",
    "_exps.bias",
)
INPUT_TENSORS = ("token_embd.", "position_embd.", "token_types.", "per_layer_token_embd.")


class Bytes(NamedTuple):
    """Bytes of some tensors: in a file (aligned), as the CUDA backend allocates them, and the part of it that is experts."""

    file: int = 0
    gpu: int = 0
    experts: int = 0
    experts_gpu: int = 0
    # Name and bytes of each matrix as it is copied to a GPU that works for the host.
    matrices: tuple[tuple[str, int], ...] = ()

    def plus(self, other: Bytes) -> Bytes:
        """Both together."""
        file, gpu = self.file + other.file, self.gpu + other.gpu
        experts, experts_gpu = self.experts + other.experts, self.experts_gpu + other.experts_gpu
        return Bytes(file, gpu, experts, experts_gpu, (*self.matrices, *other.matrices))

    @property
    def largest(self) -> int:
        """The most that one product copies."""
        return max((size for _, size in self.matrices), default=0)

    def copies(self, *, experts_only: bool) -> tuple[tuple[str, int], ...]:
        """The matrices, or the experts alone."""
        return tuple(item for item in self.matrices if is_expert(item[0])) if experts_only else self.matrices


class Weights(NamedTuple):
    """Weights by place: each block, the input tables (host), the output side, and the copy of tied embeddings beside it."""

    layers: tuple[Bytes, ...]
    inputs: Bytes
    output: Bytes
    file: int
    # Bytes of the output side in the file, without the second copy of tied embeddings.
    separate_output: int


def file_type_of(quantization: str) -> str:
    """The canonical file type. Raises UsageError for one that does not exist."""
    found = canonical(quantization)
    if found is None:
        raise UsageError(f"unknown quantization {quantization!r}", hint=f"one of {', '.join(FILE_TYPES)}")
    return found


def tensors_of(shape: ModelShape, quantization: str) -> tuple[Tensor, ...]:
    """Every tensor of the text model: the file's own table where it has this quantization, else built by the mixture's rules."""
    if _has_table(shape, quantization):
        return shape.tensors or ()
    choose = _Chooser(shape, file_type_of(quantization))
    found = [Tensor(name, choose.outside(name, size), size) for name, size in global_parts(shape)]
    for index, layer in enumerate(shape.layers):
        found += [
            Tensor(f"blk.{index}.{name}", choose.inside(name, size, index), size)
            for name, size in layer_parts(shape, layer)
        ]
    return tuple(found)


def _has_table(shape: ModelShape, quantization: str) -> bool:
    return shape.tensors is not None and (canonical(quantization) or quantization) == (
        canonical(shape.quantization) or shape.quantization
    )


def file_bytes(shape: ModelShape, quantization: str) -> int:
    """Size of the file in bytes: header, aligned tensors, and towers stored with them."""
    return shape.header_bytes + weights(shape, quantization).file + shape.tower_bytes


def weights(shape: ModelShape, quantization: str) -> Weights:
    """Bytes by place; equal blocks are computed once."""
    if _has_table(shape, quantization):
        return _of_table(shape)
    choose = _Chooser(shape, file_type_of(quantization))
    known: dict[object, Bytes] = {}
    layers = []
    for index, layer in enumerate(shape.layers):
        key = (id(layer), *choose.varying(index))
        if key not in known:
            known[key] = _sum((name, choose.inside(name, size, index), size) for name, size in choose.parts(layer))
        layers.append(known[key])
    return _placed(shape, [(name, choose.outside(name, size), size) for name, size in global_parts(shape)], layers)


def _of_table(shape: ModelShape) -> Weights:
    blocks: list[list[tuple[str, str, tuple[int, ...]]]] = [[] for _ in shape.layers]
    rest = []
    for tensor in shape.tensors or ():
        number, _, name = (
            tensor.name.removeprefix("blk.").partition(".") if tensor.name.startswith("blk.") else ("", "", "")
        )
        if number.isdigit() and int(number) < len(blocks):
            blocks[int(number)].append((name, tensor.type, tensor.shape))
        elif not number.isdigit():
            rest.append((tensor.name, tensor.type, tensor.shape))
    return _placed(shape, rest, [_sum(block) for block in blocks])


def _placed(shape: ModelShape, outside: list[tuple[str, str, tuple[int, ...]]], layers: list[Bytes]) -> Weights:
    front = [item for item in outside if item[0].startswith(INPUT_TENSORS)]
    behind = [item for item in outside if not item[0].startswith(INPUT_TENSORS)]
    inputs, output = _sum(front), _sum(behind)
    file = inputs.file + output.file + sum(layer.file for layer in layers)
    alone = output.file
    separate = any(item[0] == "output.weight" for item in outside)
    if not separate and "no_output" not in traits_of(shape):
        output = output.plus(_sum(item for item in front if item[0] == "token_embd.weight"))
    return Weights(tuple(layers), inputs, output, file, alone)


def _sum(tensors: Iterator[tuple[str, str, tuple[int, ...]]] | list[tuple[str, str, tuple[int, ...]]]) -> Bytes:
    file = gpu = experts = experts_gpu = 0
    matrices = []
    for name, type_name, size in tensors:
        aligned = -(-tensor_bytes(type_name, size) // FILE_ALIGNMENT) * FILE_ALIGNMENT
        padded = cuda_bytes(type_name, size)
        file += aligned
        gpu += padded
        if len(size) > 1:
            matrices.append((name, padded))
        if is_expert(name):
            experts += aligned
            experts_gpu += padded
    return Bytes(file, gpu, experts, experts_gpu, tuple(matrices))


def is_expert(name: str) -> bool:
    """Whether `--cpu-moe` keeps this tensor on the host."""
    return "_exps" in name or "_chexps" in name


class _Chooser:
    """Types of a model's tensors under one file type; remembers parts of equal layers."""

    def __init__(self, shape: ModelShape, file_type: str) -> None:
        self._shape, self._file_type = shape, file_type
        self._parts: dict[int, list[Part]] = {}
        self._mixed = base_type(file_type) not in ("F32", "F16", "BF16", "Q8_0")
        self._go = "go_mixture" in shape.traits
        self._values, self._downs = self._count("v"), self._count("down")
        self._facts = self._gather()

    def parts(self, layer: Layer) -> list[Part]:
        """The block's tensors, built once per kind of layer."""
        if id(layer) not in self._parts:
            self._parts[id(layer)] = layer_parts(self._shape, layer)
        return self._parts[id(layer)]

    def _count(self, category: str) -> list[int]:
        """For each layer, how many tensors of this category come before it."""
        if not self._mixed:
            return [0] * (len(self._shape.layers) + 1)
        kinds = {id(layer): layer for layer in self._shape.layers}
        each = {
            kind: sum(self._category(name) == category for name, _ in self.parts(layer))
            for kind, layer in kinds.items()
        }
        return list(accumulate((each[id(layer)] for layer in self._shape.layers), initial=0))

    def _category(self, name: str) -> str:
        found = category_of(name)
        return _go_category(name) if self._go and found == "v" else found

    def _gather(self) -> Facts:
        shape = self._shape
        first = shape.layers[0] if shape.layers else None
        kv_heads = first.kv_heads if first else 0
        heads = next((layer.heads for layer in shape.layers if layer.heads), 1)
        if shape.architecture in ("qwen3next", "qwen35", "qwen35moe"):  # one figure for all layers in these files
            kv_heads = next((layer.kv_heads for layer in shape.layers if layer.kv_heads), 0)
        gqa = heads if shape.latent else heads // kv_heads if kv_heads else 0
        eighty = len(shape.layers) == 80 and gqa > 1 and shape.architecture in ("llama", "qwen2", "deci")
        experts = shape.experts.count if shape.experts else 1
        output = has_output(shape)
        return Facts(
            gqa,
            experts,
            len(shape.layers),
            self._values[-1],
            shape.architecture == "falcon",
            eighty and not self._go,
            not output,
        )

    def varying(self, index: int) -> tuple[str, ...]:
        """The types that depend on the layer's position; blocks that agree on them, and in kind, are equal."""
        if self._file_type in UNIFORM:
            return ()
        return tuple(
            layer_type(self._file_type, category, self._index(category, index), self._facts)
            for category in ("v", "down", "up")
        )

    def _index(self, category: str, index: int) -> int:
        if category == "v":
            return self._values[index]
        return index if self._facts.experts > 1 or category != "down" else self._downs[index]

    def inside(self, name: str, size: tuple[int, ...], index: int) -> str:
        """Type of a tensor in a block."""
        override = self._override(name)
        if override or not self._quantizes(name, size):
            return override or plain_type(name, size, base_type(self._file_type))
        if self._file_type.startswith("MXFP4"):
            return "MXFP4" if is_expert(name) else base_type(self._file_type)
        category = self._category(name)
        return fitting(layer_type(self._file_type, category, self._index(category, index), self._facts), size[0])

    def outside(self, name: str, size: tuple[int, ...]) -> str:
        """Type of a tensor that belongs to no block."""
        override = self._override(name)
        if override or not self._quantizes(name, size):
            return override or plain_type(name, size, base_type(self._file_type))
        if name in ("output.weight", "token_embd.weight", "per_layer_token_embd.weight"):
            return embedding_type(self._file_type, size[0], self._facts, output=name == "output.weight")
        return fitting(base_type(self._file_type), size[0])

    def _quantizes(self, name: str, size: tuple[int, ...]) -> bool:
        if "all_quantized" in self._shape.traits and any(word in name for word in _SPARED_LATER):
            return len(size) > 1 and name.endswith("weight") and "coef" not in name and "_norm." not in name
        return quantizable(name, size)

    def _override(self, name: str) -> str:
        return next((type_name for end, type_name in self._shape.type_overrides if name.endswith(end)), "")


@cache
def category_of(name: str) -> str:
    """The category the mixture's rules know a tensor by."""
    return next((category for key, category in _CATEGORIES if key in name), "")


def _go_category(name: str) -> str:
    """Ollama's own quantizer (0.6.8 to 0.29) kept an older rule for joined projections and none for the latent one."""
    return "qkv" if "attn_qkv" in name else "v" if "attn_v." in name else ""


@cache
def quantizable(name: str, size: tuple[int, ...]) -> bool:
    """Whether the quantizer touches a tensor: weights of two or three dimensions, without norms, routers and small tables."""
    if len(size) < 2 or not name.endswith("weight"):
        return False
    return not any(word in name for word in (*_LEFT, *_FULL))


def plain_type(name: str, size: tuple[int, ...], base: str) -> str:
    """Type of a tensor that is not quantised: one dimension and the sensitive tables in F32, the rest as trained."""
    if len(size) < 2 or not name.endswith("weight") or any(word in name for word in _FULL):
        return "F32"
    return base if base in ("F32", "BF16") else "F16"


def elements(shape: ModelShape, keep: Callable[[str], bool] = lambda _: True) -> int:
    """Number of parameters, of the tensors whose names pass."""
    inside = sum(prod(size) for layer in shape.layers for name, size in layer_parts(shape, layer) if keep(name))
    return inside + sum(prod(size) for name, size in global_parts(shape) if keep(name))
