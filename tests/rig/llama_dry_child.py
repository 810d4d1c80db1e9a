"""Run by `llama_dry_run`: load a GGUF's header with llama.cpp's own "no allocation" switch and print what it would hold, as JSON.

python llama_dry_child.py MODEL.gguf '{"gpus": 1, "context": 8192, ...}'
"""

from __future__ import annotations

import ctypes as c
import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a script

import xllamacpp

from rig.fake_gpu import FakeGpus

TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q5_0": 6, "Q5_1": 7, "Q8_0": 8, "IQ4_NL": 20, "BF16": 30}
EXPERTS = r"blk\.%d\.ffn_(up|down|gate|gate_up)_(ch|)exps"
_P, _I, _U, _B = c.c_void_p, c.c_int, c.c_uint32, c.c_bool


class ModelParameters(c.Structure):
    """llama.cpp's parameters of loading, as the pinned build lays them out."""

    _fields_ = (
        *(
            ("devices", _P),
            ("overrides", _P),
            ("gpu_layers", _I),
            ("split", _I),
            ("lazy", _I),
            ("load", _I),
            ("main", _I),
        ),
        *(
            ("tensor_split", _P),
            ("progress", _P),
            ("progress_data", _P),
            ("metadata", _P),
            ("vocabulary_only", _B),
            ("check", _B),
        ),
        *(("extra_buffers", _B), ("no_host", _B), ("no_allocation", _B), ("prediction", _B)),
    )


class ContextParameters(c.Structure):
    """llama.cpp's parameters of a context, as the pinned build lays them out."""

    _fields_ = (
        *(
            ("context", _U),
            ("batch", _U),
            ("ubatch", _U),
            ("slots", _U),
            ("snapshots", _U),
            ("outputs", _U),
            ("slot_outputs", _U),
        ),
        *(
            ("threads", _I),
            ("batch_threads", _I),
            ("kind", _I),
            ("rope", _I),
            ("pooling", _I),
            ("attention", _I),
            ("flash", _I),
        ),
        *(
            ("rope_values", c.c_float * 6),
            ("yarn", _U),
            ("defragment", c.c_float),
            ("callback", _P),
            ("callback_data", _P),
        ),
        *(
            ("type_k", _I),
            ("type_v", _I),
            ("abort", _P),
            ("abort_data", _P),
            ("unknown", _P),
            ("embeddings", _B),
            ("cache_on_gpu", _B),
        ),
        *(
            ("no_timing", _B),
            ("take_over", _B),
            ("full_window", _B),
            ("unified", _B),
            ("samplers", _P),
            ("count", _P),
            ("more", _P),
        ),
    )


class Override(c.Structure):
    """A pattern of tensor names and the buffers they go to."""

    _fields_ = (("pattern", c.c_char_p), ("buffers", _P))


def run(path: str, options: dict[str, Any]) -> dict[str, dict[str, int]]:
    """Bytes by buffer ("CUDA0", "CUDA_Host", "CPU"): of the model, of its caches, of the compute buffer."""
    package = Path(xllamacpp.__file__).parent
    library = c.CDLL(str(next(package.glob("*.so"))))
    gpus = FakeGpus(library, options.get("gpus", 1), options.get("total", 1 << 44))
    library.llama_model_default_params.restype = ModelParameters
    library.llama_context_default_params.restype = ContextParameters
    library.llama_model_load_from_file.restype, library.llama_model_load_from_file.argtypes = (
        _P,
        [c.c_char_p, ModelParameters],
    )
    library.llama_init_from_model.restype, library.llama_init_from_model.argtypes = _P, [_P, ContextParameters]
    model = library.llama_model_load_from_file(path.encode(), _model(library, options, gpus))
    if not model:
        raise SystemExit("llama.cpp does not load this file")
    context = library.llama_init_from_model(model, _context(library, options))
    if not context:
        raise SystemExit("llama.cpp makes no context of this file")
    return _breakdown(library, context)


def _breakdown(library: c.CDLL, context: int) -> dict[str, dict[str, int]]:
    """The engine's own account, a std::map from buffer type to three sizes, read node by node."""
    library.ggml_backend_buft_name.restype, library.ggml_backend_buft_name.argtypes = c.c_char_p, [_P]
    account = library._Z26llama_get_memory_breakdownPK13llama_context
    account.restype, account.argtypes = None, [_P, _P]
    tree = (c.c_uint64 * 6)()
    account(c.addressof(tree), context)
    found: dict[str, dict[str, int]] = {"model": {}, "cache": {}, "compute": {}}
    waiting = [tree[2]]
    while waiting:
        address = waiting.pop()
        if address:
            node = (c.c_uint64 * 8).from_address(address)  # colour, parent, left, right, key, three sizes
            waiting += [node[2], node[3]]
            name = library.ggml_backend_buft_name(node[4]).decode()
            for kind, size in zip(found, node[5:8], strict=True):
                found[kind][name] = size
    return found


def _model(library: c.CDLL, options: dict[str, Any], gpus: FakeGpus) -> ModelParameters:
    parameters: ModelParameters = library.llama_model_default_params()
    parameters.no_allocation, parameters.extra_buffers, parameters.load = True, False, 0
    parameters.gpu_layers = options.get("gpu_layers", 999)
    if options.get("cpu_moe"):
        library.ggml_backend_cpu_buffer_type.restype = _P
        host = library.ggml_backend_cpu_buffer_type()
        overrides = (Override * (options["cpu_moe"] + 1))(
            *(Override((EXPERTS % number).encode(), host) for number in range(options["cpu_moe"]))
        )
        gpus.keep(overrides)
        parameters.overrides = c.addressof(overrides)
    return parameters


def _context(library: c.CDLL, options: dict[str, Any]) -> ContextParameters:
    parameters: ContextParameters = library.llama_context_default_params()
    slots = options.get("parallel", 1)
    parameters.context, parameters.slots = options.get("context", 8192) * slots, slots
    parameters.batch, parameters.ubatch = options.get("batch", 2048), options.get("ubatch", 512)
    parameters.flash, parameters.unified = int(options.get("flash_attention", True)), options.get("unified", False)
    parameters.type_k, parameters.type_v = TYPES[options.get("type_k", "F16")], TYPES[options.get("type_v", "F16")]
    parameters.full_window, parameters.outputs = options.get("full_window", False), options.get("outputs", 0)
    return parameters


if __name__ == "__main__":
    result = run(sys.argv[1], json.loads(sys.argv[2]))
    sys.stderr.flush()
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()
    os._exit(0)  # its destructors would look for the memory that was never there
