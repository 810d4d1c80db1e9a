"""The model that a server runs, or would run under a name, and how it runs it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from mrt.errors import ModelNotFound, UsageError
from mrt.frozen import frozen
from mrt.memory.mixture import canonical
from mrt.memory.shape import ModelShape
from mrt.models.catalog import Catalog, packaged
from mrt.models.guess import guessed
from mrt.models.names import Found, find_name
from mrt.models.ollama import read_tag
from mrt.models.quantization import requantized, unconverted
from mrt.models.server import Server
from mrt.providers import is_loopback, shown

# In place of a model's name: the one that is loaded.
ANY = "-"


@frozen
class Running:
    """A server's model. `context` is what one slot gets, in tokens; `vram_bytes` what the server itself says it takes.

    Each is None where the server does not say.
    """

    shape: ModelShape
    context: int | None = None
    parallel: int | None = None
    vram_bytes: int | None = None


def read_running(server: Server) -> Running:
    """The model that `server.target` names, the loaded one for ANY. Raises an MrtError."""
    reader = _READERS.get(server.target.kind)
    if reader is None:
        raise UsageError(
            f"{server.target.endpoint} is a {server.target.kind} endpoint, which does not tell what its models take",
            "name the model itself, for example qwen2.5-coder:14b",
        )
    return reader(server)


def _ollama(server: Server) -> Running:
    loaded = server.rows("/api/ps", "models")
    tag = server.target.model
    if tag == ANY:
        if not loaded:
            raise ModelNotFound(
                f"{shown(server.target.url)} has no model loaded", f"name one: {server.target.endpoint}/MODEL"
            )
        tag = str(loaded[0].get("name"))
    row = next((row for row in loaded if row.get("name") in (tag, f"{tag}:latest")), {})
    return Running(
        read_tag(tag, server), _whole(row.get("context_length")), None, _whole(row.get("size_vram"), least=0)
    )


def _llamacpp(server: Server) -> Running:
    props = server.document("/props")
    if props.get("role") == "router":
        return _named(server)
    defaults = props.get("default_generation_settings")
    context = _whole(defaults.get("n_ctx")) if isinstance(defaults, dict) else None
    parallel = _whole(props.get("total_slots"))
    path = str(props.get("model_path") or "")
    rows = server.rows("/v1/models", "data")
    told = rows[0].get("meta") if rows else None
    meta: dict[str, Any] = told if isinstance(told, dict) else {}
    shape = _served_file(server, path, meta) or _of_meta(
        server, path, meta, str(props.get("model_ftype") or meta.get("ftype") or "")
    )
    return Running(shape, context, parallel)


def _served_file(server: Server, path: str, meta: dict[str, Any]) -> ModelShape | None:
    """The file itself, where the server is on this machine and it is the one that the server describes."""
    if not path or not is_loopback(server.target.url) or not Path(path).is_absolute() or not Path(path).is_file():
        return None
    from mrt.models.gguf.files import read_files

    try:
        shape = read_files(Path(path))
    except UsageError:
        return None
    stated = _whole(meta.get("n_params"))
    return (
        None
        if stated and shape.parameters != stated
        else replace(shape, source=f"{shape.source}, served by {server.target.endpoint}")
    )


def _of_meta(server: Server, path: str, meta: dict[str, Any], file_type: str) -> ModelShape:
    """From what the server says of its file: its name, its parameters, its width and vocabulary."""
    catalog = packaged()
    parameters, width = _whole(meta.get("n_params")), _whole(meta.get("n_embd"))
    found = _called(path, catalog)
    if found is None or (width and found.embedding != width):
        found = _alike(catalog, meta)
    if found is None:
        if parameters is None:
            raise ModelNotFound(
                f"{shown(server.target.url)} does not say what its model is", "name the model's file instead"
            )
        found = guessed(parameters, path or server.target.endpoint)
    quantization = canonical(plain_file_type(file_type))
    if quantization:
        found = requantized(found, quantization)
    name = Path(path).name or server.target.endpoint
    source = f"{found.source}; /props and /v1/models of {server.target.endpoint}"
    return replace(
        found, name=name, parameters=parameters or found.parameters, file_bytes=_whole(meta.get("size")), source=source
    )


def _called(name: str, catalog: Catalog) -> ModelShape | None:
    """The model that a served name or path means; a folder before it says nothing."""
    plain = name if name.count("/") == 1 and not name.startswith("/") else Path(name).name
    found: Found | None = find_name(plain, catalog) if plain else None
    return found.named(name) if found else None


def _alike(catalog: Catalog, meta: dict[str, Any]) -> ModelShape | None:
    """The catalog's only build of that width, vocabulary and number of parameters."""
    wanted = tuple(_whole(meta.get(key)) for key in ("n_embd", "n_vocab", "n_params"))
    if None in wanted:
        return None
    shapes = catalog.shapes()
    return next((shape for shape in shapes if (shape.embedding, shape.vocabulary, shape.parameters) == wanted), None)


