"""Learn mrt/data/router_weights.json from outcomes and labels, and report what it is worth on sets it was not trained on.

    python tests/tools/train_router.py --outcomes route_outcomes.jsonl --labels route_labels.jsonl --date 2026-11-21 [--write]

Outcomes are JSON lines with `set`, `prompt`, `weak_ok`, `strong_ok`; labels with `set`, `prompt`, `difficulty`, `label`. The
coefficients ship, the prompts do not. Without `--write` it reports only. The same inputs give the same file, byte for byte.

The model is a logistic regression of "the weak model fails" with three guards against learning which data set a prompt is
from: every set has an intercept of its own, thrown away afterwards; the coefficients are drawn towards EXPECTED, our own
judgement, set by hand; and the result is blended 0.85 : 0.15 with log length, each in its standard deviations. The pull, the
share of length and some expectations were chosen with the left-out figures in view, which makes these somewhat flattering.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mrt.router.complexity import assess_prompt
from mrt.router.features import features
from mrt.router.prior import structure, tokens
from mrt.router.ranking import SEED, Outcome, Ranking, rank
from mrt.router.rules import rules
from mrt.router.sample import Sample
from mrt.router.weights import SHIPPED, Weights, read

# In logits of failing, what we expect a text's structure to mean for models of 7 to 8 billion parameters. No measurement: our
# judgement that they solve most grade-school stories, a good half of questions with choices, about half of code to trace and of
# competition mathematics, few contest programs, and that longer texts fail more often.
EXPECTED = {
    "length": 0.45,
    "word_problem_length": 0.3,
    "program": 1.8,
    "code": 0.4,
    "formula": 1.8,
    "word_problem": -0.4,
    "choices": 0.2,
    "calculated_choices": 0.3,
    "passage": -0.3,
    "statements": 0.3,
    "literals": 0.2,
    "loops": 0.15,
    "nesting": 0.1,
    "negations": 0.1,
    "conditions": 0.1,
}
# Pull towards EXPECTED (per standard deviation of a feature), the least deviation, and the share of log length.
PULL, LEAST_DEVIATION, LENGTH_SHARE = 2000.0, 0.15, 0.15
# Points of complexity per logit, and the points of a text that no feature speaks for.
POINTS_PER_LOGIT, BASE = 1.1, 4.2
# Points that a label stands for, by difficulty; label prompts beyond PRIOR_MOST words are no short asks.
LABEL_POINTS, PRIOR_MOST = (1.6, 3.4, 6.0, 6.5), 60
LEAST_USES, PRIOR_PULL, LEAST_WEIGHT = 3, 25.0, 0.06


class Case(NamedTuple):
    """A prompt with how the weak and the strong model did on it."""

    group: str
    prompt: str
    weak: float
    strong: float


class Label(NamedTuple):
    """A prompt with its author's idea of its difficulty, in points."""

    group: str
    prompt: str
    points: float


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Learn the router's weights.")
    parser.add_argument("--outcomes", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--date", required=True)
    parser.add_argument("--resamples", type=int, default=200)
    parser.add_argument("--into", type=Path, default=SHIPPED)
    parser.add_argument("--write", action="store_true")
    wish = parser.parse_args(arguments)
    cases, labels = read_outcomes(wish.outcomes), read_labels(wish.labels)
    data = learn(cases, labels)
    report, agreed = left_out(cases, labels, wish.resamples), agreement(labels, data)
    data["about"] = about(cases, labels, wish.date) | {
        "left_out": {name: figures(row) for name, row in report.items()},
        "left_out_labels": agreed,
    }
    show(report, agreed)
    if wish.write:
        wish.into.write_text(json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def read_outcomes(path: Path) -> list[Case]:
    """The cases of a file of outcomes."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [Case(row["set"], row["prompt"], float(row["weak_ok"]), float(row["strong_ok"])) for row in rows]


def read_labels(path: Path) -> list[Label]:
    """The short prompts of a file of labels; difficulties without a named label are on another scale and left out."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [
        Label(row["set"], row["prompt"], LABEL_POINTS[int(row["difficulty"])])
        for row in rows
        if row["label"] and Sample(row["prompt"]).word_count <= PRIOR_MOST
    ]


def learn(cases: Sequence[Case], labels: Sequence[Label]) -> dict[str, Any]:
    """All coefficients from these cases and labels."""
    data: dict[str, Any] = {"about": {}, "model": fit_model(cases), "prior": fit_prior(labels)}
    data["probability"] = {"slope": 0.0, "intercept": 0.0}
    data["probability"] = fit_probability(cases, scores(cases, read(data)))
    return data


def fit_model(cases: Sequence[Case]) -> dict[str, Any]:
    """Points per feature."""
    rows = [features(Sample(case.prompt)) for case in cases]
    names = sorted({*EXPECTED, *(name for row in rows for name in row)})
    table = np.array([[row.get(name, 0.0) for name in names] for row in rows])
    expected = np.array([EXPECTED.get(name, 0.0) for name in names])
    fails = np.array([1 - case.weak for case in cases])
    # Where the strong model fails too, nothing is won by sending the prompt up: such failures count half.
    counts = np.array([1 - 0.5 * (1 - case.weak) * (1 - case.strong) for case in cases])
    groups = sorted({case.group for case in cases})
    sets = np.array([[float(case.group == group) for group in groups] for case in cases])
    learned = logistic(table, sets, fails, counts, expected)
    lengths = table[:, names.index("length")]
    share = LENGTH_SHARE / (1 - LENGTH_SHARE) * np.std(table @ learned) / max(np.std(lengths), LEAST_DEVIATION)
    learned[names.index("length")] += share
    weights = {name: round(float(POINTS_PER_LOGIT * weight), 3) for name, weight in zip(names, learned, strict=True)}
    return {"base": BASE, "features": {name: weight for name, weight in weights.items() if weight}}


def logistic(table: Any, sets: Any, fails: Any, counts: Any, expected: Any) -> Any:
    """Coefficients of a logistic regression drawn towards the expected ones, with a free intercept per set (Newton's method)."""
    features_count = table.shape[1]
    whole = np.hstack([table, sets])
    middle = np.concatenate([expected, np.zeros(sets.shape[1])])
    deviation = np.maximum(table.std(axis=0), LEAST_DEVIATION)
    pull = np.diag(np.concatenate([PULL * deviation**2, np.full(sets.shape[1], 1e-3)]))
    weights = middle.copy()
    weights[features_count:] = -(table @ expected).mean()
    for _ in range(60):
        chance = 1 / (1 + np.exp(-np.clip(whole @ weights, -30, 30)))
        slope = whole.T @ (counts * (chance - fails)) + pull @ (weights - middle)
        curve = (whole * (counts * chance * (1 - chance))[:, None]).T @ whole + pull
        step = np.linalg.solve(curve, slope)
        weights -= step * min(1.0, 1.0 / max(abs(step).max(), 1e-12))
    return weights[:features_count]


def fit_prior(labels: Sequence[Label]) -> dict[str, Any]:
    """Points per word of short asks: ridge regression of what the labels say beyond what the rules say."""
    samples = [Sample(label.prompt) for label in labels]
    uses = Counter(token for sample in samples for token in tokens(sample))
    known = sorted(token for token, count in uses.items() if count >= LEAST_USES)
    figures = [structure(sample) for sample in samples]
    names = sorted(figures[0])
    columns = {token: place for place, token in enumerate(known)}
    table = np.zeros((len(labels), len(known) + len(names) + 1))
    for row, (sample, figure) in enumerate(zip(samples, figures, strict=True)):
        table[row, [columns[token] for token in tokens(sample) if token in columns]] = 1
        table[row, len(known) :] = [*(figure[name] for name in names), 1]
    said = [
        label.points - sum(rule.weight for rule in rules(sample)) for label, sample in zip(labels, samples, strict=True)
    ]
    pull = np.diag([PRIOR_PULL] * len(known) + [0.1] * len(names) + [1e-6])
    learned = np.linalg.solve(table.T @ table + pull, table.T @ np.array(said))
    words = {token: round(float(weight), 2) for token, weight in zip(known, learned, strict=False)}
    shape = {name: round(float(weight), 3) for name, weight in zip(names, learned[len(known) :], strict=False)}
    telling = {token: weight for token, weight in words.items() if abs(weight) >= LEAST_WEIGHT}
    return {"base": round(float(learned[-1]), 3), "structure": shape, "words": telling}


def scores(cases: Iterable[Case], weights: Weights) -> list[float]:
    """The raw scores of prompts."""
    return [assess_prompt(case.prompt, weights=weights).score for case in cases]


def fit_probability(cases: Sequence[Case], given: Sequence[float]) -> dict[str, float]:
    """Platt's scaling of scores to P(the weak model fails); every set weighs the same."""
    sizes = Counter(case.group for case in cases)
    counts = np.array([len(cases) / len(sizes) / sizes[case.group] for case in cases])
    whole = np.stack([np.array(given) - BASE, np.ones(len(given))], axis=1)
    fails = np.array([1 - case.weak for case in cases])
    weights = np.zeros(2)
    for _ in range(40):
        chance = 1 / (1 + np.exp(-np.clip(whole @ weights, -30, 30)))
        curve = (whole * (counts * chance * (1 - chance))[:, None]).T @ whole + np.eye(2) * 1e-6
        weights -= np.linalg.solve(curve, whole.T @ (counts * (chance - fails)))
    slope, middle = (float(weight) for weight in weights)
    return {"slope": round(slope, 4), "intercept": round(middle - slope * BASE, 4)}


def left_out(cases: Sequence[Case], labels: Sequence[Label], resamples: int) -> dict[str, Ranking]:
    """Each set ranked by weights learned without it, all of them pooled, the same with equal shares, and by length alone."""
    ranked: dict[str, list[Outcome]] = {}
    by_length: dict[str, list[Outcome]] = {}
    for group in sorted({case.group for case in cases}):
        weights = read(learn([case for case in cases if case.group != group], labels))
        mine = [case for case in cases if case.group == group]
        ranked[group] = [outcome(case, score, weights) for case, score in zip(mine, scores(mine, weights), strict=True)]
        by_length[group] = [Outcome(len(case.prompt), case.weak, case.strong) for case in mine]
    ranked["pooled"], by_length["pooled"] = list(chain(*ranked.values())), list(chain(*by_length.values()))
    least = min(map(len, ranked.values()))
    draw = random.Random(SEED)
    places = {group: draw.sample(range(len(mine)), least) for group, mine in ranked.items() if group != "pooled"}
    for table in (ranked, by_length):
        table[f"pooled, {least} of each"] = [
            table[group][place] for group, chosen in places.items() for place in chosen
        ]
    rows = {}
    for group, mine in ranked.items():
        rows[group] = rank(mine, resamples)
        rows[f"{group}, by length"] = rank(by_length[group], resamples)
    return rows


def agreement(labels: Sequence[Label], data: Mapping[str, Any]) -> dict[str, float]:
    """Spearman's rank correlation of scores with each set of labels, by a prior that was learned without it."""
    found = {}
    groups = sorted({label.group for label in labels})
    for group in groups if len(groups) > 1 else ():
        rest, mine = (
            [label for label in labels if label.group != group],
            [label for label in labels if label.group == group],
        )
        prior = read({**data, "prior": fit_prior(rest)})
        given = [assess_prompt(label.prompt, weights=prior).score for label in mine]
        found[group] = round(float(np.corrcoef(ranks(given), ranks([label.points for label in mine]))[0, 1]), 3)
    return found


def ranks(values: Sequence[float]) -> Any:
    """Ranks with ties in their middle."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]


def outcome(case: Case, score: float, weights: Weights) -> Outcome:
    """A case with its score and probability."""
    return Outcome(score, case.weak, case.strong, weights.probability(score))


def about(cases: Sequence[Case], labels: Sequence[Label], date: str) -> dict[str, Any]:
    """Where the coefficients come from."""
    return {
        "what": "points of complexity per feature and word; learned coefficients, no prompts",
        "command": "python tests/tools/train_router.py --outcomes FILE --labels FILE --date DATE --write",
        "date": date,
        "outcomes": dict(sorted(Counter(case.group for case in cases).items())),
        "labels": dict(sorted(Counter(label.group for label in labels).items())),
        "source": "public outcomes (ZeroEval, RouteLLM) and the difficulty labels of public routers, shorter than 60 words",
    }


def figures(row: Ranking) -> Mapping[str, Any]:
    """A ranking as rounded triples."""
    return {
        name: [None if part is None else round(part, 3) for part in figure] for name, figure in row._asdict().items()
    }


def show(report: Mapping[str, Ranking], agreed: Mapping[str, float]) -> None:
    """The report as two tables on stdout."""
    out = sys.stdout.write
    out(f"{'left out':32}{'APGR':22}{'CPT50':8}{'CPT80':8}{'AUROC':22}{'ECE':8}\n")
    for name, row in report.items():
        apgr, auroc = (
            f"{figure.value or 0:.3f} [{figure.low or 0:.3f}, {figure.high or 0:.3f}]"
            for figure in (row.apgr, row.auroc)
        )
        error = "" if row.ece.value is None else f"{row.ece.value:.3f}"
        out(f"{name:32}{apgr:22}{row.cpt50.value or 0:<8.3f}{row.cpt80.value or 0:<8.3f}{auroc:22}{error:8}\n")
    out(f"\n{'labels left out':32}rank correlation\n")
    for name, correlation in agreed.items():
        out(f"{name:32}{correlation:.3f}\n")


if __name__ == "__main__":
    main()
