"""Run `mrt fit`: one model, several side by side, or the whole catalog ranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mrt.commands._fit_options import FitOptions, check, context_of, settings_of
from mrt.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from mrt.memory.answer import Answer
    from mrt.memory.hardware import Machine
    from mrt.memory.plan import Plan
    from mrt.memory.shape import ModelShape
    from mrt.memory.speed import Speed
    from mrt.output import Console


def run(options: FitOptions, console: Console) -> int:
    """Do what the options ask for and show it; gives the exit code."""
    check(options)
    if options.selftest:
        from mrt.commands._fit_selftest import selftest

        return selftest(console)
    machine = machine_of(options)
    if not options.models and options.endpoint is None:
        from mrt.commands._fit_rank import rank

        return rank(options, machine, console)
    if options.endpoint is not None:
        return _endpoint(options, machine, console)
    from mrt.commands._fit_sources import resolved

    unconverted = (options.engine or "").startswith("vllm")
    shapes = [resolved(name, options.quant, console, unconverted) for name in options.models]
    answers = [answer_of(options, shape, machine, console) for shape in shapes]
    if options.compare:
        return compare(options, answers, console)
    if options.verify:
        from mrt.commands._fit_verify import verify_file

        return verify_file(options, answers[0], console)
    return show(options, answers[0], console)


def _endpoint(options: FitOptions, machine: Machine, console: Console) -> int:
    """The model that a server runs, with the context and slots it runs it with unless others were said."""
    from mrt.commands._fit_sources import running

    found = running(options.endpoint or "", options.models, console)
    context = str(found.context) if found.context else None
    told = replace(options, ctx=options.ctx or context, parallel=options.parallel or found.parallel)
    answer = answer_of(told, found.shape, machine, console)
    if options.verify:
        from mrt.commands._fit_verify import verify_server

        return verify_server(found, answer, console)
    return show(told, answer, console)


def machine_of(options: FitOptions) -> Machine:
    """The machine described, or this one."""
    if options.simulated:
        from mrt.machine.simulate import Wanted, simulate

        return simulate(Wanted(options.gpu, options.vram, options.ram))
    from mrt.machine.reading import read

    return read()


def answer_of(options: FitOptions, shape: ModelShape, machine: Machine, console: Console) -> Answer:
    """The whole answer for one model."""
    from mrt.memory.answer import answer
    from mrt.models.catalog import siblings

    if options.mmproj:
        from mrt.commands._fit_sources import with_projector

        shape = with_projector(shape, options.mmproj)
    settings = settings_of(options, shape)
    if len(settings.tensor_split) > len(machine.gpus):
        split, count = len(settings.tensor_split), len(machine.gpus)
        raise UsageError(f"--tensor-split names {split} GPUs, this machine has {count}", "one share for each GPU")
    draft = _draft(options, machine, console)
    measured = None if machine.simulated else _measured(shape, console)
    return answer(shape, settings, machine, lambda: siblings(shape), measured, draft)


def _measured(shape: ModelShape, console: Console) -> Speed | None:
    """How fast the model was here before, where the spend store knows of it; a store that fails is no reason to say nothing."""
    from mrt.config import store_path

    path = store_path(console.environment)
    if not path.exists():
        return None
    from contextlib import closing

    from mrt.errors import StoreError
    from mrt.ledger import open_store
    from mrt.ledger.owner import host_name
    from mrt.ledger.speeds import measured_speed
    from mrt.memory.speed import UNKNOWN, Range, Speed

    try:
        with closing(open_store(path)) as store:
            found = measured_speed(store, shape.name.rpartition("/")[2], host_name())
    except StoreError:
        return None
    if found is None:
        return None
    source = f"measured on this machine: {found.answers} answers of mrt {found.purpose}"
    return Speed(Range(found.low, found.high), UNKNOWN, source)


def _draft(options: FitOptions, machine: Machine, console: Console) -> Plan | None:
    """The plan of the draft model, wholly on the GPUs and with the same context."""
    if options.draft is None:
        return None
    from mrt.commands._fit_sources import resolved
    from mrt.memory.plan import plan

    shape = resolved(options.draft, None, console)
    if shape.embeds:
        raise UsageError(f"{shape.name} makes vectors and drafts no text", "name a small model of the same family")
    plain = replace(options, ngl=None, cpu_moe=False, n_cpu_moe=None)
    return plan(shape, settings_of(plain, shape), machine)


def origin_of(options: FitOptions, answer: Answer) -> str:
    """Where the context length comes from: "asked", "trained" or "default"."""
    return context_of(options, answer.plan.shape).origin


def show(options: FitOptions, answer: Answer, console: Console) -> int:
    """One model in the form that was asked for."""
    origin = origin_of(options, answer)
    if console.mode == "json":
        from mrt.output.fit_data import fit_data

        console.envelope("fit", fit_data(answer, origin, options.explain))
    elif console.quiet:
        from mrt.output.fit import verdict_line

        console.result(verdict_line(answer))
    else:
        from mrt.output.fit import COLORS, fit_text, verdict_line

        parts = [verdict_line(answer), fit_text(answer, origin)]
        if options.explain:
            from mrt.output.fit_explain import explain_text

            parts.append(explain_text(answer.plan))
        console.report("\n\n".join(part.rstrip("\n") for part in parts), COLORS[answer.judgement.verdict])
    return exit_code(answer, options.strict)


def exit_code(answer: Answer, strict: bool) -> int:
    """0 for what fits or is tight (not with --strict), 9 for the rest."""
    good = ("fits",) if strict else ("fits", "tight")
    return ExitCode.OK if answer.judgement.verdict in good else ExitCode.NO_FIT


def compare(options: FitOptions, answers: Sequence[Answer], console: Console) -> int:
    """Several models side by side; 0 when every one of them fits."""
    if console.mode == "json":
        from mrt.output.fit_data import fit_data

        console.envelope("fit", {"models": [fit_data(answer, origin_of(options, answer)) for answer in answers]})
    else:
        from mrt.output.fit_compare import compare_text

        console.result(compare_text(answers))
    return max(exit_code(answer, options.strict) for answer in answers)
