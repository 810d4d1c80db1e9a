"""The command line of `mrt fit`: what was given, what contradicts, and the settings it means."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from mrt.errors import UsageError
from mrt.frozen import frozen

if TYPE_CHECKING:
    from mrt.memory.settings import Engine, RunSettings
    from mrt.memory.shape import ModelShape

DEFAULT_CONTEXT = 8192
# The longest context that any model was made for is ten million tokens.
MOST_CONTEXT = 2**24
# What llama.cpp takes for --cache-type-k and -v.
VLLM_KV_TYPES = ("F16", "BF16", "Q8_0")
KV_TYPES = ("F32", "F16", "BF16", "Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0", "IQ4_NL")
# Compiled when they are first used: most runs use neither.
_COUNT = r"(\d+(?:\.\d+)?)\s*([km]?)"
_DATE = r"\d{4}-\d\d-\d\d"
ENGINES: tuple[Engine, ...] = ("llama.cpp", "ollama", "vllm")


@frozen
class FitOptions:
    """As parsed; None and False where nothing was said."""

    models: tuple[str, ...] = ()
    quant: str | None = None
    ctx: str | None = None
    kv: str | None = None
    kv_k: str | None = None
    kv_v: str | None = None
    parallel: int | None = None
    batch: int | None = None
    ubatch: int | None = None
    flash_attn: str | None = None
    ngl: int | None = None
    cpu_moe: bool = False
    n_cpu_moe: int | None = None
    tensor_split: str | None = None
    mmproj: str | None = None
    draft: str | None = None
    engine: str | None = None
    gpu: str | None = None
    vram: str | None = None
    ram: str | None = None
    headroom: str | None = None
    endpoint: str | None = None
    explain: bool = False
    compare: bool = False
    verify: bool = False
    selftest: bool = False
    strict: bool = False
    tools: bool = False
    vision: bool = False
    min_ctx: str | None = None
    family: str | None = None
    limit: int | None = None

    @property
    def simulated(self) -> bool:
        """True when the machine is described instead of read."""
        return (self.gpu, self.vram, self.ram) != (None, None, None)


# (names of options, why they do not go together): the first all of which are given is refused.
_CONTRADICTIONS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("cpu_moe", "n_cpu_moe"), "--cpu-moe keeps the experts of all layers on the CPU, --n-cpu-moe those of some"),
    (("kv", "kv_k"), "--kv says the type of K already"),
    (("kv", "kv_v"), "--kv says the type of V already"),
    (("compare", "explain"), "--explain takes one model"),
    (("compare", "verify"), "--verify takes one model"),
    (("gpu", "verify"), "--verify looks at this machine, not at a described one"),
    (("vram", "verify"), "--verify looks at this machine, not at a described one"),
    (("selftest", "models"), "--selftest takes no model"),
    (("endpoint", "compare"), "--endpoint serves one model"),
    (("endpoint", "quant"), "--endpoint serves its model in the quantization it has"),
)
_RANKING = ("tools", "vision", "min_ctx", "family", "limit")
_ONE_MODEL = ("draft", "mmproj", "ngl", "cpu_moe", "n_cpu_moe", "explain", "verify", "compare", "tensor_split")


def check(options: FitOptions) -> None:
    """Refuse what contradicts itself; UsageError in one line."""
    given = {name for name in FitOptions.__dataclass_fields__ if getattr(options, name) not in (None, False, ())}
    for names, why in _CONTRADICTIONS:
        if given.issuperset(names):
            raise UsageError(
                f"{why}: {' and '.join(_flag(name) for name in names)} do not go together", "leave one of them out"
            )
    if options.ngl == 0 and options.tensor_split:
        raise UsageError("--ngl 0 leaves nothing to split", "leave out --tensor-split")
    if len(options.models) > 1 and not options.compare:
        raise UsageError(f"{len(options.models)} models are given", "mrt fit --compare puts them side by side")
    if options.compare and len(options.models) < 2:
        raise UsageError("--compare needs two models or more", "mrt fit --compare qwen3:8b gemma3:12b")
    ranking = not options.models and options.endpoint is None and not options.selftest
    wrong = next((name for name in (_ONE_MODEL if ranking else _RANKING) if name in given), None)
    if wrong:
        which = "needs a model" if ranking else "is for the ranking, which takes no model"
        raise UsageError(f"{_flag(wrong)} {which}", "mrt fit --help shows how it is used")


def _flag(name: str) -> str:
    return "MODEL" if name == "models" else f"--{name.replace('_', '-')}"


def count(text: str, option: str) -> int:
    """Tokens of "8192", "8k" (8192) or "1m"."""
    found = re.fullmatch(_COUNT, text.strip(), re.IGNORECASE)
    number = round(float(found[1]) * {"": 1, "k": 1024, "m": 1024**2}[found[2].lower()]) if found else 0
    if not 1 <= number <= MOST_CONTEXT:
        raise UsageError(
            f"{option} {text.strip()!r} is no number of tokens", f"write it as in {option} 32768 or {option} 32k"
        )
    return number


class Context(NamedTuple):
    """Tokens, and why so many: "asked", "trained" or "default"."""

    tokens: int
    origin: str


def context_of(options: FitOptions, shape: ModelShape) -> Context:
    """The context asked for, else 8192 or what the model was trained for if that is less."""
    trained = shape.context_trained
    if options.ctx is None:
        return Context(min(DEFAULT_CONTEXT, trained or DEFAULT_CONTEXT), "default")
    if options.ctx.strip().lower() != "max":
        return Context(count(options.ctx, "--ctx"), "asked")
    if trained is None:
        raise UsageError(f"what context {shape.name} was trained for is not known", "say it as a number: --ctx 32768")
    return Context(trained, "trained")


def settings_of(options: FitOptions, shape: ModelShape) -> RunSettings:
    """The run that the options mean for this model; UsageError for what no engine does."""
    return replace(
        plain_settings(options, context_of(options, shape).tokens),
        gpu_layers=None if options.ngl is None else min(options.ngl, len(shape.layers) + 1),
        cpu_moe=_experts(options, shape),
        tensor_split=_split(options.tensor_split),
    )


def plain_settings(options: FitOptions, context: int) -> RunSettings:
    """What does not depend on the model."""
    from mrt.memory.settings import RunSettings

    type_k, type_v = kv_types_of(options)
    flash = options.flash_attn != "off"
    if not flash and type_v not in ("F32", "F16", "BF16"):
        raise UsageError(
            f"a V cache of {type_v.lower()} needs flash attention", "leave out --flash-attn off, or say --kv-v f16"
        )
    engine, build = engine_of(options)
    batch, parallel = options.batch or 2048, options.parallel or 1
    return RunSettings(
        context,
        type_k,
        type_v,
        parallel,
        batch,
        min(options.ubatch or 512, batch),
        flash,
        engine=engine,
        build=build,
        headroom=headroom_of(options),
    )


def kv_types_of(options: FitOptions) -> tuple[str, str]:
    """Types of K and V."""
    both = ("f16" if options.kv is None else options.kv).split(",")
    if len(both) > 2:
        raise UsageError(f"--kv {options.kv!r} names more than K and V", "as in --kv q8_0,f16")
    return (
        _kv_type(both[0] if options.kv_k is None else options.kv_k, "--kv"),
        _kv_type(both[-1] if options.kv_v is None else options.kv_v, "--kv"),
    )


def _kv_type(text: str, option: str) -> str:
    name = text.strip().upper().replace("FP16", "F16")
    if name not in KV_TYPES:
        known = ", ".join(kind.lower() for kind in KV_TYPES)
        raise UsageError(f"{option} {text.strip()!r} is no type of a KV cache", f"it is one of {known}")
    return name


def engine_of(options: FitOptions) -> tuple[Engine, str]:
    """The engine and the date of its build, "" for the newest; UsageError for one that is not known or has no such setting."""
    name, at, build = ("llama.cpp" if options.engine is None else options.engine).partition("@")
    name = {"llamacpp": "llama.cpp", "llama-server": "llama.cpp"}.get(name.strip().lower(), name.strip().lower())
    engine = next((known for known in ENGINES if known == name), None)
    if engine is None:
        raise UsageError(f"--engine {name!r} is not known", f"it is one of {', '.join(ENGINES)}")
    if engine == "vllm":
        _check_vllm(options)
        if at:
            raise UsageError("what vLLM takes is not told apart by its builds here", "leave out what follows the @")
    return engine, _date(engine, build.strip()) if at else ""


def _date(engine: Engine, build: str) -> str:
    """The day of a build, of llama.cpp's by its number too."""
    numbered = re.fullmatch(r"b(\d{1,9})", build) if engine == "llama.cpp" else None
    if numbered:
        from mrt.memory.builds import date_of_build

        found = date_of_build(int(numbered[1]))
        if found is None:
            raise UsageError(
                f"--engine: when {build} was built is not known", "say the day, as in --engine llama.cpp@2025-04-01"
            )
        return found
    if re.fullmatch(_DATE, build):
        from datetime import date

        try:
            return str(date.fromisoformat(build))
        except ValueError:
            pass
    number = " or --engine llama.cpp@b6182" if engine == "llama.cpp" else ""
    raise UsageError(f"--engine: the build {build!r} is no date", f"as in --engine {engine}@2025-04-01{number}")


