"""What a run found, counted from its answers: rates with intervals, statuses, speed, cost, and up to where to trust the model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mrt.bench.answers import Graded
from mrt.bench.grading import NOT_SCORED, Status
from mrt.bench.journal import Run
from mrt.bench.statistics import Rate, all_pass, bootstrap, median_of, wilson
from mrt.bench.threshold import Thresholds, Trial, complexity_of, thresholds
from mrt.frozen import frozen

# A larger share of answers cut off says more of the token limit than of the model.
MOST_TRUNCATED = 0.05
_CUT = ("truncated", "empty_after_reasoning")
_SEED = 1


@frozen
class Band:
    """The answers to a band's tasks: how many passed of those graded, of how many tasks; `rate` counts tasks, not answers."""

    band: int
    passed: int
    graded: int
    tasks: int
    rate: Rate


@frozen
class TaskResult:
    """One task: its answers sample by sample, `worst` the first that is no pass; `seconds` is the median of their times."""

    task: str
    band: int
    answers: tuple[Graded, ...]
    passed: int
    graded: int
    worst: Graded
    seconds: float

    @property
    def statuses(self) -> tuple[Status, ...]:
        """Sample by sample."""
        return tuple(one.status for one in self.answers)

    @property
    def status(self) -> Status:
        """pass when every sample passed; else the verdict of the first that did not."""
        return self.worst.status

    @property
    def share(self) -> float | None:
        """Of the graded samples so many passed, between 0 and 1; None where none was graded."""
        return self.passed / self.graded if self.graded else None

    @property
    def flaky(self) -> bool:
        """Whether samples differ."""
        return 0 < self.passed < self.graded


@frozen
class Bill:
    """The cost of a run. `nano` counts what is known; `unknown` answers have no known cost."""

    state: str
    nano: int
    unknown: int
    answers: int


@frozen
class Speed:
    """Medians over answers, None where nothing was measured. `drift` is the last third's decode rate over the first third's."""

    tokens_per_second: float | None
    ttft_ms: float | None
    seconds: float | None
    output_tokens: float | None
    drift: float | None


@frozen
class Gap:
    """The same model's pass rates with the known wording and with another one, over all tasks of the suite."""

    variant: int
    canonical_rate: float
    variant_rate: float

    @property
    def points(self) -> float:
        """How much better the known wording goes, between -1 and 1."""
        return self.canonical_rate - self.variant_rate


@frozen
class Report:
    """A run, counted. `planned` is how many answers a whole run has, None for one that ends when it has seen enough.

    `reasoned` answers were thought over first, as far as the server shows it; `served` are the names that it gave the model.
    """

    run: Run
    tasks: tuple[TaskResult, ...]
    bands: tuple[Band, ...]
    overall: Band
    planned: int | None
    answers: int
    truncated: int
    reasoned: int
    served: tuple[str, ...]
    all_pass: float | None
    bill: Bill
    speed: Speed
    thresholds: Thresholds
    gap: Gap | None = None

    @property
    def mostly_whole(self) -> bool:
        """False when so many answers were cut off that the rate says more of the token limit than of the model."""
        return self.truncated <= MOST_TRUNCATED * max(1, self.overall.graded)

    @property
    def complete(self) -> bool:
        """Whether every planned answer was given and graded."""
        return self.planned is None or self.overall.graded >= self.planned


def report_of(run: Run, graded: Sequence[Graded]) -> Report:
    """Count the answers of a run; of an answer that was graded twice the last verdict counts."""
    answers = latest(graded)
    tasks = tuple(_task(name, list(of)) for name, of in _by_task(answers).items())
    scored = [one for one in answers if one.status not in NOT_SCORED]
    planned = run.environment.get("planned")
    return Report(
        run=run,
        tasks=tuple(sorted(tasks, key=lambda task: (task.band, task.task))),
        bands=tuple(_band(band, tasks) for band in sorted({task.band for task in tasks})),
        overall=_overall(tasks, run.samples),
        planned=planned if isinstance(planned, int) else None,
        answers=len(answers),
        reasoned=sum(one.answer.heard.reasoned for one in answers),
        served=tuple(sorted({name for one in answers if (name := one.answer.heard.served_model)})),
        truncated=sum(one.status in _CUT for one in scored),
        all_pass=_all_pass(tasks, run.samples),
        bill=_bill(answers),
        speed=_speed(answers),
        thresholds=thresholds([Trial(complexity_of(one.answer.band), one.passed) for one in scored]),
    )


