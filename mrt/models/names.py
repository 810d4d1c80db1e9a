"""Find a name in the catalog: as it stands, as a tag with words and a quantization behind it, as a file or a repository."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from mrt.frozen import frozen
from mrt.memory.shape import ModelShape
from mrt.models.catalog import Catalog
from mrt.models.quantization import at_end, generic, requantized

# Words of names that change what a model was trained for, or how it was stored, not its shape. Patterns are compiled when a name
# needs them: most names are found as they stand.
_WORDS = (
    r"(?i)instruct|chat|it|text|base|pt|code|python|completion|thinking|think|latest|hf|gguf|awq|gptq|fp8|int[48]|bnb|[48]bit|"
    r"w\d+a\d+|abliterated|uncensored|i1|imat|mxfp4|v\d+(?:\.\d+)*|\d{4}|\d{6,8}|a\d+(?:\.\d+)?b|qat|mlx|distill|qwen|exp|sft|dpo|"
    r"terminus|preview|dynamic|unsloth|quantized|ud"
)
# Mixtures that makers of files have of their own, larger in some tensors: the nearest of the quantizer's.
_OWN_MIXTURES = {
    **{f"Q{bits}_K_{size}": f"Q{bits}_K_M" for bits in (3, 4, 5) for size in ("L", "XL")},
    **{f"Q{bits}_K_{size}": f"Q{bits}_K" for bits in (2, 6) for size in ("L", "XL")},
    "Q8_K_XL": "Q8_0",
}
# Tags whose words do name another shape: its first release had a KV head for each query head.
_OTHER_SHAPES = {"command-r": "v0.1"}
# Other trainings of the same model, which repositories set behind its name.
_TRAININGS = ("", "-Instruct", "-it", "-Chat", "-chat-hf", "-chat")
_FILES = ("-GGUF", "-Instruct-GGUF")
# How an address of the tags' library begins.
_LIBRARY = r"(?:(?:https?://)?(?:registry\.)?ollama\.(?:ai|com)/)?library/([^/]+)"


@frozen
class Found:
    """A model of the catalog under a name.

    `published`: the name means the published file itself. `taken`: words were left out; `sure`: none of them changes the shape.
    """

    model: ModelShape
    quantization: str | None = None
    published: bool = False
    taken: bool = False
    sure: bool = True

    def named(self, name: str) -> ModelShape:
        """The shape under the name, as it stands in the catalog only for the published file."""
        shape = self.model if self.published else generic(self.model, name)
        if self.taken:
            shape = replace(shape, notes=(*shape.notes, f"taken to have the shape of {self.model.name}"))
        if not self.sure:
            shape = replace(shape, confidence="approximate")
        return requantized(shape, self.quantization) if self.quantization else shape


def find_name(name: str, catalog: Catalog) -> Found | None:
    """The model of a tag or a repository as it stands, or like it."""
    return find_exact(name, catalog) or find_like(name, catalog)


def find_exact(name: str, catalog: Catalog) -> Found | None:
    """The model of exactly this tag or repository; a name without a colon means its `latest`."""
    lower = name.lower()
    if "/" not in lower and ":" not in lower:
        lower += ":latest"
    elif library := re.fullmatch(_LIBRARY, lower):
        return find_exact(library[1], catalog)
    model = catalog.find(lower)
    # Repositories hold files of other makers: what is known of the tag's own file does not hold for them.
    return None if model is None else Found(model, published=lower == model.name or lower.endswith(":latest"))


def find_like(name: str, catalog: Catalog) -> Found | None:
    """The model of a name with words or a quantization behind it, of another maker's repository, of a file or a served name."""
    plain = re.sub(r"(?:-\d{5}-of-\d{5})?\.gguf$", "", name.replace("\\", "/").rstrip("/"), flags=re.IGNORECASE)
    plain, quantization = at_end(plain)
    if quantization is None and plain.lower().endswith("-qat"):
        plain, quantization = plain[: -len("-qat")], "Q4_0"
    own = _OWN_MIXTURES.get(plain.rpartition("-")[2].upper()) if quantization is None else None
    if own is not None:
        plain, quantization = plain.rpartition("-")[0], own
    found = next(filter(None, (find(plain, catalog) for find in (find_exact, _of_tag, _of_repository, _spelled))), None)
    if found is None or quantization is None:
        return found
    return replace(
        found, quantization=quantization, taken=found.taken or own is not None, sure=found.sure and own is None
    )


def _of_tag(name: str, catalog: Catalog) -> Found | None:
    """FAMILY:SIZE-WORDS, as the size alone; FAMILY-SIZE, as people also write it."""
    family, colon, tag = name.rpartition(":") if "/" not in name else ("", "", "")
    if not colon:
        dashed = (
            (find_exact(f"{name[:at]}:{name[at + 1 :]}", catalog) for at in _dashes(name)) if "/" not in name else ()
        )
        found = next(filter(None, dashed), None)
        return replace(found, published=False, taken=True) if found else None
    if _OTHER_SHAPES.get(family.lower(), " ") in tag.lower():
        return None
    for at in _dashes(tag):
        found = find_exact(f"{family}:{tag[:at]}", catalog)
        if found is not None:
            known = all(re.fullmatch(_WORDS, word) for word in tag[at + 1 :].split("-"))
            return replace(found, published=False, taken=True, sure=known)
    return None


def _spelled(name: str, catalog: Catalog) -> Found | None:
    """The only tag or repository that has the same letters and digits: `Llama 3.1 8B`, `gemma-3-27b`."""
    wanted = _letters(name)
    if len(wanted) < 4 or "/" in name:
        return None
    pairs = zip(catalog.names(), catalog.repositories(), strict=True)
    same = [known for known, other in pairs if wanted in (_letters(known), _letters(other.rpartition("/")[2]))]
    model = catalog.find(same[0]) if len(same) == 1 else None
    return None if model is None else Found(model, taken=True)


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))


def _dashes(text: str) -> Iterator[int]:
    """Where the dashes are, from the last to the first."""
    return (at for at in range(len(text) - 1, 0, -1) if text[at] == "-")


def _of_repository(name: str, catalog: Catalog) -> Found | None:
    """A repository, of whatever maker, with trailing words that leave the shape alone taken off one by one."""
    maker, slash, plain = name.rpartition("/")
    first = _repository(maker + slash, plain, catalog)
    found = first
    while found is None and "-" in plain and re.fullmatch(_WORDS, plain.rpartition("-")[2]):
        plain = plain.rpartition("-")[0]
        found = _repository(maker + slash, plain, catalog)
    return Found(found, taken=first is None or bool(slash)) if found else None


def _repository(maker: str, plain: str, catalog: Catalog) -> ModelShape | None:
    if ":" in plain or len(plain) < 3:
        return None
    own = (catalog.find(maker + plain + ending) for ending in _TRAININGS) if maker else iter(())
    anyones = (catalog.find_repository(plain + ending) for ending in (*_TRAININGS, *_FILES))
    return next((found for group in (own, anyones) for found in group if found is not None), None)
