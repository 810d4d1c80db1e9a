"""Wire cases: reasoning that a server left in the text."""

from __future__ import annotations

from typing import Literal

from rig.wire_case import ThinkExpectation, ThinkInput, WireCase


def _case(
    name: str,
    parts: list[str],
    text: str,
    reasoning: str = "",
    *,
    mode: Literal["auto", "implicit", "off"] = "auto",
    hold: int = 4000,
    why: str = "",
) -> WireCase:
    return WireCase(
        f"think/{name}", "think", ThinkInput(tuple(parts), mode, hold), ThinkExpectation(text, reasoning), why
    )


THINK_CASES: tuple[WireCase, ...] = (
    _case("none", ["Blue", " sky."], "Blue sky."),
    _case("in-one-piece", ["<think>Rain or sun?</think>\n\nSun."], "Sun.", "Rain or sun?"),
    _case("in-many-pieces", list("<think>Rain or sun?</think>\n\nSun."), "Sun.", "Rain or sun?"),
    _case("tag-cut-in-two", ["<th", "ink>Rain?</thi", "nk>Sun."], "Sun.", "Rain?"),
    _case("white-space-before", ["\n  ", "<think>", "Rain?", "</think>", "Sun."], "Sun.", "Rain?"),
    _case("other-name-thinking", ["<thinking>Rain?</thinking>Sun."], "Sun.", "Rain?"),
    _case("other-name-reasoning", ["<reasoning>Rain?</reasoning>Sun."], "Sun.", "Rain?"),
    _case("empty", ["<think>\n\n</think>\n\n", "Sun."], "Sun.", why="Qwen3 with thinking switched off"),
    _case("several-lines", ["<think>\nRain?\n\n- no\n</think>\n\nSun.\nAnd wind."], "Sun.\nAnd wind.", "Rain?\n\n- no"),
    _case("opening-tag-twice", ["<think>Why <think> again?</think>Sun."], "Sun.", "Why <think> again?"),
    _case(
        "never-closed",
        ["<think>Rain, or perhaps"],
        "",
        "Rain, or perhaps",
        why="cut by a token limit: there is no answer",
    ),
    _case("nothing-after", ["<think>Rain?</think>"], "", "Rain?"),
    _case("later-tags-are-text", ["Write <think>x</think> around it."], "Write <think>x</think> around it."),
    _case(
        "tags-after-the-thinking", ["<think>Rain?</think>Write <think>x</think>."], "Write <think>x</think>.", "Rain?"
    ),
    _case("other-markup", ["<div>Sun</div>"], "<div>Sun</div>"),
    _case("looks-like-a-tag", ["<thi", "rsty> people"], "<thirsty> people"),
    _case("ends-like-a-tag", ["a <thi"], "a <thi"),
    _case("only-the-beginning-of-a-tag", ["<thin"], "<thin"),
    _case("less-than-at-the-end", ["a < ", "b <"], "a < b <"),
    _case(
        "no-opening-tag",
        ["Rain or sun?\n", "</think>\n\n", "Sun."],
        "Sun.",
        "Rain or sun?",
        why="templates that put the opening tag into the prompt",
    ),
    _case(
        "no-opening-tag-implicit", ["Rain or sun?", "</think>", "Sun."], "Sun.", "Rain or sun?", mode="implicit", hold=0
    ),
    _case(
        "no-opening-tag-too-late-to-hold",
        ["Rain or sun, that is the question.\n", "</think>\n\n", "Sun."],
        "Sun.",
        "Rain or sun, that is the question.",
        hold=5,
        why="what was shown as text is taken back",
    ),
    _case("closing-tag-in-code", ["Use `</think>` to close."], "Use `</think>` to close."),
    _case(
        "closing-tag-in-a-code-block",
        ["Like this:\n```\nx\n</think>\n```\nDone."],
        "Like this:\n```\nx\n</think>\n```\nDone.",
    ),
    _case("switched-off", ["<think>Rain?</think>Sun."], "<think>Rain?</think>Sun.", mode="off"),
    _case("switched-off-closing-tag", ["Rain?\n</think>\nSun."], "Rain?\n</think>\nSun.", mode="off"),
)
