"""`mrt bench report`: a run again, or the list of all."""

from __future__ import annotations

from pathlib import Path

import click

from mrt.commands._shared import ExamplesFirst, common_options, console

EXAMPLES = """
mrt bench report
mrt bench report last
mrt bench report 20261121-15 --html run.html
"""


@click.command("report", cls=ExamplesFirst, examples=EXAMPLES)
@click.argument("run", required=False)
@click.option("--csv", "csv_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Also as CSV.")
@click.option(
    "--md", "md_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Also as Markdown."
)
@click.option(
    "--html", "html_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Also as a page."
)
@click.option("--apply", is_flag=True, help="Write its thresholds into the tiers, and let the router know.")
@click.option("-y", "--yes", is_flag=True, help="Apply without asking.")
@common_options
def command(
    run: str | None, csv_file: Path | None, md_file: Path | None, html_file: Path | None, apply: bool, yes: bool
) -> None:
    """Show a run again: by its id, the beginning of one, "last", or a journal's path. Without RUN, list all runs."""
    from mrt.commands._bench_read import list_runs, reports_of

    if run is None:
        if csv_file or md_file or html_file or apply:
            raise click.UsageError("name the run too, for example: mrt bench report last")
        list_runs(console())
        return
    from mrt.commands._bench_files import refuse_files, write_files
    from mrt.output.bench import show_reports

    refuse_files(csv_file, md_file, html_file)
    reports = reports_of(console(), (run,))
    show_reports(console(), reports)
    if csv_file or md_file or html_file:
        write_files(reports, csv_file, md_file, html_file)
    if apply:
        from mrt.commands._bench_apply import apply as apply_reports
        from mrt.commands._settings import configured

        apply_reports(console(), configured(console()), reports, yes=yes)
