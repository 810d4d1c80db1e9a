"""Which names each option and argument takes: the one table that completion goes by."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

from mrt.commands import _complete_names as names
from mrt.commands._complete_names import Names
from mrt.output import Console


class Takes(NamedTuple):
    """What may be said there: names of a kind, files, or both; several with a comma between them where `listed`.

    With `values` every other word is one of those that go with the name before it.
    """

    names: Names
    files: Literal["", "file", "dir"] = ""
    listed: bool = False
    any_case: bool = False
    values: Callable[[Console, str, str], Iterable[str]] | None = None


_MODELS = Takes(names.models)
_TIERS = Takes(names.tiers)
_RUNS = Takes(names.kept_runs)
_RUNS_OR_FILES = Takes(names.kept_runs, "file")
_TASKS = Takes(names.tasks)
_CALLS = Takes(names.calls)
_CACHE_TYPES = Takes(names.cache_types, any_case=True)

# By the name that the option or argument has in the program; one with its command before it wins: "bench tasks.task".
TABLE: dict[str, Takes] = {
    "tier": _TIERS,
    "max_tier": _TIERS,
    "model": _MODELS,
    "assess": _MODELS,
    "deep": _MODELS,
    "endpoint": Takes(names.endpoints),
    "session": Takes(names.sessions),
    "template": Takes(names.templates),
    "tag": Takes(names.tags),
    "project": Takes(names.projects),
    "fit.models": Takes(names.fittable, "file"),
    "draft": Takes(names.fittable, "file"),
    "family": Takes(names.families),
    "quant": Takes(names.quantizations, any_case=True),
    "kv": Takes(names.cache_types, listed=True, any_case=True),
    "kv_k": _CACHE_TYPES,
    "kv_v": _CACHE_TYPES,
    "ctx": Takes(names.words("max")),
    "ngl": Takes(names.words("all", "auto")),
    "mmproj": Takes(names.words("off"), "file"),
    "engine": Takes(names.engines),
    "gpu": Takes(names.gpus, listed=True, any_case=True),
    "bench.models": _MODELS,
    "suite": Takes(names.suites, "file"),
    "resume": _RUNS,
    "bench report.run": _RUNS_OR_FILES,
    "bench rescore.run": _RUNS_OR_FILES,
    "bench compare.runs": _RUNS_OR_FILES,
    "bench replay.runs": _RUNS_OR_FILES,
    "bench diff.first": _RUNS_OR_FILES,
    "bench diff.second": _RUNS_OR_FILES,
    "bench tasks.task": _TASKS,
    "bench proof.names": _TASKS,
    "route feedback.identifier": _CALLS,
    "spend prices.model": Takes(names.priced),
    "spend why.identifier": _CALLS,
    "config get.key": Takes(names.keys),
    "config set.pairs": Takes(names.keys, values=names.setting_values),
}


def taken_by(command: str, parameter: str) -> Takes | None:
    """What this option or argument of a command ("bench tasks") takes; None where its type says all there is."""
    return TABLE.get(f"{command}.{parameter}") or TABLE.get(parameter)