def plain_file_type(text: str) -> str:
    """llama.cpp's words for a file type as its name: "Q4_K - Medium" is Q4_K_M, "all F32" is F32."""
    text = re.sub(r"^(?:\(guessed\)|all|mostly)\s+|\s*\(.*$", "", text.strip(), flags=re.IGNORECASE)
    base, dash, size = text.partition(" - ")
    sized = f"{base}_{size[:1].upper()}" if dash and size[:1].upper() in ("S", "M", "L") else base
    return sized.strip().replace(" ", "_")


def _named(server: Server) -> Running:
    """Servers that list models by name: vLLM, LM Studio, llama-swap, llama.cpp's router. The catalog knows the shape."""
    rows = server.rows(_LISTS.get(server.target.kind, "/v1/models"), "data", "models")
    row = _chosen(server, rows)
    names = [str(row[key]) for key in ("root", "id", "key", "path") if isinstance(row.get(key), str)]
    folder = next(
        (Path(name) for name in names if is_loopback(server.target.url) and (Path(name) / "config.json").is_file()),
        None,
    )
    context = _whole(row.get("loaded_context_length")) or _whole(row.get("max_model_len"))
    if folder is not None:
        from mrt.models.huggingface import read_folder

        return Running(read_folder(folder), context)
    catalog = packaged()
    found = next((shape for name in names if (shape := _called(name, catalog))), None)
    if found is None:
        raise ModelNotFound(
            f"{server.target.endpoint} serves {names[0] if names else 'a model'}, which the catalog does not know",
            "name its folder, its .gguf file or its size (14b:q4_k_m)",
        )
    quantization = canonical(str(row.get("quantization") or ""))
    if server.target.kind == "vllm":
        found = unconverted(found, " ".join(names))
    elif quantization:
        found = requantized(found, quantization)
    return Running(replace(found, name=f"{server.target.endpoint}/{row.get('id') or names[0]}"), context)


def _chosen(server: Server, rows: list[dict[str, Any]]) -> dict[str, Any]:
    wanted = server.target.model
    if wanted != ANY:
        found = next((row for row in rows if wanted in (row.get("id"), row.get("key"))), None)
        if found is None:
            raise ModelNotFound(f"{shown(server.target.url)} has no model {wanted!r}", _listed(server, rows))
        return found
    loaded = [row for row in rows if row.get("state") == "loaded"] or rows
    if len(loaded) != 1:
        raise UsageError(f"{shown(server.target.url)} has {len(loaded)} models", _listed(server, rows))
    return loaded[0]


def _listed(server: Server, rows: list[dict[str, Any]]) -> str:
    names = [f"{server.target.endpoint}/{row['id']}" for row in rows if isinstance(row.get("id"), str)]
    return f"name one: {', '.join(names[:5])}" if names else "load one first"


def _whole(value: Any, least: int = 1) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and least <= value < 1 << 62 else None


_LISTS = {"lm_studio": "/api/v0/models"}
_READERS: dict[str, Callable[[Server], Running]] = {
    "ollama": _ollama,
    "llamacpp": _llamacpp,
    "vllm": _named,
    "lm_studio": _named,
    "llama_swap": _named,
}
