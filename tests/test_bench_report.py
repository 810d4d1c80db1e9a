"""What is counted from answers, and the commands that look at runs again."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from rig.bench import heard, right, suite_folder, tasks, wrong
from rig.command import Home, Result
from rig.home_setup import run_here

from mrt.bench.answers import Answer, Graded
from mrt.bench.comparison import memorisation_gap
from mrt.bench.journal import Journal, Run
from mrt.bench.replay import cascade, frontier, gate_report, outcomes, played
from mrt.bench.report import Report, drift_of, report_of
from mrt.bench.suites import suite_of
from mrt.output.bench import bill_line, said

RUN = Run(
    "20260101-000000-000-box-m", "box/m", "coding", "d", 0, 1, "2026-01-01T00:00:00Z", {"seed": 1, "planned": None}
)


def answer(number: int, status: Any = "pass", *, band: int = 1, sample: int = 0, **fields: Any) -> Graded:
    text = right(number) if status == "pass" else wrong(number)
    return Graded(Answer(f"add-{number}", band, sample, 4096, heard(text, **fields)), status)


def report(*graded: Graded, **fields: Any) -> Report:
    return report_of(replace(RUN, **fields), graded)


def test_what_the_endpoint_did_is_not_counted() -> None:
    found = report(answer(1), answer(2, "wrong"), answer(3, "endpoint_error"), answer(4, "sandbox_error"))
    assert (found.overall.passed, found.overall.graded, found.overall.tasks) == (1, 2, 4)
    assert found.thresholds.trials == 2


def test_an_answer_that_was_asked_again_counts_once() -> None:
    found = report(answer(1, "endpoint_error"), answer(2), answer(1))
    assert [(task.task, task.status) for task in found.tasks] == [("add-1", "pass"), ("add-2", "pass")]


def test_samples_count_as_one_task() -> None:
    graded = [
        answer(number, "wrong" if number == 1 and sample else "pass", sample=sample)
        for number in (1, 2)
        for sample in range(3)
    ]
    found = report(*graded, samples=3)
    assert (found.overall.passed, found.overall.graded, found.overall.rate.graded) == (4, 6, 2)
    assert found.all_pass == 0.5
    assert [task.task for task in found.tasks if task.flaky] == ["add-1"]
    assert found.bands[0].rate.value == pytest.approx(2 / 3)


def test_a_part_of_unknown_cost_is_never_a_sum() -> None:
    found = report(answer(1, cost_nano=5_000_000, cost_state="priced"), answer(2, cost_nano=None, cost_state="unknown"))
    assert (found.bill.state, found.bill.nano, found.bill.unknown) == ("unknown", 5_000_000, 1)


def test_more_than_a_twentieth_cut_off_is_said() -> None:
    twenty = [answer(number) for number in range(19)]
    assert report(*twenty, answer(20, "truncated")).mostly_whole
    assert not report(*twenty[:18], answer(19, "truncated"), answer(20, "empty_after_reasoning")).mostly_whole


@pytest.mark.parametrize(
    ("rates", "drift"),
    [([10.0] * 8, None), ([10.0] * 9, 1.0), ([20.0] * 3 + [1.0] * 3 + [15.0] * 3, 0.75)],
    ids=["too few", "steady", "slower"],
)
def test_drift_is_the_last_third_over_the_first(rates: Sequence[float], drift: float | None) -> None:
    assert drift_of(rates) == drift


def test_an_empty_run_knows_nothing() -> None:
    found = report()
    assert (found.overall.rate.value, found.speed.tokens_per_second, found.bands) == (None, None, ())


def test_a_run_without_answers_cost_nothing_to_speak_of() -> None:
    assert bill_line(report().bill, 0) == "cost: none, no answer came"


def test_the_memorisation_gap_is_the_difference_of_two_variants() -> None:
    canonical, variant = report(answer(1), answer(2)), report(answer(1), answer(2, "wrong"), variant=1)
    for pair in ((canonical, variant), (variant, canonical)):
        gap = memorisation_gap(*pair)
        assert gap is not None
        assert (gap.points, gap.variant) == (0.5, 1)
    assert memorisation_gap(canonical, canonical) is None
    assert memorisation_gap(report(answer(1)), variant) is None
    assert memorisation_gap(variant, replace(variant, run=replace(variant.run, variant=2))) is None


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        pytest.param("f(1): f(1) must give 2", "f(1) must give 2", id="one call"),
        pytest.param("f({'a': 1}): f({'a': 1}) gave 3", "f({'a': 1}) gave 3", id="a colon in the call"),
        pytest.param("S(), put(1): put(1) gave 3", "S(), put(1): put(1) gave 3", id="several steps"),
        pytest.param("on loading: KeyError: 'a'", "on loading: KeyError: 'a'", id="no call"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_case_of_one_call_is_not_named_twice(detail: str, shown: str) -> None:
    assert said(detail) == shown


# Two models over bands 1, 3 and 5: the small one costs nothing and solves the first, the large one costs and solves all.
SMALL = [answer(1), answer(2, "wrong", band=3), answer(3, "wrong", band=5)]
LARGE = [
    answer(number, band=band, cost_nano=100, cost_state="priced", seconds=2.0)
    for number, band in ((1, 1), (2, 3), (3, 5))
]
PROMPTS = {f"add-{number}": f"Write a function add_{number}." for number in (1, 2, 3)}


@pytest.mark.parametrize(
    ("threshold", "passed", "nano", "seconds", "escalations"),
    [
        pytest.param(0, 3, 300, 6.0, 0, id="all to the large one"),
        pytest.param(2, 3, 200, 5.0, 0, id="the easy one stays"),
        pytest.param(10, 1, 0, 3.0, 0, id="all stay"),
    ],
)
def test_a_replayed_cascade(threshold: int, passed: int, nano: int, seconds: float, escalations: int) -> None:
    found = cascade(played([SMALL, LARGE], PROMPTS), (threshold,))
    assert (found.passed, found.nano, found.seconds, found.escalations) == (passed, nano, seconds, escalations)


def test_what_the_gate_turns_down_is_paid_for_twice() -> None:
    found = played([SMALL, LARGE], PROMPTS, lambda _, one: "n -" not in one.text)
    outcome = cascade(found, (10,))
    assert (outcome.passed, outcome.nano, outcome.escalations) == (3, 200, 2)
    report_of_gate = gate_report(found, 0)
    assert (report_of_gate.good, report_of_gate.bad, report_of_gate.false_accepts) == (1, 2, 0)


def test_the_frontier_keeps_what_nothing_beats() -> None:
    best = frontier(list(outcomes(played([SMALL, LARGE], PROMPTS), 2)))
    assert [(one.thresholds, one.passed, one.nano) for one in best] == [((9,), 1, 0), ((6,), 2, 100), ((2,), 3, 200)]


def keep(home: Home, name: str, suite: Path, graded: Sequence[Graded], **fields: Any) -> None:
    """A run over that suite in this home's data folder."""
    whole = suite_of(str(suite), fields.get("variant", 0))
    around = {
        "seed": 1,
        "planned": None,
        "asked": whole.asked,
        "prompts": whole.prompts,
        "layers": ["landlock"],
        "tiers": [],
    }
    run = replace(RUN, id=name, suite=whole.name, digest=whole.digest, environment=around, **fields)
    journal = Journal(home.data / "mrt" / "bench" / f"{name}.jsonl")
    journal.begin(run)
    for one in graded:
        journal.add(one)


