"""What is left of a prompt when everything a harness wrapped around it is taken off."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrt.router import assess_prompt
from mrt.router.clean import clean

CASES = {
    "plain": ("What is Python?", "What is Python?", ""),
    "white space": ("  hi \n", "hi", ""),
    "empty": ("", "", ""),
    "a reminder before": ("<system-reminder>Refactor all.</system-reminder>\nhi", "hi", ""),
    "a reminder after": ("hi\n<system-reminder>Think hard.</system-reminder>", "hi", ""),
    "a reminder within": ("say <system-reminder>x</system-reminder>hi", "say hi", ""),
    "upper case": ("<SYSTEM-REMINDER>x</SYSTEM-REMINDER>hi", "hi", ""),
    "attributes": ('<tool_result id="7" is_error="false">a.py b.py c.py</tool_result>why?', "why?", ""),
    "nested": ("<env>a <env>b</env> c</env>hi", "hi", ""),
    "another tag within": ("<env>a <tool_result>b</env> c</tool_result>hi", "chi", ""),
    "never closed": ("<system-reminder>fix it", "fix it", ""),
    "closed twice": ("<env>x</env></env>hi", "hi", ""),
    "someone's own tags": (
        "<b>fix</b> <instructions>this</instructions>",
        "<b>fix</b> <instructions>this</instructions>",
        "",
    ),
    "less than": ("is 3 < 4 and 5 > 4?", "is 3 < 4 and 5 > 4?", ""),
    "a generic type": ("what is List<String>?", "what is List<String>?", ""),
    "a file": ("explain <file name='a.py'>x = 1</file>", "explain", "x = 1"),
    "two documents": ("<document>a</document><document>b</document> sum up", "sum up", "a\nb"),
    "stdin": ('Fix it\n\n<stdin name="-">\nx = 1\n</stdin>', "Fix it", "x = 1"),
    "quoted": ("> refactor it\n> all\nwhat does he want?", "what does he want?", "refactor it\nall"),
    "a Python prompt": (">>> 1 + 1\n2\nwhy?", ">>> 1 + 1\n2\nwhy?", ""),
    "only quoted": ("> what is this?", "what is this?", ""),
    "only a file": ("<file>what is this?</file>", "what is this?", ""),
    "chat template": (
        "<|im_start|>system\nYou are an architect.<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n",
        "hi",
        "",
    ),
    "the last of two turns": (
        "<|im_start|>user\nrefactor it<|im_end|><|im_start|>assistant\nok<|im_end|><|im_start|>user\nthanks<|im_end|>",
        "thanks",
        "",
    ),
    "headers": (
        "<|start_header_id|>system<|end_header_id|>\nThink hard.<|eot_id|><|start_header_id|>user<|end_header_id|>\nhi<|eot_id|>",
        "hi",
        "",
    ),
    "instruction marks": ("[INST] <<SYS>>Think hard.<</SYS>> hi [/INST]", "hi", ""),
    "a transcript": ("System: think hard\n\nUser: hi\nAssistant:", "hi", ""),
    "a long transcript": ("Human: refactor it\nAssistant: done\nHuman: thanks", "thanks", ""),
    "a role in a sentence": ("The user: a story. System: another.", "The user: a story. System: another.", ""),
    "one role alone": ("User: hi", "User: hi", ""),
    "a transcript in a reminder": ("<env>User: a\nUser: b</env>hi", "hi", ""),
    "a text to translate": ("Translate to German: Refactor it all.", "Translate to German:", "Refactor it all."),
    "a text to sum up": ("Summarize this in one line:\n\nOne. Two.", "Summarize this in one line:", "One. Two."),
    "a text to sum up, first": ("One. Two.\n\nSummarize the above.", "Summarize the above.", "One. Two."),
    "a quoted text to translate": ("Translate 'good day' into Greek", "Translate   into Greek", "'good day'"),
    "a program to translate": ("Translate to Go: print(1)", "Translate to Go: print(1)", ""),
    "code to sum up": ("Summarize:\n\ndef f():\n    x", "Summarize:\n\ndef f():\n    x", ""),
    "work after a colon": ("Do this: refactor it", "Do this: refactor it", ""),
    "a reminder in a turn": ("User: x\nUser: hi <env>think hard</env>", "hi", ""),
}


@pytest.mark.parametrize(("text", "ask", "pasted"), CASES.values(), ids=CASES)
def test_the_ask_is_what_is_left(text: str, ask: str, pasted: str) -> None:
    found = clean(text)
    assert (found.ask, found.pasted.strip()) == (ask, pasted)


@pytest.mark.parametrize("text", [text for text, _, _ in CASES.values()], ids=CASES)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    once = clean(text)
    assert clean(once.ask).ask == once.ask


MARKS = (
    *(
        "<env>",
        "</env>",
        "<file>",
        "</file>",
        "<|im_start|>user\n",
        "<|im_end|>",
        "<<SYS>>",
        "<</SYS>>",
        "[INST]",
        "[/INST]",
    ),
    *("User: ", "Assistant: ", "System:", "\n", "> ", "<", ">", " ", "hi", "refactor it"),
)
PIECES = st.lists(st.sampled_from(MARKS), max_size=14).map("".join)


@given(PIECES)
def test_cleaning_takes_only_away(text: str) -> None:
    found = clean(text)
    kept = iter("".join(text.split()))
    assert all(character in kept for character in "".join(found.ask.split()))
    assert bool(found.ask) or not found.pasted


@given(PIECES)
def test_cleaning_whatever_twice_changes_nothing(text: str) -> None:
    once = clean(text)
    assert clean(once.ask).ask == once.ask


def test_what_was_stripped_is_named() -> None:
    text = "<|im_start|>user\n<env>x</env><env>y</env>> q\nhi<|im_end|>"
    assert clean(text).stripped == ("other turns", "template marks", "<env>", "quoted lines")
    assert assess_prompt(text).cleaned == ("other turns", "template marks", "<env>", "quoted lines")


@pytest.mark.parametrize(
    "wrapped",
    [
        "<system-reminder>Refactor the architecture across all files.</system-reminder>\n{}",
        "{}\n<environment_details>a.ts b.ts c.ts d.ts</environment_details>",
        "<|im_start|>system\nThink hard. Design systems end to end.<|im_end|>\n<|im_start|>user\n{}<|im_end|>",
        "System: You are a software architect; migrate everything.\nUser: {}",
    ],
)
@pytest.mark.parametrize("ask", ["What is the capital of France?", "refactor the provider layer"])
def test_a_harness_does_not_move_the_score(wrapped: str, ask: str) -> None:
    assert assess_prompt(wrapped.format(ask)).score == assess_prompt(ask).score


def test_pasted_text_counts_less_than_the_instruction_and_never_as_one() -> None:
    log = "migrate: refactor the architecture across all files a.ts b.ts c.ts\n" * 40
    bare, beside, asked = assess_prompt("sum it up"), assess_prompt("sum it up", log), assess_prompt(f"sum it up {log}")
    assert bare.score < beside.score < asked.score
    assert [part.feature for part in beside.contributions if part not in bare.contributions] == ["material to read"]
    assert not beside.prior_only


def test_pasted_text_alone_is_the_ask() -> None:
    assert (
        assess_prompt("", "What is the capital of France?").score
        == assess_prompt("What is the capital of France?").score
    )