def _check_vllm(options: FitOptions) -> None:
    """Refuse what vLLM has no setting for: it keeps everything on GPUs and shares it equally."""
    names = ("ngl", "cpu_moe", "n_cpu_moe", "tensor_split", "batch", "ubatch", "flash_attn")
    wrong = next((name for name in names if getattr(options, name) not in (None, False)), None)
    if wrong:
        raise UsageError(f"{_flag(wrong)} is no setting of vLLM", f"leave out {_flag(wrong)}")
    kind = next((kind for kind in kv_types_of(options) if kind not in VLLM_KV_TYPES), None)
    if kind:
        raise UsageError(
            f"vLLM has no KV cache of {kind.lower()}", "it is one of f16, bf16 and q8_0, which stands for fp8"
        )


def _experts(options: FitOptions, shape: ModelShape) -> int:
    """Layers whose experts stay on the CPU."""
    asked = len(shape.layers) if options.cpu_moe else options.n_cpu_moe or 0
    if asked and shape.experts is None:
        raise UsageError(f"{shape.name} has no experts", "leave out --cpu-moe and --n-cpu-moe")
    return min(asked, len(shape.layers))


def _split(text: str | None) -> tuple[float, ...]:
    if text is None:
        return ()
    try:
        parts = tuple(float(part) for part in re.split(r"[,/]", text))
    except ValueError:
        parts = ()
    if not parts or min(parts) < 0 or not 0 < sum(parts) < 1e9:
        raise UsageError(f"--tensor-split {text!r} is no list of shares", "as in --tensor-split 3,1")
    return parts


def headroom_of(options: FitOptions) -> float:
    """A fraction; "20", "20%" and "0.2" mean the same."""
    text = options.headroom
    if text is None:
        return 0.2
    try:
        number = float(text.strip().removesuffix("%"))
    except ValueError:
        number = -1.0
    share = number / 100 if number >= 1 or "%" in text else number
    if not 0 <= share < 1:
        raise UsageError(f"--headroom {text!r} is no part of the memory", "as in --headroom 20")
    return share