@pytest.fixture
def two_runs(store_home: Home, tmp_path: Path) -> Home:
    suite = suite_folder(tmp_path / "own", {1: 1, 2: 3, 3: 5})
    keep(store_home, "20260101-a", suite, SMALL, model="box/small")
    keep(store_home, "20260102-b", suite, LARGE, model="box/large")
    return store_home


def say(home: Home, *words: str | Path) -> Result:
    return run_here(home, "bench", *words)


def test_the_list_of_runs(two_runs: Home) -> None:
    assert say(two_runs, "report").stdout == (
        "run         model      suite  passed   rate  95 % interval  safe  bold\n"
        "----------  ---------  -----  ------  -----  -------------  ----  ----\n"
        "20260101-a  box/small  own    1 of 3   33 %         6-79 %     -     -\n"
        "20260102-b  box/large  own    3 of 3  100 %       44-100 %     5     7\n"
    )


def test_no_run_yet(store_home: Home) -> None:
    result = say(store_home, "report")
    assert (result.stdout, result.exit_code) == ("no run yet: mrt bench MODEL\n", 0)


def test_diff_names_the_tasks_that_tell(two_runs: Home) -> None:
    result = say(two_runs, "diff", "20260101", "20260102")
    assert result.stdout.endswith(
        "box/small against box/large: no evidence of a difference (p = 0.50); about 6 more tasks could tell\n"
        "  both 1, neither 0, mid-p = 0.250\n"
        "  only box/large: add-2, add-3\n"
    )


