"""Ask one model the tasks of a suite, one at a time, and grade what it answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from mrt.bench.answers import Answer, Ask, Graded, Heard, status_without_code
from mrt.bench.cases import SEED, cases_of
from mrt.bench.extraction import extract
from mrt.bench.grading import Run as RunInSandbox
from mrt.bench.grading import grade
from mrt.bench.staircase import Staircase
from mrt.bench.statistics import median_of
from mrt.bench.tasks import Task
from mrt.errors import MrtError, RateLimited, SandboxError, UpstreamError
from mrt.frozen import frozen

MAX_TOKENS, MAX_TOKENS_REASONING = 4096, 16384
# A slow model gets more time for an answer, in proportion to this speed; a stuck one ends after ten minutes all the same.
USUAL_TOKENS_PER_SECOND, USUAL_SECONDS, MOST_SECONDS = 30.0, 120.0, 600.0
# So many failures of the endpoint in a row are no accident.
MOST_FAILURES = 3
RESUME_HINT = "mend it and go on with --resume"
WAIT_HINT = "wait, then go on with --resume; --rest S asks more slowly"


@frozen
class Pace:
    """How a run goes about it: samples per task, seconds of rest between answers, and what to do after every so many.

    `max_tokens` None gives a model that thinks first more of them; `stopped` is asked before each task. `sampling_seed` is that
    of the first sample, the next one has the next; without one the server draws its own.
    """

    samples: int = 1
    rest_seconds: float = 0.0
    reset_every: int = 0
    reset: Callable[[], None] = lambda: None
    sleep: Callable[[float], None] = time.sleep
    quick: bool = False
    max_tokens: int | None = None
    stopped: Callable[[], bool] = lambda: False
    seed: int = SEED
    sampling_seed: int | None = None


@dataclass
class Course:
    """What a run has learned of the model on its way: whether it reasons, how fast it is, how often its endpoint failed.

    `failures` and `walls` are the endpoint's and the sandbox's failures in a row.
    """

    given_tokens: int | None = None
    reasons: bool = False
    speeds: list[float] = field(default_factory=list)
    failures: int = 0
    walls: int = 0
    asked: int = 0

    @property
    def max_tokens(self) -> int:
        """Tokens an answer may have: a model that thinks first needs more."""
        return self.given_tokens or (MAX_TOKENS_REASONING if self.reasons else MAX_TOKENS)

    @property
    def timeout(self) -> float:
        """Seconds an answer may take, by the speed measured so far."""
        speed = median_of(self.speeds)
        slower = 1.0 if speed is None or speed <= 0 else max(1.0, USUAL_TOKENS_PER_SECOND / speed)
        longer = max(1.0, self.max_tokens / MAX_TOKENS)
        return min(MOST_SECONDS, USUAL_SECONDS * slower * longer)

    def learn(self, heard: Heard) -> None:
        """Take note of one answer."""
        self.asked += 1
        self.reasons = self.reasons or heard.reasoned
        if heard.decode_rate:
            self.speeds.append(heard.decode_rate)
        self.failures = self.failures + 1 if status_without_code(heard) == "endpoint_error" else 0


def run_suite(
    tasks: Sequence[Task], ask: Ask, run: RunInSandbox, pace: Pace, done: Sequence[Graded] = ()
) -> Iterator[Graded]:
    """Every answer with its verdict as it comes; what is `done` already is not asked again.

    Raises UpstreamError, or RateLimited, when the endpoint fails time after time: the run is then incomplete, and can be gone on
    with.
    """
    course = Course(pace.max_tokens, reasons=any(graded.answer.heard.reasoned for graded in done))
    course.speeds.extend(speed for graded in done if (speed := graded.answer.heard.decode_rate))
    answered = {(graded.answer.task, graded.answer.sample) for graded in done}
    stairs = Staircase(tasks) if pace.quick else None
    for graded in done if stairs else ():
        stairs.learn(graded) if stairs else None
    for task, sample in _order(tasks, pace, stairs):
        if (task.id, sample) in answered:
            continue
        if pace.stopped():
            return
        _rest(course, pace)
        seed = None if pace.sampling_seed is None else pace.sampling_seed + sample
        heard, allowed = _ask(task, ask, course, seed)
        graded = judge(task, Answer(task.id, task.band, sample, allowed, heard), run, pace.seed)
        yield graded
        if stairs:
            stairs.learn(graded)
        course.walls = course.walls + 1 if graded.status == "sandbox_error" else 0
        if course.walls >= MOST_FAILURES:
            raise SandboxError(f"the sandbox failed {course.walls} times in a row: {graded.detail}", "mrt bench doctor")
        if course.failures >= MOST_FAILURES:
            raise _endless(course.failures, heard)


def _endless(failures: int, heard: Heard) -> MrtError:
    """What ends a run whose endpoint keeps failing; a rate limit stays one, for a script to wait and go on."""
    if heard.error == RateLimited.code:
        return RateLimited(f"the endpoint refused {failures} times in a row: {heard.message}", WAIT_HINT)
    return UpstreamError(f"the endpoint failed {failures} times in a row: {heard.message}", RESUME_HINT)


def _order(tasks: Sequence[Task], pace: Pace, stairs: Staircase | None) -> Iterator[tuple[Task, int]]:
    """All tasks, then all once more for each further sample: a run that is stopped early has seen every band."""
    if stairs is not None:
        yield from ((task, 0) for task in stairs)
    else:
        yield from ((task, sample) for sample in range(pace.samples) for task in tasks)


def _rest(course: Course, pace: Pace) -> None:
    if course.asked and pace.reset_every and course.asked % pace.reset_every == 0:
        pace.reset()
    if course.asked and pace.rest_seconds:
        pace.sleep(pace.rest_seconds)


def _ask(task: Task, ask: Ask, course: Course, seed: int | None) -> tuple[Heard, int]:
    """One answer; a model that turns out to reason, and ran out of tokens by it, is asked once more with enough of them."""
    allowed = course.max_tokens
    heard = ask(task.prompt, allowed, course.timeout, seed)
    course.learn(heard)
    cut = status_without_code(heard) in ("truncated", "empty_after_reasoning")
    if cut and heard.reasoned and allowed < course.max_tokens:
        allowed = course.max_tokens
        heard = ask(task.prompt, allowed, course.timeout, seed)
        course.learn(heard)
    return heard, allowed


def judge(task: Task, answer: Answer, run: RunInSandbox, seed: int = SEED) -> Graded:
    """The verdict over one answer; `seed` draws the random cases."""
    status = status_without_code(answer.heard)
    if status is not None:
        return Graded(answer, status, answer.heard.message)
    found = extract(answer.heard.text, task.entry)
    if found.method == "none":
        return Graded(answer, "no_code", found.reason, extraction=found.method)
    if not found.defines:
        return Graded(
            answer, "name_mismatch", f"it defines no {task.entry}", extraction=f"{found.method}: {found.reason}"
        )
    verdict = grade(task, found.code, cases_of(task, seed), run)
    return Graded(answer, verdict.status, verdict.detail, verdict.rule, f"{found.method}: {found.reason}")
