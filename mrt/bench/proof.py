"""Proof of the graders: right solutions pass, changed and wrong ones are rejected, and answers that are none score nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from mrt.bench.cases import Case, cases_of, namespace, outcomes
from mrt.bench.extraction import extract
from mrt.bench.grading import Grade, Run, grade
from mrt.bench.judging import judge_of, objection
from mrt.bench.mutants import MOST_TURNS, Mutant, bounded, mutants_of
from mrt.bench.tasks import Task
from mrt.frozen import frozen


@frozen
class TaskProof:
    """What was tried on one task's checks, and what went wrong: each fault is a sentence.

    `killed` of `mutants` changes of the reference were rejected; `equivalent` ones are listed with a reason in the task's file.
    """

    task: str
    band: int
    cases: int
    right: int
    mutants: int
    killed: int
    equivalent: int
    bugs: int
    controls: int
    faults: tuple[str, ...]


@frozen
class Summary:
    """The proofs of a suite together. `kill_rate` is of the mutants that are no equivalents; None where there are none."""

    tasks: int
    cases: int
    right: int
    mutants: int
    killed: int
    equivalent: int
    bugs: int
    controls: int
    faults: tuple[str, ...]

    @property
    def kill_rate(self) -> float | None:
        """Between 0 and 1."""
        counted = self.mutants - self.equivalent
        return self.killed / counted if counted else None


def prove(task: Task, run: Run) -> TaskProof:
    """Try everything that the task's checks must accept or reject.

    Changes of the reference are the suite's own code: they run here, with bounded loops; those that no case tells apart run in
    the sandbox as well.
    """
    cases = cases_of(task)
    mutants = mutants_of(task.reference)
    listed = dict(task.equivalents)
    survivors = [mutant.change for mutant in _surviving(task, cases, mutants, run)]
    wrong = tuple(controls(task))
    faults = (
        *refused(task, cases, run),
        *(f"survives: {change}" for change in survivors if change not in listed),
        *(f"listed as equivalent, but it does not survive: {change}" for change in listed if change not in survivors),
        *accepted_bugs(task, cases, run),
        *(f"accepted: {name}" for name, answer in wrong if _graded(task, answer, cases, run).status == "pass"),
    )
    return TaskProof(
        task=task.id,
        band=task.band,
        cases=len(cases),
        right=1 + len(task.alternatives),
        mutants=len(mutants),
        killed=len(mutants) - len(survivors),
        equivalent=sum(change in listed for change in survivors),
        bugs=len(task.bugs),
        controls=len(wrong),
        faults=tuple(faults),
    )


def summary(proofs: Sequence[TaskProof]) -> Summary:
    """The sums over all tasks; each fault with its task's name before it."""
    return Summary(
        tasks=len(proofs),
        cases=sum(proof.cases for proof in proofs),
        right=sum(proof.right for proof in proofs),
        mutants=sum(proof.mutants for proof in proofs),
        killed=sum(proof.killed for proof in proofs),
        equivalent=sum(proof.equivalent for proof in proofs),
        bugs=sum(proof.bugs for proof in proofs),
        controls=sum(proof.controls for proof in proofs),
        faults=tuple(f"{proof.task}: {fault}" for proof in proofs for fault in proof.faults),
    )


def refused(task: Task, cases: Sequence[Case], run: Run) -> Iterator[str]:
    """Right solutions that the checks do not let pass, as sentences."""
    alternatives = ((f"alternative {number}", code) for number, code in enumerate(task.alternatives, 1))
    if not _passes_here(task, cases, bounded(task.reference)):
        yield f"the reference takes more than {MOST_TURNS} turns of loops in a case: its changes cannot be judged"
    for name, code in (("the reference", task.reference), *alternatives):
        verdict = grade(task, code, cases, run)
        if verdict.status != "pass":
            yield f"{name} is refused: {verdict.status}: {verdict.detail}"


def accepted_bugs(task: Task, cases: Sequence[Case], run: Run) -> Iterator[str]:
    """Wrong solutions that the checks let pass, and those that fail only because they cannot be loaded, as sentences."""
    for reason, code in task.bugs:
        status = grade(task, code, cases, run).status
        if status == "pass":
            yield f"accepted: {reason}"
        elif status in ("load_error", "name_mismatch"):
            yield f"no fair bug, it cannot be loaded: {reason}"


def _surviving(task: Task, cases: Sequence[Case], mutants: Sequence[Mutant], run: Run) -> list[Mutant]:
    unseen = [mutant for mutant in mutants if _passes_here(task, cases, bounded(mutant.code))]
    return [mutant for mutant in unseen if grade(task, mutant.code, cases, run).status == "pass"]


def _passes_here(task: Task, cases: Sequence[Case], code: str) -> bool:
    """Whether a trusted program passes all cases; it stops at the first one that it fails."""
    judge = judge_of(task)
    try:
        names = namespace(code)
    except Exception:  # a change of the reference that cannot even be loaded
        return False
    for case in cases:
        names["turns_left"][0] = MOST_TURNS
        if objection(judge, case, outcomes(case.steps, names)) is not None:
            return False
    return True


def controls(task: Task) -> Iterator[tuple[str, str]]:
    """Answers that solve nothing, as a model might give them: (name, answer)."""
    yield "empty", ""
    yield "(no answer)", "(no answer)"
    yield "prose", f"To solve this, I would define `{task.entry}` and follow the rules one by one."
    yield "a stub", f"```python\n{_stub(task, 'pass')}\n```"
    yield "return None", f"```python\n{_stub(task, 'return None')}\n```"
    yield "the prompt's example", f"```python\n{task.examples[0][0]}\n```"
    yield "the prompt", task.prompt
    if task.kind == "function":
        yield "its own argument", f"```python\ndef {task.entry}(*arguments):\n    return arguments[0]\n```"
        yield "the examples by heart", f"```python\n{_by_heart(task)}\n```"


def _stub(task: Task, statement: str) -> str:
    tree = ast.parse(task.signature if task.kind == "class" else f"{task.signature}: ...")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.body = ast.parse(f"def f():\n    {statement}").body[0].body  # type: ignore[attr-defined]
    return ast.unparse(tree)


def _by_heart(task: Task) -> str:
    """A program that knows the prompt's examples and nothing else."""
    return "\n".join(
        (
            f"def {task.entry}(*arguments):",
            *(
                f"    if repr(arguments) == repr({ast.unparse(_arguments(call))}):\n        return {result}"
                for call, result in task.examples
                if not result.startswith("raises ")
            ),
            "    return None",
        )
    )


def _arguments(call: str) -> ast.Tuple:
    parsed = ast.parse(call, mode="eval").body
    return ast.Tuple(parsed.args if isinstance(parsed, ast.Call) else [], ast.Load())


def _graded(task: Task, answer: str, cases: Sequence[Case], run: Run) -> Grade:
    found = extract(answer, task.entry)
    return grade(task, found.code, cases, run) if found.method != "none" else Grade("no_code")
