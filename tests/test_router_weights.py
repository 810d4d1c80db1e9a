"""The shipped coefficients: where they are from, that they hold no prompts, that the script makes them again the same."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tools import train_router

from mrt.router import assess_prompt
from mrt.router.evaluate import Tried, evaluate
from mrt.router.features import CENTRES, features
from mrt.router.model import TELLS
from mrt.router.sample import Sample
from mrt.router.weights import SHIPPED, read, shipped

DATA = json.loads(SHIPPED.read_text(encoding="utf-8"))
SHORT = ["What is a bolt?", "Hello there", "Name a colour", "What is a nut?"]
MIDDLE = ["Write a letter to the bank", "Explain how a bolt is made", "Write a menu for the week"]
HARD = ["Derive the formula, step by step, and prove it", "Judge both drafts, then merge them, then defend it"]


def test_the_file_says_where_it_is_from() -> None:
    about = DATA["about"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", about["date"])
    assert about["command"].startswith("python tests/tools/train_router.py")
    assert about["outcomes"] == {"routellm_mmlu": 2000, "zeroeval_crux": 800, "zeroeval_gsm": 1319}
    assert sum(about["labels"].values()) > 2000
    assert about["source"]


def test_it_holds_kilobytes_and_no_prompts() -> None:
    assert SHIPPED.stat().st_size < 32_000
    assert max(len(word) for word in DATA["prior"]["words"]) <= 24
    assert all(len(word.split()) <= 2 for word in DATA["prior"]["words"])


def test_every_coefficient_belongs_to_a_feature_that_is_told_in_words() -> None:
    code = "x?\nA. 1\nB. 2\n```\nf('a'); g(b)[0]\n```"
    assert set(DATA["model"]["features"]) <= set(TELLS) == set(features(Sample(code)))
    assert set(CENTRES) <= set(TELLS)


def test_what_is_reported_of_sets_that_were_left_out() -> None:
    report = DATA["about"]["left_out"]
    for name in ("pooled", *DATA["about"]["outcomes"]):
        mine, length = report[name], report[f"{name}, by length"]
        for measure in ("apgr", "auroc"):
            value, low, high = mine[measure]
            assert low <= value <= high
            assert value >= length[measure][0] - 0.021
    assert report["pooled"]["auroc"][0] > report["pooled, by length"]["auroc"][0] + 0.03


def test_probabilities_rise_with_the_score() -> None:
    chances = [shipped().probability(score) for score in (-1e9, -1.0, 3.0, 5.0, 9.0, 1e9)]
    assert chances == sorted(chances)
    assert 0 <= chances[0] < 0.05 < chances[2] < 0.5 < chances[4] <= chances[5] <= 1


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    outcomes = [
        {
            "set": f"set{number % 2}",
            "prompt": f"Add {'up ' * size}{number}?",
            "weak_ok": str(int(size < 20)),
            "strong_ok": 1,
        }
        for number, size in enumerate([2, 5, 30, 8, 50, 3, 12, 60, 25, 4, 40, 9])
    ]
    labels = [
        {"set": f"labels{turn % 2}", "prompt": prompt, "difficulty": points, "label": "X"}
        for points, prompts in enumerate((SHORT, MIDDLE, HARD))
        for turn, prompt in enumerate(prompts * 3)
    ]
    labels.append({"set": "unnamed", "prompt": "left out", "difficulty": 9, "label": None})
    paths = {
        "outcomes": tmp_path / "outcomes.jsonl",
        "labels": tmp_path / "labels.jsonl",
        "into": tmp_path / "weights.json",
    }
    for name, rows in (("outcomes", outcomes), ("labels", labels)):
        paths[name].write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return paths


def train(files: dict[str, Path], *more: str) -> None:
    given = [f"--{name}={path}" for name, path in files.items()]
    train_router.main([*given, "--date=2026-01-02", "--resamples=3", *more])


def test_the_script_makes_the_same_file_again(files: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    train(files, "--write")
    made, said = files["into"].read_bytes(), capsys.readouterr().out
    train(files, "--write")
    assert (files["into"].read_bytes(), capsys.readouterr().out) == (made, said)
    assert [line.split("  ")[0] for line in said.splitlines() if line] == [
        "left out",
        "set0",
        "set0, by length",
        "set1",
        "set1, by length",
        "pooled",
        "pooled, by length",
        "pooled, 6 of each",
        "pooled, 6 of each, by length",
        "labels left out",
        "labels0",
        "labels1",
    ]


def test_without_write_nothing_is_written(files: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    train(files)
    assert not files["into"].exists()
    assert "pooled" in capsys.readouterr().out


def test_what_it_learned_is_in_the_scores(files: dict[str, Path]) -> None:
    train(files, "--write")
    data = json.loads(files["into"].read_text(encoding="utf-8"))
    assert data["about"]["outcomes"] == {"set0": 6, "set1": 6}
    assert sum(data["about"]["labels"].values()) == 27
    weights = read(data)
    groups = [[assess_prompt(prompt, weights=weights).score for prompt in group] for group in (SHORT, MIDDLE, HARD)]
    assert max(groups[0]) < min(groups[1])
    assert max(groups[1]) < min(groups[2])
    rows = [json.loads(line) for line in files["outcomes"].read_text(encoding="utf-8").splitlines()]
    (whole, *_) = evaluate(
        [Tried(row["prompt"], float(row["weak_ok"]), 1) for row in rows], resamples=0, weights=weights
    )
    assert whole.router.auroc.value > 0.9
