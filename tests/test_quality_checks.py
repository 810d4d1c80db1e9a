"""Which replies are accepted: empty, cut, refused and unsure ones; and lists of checks."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quality_kit import ASKS_JSON, JAVASCRIPT, PYTHON, TALK, verdict

from mrt.domain import Reply, ToolCall
from mrt.errors import LengthLimit, Truncated, UsageError
from mrt.quality import DEFAULT_CHECKS, JudgeContext, Verdict, external_checks, judge, parse_checks

ANSWERS = {
    "digit": "4",
    "no": "no",
    "sign": "=",
    "percent": "%",
    "empty list": "[]",
    "empty object in a fence": "```json\n{}\n```",
    "sign in code quotes": "`*`",
    "Russian": "да",
    "Chinese": "是",
    "emoji": "👍",
    "degree": "°",
    "code alone": "```\nls\n```",
    "after reasoning": "<think>hm</think>4",
    "before reasoning": "4 <think>hm</think>",
    "after an orphan end of reasoning": "hm</think>\n4",
    "bold": "**Paris**",
}


@pytest.mark.parametrize("text", ANSWERS.values(), ids=ANSWERS)
def test_short_answers_are_answers(text: str) -> None:
    assert verdict(text) == Verdict(True)


EMPTY = {
    "nothing": ("", "no text came"),
    "spaces": (" \n\t ", "nothing but 4 characters of spacing and punctuation"),
    "zero width": ("\u200b\ufeff", "nothing but 2 characters"),
    "dots": ("...", "nothing but 3 characters"),
    "bullet": ("- ", "nothing but 2 characters"),
    "heading": ("## \n", "nothing but 4 characters"),
    "rule": ("---\n***", "nothing but 7 characters"),
    "quotes": ("“”", "nothing but 2 characters"),
    "Chinese full stop": ("。", "nothing but 1 characters"),
    "empty fence": ("```\n```", "nothing but 7 characters"),
    "empty fence with a language": ("```python\n\n```", "nothing but 14 characters"),
    "opening fence": ("```python", "nothing but 9 characters"),
    "lost bytes": ("\ufffd\ufffd", "nothing but 2 characters"),
    "template mark": ("<|im_end|>", "nothing but 10 characters"),
    "reasoning in the text": ("<think>I wonder</think>\n", "only reasoning came, 24 characters, and no answer"),
    "open reasoning": ("<think>I wonder", "only reasoning came, 15 characters"),
    "reasoning with its start lost": ("I wonder</think>", "only reasoning came, 16 characters"),
}


@pytest.mark.parametrize(("text", "reason"), EMPTY.values(), ids=EMPTY)
def test_empty(text: str, reason: str) -> None:
    found = verdict(text, checks=())
    assert (found.accepted, found.check) == (False, "empty")
    assert found.reason is not None
    assert found.reason.startswith(reason)


def test_empty_names_reasoning_and_tool_calls() -> None:
    context = JudgeContext(TALK, ())
    assert judge(Reply(reasoning="hm " * 4), context).reason == "only reasoning came, 12 characters, and no answer"
    called = judge(Reply(tool_calls=(ToolCall("escalate", "{}"),)), context)
    assert called == Verdict(False, "empty", "a call of the tool escalate and no text")


@pytest.mark.parametrize("failure", [Truncated("cut"), LengthLimit("cut")], ids=["cut", "limit"])
def test_an_unfinished_reply_fails_first(failure: Truncated | LengthLimit) -> None:
    found = judge(Reply(text="Paris", failure=failure), JudgeContext(TALK, ()))
    assert found == Verdict(False, "finish", failure.code)


REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "I’m sorry, but I can’t assist with that request.",
    "Sorry, I cannot do that.",
    "I'm really sorry you're feeling this way, but I'm unable to provide the help that you need.",
    "I cannot assist with creating such content.",
    "I can't help with that, but I can help you with something else.",
    "I apologize, but I am not able to generate that kind of content.",
    "Unfortunately, I cannot provide legal advice.",
    "As an AI language model, I cannot browse the internet.",
    "As an AI language model I cannot have opinions.",
    "I'm just an AI and cannot see your screen.",
    "I don't have access to real-time information.",
    "I must decline this request.",
    "**I'm sorry, I won't write that.**",
    "I don't know.",
    "**I don't know**",
    "Sorry, I don't know.",
    "I'm not sure.",
    "Es tut mir leid, aber ich kann dabei nicht helfen.",
    "Leider kann ich diese Anfrage nicht beantworten.",
    "Ich kann dir bei dieser Anfrage leider nicht helfen.",
    "Als KI habe ich keine Meinung.",
    "Ich weiß es nicht.",
    "Je suis désolé, mais je ne peux pas vous aider avec cela.",
    "Désolé. Je ne suis pas en mesure de répondre à cette demande.",
    "En tant que modèle de langage, je ne peux pas naviguer sur Internet.",
    "Je ne sais pas.",
    "Lo siento, pero no puedo ayudarte con eso.",
    "Como modelo de lenguaje, no tengo opiniones.",
    "No lo sé.",
    "抱歉，我无法提供帮助。",
    "作为一个人工智能语言模型，我无法浏览互联网。",
    "我不能协助这个请求。",
    "我不知道。",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_refusal(text: str) -> None:
    found = verdict(text)
    assert (found.accepted, found.check) == (False, "refusal")
    assert found.reason is not None
    assert found.reason.startswith('the answer refuses: "')


def test_a_refusal_is_quoted() -> None:
    assert (
        verdict("I'm sorry, but I can't help with\nthat.").reason
        == "the answer refuses: \"i'm sorry, but i can't help\""
    )


NO_REFUSALS = {
    "contains sorry": "The word you want is 'sorry'.",
    "correction": "I'm sorry for the confusion earlier. The answer is 4.",
    "correction with code": "I apologize for the mistake. Here is the fix: use `<=`.",
    "about refusals": "A model that says 'I cannot help with that' refuses. Refusals come from safety training.",
    "cannot find": "I cannot find any bug in your code: it returns the right result for every input.",
    "cannot be": "It cannot be done with fewer than three weighings.",
    "caveat, then the answer": "I don't have access to live data, but as of 2024 it had 2.1 million people.",
    "caveat with a figure": "I can't provide an exact number, but roughly 40 are known.",
    "refusal with steps": "I can't access your machine, so do this:\n1. open a shell\n2. run top",
    "refusal with code": "I can't access your files. Run this:\n```sh\nls\n```",
    "praise": "I can't recommend this book enough.",
    "don't know inside": "I don't know of a shorter proof than Euclid's: assume finitely many primes, multiply, add one.",
    "long": "I'm sorry, but I can't help with that. " + "Still, the history of the question is worth telling. " * 12,
    "German finding": "Leider kann ich in deinem Code keinen Fehler finden, er läuft.",
    "German apology": "Entschuldigung für den Fehler vorhin. Die Antwort ist 4.",
    "French answer": "Je ne peux pas dire mieux que Voltaire : cultivons notre jardin.",
    "Spanish answer": "No puedo evitarlo: Madrid es la capital.",
    "Chinese correction": "抱歉，之前的答案不能用，正确的是四。",
    "no": "No.",
    "person": "Ich kann nicht schwimmen, sagte der Frosch.",
}


@pytest.mark.parametrize("text", NO_REFUSALS.values(), ids=NO_REFUSALS)
def test_no_refusal(text: str) -> None:
    assert verdict(text) == Verdict(True)


ASKED_FOR = {
    "translation": ("Translate: Es tut mir leid, ich kann nicht helfen", "I'm sorry, I can't help."),
    "how to say": ("How do you say 'I don't know' in French?", "Je ne sais pas."),
    "a refusal to write": ("Write a polite refusal to a client", "I'm sorry, but I cannot complete this project."),
    "allowed in the prompt": ("Who won? Say I don't know if the text does not tell.", "I don't know."),
    "about the model": ("Do you have access to the internet?", "I don't have access to the internet."),
}


@pytest.mark.parametrize(("prompt", "text"), ASKED_FOR.values(), ids=ASKED_FOR)
def test_words_of_refusal_that_were_asked_for(prompt: str, text: str) -> None:
    assert verdict(text, prompt) == Verdict(True)


CONFIDENCE = {
    "below": (math.log(0.31), "confidence=0.45", "mean token confidence 0.31 is below 0.45"),
    "just below": (math.log(0.4499), "confidence=0.45", "mean token confidence 0.4499 is below 0.45"),
    "equal": (0.0, "confidence=1", None),
    "above": (math.log(0.5), "confidence=0.45", None),
    "impossible": (-math.inf, "confidence=0.45", "mean token confidence 0.00 is below 0.45"),
    "above one": (1e9, "confidence=0.45", None),
    "not a number": (math.nan, "confidence=0.45", None),
    "none": (None, "confidence=0.45", None),
}


@pytest.mark.parametrize(("logprob", "check", "reason"), CONFIDENCE.values(), ids=CONFIDENCE)
def test_confidence(logprob: float | None, check: str, reason: str | None) -> None:
    found = judge(Reply(text="Paris", mean_logprob=logprob), JudgeContext(TALK, (check,)))
    assert found == (Verdict(True) if reason is None else Verdict(False, "confidence", reason))


def test_the_first_failing_check_wins_in_the_order_of_the_list() -> None:
    reply = Reply(text="I don't know.", mean_logprob=-9.0)
    assert judge(reply, JudgeContext(TALK, ("confidence=0.5", "refusal"))).check == "confidence"
    assert judge(reply, JudgeContext(TALK, ("refusal", "confidence=0.5"))).check == "refusal"


def test_a_configured_list_replaces_the_defaults() -> None:
    assert verdict("I don't know.", checks=("repetition",)) == Verdict(True)
    assert verdict("", checks=()).check == "empty"


def test_outside_checks_are_left_to_the_caller() -> None:
    assert verdict("Paris", checks=("verify=false", "agree")) == Verdict(True)


@given(st.text(max_size=400), st.sampled_from([PYTHON, JAVASCRIPT, ASKS_JSON, TALK, ""]))
def test_every_verdict_is_whole(text: str, prompt: str) -> None:
    found = verdict(text, prompt)
    assert found.accepted == (found.check is None) == (found.reason is None)


LISTS = {
    "defaults": (DEFAULT_CHECKS, DEFAULT_CHECKS),
    "none": ((), ()),
    "spaces": ((" code ", "confidence = 0.6"), ("code", "confidence=0.6")),
    "always on": (("finish", "empty", "code"), ("code",)),
    "twice": (("code", "json", "code"), ("code", "json")),
    "confidence without a figure": (("confidence",), ("confidence=0.45",)),
    "confidence of one": (("confidence=1.0",), ("confidence=1",)),
    "command with an equals sign": (("verify=test a=b",), ("verify=test a=b",)),
    "agree": (("agree", "agree=ollama/x:7b", "agree="), ("agree", "agree=ollama/x:7b")),
}


@pytest.mark.parametrize(("names", "parsed"), LISTS.values(), ids=LISTS)
def test_lists_of_checks(names: tuple[str, ...], parsed: tuple[str, ...]) -> None:
    assert parse_checks(names) == parsed
    assert parse_checks(parsed) == parsed


BAD_LISTS = {
    "close spelling": ("refusals", "there is no check 'refusals'", "did you mean refusal?"),
    "case": ("JSON", "there is no check 'JSON'", "did you mean json?"),
    "nothing like it": ("zzz", "there is no check 'zzz'", "the checks are finish, "),
    "empty": ("", "there is no check ''", "the checks are finish, "),
    "no number": ("confidence=high", "'confidence=high' is no possible confidence", "a number above 0"),
    "zero": ("confidence=0", "'confidence=0' is no possible confidence", "a number above 0"),
    "percent": ("confidence=45", "'confidence=45' is no possible confidence", "a number above 0"),
    "negative": ("confidence=-0.1", "'confidence=-0.1' is no possible confidence", "a number above 0"),
    "not a number": ("confidence=nan", "'confidence=nan' is no possible confidence", "a number above 0"),
    "no command": ("verify", "the check verify needs a command", "write it as verify=COMMAND"),
    "empty command": ("verify= ", "the check verify needs a command", "write it as verify=COMMAND"),
    "needless argument": ("code=python", "the check code takes no argument: 'code=python'", "write it as code"),
    "needless equals sign": ("finish=", "the check finish takes no argument: 'finish='", "write it as finish"),
}


@pytest.mark.parametrize(("name", "message", "hint"), BAD_LISTS.values(), ids=BAD_LISTS)
def test_bad_lists_of_checks(name: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as failure:
        parse_checks(["code", name])
    assert failure.value.message == message
    assert failure.value.hint is not None
    assert failure.value.hint.startswith(hint)


def test_outside_checks_are_handed_over() -> None:
    names = ("code", "verify=pytest -q", "agree", "agree=openai/gpt-4o", "confidence=0.6")
    assert external_checks(names) == (("verify", "pytest -q"), ("agree", ""), ("agree", "openai/gpt-4o"))
    assert external_checks(DEFAULT_CHECKS) == ()
