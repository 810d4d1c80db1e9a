"""What `mrt export` prints for scripts."""

from __future__ import annotations

from mrt.output.schemas.form import TEXT, described, known_or_null, record, several, words

_VARIABLES = several(record(name=TEXT, what=described(TEXT, "what it has to hold")))
_UNMAPPED = several(record(setting=described(TEXT, "dotted key"), reason=TEXT))
EXPORT = record(
    target=words("litellm", "ollama-modelfile", "env"),
    path=described(known_or_null(TEXT), "the file that was written; null for none"),
    text=described(TEXT, "in the other program's words; no part of it is a key"),
    variables=described(_VARIABLES, "environment variables to set where the text is used"),
    unmapped=described(_UNMAPPED, "settings that the other program has no place for"),
    notes=several(TEXT),
)
