"""`mrt config`: show, change and check what is set, and say where each value came from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mrt.commands._shared import ExamplesFirst, common_options, console, write_examples
from mrt.errors import ConfigError, ExitCode, MrtError

if TYPE_CHECKING:
    from mrt.config import Origin
    from mrt.config.check import Finding
    from mrt.config.edit import Change
    from mrt.config.listing import Row

EXAMPLES = """
mrt config show --origin
mrt config set tiers.local-fast.model ollama/qwen2.5-coder:7b
mrt config check
"""


class ConfigGroup(click.Group):
    """The group of the verb's own commands; its help opens with examples too."""

    examples = EXAMPLES

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples first."""
        write_examples(self.examples, formatter)
        super().format_help(ctx, formatter)


@click.group(cls=ConfigGroup, invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Show, change and check the configuration.

    Flags win over environment variables, those over a project's .mrt.toml, that over the config file, and that over the
    defaults. The project's file may set harmless things and tighter limits only.
    """
    if context.invoked_subcommand is None:
        console().result(context.get_help())


def _path() -> Path:
    from mrt.config import config_path

    return console().config_path or config_path(console().environment)


@command.command("path", cls=ExamplesFirst, examples='$EDITOR "$(mrt config path)"')
@common_options
def show_path() -> None:
    """Print where the config file is, or would be.

    A project's .mrt.toml that is read here too is named on stderr.
    """
    from mrt.config.project_file import find_project

    path, project = _path(), find_project(console().environment, console().config_path)
    if console().mode == "json":
        read = str(project.path) if project and not project.refused else None
        data = {"path": str(path), "exists": path.is_file(), "project": read}
        console().envelope("config", data)
        return
    console().result(str(path))
    if project:
        console().note(f"project: {project.path}" + (f" ({project.refused}; ignored)" if project.refused else ""))


@command.command("show", cls=ExamplesFirst, examples="mrt config show --origin\nmrt config show > copy.toml")
@click.option("--origin", is_flag=True, help="Say where each value came from.")
@common_options
def show(origin: bool) -> None:
    """Print every setting that has a value.

    The output is TOML that mrt can read.
    """
    from mrt.commands._settings import configured
    from mrt.config.listing import rows

    config = configured(console())
    listed = [row for row in rows(config) if row.is_set]
    if console().mode == "json":
        path, project = (str(one) if one else None for one in (config.path, config.project_path))
        data = {"path": path, "project": project, "settings": [_row_data(row) for row in listed]}
        console().envelope("config", data)
    else:
        console().report("\n".join(_row_line(row, origin) for row in listed))


def _row_data(row: Row) -> dict[str, Any]:
    return {"key": row.key, "value": row.json, "origin": {"kind": row.origin.kind, "where": row.origin.where or None}}


def _row_line(row: Row, origin: bool) -> str:
    line = f"{row.key} = {row.toml}"
    return f"{line:<60}  # {_origin_text(row.origin)}" if origin else line


def _origin_text(origin: Origin) -> str:
    if origin.kind == "project":
        return f"project ({origin.where})"
    return origin.where or origin.kind


@command.command("get", cls=ExamplesFirst, examples="mrt config get tiers.cloud.model\nmrt config get budget.daily_usd")
@click.argument("key")
@common_options
def get(key: str) -> None:
    """Print the value of KEY.

    Nothing is printed where it has neither a value nor a default.
    """
    from mrt.commands._settings import configured
    from mrt.config.listing import find

    row = find(configured(console()), key)
    if console().mode == "json":
        console().envelope("config", _row_data(row))
    elif row.is_set:
        console().result(row.plain)
    else:
        console().note(f"{row.key} is not set")


# As `git config list` and the like have it.
command.add_command(show, "list")

SET_EXAMPLES = """
mrt config set budget.daily_usd 2.50
mrt config set tiers.cloud.model anthropic/claude-haiku-4-5
mrt config set endpoints.koala.kind litellm endpoints.koala.url http://koala:4000
mrt config set tiers.local-fast.options '{top_p = 0.9}'
mrt config set --project ask.project website
"""


