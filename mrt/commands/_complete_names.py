"""The names that options and arguments take, each kind by one function: what is offered after -m, --gpu, --quant and the like."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mrt.commands._complete_world import configured, kept, lines, named, of_project, packaged, runs, seen_models
from mrt.output import Console

# Given what is typed so far, the names of a kind; the caller leaves out those that do not begin with it.
Names = Callable[[Console, str], Iterable[str]]
# Words at the beginning of a GPU's name that nobody needs to type.
_SILENT = ("GeForce ", "Radeon ", "Apple ", "Instinct ")
_SERIES = ("RTX ", "GTX ", "RX ")
# As mrt.bench.suites has them, which takes longer to load than a keystroke may.
SUITES = ("coding", "hard", "all")


def words(*said: str) -> Names:
    """Just these words."""
    return lambda _, __: said


def models(console: Console, typed: str) -> list[str]:
    """Tiers, aliases and every ENDPOINT/MODEL that a probe has seen."""
    # With a slash it is no tier any more, and the configuration need not be read.
    own = [] if "/" in typed else _own_names(configured(console))
    seen = seen_models(console.environment)
    return [*own, *(f"{endpoint}/{model}" for endpoint, found in seen.items() for model in found)]


def _own_names(document: Mapping[str, Any]) -> list[str]:
    return [*named(document, "tiers"), *named(document, "aliases")]


def priced(console: Console, typed: str) -> list[str]:
    """What has a price: the models of one provider once it is typed, before that the providers and one's own names."""
    provider, slash, _ = typed.partition("/")
    providers = packaged("prices", ".jsonl")
    if not slash:
        return [*models(console, typed), *(f"{name}/" for name in providers)]
    rows = lines(f"prices/{provider}.jsonl") if provider in providers else ()
    ids = (row.partition('{"id": "')[2].partition('"')[0] for row in rows)
    return [*models(console, typed), *(f"{provider}/{name}" for name in ids if name)]


def endpoints(console: Console, _: str) -> list[str]:
    """The configured endpoints, and those that a probe has seen."""
    return [*named(configured(console), "endpoints"), *seen_models(console.environment)]


def tiers(console: Console, _: str) -> list[str]:
    """The tiers."""
    return named(configured(console), "tiers")


def templates(console: Console, _: str) -> list[str]:
    """The prompt templates of the configuration and of the project."""
    return [*named(configured(console), "templates"), *named(of_project(console), "templates")]


def limits(console: Console, _: str) -> list[str]:
    """The names under [limits]."""
    return named(configured(console), "limits")


def sessions(console: Console, _: str) -> list[str]:
    """The conversations that are kept, by name alone."""
    return kept(console, "session")


def tags(console: Console, _: str) -> list[str]:
    """The tags that calls were booked under."""
    return kept(console, "tag")


def projects(console: Console, _: str) -> list[str]:
    """The projects that calls were booked under."""
    return kept(console, "project")


def calls(console: Console, _: str) -> list[str]:
    """The ids of the last calls."""
    return kept(console, "call")


def fittable(console: Console, typed: str) -> list[str]:
    """What `mrt fit` knows: tags, aliases, what a probe has seen; once there is a slash, the many repositories."""
    from mrt.models.catalog import packaged as catalog

    known = catalog()
    others = [*known.repositories(), *models(console, typed)] if "/" in typed else named(configured(console), "aliases")
    return [*known.names(), *others, *(f"{name}/" for name in seen_models(console.environment) if "/" not in typed)]


def families(_: Console, __: str) -> list[str]:
    """What stands before the colon of the catalog's tags."""
    from mrt.models.catalog import packaged as catalog

    return [name.partition(":")[0] for name in catalog().names() if ":" in name]


def gpus(_: Console, typed: str) -> list[str]:
    """GPUs as they can be written without spaces: rtx-4090, m4-max-40-core-gpu; 4090 where a digit is typed."""
    names = [line.partition("\t")[0] for line in list(lines("gpus.tsv"))[1:]]
    return [_without_spaces(name, _SILENT + _SERIES if typed[:1].isdigit() else _SILENT) for name in names]


def _without_spaces(name: str, silent: tuple[str, ...]) -> str:
    for word in silent:
        name = name.removeprefix(word)
    return "-".join(name.lower().replace("(", "").replace(")", "").split())


def quantizations(_: Console, __: str) -> list[str]:
    """The file types of llama.cpp."""
    from mrt.memory.mixture import FILE_TYPES

    return list(FILE_TYPES)


def cache_types(_: Console, __: str) -> list[str]:
    """The types of a KV cache."""
    from mrt.commands._fit_options import KV_TYPES

    return [kind.lower() for kind in KV_TYPES]


def engines(_: Console, __: str) -> list[str]:
    """The engines that `mrt fit` knows the rules of."""
    from mrt.commands._fit_options import ENGINES

    return list(ENGINES)


def suites(_: Console, __: str) -> list[str]:
    """The suites that ship with mrt."""
    return list(SUITES)


def tasks(_: Console, __: str) -> list[str]:
    """The ids of the tasks that ship with mrt."""
    return packaged("tasks", ".toml")


def kept_runs(console: Console, _: str) -> list[str]:
    """The runs of `mrt bench`."""
    found = runs(console)
    return ["last", *found] if found else []


def keys(console: Console, typed: str) -> Iterable[str]:
    """The keys of all settings, with the names that the config file has: without quotes, which are not needed there."""
    from mrt.config.settings import ALIASES, NAMED, SETTINGS

    own, project = configured(console), of_project(console)
    for setting in SETTINGS:
        section = setting.section
        if not section.startswith(typed[: len(section)]):
            continue
        names = _names_under(section, own, project) if section in NAMED or section == ALIASES else [""]
        yield from (".".join(setting.of(name)) for name in names)


def _names_under(section: str, own: Mapping[str, Any], project: Mapping[str, Any]) -> list[str]:
    # A project may bring no others.
    theirs = named(project, section) if section in ("templates", "limits") else []
    return [*named(own, section), *theirs]


def setting_values(console: Console, key: str, typed: str) -> list[str]:
    """What `mrt config set KEY` takes, where it is one of a few words or a model."""
    import re

    from mrt.config.keys import parse_key
    from mrt.config.settings import section_settings
    from mrt.config.values import BOOLEAN, MODEL

    parts = parse_key(key)
    setting = section_settings(parts[0]).get("NAME" if parts[0] == "aliases" else parts[-1])
    if setting is None:
        return []
    if setting.kind in (MODEL, BOOLEAN):
        return models(console, typed) if setting.kind is MODEL else ["true", "false"]
    return re.findall('"([^"]+)"', setting.kind.name)