def test_runs_that_were_asked_other_things_are_not_compared(two_runs: Home, tmp_path: Path) -> None:
    keep(two_runs, "20260103-c", suite_folder(tmp_path / "other", {1: 1}), [answer(1)])
    result = say(two_runs, "compare", "20260101", "20260103")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "were not asked the same tasks" in result.stderr


def test_replay_prints_every_threshold_and_the_gate(two_runs: Home) -> None:
    lines = say(two_runs, "replay", "20260101", "20260102").stdout.splitlines()
    assert lines[0] == "box/small -> box/large: complexity up to which each but the last is tried first; 0 is never"
    assert [line.split()[0] for line in lines[3:14]] == [str(number) for number in range(11)]
    assert lines[5].split() == ["2", "3", "of", "3", "100", "%", "44-100", "%", "0", "$0.0000002", "5.0"]
    assert lines[13].split()[-4:-1] == ["no", "API", "cost"]
    assert lines[-3:] == [
        "quality gate",
        "  box/small: lets 2 of 2 wrong answers through, turns 0 of 1 right ones down",
        "  box/large: lets 0 of 0 wrong answers through, turns 0 of 3 right ones down",
    ]


def test_rescore_grades_the_stored_answers_again(store_home: Home, tmp_path: Path) -> None:
    suite = suite_folder(tmp_path / "own", {1: 1, 2: 1})
    kept = [replace(answer(1), status="wrong"), replace(answer(2, "wrong"), status="pass")]
    keep(store_home, "20260101-a", suite, kept)
    result = say(store_home, "rescore", "last")
    assert result.stderr.splitlines() == ["add-1: wrong -> pass", "add-2: pass -> wrong"]
    assert "1 of 2" in result.stdout
    again = say(store_home, "rescore", "last")
    assert again.stderr == ""


def test_rescore_leaves_tasks_that_are_asked_otherwise_now(store_home: Home, tmp_path: Path) -> None:
    suite = suite_folder(tmp_path / "own", {1: 1, 2: 1})
    keep(store_home, "20260101-a", suite, [replace(answer(1), status="wrong"), answer(2)])
    path = suite / "add-1.toml"
    path.write_text(path.read_text().replace("Add 1 to", "Add one to"))
    result = say(store_home, "rescore", "last")
    assert result.stderr == "warning: asked otherwise now, so their answers keep their verdicts: add-1\n"
    assert "wrong: 1" in result.stdout


