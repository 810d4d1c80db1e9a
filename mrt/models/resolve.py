"""From what a person calls a model to its shape."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mrt.errors import UsageError
from mrt.memory.shape import ModelShape
from mrt.models.catalog import Catalog, packaged
from mrt.models.names import find_exact, find_like, find_name
from mrt.models.quantization import at_end, check_quantization, requantized, unconverted
from mrt.models.sources import Sources
from mrt.near import did_you_mean, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from mrt.models.running import Running
    from mrt.models.server import Server

_HUB = ("hf.co/", "huggingface.co/", "https://hf.co/", "https://huggingface.co/")
_LIBRARY = ("https://ollama.com/library/", "https://ollama.ai/library/")
_LONGEST_NAME = 1000
# Servers that need no entry in the configuration to be asked.
_SERVERS = frozenset({"ollama", "vllm", "lm_studio", "llamacpp", "llama_swap"})


def resolve_model(name: str, quantization: str | None = None, sources: Sources | None = None) -> ModelShape:
    """The shape of a model, in `quantization` where one is given.

    `name` is an alias, a tag, a repository, ENDPOINT/MODEL, a .gguf file or URL, a model's folder, or a size (14b:q4_k_m).
    Raises a UsageError, with near names, for a name that leads nowhere; other MrtErrors where a server or a file fails.
    """
    sources = sources or Sources()
    wanted = None if quantization is None else check_quantization(quantization)
    name = sources.aliases.get(name, name).strip()
    if not name:
        raise UsageError("a model needs a name", "for example: mrt fit qwen2.5-coder:14b")
    if len(name) > _LONGEST_NAME or not name.isprintable():
        what = f"has {len(name):,} characters" if len(name) > _LONGEST_NAME else "has control characters in it"
        raise UsageError(f"no model's name {what}: {name[:40]!r}", "for example: mrt fit qwen2.5-coder:14b")
    shape = _resolve(name, sources)
    if wanted is None:
        return shape
    stated = at_end(name)[1] if shape.tensors is None else None
    if stated is not None and stated != wanted:
        raise UsageError(f"{name} names {stated}, --quant {wanted}", "leave one of them out")
    return requantized(shape, wanted)


def resolve_running(endpoint: str, sources: Sources) -> Running:
    """The model that an endpoint runs, and how: NAME for the loaded one, NAME/MODEL for one of several."""
    from mrt.models.running import ANY, read_running

    return read_running(_server(endpoint if "/" in endpoint else f"{endpoint}/{ANY}", sources))


def _resolve(name: str, sources: Sources) -> ModelShape:
    local = _path(name, sources)
    if local is not None:
        return _read_path(local)
    if name.startswith(("http://", "https://")) and not _is_page(name):
        return _read_url(name, sources)
    catalog = packaged()
    plain = _hub_name(name)
    exact = find_exact(plain, catalog)
    if exact is None and _is_served(name, sources):
        return _read_running(name, sources, catalog)
    found = exact or find_like(plain, catalog)
    if found is not None:
        shape = found.named(name)
        return unconverted(shape, name) if sources.unconverted and found.quantization is None else shape
    if name.startswith(_HUB):
        raise UsageError(
            f"the catalog does not know {name}",
            "give the file's own address: https://huggingface.co/ORG/REPO/resolve/main/FILE.gguf",
        )
    return _by_size(name, catalog, sources)


def _is_served(name: str, sources: Sources) -> bool:
    """Whether the name begins with a server's."""
    prefix, slash, model = name.partition("/")
    served = bool(slash) and (prefix in sources.endpoints or (sources.target is not None and prefix in _SERVERS))
    if served and not model:
        raise UsageError(f"{name!r} has no model after the slash", f"write {prefix}/MODEL")
    return served


def _path(name: str, sources: Sources) -> Path | None:
    """The path that a name is, None where it is none: it ends in .gguf, is written as a path, or a model's folder lies there."""
    if "://" in name:
        return None
    written = name.startswith((".", "/", "~", os.sep)) or name[1:3] in (":\\", ":/")
    named = name.lower().endswith(".gguf")
    if not (written or named or "/" in name or os.sep in name):
        return None
    from pathlib import Path

    path = (sources.directory or Path()) / Path(name).expanduser()
    return path if written or named or (path / "config.json").is_file() else None