@command.command("set", cls=ExamplesFirst, examples=SET_EXAMPLES)
@click.argument("pairs", nargs=-1, required=True, metavar="KEY VALUE...")
@click.option("--no-probe", is_flag=True, help="Do not ask a tier's new model first whether it is there.")
@click.option("--project", is_flag=True, help="Set it in the project's .mrt.toml, made here where there is none.")
@common_options
def set_values(pairs: tuple[str, ...], no_probe: bool, project: bool) -> None:
    """Set KEY to VALUE in the config file.

    Everything else in the file stays as it is. Several pairs are set in one step. A value that would not load is
    refused, and so is a tier's model that a local server does not answer for; nothing is written then.
    """
    from mrt.config.edit import carry_out, shadowed
    from mrt.config.render import json_value, toml_text

    if len(pairs) % 2:
        raise click.UsageError(f"{pairs[-1]} has no value: mrt config set KEY VALUE")
    change = _planned(list(zip(pairs[::2], pairs[1::2], strict=True)), project)
    if not no_probe:
        _probe_models(change)
    change = carry_out(change)
    for variable in shadowed(change, console().environment):
        console().warn(f"{variable} is set and wins over the file")
    for key, place in () if project else _shadowed_by_project(change):
        console().warn(f"{key} stands in {place} too, which wins over the file")
    if console().mode == "json":
        values = {key: json_value(value) for key, value in change.values.items()}
        console().envelope("config", {"path": str(change.path), "values": values, "added": list(change.added)})
        return
    for table in change.added:
        console().note(f"added [{table}]")
    for key, value in change.values.items():
        console().note(f"set {key} = {toml_text(value)} in {change.path}")


def _planned(pairs: Sequence[tuple[str, str]], project: bool) -> Change:
    """The edit of the user's file, or of the project's."""
    from mrt.config.edit import plan

    if not project:
        return plan(_path(), pairs)
    from mrt.config.edit_project import plan_project, project_path

    environment = console().environment
    return plan_project(environment, project_path(environment, console().config_path), pairs)


def _shadowed_by_project(change: Change) -> list[tuple[str, str]]:
    """The new values that a project's file hides here, and where it does."""
    from contextlib import suppress

    from mrt.config import load

    with suppress(ConfigError):
        origins = load(console().environment, console().config_path).origins
        return [(key, origins[key].where) for key in change.values if origins[key].kind == "project"]
    return []


def _probe_models(change: Change) -> None:
    """Ask every tier's new model whether it is there, before anything is written."""
    models = [value for key, value in change.values.items() if key.startswith("tiers.") and key.endswith(".model")]
    if not models:
        return
    from mrt.commands._wire import probe, real_wire
    from mrt.config.load import load_text
    from mrt.endpoints import resolve
    from mrt.providers import Timers

    config = load_text(console().environment, change.path, change.text)
    for model in models:
        target = resolve(model, config, console().environment)
        try:
            probe(target, config, console(), real_wire(console()), Timers(connect=config.ask.connect_timeout))
        except MrtError as error:
            hint = (
                f"{error.hint}; or set it all the same: --no-probe"
                if error.hint
                else "`--no-probe` sets it all the same"
            )
            raise type(error)(f"{model}: {error.message}; the value stays as it was", hint) from None


@command.command("init", cls=ExamplesFirst, examples="mrt config init\nmrt config init --config ./mrt.toml")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@common_options
def init(force: bool) -> None:
    """Write a config file to start from.

    It holds the default tiers, and every other setting as a comment.
    """
    from mrt.config.edit import create

    path = _path()
    create(path, force=force)
    if console().mode == "json":
        console().envelope("config", {"path": str(path)})
    else:
        console().note(f"wrote {path}")


@command.command("check", cls=ExamplesFirst, examples="mrt config check\nmrt config check --json | jq .data.findings")
@common_options
def check() -> int:
    """Find every problem of the configuration.

    Ends with 2 when there is an error, and with 0 when there is none or only warnings.
    """
    from mrt.config.check import findings

    found = findings(console().environment, console().config_path)
    errors = [finding for finding in found if finding.severity == "error"]
    if console().mode == "json":
        data = {"path": str(_path()), "findings": [finding._asdict() for finding in found]}
        console().envelope("config", data, [ConfigError(_place(item) + item.message, item.hint) for item in errors])
    else:
        console().result(_report(found, len(errors)))
    return ExitCode.USAGE if errors else ExitCode.OK


def _report(found: Sequence[Finding], errors: int) -> str:
    lines = []
    for finding in found:
        lines.append(f"{_place(finding)}{finding.severity}: {finding.message}")
        if finding.hint:
            lines.append(f"  hint: {finding.hint}")
    warnings = len(found) - errors
    return "\n".join([*lines, f"{_count(errors, 'error')}, {_count(warnings, 'warning')}" if found else "no problems"])


def _place(finding: Finding) -> str:
    return f"{finding.where}: " if finding.where else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
