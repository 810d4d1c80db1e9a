"""Orders for code and for JSON are told from talk about them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrt.quality import Intent, intent
from mrt.quality.intent import names_only_python

ORDERS = [
    "implement LRU cache",
    "write a python function that reverses a list",
    "schreibe eine Funktion",
    "Schreib mir bitte eine Python-Funktion, die zwei Listen mischt",
    "Kannst du mir eine Funktion schreiben, die Primzahlen zählt?",
    "fix this function: def f(x) retrun x",
    "Can you write a regex for IPv4 addresses?",
    "Given a list of numbers, write a function that returns the median",
    "You are an expert. Please implement a rate limiter in Go.",
    "Refactor this code to be shorter",
    "fix the bug in this script",
    "bash one-liner to count lines",
    "python function to flatten a nested list",
    "SQL query that finds duplicates",
    "regex for email addresses",
    "Convert this code to Rust",
    "write a program that prints the first 100 primes",
    "write a script to rename all files in a folder",
    "implement a stack using two queues",
    "Implement strStr()",
    "Build a todo app in React",
    "code a snake game in pygame",
    "I want you to write unit tests for the parser",
    "Please debug this function for me",
    "Écris une fonction qui inverse une chaîne",
    "Escribe un script Python para leer un CSV",
    "写一个函数计算斐波那契数列",
    "实现一个LRU缓存",
    "Write an email parser in python",
    "Write a summary function in Python",
    "Your task is to write a function `add(a, b)`.",
    "Improve this:\n```python\nx=1\n```",
    "Write a C program to swap two numbers",
    "Create a class in Java that models a bank account",
    "In Python, write a decorator that retries",
    "Read the file and write a function that counts the words",
    "Let's write a binary search in Rust",
    "implement quicksort",
    "Write a haskell function for fibonacci",
    "Напиши функцию на Python",
    "give me a python script that downloads a file",
    "write code to parse dates",
]

NOT_ORDERS = [
    "write a poem",
    "explain how caches work",
    "what is the capital of France",
    "write an email about the python conference",
    "implement a hiring policy",
    "implement a new training program in our company",
    "Write a blog post about Python functions",
    "How do I write a function in Python?",
    "What does this function do?",
    "Explain how to implement an LRU cache",
    "write a short story about a programmer who writes code",
    "Create a workout program for beginners",
    "write a script for a YouTube video about cooking",
    "Write a movie script",
    "Write a summary of the python documentation",
    "Generate a QR code",
    "create a discount code for my shop",
    "Write a code of conduct",
    "write a plan to implement binary search in class",
    "Fix the grammar in this text: I has a function",
    "What is the best way to write a function in Python?",
    "Why does my function return None?",
    "Implement a queue management system for our bakery",
    "Write a letter to my teacher about the class",
    "Make a list of programming languages",
    "Write a paragraph on the function of mitochondria",
    "Convert 30 fahrenheit to c",
    "Translate this to German: I love code",
    "Programmers write code in Python every day.",
    "Do people still write programs in COBOL?",
    "schreibe ein Gedicht über Funktionen",
    "Schreibe eine E-Mail an meinen Chef",
    "Écris un poème sur le code",
    "写一篇关于代码的文章",
    "如何写一个函数",
    "Create a table of the planets",
    "write a report on java island coffee",
    "Design a training curriculum",
    "Draft a press release for our API launch",
    "tell me a joke about java",
    "Give me a summary of Rust's history",
    "Provide an overview of sorting algorithms",
    "Show me the difference between a list and a tuple in python",
    "build a strong team",
    "Develop a marketing strategy for a coffee shop",
    "make a reservation in spring",
    "implement the new regulations in the north",
    "Write a melody in C major",
    "explain this code: ```python",
    "x=1",
    "```",
    "Review this function",
    "Write about quicksort",
    "code review tips",
    "generate 10 names for my python podcast",
    "optimize my morning routine",
    "fix the typo in this text: ```hello wrld```",
    "Write the minutes of the python meetup",
    "complete the sentence: the function of the heart is",
    "Give me three reasons to learn Python",
    "Give examples of Python companies",
    "Give me the history of the C language",
    "Provide feedback on this function",
    "Create a test for my students on the French revolution",
    "write a query letter to an agent",
    "Write an essay comparing functions in mathematics and biology",
    "Give me an example of a mathematical function",
    "Write a tutorial on how to write a function in python",
    "Write instructions for using Python on Windows",
]

JSON = [
    "return JSON",
    "Extract the names as JSON",
    "respond only with valid json",
    "Answer in JSON",
    "Return a JSON object with keys name and age",
    "Give me your answer in JSON format",
    "List three colors as JSON",
    "List three colors in JSON format.",
    "Convert this CSV to JSON: a,b",
    "What is the capital of France? Answer as JSON.",
    "What is the capital of France, as JSON?",
    "Output JSON only",
    "Gib mir die Liste als JSON",
    "Antworte nur mit gültigem JSON",
    "Réponds uniquement en JSON valide",
    "Responde en JSON",
    "以JSON格式返回结果",
    "Generate a JSON array of 5 random numbers",
    "Please reply with a single JSON object and nothing else",
    "Summarise the text. Your output must be valid JSON.",
    "Extract entities from the text below and return them as a JSON array:",
    "write a python function that adds. Respond with JSON containing keys code and notes",
    "Create JSON with 3 users",
    "Classify the sentiment; output json",
    "Write the result as JSON",
]

NOT_JSON = [
    "what is JSON?",
    "explain JSON",
    "How do I return JSON from Flask?",
    "Convert this JSON to YAML",
    "parse this JSON and tell me the name",
    "write a python function that returns JSON",
    "Write a function that parses a string as JSON",
    "Should I return JSON or XML?",
    "What does it mean to store data as JSON?",
    "Generate a Pydantic model for this JSON payload.",
    "Why does json.loads fail?",
    "Write an article about JSON",
    "Create a CLI tool that converts CSV to JSON using argparse",
    "Write a program that outputs the list as JSON",
    "fix this json parser",
    "Does this endpoint return JSON?",
    "Git merge conflict in package-lock.json",
    "Summarize this JSON document",
    "Compare JSON and XML",
    'is this valid json? {"a":1}',
    "Explain how to respond with JSON in express",
    "Create a JSON parser",
    "Convert this JSON response into a TypeScript type definition",
    "Write a tutorial on how to export data as JSON",
    "List the data types in JSON",
    "What happens when I send the body as JSON?",
    "Our API should respond with JSON. Is that good?",
    "什么是JSON格式",
    "how do I read a file in JSON format?",
]


@pytest.mark.parametrize("prompt", ORDERS)
def test_orders_code(prompt: str) -> None:
    found = intent(prompt)
    assert found.strong_code
    assert found.code


@pytest.mark.parametrize("prompt", NOT_ORDERS)
def test_does_not_order_code(prompt: str) -> None:
    assert not intent(prompt).strong_code


@pytest.mark.parametrize("prompt", JSON)
def test_wants_json(prompt: str) -> None:
    assert intent(prompt).json


@pytest.mark.parametrize("prompt", NOT_JSON)
def test_does_not_want_json(prompt: str) -> None:
    assert not intent(prompt).json


MENTIONS = {
    "question about a language": "What is a closure in JavaScript?",
    "inline code": "What does `ls -la` show?",
    "pasted block": "What is wrong here?\n```\nx = = 1\n```",
    "pasted block with CRLF": "Look:\r\n```\r\nls\r\n```",
    "file": "Summarize main.py for me",
    "call": "when is close() called?",
    "algorithm": "Prove that the greedy algorithm is optimal",
    "Chinese": "什么是编程",
}


@pytest.mark.parametrize("prompt", MENTIONS.values(), ids=MENTIONS)
def test_mentions_code(prompt: str) -> None:
    assert intent(prompt) == Intent(code=True, strong_code=False, json=False)


PLAIN = [
    "",
    "Hello!",
    "write a poem",
    "explain how caches work",
    "what is the capital of France",
    "implement a hiring policy",
    "Wie wird das Wetter morgen?",
    "谁写了《红楼梦》？",
]


@pytest.mark.parametrize("prompt", PLAIN)
def test_plain_prompts_ask_for_nothing_special(prompt: str) -> None:
    assert intent(prompt) == Intent(code=False, strong_code=False, json=False)


def test_an_order_is_found_at_either_end_of_a_long_prompt() -> None:
    material = "The quick brown fox jumps over the lazy dog. " * 2000
    assert intent(f"Write a function that counts foxes. {material}").strong_code
    assert intent(f"{material}\n\nReturn the animals as JSON.").json
    assert not intent(f"{material} Write a function. {material}").strong_code


def test_curly_apostrophes_count_as_straight_ones() -> None:
    assert intent("Let’s write a parser").strong_code


PYTHON_ONLY = {
    "named": ("write a Python function", True),
    "with its libraries": ("use pandas in Python", True),
    "nothing named": ("write a function", False),
    "another language too": ("translate this Python to Rust", False),
    "another short name": ("port this python code to Go", False),
    "another language": ("write it in Java", False),
}


@pytest.mark.parametrize(("prompt", "only"), PYTHON_ONLY.values(), ids=PYTHON_ONLY)
def test_python_as_the_only_language(prompt: str, only: bool) -> None:
    assert names_only_python(prompt) is only


@given(st.text(max_size=300))
def test_any_text_is_read(prompt: str) -> None:
    found = intent(prompt)
    assert found.code or not found.strong_code


@given(st.sampled_from(NOT_ORDERS), st.sampled_from(["\n", "  ", "\n\n"]))
def test_spacing_around_a_prompt_changes_nothing(prompt: str, space: str) -> None:
    assert intent(space + prompt + space) == intent(prompt)