def _read_path(path: Path) -> ModelShape:
    if not path.exists():
        raise UsageError(f"{path} does not exist", "name a .gguf file, a model's folder or a model's name")
    if not path.is_dir():
        from mrt.models.gguf.files import read_files

        return read_files(path)
    if not (path / "config.json").is_file():
        files = sorted(file.name for file in path.glob("*.gguf"))
        hint = (
            f"name one of its files: {', '.join(files[:3])}"
            if files
            else "name a folder with config.json, or a .gguf file"
        )
        raise UsageError(f"{path} holds no config.json", hint)
    from mrt.models.huggingface import read_folder

    return read_folder(path)


def _is_page(name: str) -> bool:
    """Whether an address is that of a model's page, not of a file."""
    return name.startswith((*_HUB, *_LIBRARY)) and not name.partition("?")[0].lower().endswith(".gguf")


def _hub_name(name: str) -> str:
    """ORG/REPO of a hub's address, with the quantization that Ollama writes behind a colon set off by a dash."""
    prefix = next((prefix for prefix in _HUB if name.startswith(prefix)), None)
    if prefix is None:
        return name
    address, colon, quantization = name.removeprefix(prefix).partition("?")[0].rstrip("/").partition(":")
    repository = "/".join(address.split("/")[:2])
    return f"{repository}-{quantization}" if colon and quantization != "latest" else repository


def _read_url(url: str, sources: Sources) -> ModelShape:
    if sources.wire is None:
        from mrt.providers.address import shown

        raise UsageError(f"{shown(url)} cannot be read offline", "download the file, and name it")
    from mrt.models.gguf.remote import read_url

    return read_url(url, sources.wire())


def _server(name: str, sources: Sources) -> Server:
    if sources.target is None or sources.wire is None:
        raise UsageError(f"{name} cannot be asked offline", "name the model without the server")
    from mrt.models.server import Server

    return Server(sources.target(name), sources.wire())


def _read_running(name: str, sources: Sources, catalog: Catalog) -> ModelShape:
    from mrt.errors import Unreachable
    from mrt.models.running import read_running

    try:
        return read_running(_server(name, sources)).shape
    except Unreachable as error:
        model = name.partition("/")[2]
        if find_name(model, catalog) is not None:
            error.hint = f"`mrt fit {model}` reads the catalog instead"
        raise


def _by_size(name: str, catalog: Catalog, sources: Sources) -> ModelShape:
    from mrt.models.guess import guessed, size_of

    plain, colon, ending = name.partition(":")
    size, quantization = size_of(plain), check_quantization(ending) if colon and size_of(plain) else None
    if size is None:
        plain, quantization = at_end(name)
        size = size_of(plain)
    if size is not None:
        shape = guessed(size, name)
        return requantized(shape, quantization) if quantization else shape
    raise _unknown(name, catalog, sources)


def _lies_here(name: str, sources: Sources) -> bool:
    from pathlib import Path

    try:
        return ((sources.directory or Path()) / name).exists()
    except OSError:
        return False


def _unknown(name: str, catalog: Catalog, sources: Sources) -> UsageError:
    """The failure for a name that is nothing, with the family's sizes, or names that look like it."""
    from mrt.models.guess import size_of

    family, colon, tag = name.partition(":")
    size = at_end(tag)[0].partition("-")[0]
    estimate = f"`mrt fit {size}` estimates any model of that size" if size_of(size) else ""
    sizes = [shape.name for shape in catalog.family(family)]
    if sizes:
        message = f"{name} is no size of {family} that the catalog knows" if colon else f"{family} has several sizes"
        return UsageError(message, f"sizes are {', '.join(sizes)}" + (f"; {estimate}" if estimate else ""))
    families = sorted({known.partition(":")[0] for known in catalog.names() if ":" in known})
    known = [*catalog.names(), *sources.aliases, *sorted(sources.endpoints)]
    near = (nearest(name, families, 3) if not colon else []) or nearest(name, known, 3) or nearest(family, families, 3)
    near = near or ([other for other in known if name.lower() in other.lower()][:3] if len(name) > 2 else [])
    otherwise = estimate and "the catalog knows no such name;"
    otherwise = otherwise or "`mrt fit` alone lists models; a .gguf file, ollama/TAG or a size (14b:q4_k_m) work too"
    hint = (
        f"write ./{name} for what lies in this folder" if _lies_here(name, sources) else did_you_mean(near, otherwise)
    )
    misspelt = nearest(name, known, 3, closeness=0.85)
    return UsageError(f"unknown model {name!r}", f"{hint} {estimate}" if estimate and not misspelt else hint)
