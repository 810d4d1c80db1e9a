"""Which options of `mrt bench` are about the tasks, which about speed: what would change nothing is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mrt.errors import UsageError

if TYPE_CHECKING:
    from mrt.commands._bench_main import BenchOptions

# Fields of the options, which are the names on the command line but for what is said here.
_OF_TASKS = (
    "quality_only",
    "suite",
    "tasks",
    "variant",
    "temperature",
    "quick",
    "reset_every",
    "resume",
    "fail_under",
    "apply",
    "csv_file",
    "md_file",
    "html_file",
    "unsafe",
)
_OF_SPEED = ("prompt_tokens", "concurrency", "ctx_sweep")
_WITHOUT_SPEED = ("quality_only", "quick", "resume")
_SAID = {"unsafe": "--unsafe-run-untrusted-code-on-this-machine"}


def refuse_mixed(options: BenchOptions) -> None:
    """Raises UsageError for an option of the part that is not measured."""
    if options.speed_only:
        for name in filter(lambda name: _is_given(options, name), _OF_TASKS):
            said = _said(name)
            raise UsageError(f"--speed-only asks no tasks: {said} would change nothing", f"leave out {said}")
    without = next((name for name in _WITHOUT_SPEED if _is_given(options, name)), None)
    wrong = next((name for name in _OF_SPEED if _is_given(options, name)), None)
    if without and wrong:
        raise UsageError(
            f"{_said(without)} measures no speed: {_said(wrong)} would change nothing", f"leave out {_said(wrong)}"
        )


def _is_given(options: BenchOptions, name: str) -> bool:
    value = getattr(options, name)
    return value is not None and value is not False and value != 0


def _said(name: str) -> str:
    return _SAID.get(name) or "--" + name.removesuffix("_file").replace("_", "-")
