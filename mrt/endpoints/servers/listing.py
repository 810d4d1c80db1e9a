"""Any server with a list of models: clouds, gateways, and local ones with nothing more to tell."""

from __future__ import annotations

from typing import Any

from mrt.endpoints.kinds import PROVIDERS
from mrt.endpoints.line import Line
from mrt.endpoints.probe import models_url
from mrt.endpoints.reading import at, first_number, flag, has, rows, text
from mrt.endpoints.report import ModelReport
from mrt.endpoints.sighting import Sighting
from mrt.providers.visit import Answer

LLAMA_CPP_PYTHON = "llama-cpp-python"
# The window under the names that providers give it; a limit of the input alone comes last.
_CONTEXT = (
    "max_model_len",
    "context_length",
    "context_window",
    "max_context_length",
    "max_input_tokens",
    "inputTokenLimit",
)


def recognise(line: Line) -> Sighting | None:
    """By a list of models at the usual place of the endpoint's protocol."""
    answer = line.list_models(list_address(line))
    listed = listed_in(answer) if answer is not None else None
    if listed is None:
        return None
    local = line.target.local
    return Sighting(_kind(line, listed), models=tuple(_model(row, local) for row in listed))


def list_address(line: Line) -> str:
    """Where the list is; a stranger who is taken for Ollama has it where all others have it."""
    return f"{line.root}/v1/models" if line.target.protocol == "ollama" else models_url(line.target)


def listed_in(answer: Answer) -> list[dict[str, Any]] | None:
    """The rows of a list of models that have a name; None when none of them has, so that it is no such list."""
    document = answer.json if answer.status == 200 else None
    if isinstance(document, list):
        document = {"data": document}
    found = None if at(document, "error") else rows(document, "data")
    named = [row for row in found or () if text(row.get("id"))]
    return named if named or found == [] else None


def _kind(line: Line, listed: list[dict[str, Any]]) -> str:
    if any(row.get("owned_by") == "me" for row in listed):
        return LLAMA_CPP_PYTHON
    configured = line.target.kind
    return configured if not PROVIDERS[configured].local and configured != "litellm" else "openai"


def _model(row: dict[str, Any], local: bool) -> ModelReport:
    able = row.get("capabilities")
    return ModelReport(
        id=text(row.get("id")) or "unnamed",
        context_served=first_number(row, *_CONTEXT),
        quantization=text(row.get("quantization")),
        # A server on the user's own machines may be a gateway to anywhere.
        remote=None if local else True,
        tools=flag(at(able, "function_calling"))
        if isinstance(able, dict)
        else has(row, "supported_parameters", "tools"),
        vision=flag(at(able, "vision")) if isinstance(able, dict) else _sees(row),
        reasoning=flag(at(able, "reasoning"))
        if isinstance(able, dict)
        else has(row, "supported_parameters", "reasoning"),
    )


def _sees(row: dict[str, Any]) -> bool | None:
    architecture = row.get("architecture")
    return has(architecture, "input_modalities", "image") if isinstance(architecture, dict) else None
