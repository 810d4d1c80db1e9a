"""`mrt bench lint`: faults of task files that can be seen without a model."""

from __future__ import annotations

from pathlib import Path

import click

from mrt.commands._shared import ExamplesFirst, common_options, console
from mrt.errors import ExitCode, MrtError, UsageError

EXAMPLES = """
mrt bench lint my-tasks/
mrt bench lint my-tasks/queue.toml
"""


@click.command("lint", cls=ExamplesFirst, examples=EXAMPLES)
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR|FILE")
@click.option("--variants", type=click.IntRange(min=1), default=3, metavar="N", help="Look at so many variants (3).")
@common_options
def command(folder: Path, variants: int) -> int:
    """Check tasks of your own: every check names a rule, every rule is checked, examples are true. Exit 2 when one has a fault.

    A task file is TOML with id, band, kind, entry, signature, summary, rules, examples, checks, random, reference, alternatives
    and bugs; the tasks that ship with mrt are examples of it. Their code is trusted: it runs outside the sandbox.
    """
    faults, count = _faults(folder, variants)
    if console().mode == "json":
        data = {"tasks": count, "faults": [{"file": name, "fault": fault} for name, fault in faults]}
        console().envelope("bench", data)
    else:
        for name, fault in faults:
            console().result(f"{name}: {fault}")
        from mrt.output.spend_money import count as counted

        found = counted(len(faults), "fault") if faults else "no fault"
        console().result(f"{counted(count, 'task')}, {found}")
    return ExitCode.USAGE if faults else ExitCode.OK


def _faults(folder: Path, variants: int) -> tuple[list[tuple[str, str]], int]:
    paths = sorted(folder.glob("*.toml")) if folder.is_dir() else [folder]
    if not paths or not paths[0].exists():
        raise UsageError(f"{folder} holds no task (*.toml)", "name a folder of task files")
    found = [(path.name, fault) for path in paths for fault in dict.fromkeys(_of(path, variants))]
    return found, len(paths)


def _of(path: Path, variants: int) -> list[str]:
    from mrt.bench.lint import faults_of
    from mrt.bench.tasks import parse

    faults: list[str] = []
    for variant in range(variants):
        try:
            faults += faults_of(parse(path.read_text(encoding="utf-8"), path.name, variant))
        except MrtError as error:
            return [error.message.removeprefix(f"{path.name}: ")]
        except (OSError, UnicodeDecodeError) as error:
            return [f"it cannot be read: {error}"]
        except Exception as error:  # the file's own code fails in its own way
            return [*faults, f"{type(error).__name__}: {error}"]
    return faults