def test_grade_takes_answers_from_a_file(store_home: Home, tmp_path: Path) -> None:
    suite = suite_folder(tmp_path / "own", {1: 1, 2: 1, 3: 1})
    answers = tmp_path / "answers.jsonl"
    texts = {"add-1": right(1), "add-2": wrong(2), "add-3": "  "}
    answers.write_text("\n".join(json.dumps({"task": task, "answer": text}) for task, text in texts.items()))
    assert say(store_home, "grade", answers, "--suite", suite).stdout == (
        "add-1  pass\nadd-2  wrong  add_2(1) must give 3, and it gave -1\nadd-3  no_code\n1 of 3 pass\n"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", ':1 is no {"task", "answer"}'),
        ('{"task": "add-1", "answer": 3}', ":1: task and answer must be texts"),
        ('{"task": "nope", "answer": ""}', ":1: no task 'nope'"),
        ("\n", " holds no answer"),
    ],
    ids=["a list", "a number", "no task", "nothing"],
)
def test_grade_refuses_what_is_no_answer(store_home: Home, tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(text)
    result = say(store_home, "grade", path)
    assert (result.stderr.splitlines()[0], result.exit_code) == (f"error: {path}{message}", 2)


def test_lint_finds_a_check_without_a_rule(store_home: Home, tmp_path: Path) -> None:
    suite = suite_folder(tmp_path / "own", {1: 1, 2: 1})
    assert say(store_home, "lint", suite).stdout == "2 tasks, no fault\n"
    path = suite / "add-2.toml"
    path.write_text(path.read_text().replace('{ rule = "sum", case = "(-5,)" }', '{ rule = "sign", case = "(-5,)" }'))
    result = say(store_home, "lint", suite)
    assert (result.stdout, result.exit_code) == (
        "add-2.toml: a check names the rule 'sign', which the prompt does not state\n2 tasks, 1 fault\n",
        2,
    )


def test_tasks_shows_a_prompt_word_for_word(store_home: Home, tmp_path: Path) -> None:
    suite = suite_folder(tmp_path / "own", {1: 1})
    assert say(store_home, "tasks", "add-1", "--suite", suite).stdout == tasks({1: 1})[0].prompt


def test_proof_prints_its_figures(store_home: Home, tmp_path: Path) -> None:
    suite = suite_folder(tmp_path / "own", {5: 1})
    result = say(store_home, "proof", "--suite", suite)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[2].split()[:3] == ["add-5", "55", "3"]
    assert "100.0 % of the changes that matter are rejected" in result.stdout


def test_doctor_shows_the_layers(store_home: Home) -> None:
    result = say(store_home, "doctor", "--json")
    data = json.loads(result.stdout)["data"]
    names = [layer["name"] for layer in data["layers"]]
    assert names == ["limits", "landlock", "seccomp", "self-test", "bubblewrap", "docker", "podman"]
    assert (data["tight"], result.exit_code) == (True, 0)


EVIL = "</pre></details><script>alert(1)</script><img src=http://evil.example/x>\x1b[31m\u202e"


class Tags(HTMLParser):
    """All tags of a page, with what they refer to."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in ("meta", "br", "line", "circle", "polyline", "polygon"):
            self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href") or name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            assert self.open.pop() == tag


def test_the_page_holds_everything_and_runs_nothing(store_home: Home, tmp_path: Path) -> None:
    suite = suite_folder(tmp_path / "own", {1: 1, 2: 3})
    evil = replace(answer(2, "wrong", band=3), detail=EVIL, rule="sum")
    evil = replace(evil, answer=replace(evil.answer, heard=heard(EVIL)))
    keep(store_home, "20260101-a", suite, [answer(1), evil], model=f"box/{EVIL[:20]}")
    page = tmp_path / "run.html"
    assert say(store_home, "report", "last", "--html", page).exit_code == 0
    text = page.read_text()
    tags = Tags()
    tags.feed(text)
    assert not {"script", "img", "link", "iframe"} & {*tags.seen}
    assert (tags.links, tags.open) == ([], [])
    assert tags.seen.count("svg") == 1
    assert tags.seen.count("details") == 2
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "Add 2 to a number." in text


def test_csv_has_a_line_for_each_answer_and_no_formula(store_home: Home, tmp_path: Path) -> None:
    suite = suite_folder(tmp_path / "own", {1: 1})
    keep(store_home, "20260101-a", suite, [answer(1)], model="=cmd/m")
    path = tmp_path / "run.csv"
    say(store_home, "report", "last", "--csv", path)
    (row,) = csv.DictReader(io.StringIO(path.read_text()))
    assert (row["model"], row["task"], row["status"], row["cost_nano"], row["ttft_ms"]) == (
        "'=cmd/m",
        "add-1",
        "pass",
        "0",
        "",
    )


def test_the_markdown_card(store_home: Home, tmp_path: Path) -> None:
    suite = suite_folder(tmp_path / "own", {1: 1, 2: 1})
    keep(store_home, "20260101-a", suite, [answer(1), replace(answer(2, "wrong"), detail="a|b <b>")])
    path = tmp_path / "run.md"
    say(store_home, "report", "last", "--md", path)
    text = path.read_text()
    assert "| C1-2 | 1 of 2 | 50 % | 9-91 % |\n" in text
    assert "- wrong: add-2 (a\\|b \\<b\\>)\n" in text


def test_a_file_that_cannot_be_written_is_said(two_runs: Home) -> None:
    result = say(two_runs, "report", "last", "--html", "/nowhere/run.html")
    assert result.exit_code == 2
    assert re.search(r"^error: cannot write /nowhere/run.html: ", result.stderr)


def test_another_variant_shows_what_was_learned_by_heart(two_runs: Home, tmp_path: Path) -> None:
    suite = tmp_path / "own"
    keep(
        two_runs,
        "20260105-v",
        suite,
        [answer(1, "wrong"), answer(2, band=3), answer(3, band=5)],
        model="box/large",
        variant=2,
    )
    assert "memorisation gap: 33 points (variant 0: 100 %, variant 2: 67 %)\n" in say(two_runs, "report", "last").stdout
    assert "memorisation gap: 33 points" in say(two_runs, "report", "20260102").stdout
    data = json.loads(say(two_runs, "report", "last", "--json").stdout)["data"]
    assert data["memorisation_gap"] == pytest.approx(0.3333, abs=1e-4)
