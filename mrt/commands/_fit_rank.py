"""`mrt fit` without a model: the known models ranked for a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mrt.commands._fit_options import DEFAULT_CONTEXT, FitOptions, count, plain_settings
from mrt.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from mrt.memory.hardware import Machine
    from mrt.memory.ranking import Ranked
    from mrt.memory.settings import RunSettings
    from mrt.output import Console

DEFAULT_LIMIT = 20


def rank(options: FitOptions, machine: Machine, console: Console) -> int:
    """Show the models that fit best; 9 when none does."""
    found, settings = ranking(options, machine)
    if console.mode == "json":
        from mrt.output.fit_rank import rank_data

        console.envelope("fit", rank_data(found, settings, machine))
    else:
        from mrt.output.fit_rank import rank_text

        console.report(rank_text(found, settings, machine))
    return ExitCode.OK if found else ExitCode.NO_FIT


def ranking(options: FitOptions, machine: Machine) -> tuple[list[Ranked], RunSettings]:
    """The models that fit best, and how they would run. Raises UsageError."""
    from mrt.memory.ranking import Wish, family_of, ranked, wanted
    from mrt.models.catalog import all_shapes

    if not machine.gpus and machine.ram_total_bytes is None:
        raise UsageError("there is no memory to rank models for", "say what there is: --vram 8GiB or --ram 32GiB")
    least = count(options.min_ctx, "--min-ctx") if options.min_ctx else None
    context = least or (count(options.ctx, "--ctx") if options.ctx else DEFAULT_CONTEXT)
    shapes = all_shapes()
    families = {family_of(shape.name) for shape in shapes if ":" in shape.name}
    if options.family is not None and options.family.lower() not in families:
        from mrt.near import did_you_mean, nearest

        near = nearest(options.family, families, 3)
        raise UsageError(
            f"no family {options.family!r} in the catalog", did_you_mean(near, "`mrt fit` alone lists models")
        )
    wish = Wish(options.tools, options.vision, options.family, least)
    settings = plain_settings(options, context)
    return ranked(wanted(shapes, wish), settings, machine, options.limit or DEFAULT_LIMIT), settings
