"""`mrt bench`: measure models until the tiers' thresholds are evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mrt.commands._lazy_commands import WordsOrCommand
from mrt.commands._options import SEED, Finite
from mrt.commands._shared import common_options, console

# MODULE and one line of help; their modules load only when they are named.
COMMANDS: dict[str, tuple[str, str]] = {
    "compare": ("_bench_compare", "Several runs side by side, corrected for looking at many."),
    "diff": ("_bench_diff", "Two runs: is one model better? Names the tasks that tell."),
    "doctor": ("_bench_doctor", "The layers of the sandbox, each tried for real."),
    "grade": ("_bench_grade", "Grade answers from a file: no model is asked."),
    "lint": ("_bench_lint", "Check a folder of tasks of your own."),
    "proof": ("_bench_proof", "Prove the graders: right solutions pass, changed ones do not."),
    "replay": ("_bench_replay", "What a cascade of measured models would give and cost."),
    "report": ("_bench_report", "Show a run again, or list all runs."),
    "rescore": ("_bench_rescore", "Grade the stored answers of a run again."),
    "tasks": ("_bench_tasks", "List the tasks of a suite, or show one."),
}
EXAMPLES = """
mrt bench local-fast
mrt bench ollama/qwen2.5-coder:7b koala/gpt-4o --json > run.json
mrt bench --quick local-fast
mrt bench --samples 3 --apply local-fast
mrt bench --tasks my-tasks/ --fail-under 0.8 local-fast
mrt bench diff RUN RUN
"""


@click.command(cls=WordsOrCommand, lazy=COMMANDS, examples=EXAMPLES)
@click.argument("models", nargs=-1, metavar="[MODEL|TIER]...")
@click.option("--suite", metavar="NAME|FILE", help="coding (the default), hard, all, a task file, or a folder of them.")
@click.option(
    "--tasks", type=click.Path(path_type=Path), metavar="DIR", help="Your own tasks; the same as --suite DIR."
)
@click.option("--variant", type=click.IntRange(min=0), default=0, metavar="N", help="Draw other names and numbers (0).")
@click.option("--samples", type=click.IntRange(1, 100), default=1, metavar="N", help="Answers to each task (1).")
@click.option("--temperature", type=Finite(0, 2), metavar="T", help="0; with --samples the tier's, else 0.7.")
@click.option("--seed", type=SEED, metavar="N", help="Draw other random cases to grade by, and other samples.")
@click.option("--max-tokens", type=click.IntRange(min=64), metavar="N", help="4096; 16384 for a model that reasons.")
@click.option("--context", type=click.IntRange(min=1), metavar="N", help="Load the model with this context (Ollama).")
@click.option("--quick", is_flag=True, help="About ten tasks, each chosen by how the one before went.")
@click.option("--quality-only", is_flag=True, help="Only the tasks, and how fast their answers came.")
@click.option("--speed-only", is_flag=True, help="Only how fast it answers: no task, no sandbox.")
@click.option("--prompt-tokens", metavar="LIST", help="Speed: lengths of the prompts (128,1024,4096).")
@click.option(
    "--repetitions", type=click.IntRange(1, 100), default=5, metavar="N", help="Speed: runs of each length (5)."
)
@click.option(
    "--concurrency",
    is_flag=False,
    flag_value="1,2,4,8",
    metavar="[LIST]",
    help="Speed: so many streams at once, each in turn (1,2,4,8), and where more of them gain no more.",
)
@click.option("--ctx-sweep", metavar="LIST", help="Speed: these prompt lengths too, up to the first that does not fit.")
@click.option("--executor", type=click.Choice(["local", "docker", "podman"]), default="local", help="Where code runs.")
@click.option("--rest", type=Finite(min=0), default=0.0, metavar="S", help="Seconds of rest between answers.")
@click.option(
    "--reset-every", type=click.IntRange(min=1), metavar="N", help="Unload the model after N answers (Ollama)."
)
@click.option(
    "--resume", is_flag=False, flag_value="last", metavar="[RUN]", help="Go on with a run, or with the last one."
)
@click.option("--fail-under", type=Finite(0, 1), metavar="RATE", help="Exit 7 when the rate is surely lower.")
@click.option("--apply", is_flag=True, help="Write the thresholds into the tiers, and let the router know.")
@click.option("-y", "--yes", is_flag=True, help="Apply without asking.")
@click.option("--csv", "csv_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Also as CSV.")
@click.option(
    "--md", "md_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Also as Markdown."
)
@click.option(
    "--html", "html_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Also as a page."
)
@click.option("--allow-unpriced", is_flag=True, help="Ask models without a known price despite a budget.")
@click.option("--tag", metavar="TAG", help="Book the calls under this tag.")
@click.option("--project", metavar="NAME", help="Book the calls under this project.")
@click.option(
    "--unsafe-run-untrusted-code-on-this-machine",
    "unsafe",
    is_flag=True,
    help="Run what models write without a sandbox. It can read and delete your files.",
)
@common_options
def command(**given: Any) -> int:
    """Measure models, by default those of all tiers: which tasks they solve, how fast, at what cost, up to which complexity.

    Every answer is kept as it comes, so that a run that is stopped can be gone on with. Calls are booked with the purpose bench,
    and budgets hold. Exit 7 with --fail-under only when the whole 95 % interval lies below RATE.
    """
    from mrt.commands._bench_main import BenchOptions, bench

    return bench(console(), BenchOptions(**given))