def latest(graded: Iterable[Graded]) -> list[Graded]:
    """One verdict for each task and sample, the last one: what was asked again because the endpoint had failed counts."""
    return list({(one.answer.task, one.answer.sample): one for one in graded}.values())


def _by_task(answers: Sequence[Graded]) -> dict[str, list[Graded]]:
    found: dict[str, list[Graded]] = {}
    for one in answers:
        found.setdefault(one.answer.task, []).append(one)
    return found


def _task(name: str, answers: list[Graded]) -> TaskResult:
    scored = [one for one in answers if one.status not in NOT_SCORED]
    worst = next((one for one in scored or answers if not one.passed), answers[0])
    return TaskResult(
        task=name,
        band=answers[0].answer.band,
        answers=tuple(answers),
        passed=sum(one.passed for one in scored),
        graded=len(scored),
        worst=worst,
        seconds=median_of([one.answer.heard.seconds for one in answers]) or 0.0,
    )


def _band(band: int, tasks: Sequence[TaskResult]) -> Band:
    return _counted(band, [task for task in tasks if task.band == band])


def _counted(band: int, tasks: Sequence[TaskResult]) -> Band:
    """Samples of a task are alike: the interval is that of so many tasks, not answers."""
    shares = [task.share for task in tasks if task.share is not None]
    rate = wilson(sum(shares), len(shares))
    return Band(band, sum(task.passed for task in tasks), sum(task.graded for task in tasks), len(tasks), rate)


def _overall(tasks: Sequence[TaskResult], samples: int) -> Band:
    """All bands together; with several samples the interval is drawn over tasks, unless they are all alike."""
    counted = _counted(0, tasks)
    shares = [task.share for task in tasks if task.share is not None]
    if samples < 2 or len(set(shares)) < 2:
        return counted
    return Band(0, counted.passed, counted.graded, counted.tasks, bootstrap(shares, _SEED))


def _all_pass(tasks: Sequence[TaskResult], samples: int) -> float | None:
    """The chance that all samples of a task pass, as a mean over the tasks that have as many."""
    if samples < 2:
        return None
    chances = [chance for task in tasks if (chance := all_pass(samples, task.graded, task.passed)) is not None]
    return sum(chances) / len(chances) if chances else None


def _bill(answers: Sequence[Graded]) -> Bill:
    heard = [one.answer.heard for one in answers]
    unknown = sum(one.cost_nano is None for one in heard)
    states = {one.cost_state for one in heard}
    order = ("unknown", "estimated", "priced", "reported", "free")
    state = next((state for state in order if state in states), "unknown")
    return Bill(state, sum(one.cost_nano or 0 for one in heard), unknown, len(heard))


def _speed(answers: Sequence[Graded]) -> Speed:
    heard = [one.answer.heard for one in answers if one.answer.heard.seconds]
    rates = [one.decode_rate for one in heard if one.decode_rate]
    return Speed(
        tokens_per_second=median_of(rates),
        ttft_ms=median_of([float(one.ttft_ms) for one in heard if one.ttft_ms is not None]),
        seconds=median_of([one.seconds for one in heard]),
        output_tokens=median_of([float(one.output_tokens) for one in heard if one.output_tokens is not None]),
        drift=drift_of(rates),
    )


def drift_of(rates: Sequence[float]) -> float | None:
    """The last third's median over the first third's; None of fewer than nine."""
    third = len(rates) // 3
    first, last = median_of(rates[:third]), median_of(rates[len(rates) - third :])
    return last / first if third >= 3 and first and last else None
