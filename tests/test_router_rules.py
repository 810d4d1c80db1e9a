"""What an instruction's words decide: strong signals alone, ambiguous verbs with a scope, files, planning; in many tongues."""

from __future__ import annotations

import pytest

from mrt.router import assess_prompt
from mrt.router.rules import files, rules
from mrt.router.sample import Sample

LOCAL_FAST = 4.0

STAY = [
    "implement a getter",
    "debug this typo",
    "optimize the inner loop",
    "Walk to the next room",
    "implement LRU cache",
    "implement an LRU cache",
    "add a unit test for parse()",
    "rename foo to bar in utils.py",
    "fix the off-by-one error in the loop",
    "design a button",
    "build the docs",
    "optimise this query",
    "implement the missing setter in user.rb",
    "take the lamp and go north",
    "what is the capital of France?",
    "What is refactoring?",
    "what's an architecture?",
    "Define migration",
    "What does end-to-end mean?",
    "Who was the architect of the Eiffel Tower?",
    "no refactoring needed, just rename x",
    "don't migrate anything, fix the typo",
    "without redesigning it, change the colour of the button",
    "update a.ts and b.ts",
    "the version is 1.2.3, the price 4.50, the date 3.11",
    "see https://a.example/x.py https://b.example/y.py https://c.example/z.py",
    "translate 'good morning' into French",
    "implementiere einen Getter",
    "ajoute un commentaire à cette fonction",
    "corrige esta errata",
    "исправь опечатку",
    "optimize the image",
    "design a color palette",
    "debug why x is None on line 3",
    "implement a binary search",
    "fix typo in README.md",
    "show me all files",
    "Open the system settings",
    "Go to the kitchen and pick up the knife",
    "attack the troll with the sword",
    "split this string at the comma",
    "which port does the server use?",
    "What is the best strategy game?",
    "修复这个拼写错误",
    "什么是重构？",
    "When was the Migration Period?",
    "who wrote 'The Architecture of Happiness'?",
    "Wer hat die Architektur des Reichstags entworfen?",
    "Where is the Museum of Migration?",
    "Is refactoring worth it?",
    "what are the advantages of refactoring?",
    "Explain the difference between migration and immigration",
    "Was ist der Unterschied zwischen Refactoring und Redesign?",
    "Write a short email telling Bob that the migration meeting moved to Friday",
    "draft a message to the team: the redesign is done",
    "Schreibe eine Nachricht an Anna, dass die Migration fertig ist",
    "write a poem about architecture",
    "Translate to German: We must refactor the architecture across the whole codebase.",
    'translate "migrate everything, end to end" into French',
    "fix the grammar: we was refactoring the whole system",
    "Übersetze ins Englische: Wir migrieren das gesamte System.",
    "翻译成英文：我们要重构整个系统",
    "I do NOT want you to migrate the whole codebase. Just explain line 4.",
    "You shouldn't redesign this; just tweak the padding",
    "rather than rewriting the whole system, add a flag",
    "instead of refactoring it, add a comment",
]
RISE = [
    "why don't we migrate to Postgres?",
    "who can refactor our provider layer?",
    "explain the architecture of this repo",
    "what is the difference between our old and our new architecture?",
    "write an architecture document for the billing service",
    "translate this module to Rust and refactor it: src/a.py",
    "translate the Python code to Go, across all files: it is in src",
    "think hard: what is the difference between the two?",
    "migra la base de datos a Postgres",
    "Finde die Ursache des Absturzes",
    "Ermittle die Grundursache des Speicherlecks",
    "Trova la causa principale del crash",
    "Найди причину утечки памяти",
    "untangle the circular imports everywhere in the repo",
    "troubleshoot the entire cluster",
    "Summarize the root cause of this outage",
    "refactor the provider layer",
    "Refactoring the parser is due",
    "migrate the build",
    "migrating to Postgres",
    "root cause",
    "find the root cause of the flaky test",
    "what is the root cause of this crash?",
    "root-cause this failure",
    "across the whole pipeline",
    "debug the failure across the whole pipeline",
    "a.ts b.ts and c.ts",
    "update a.ts, b.ts and c.ts",
    "look at `src/a.py`, src/b.py:12 and (lib/c.py)",
    "change Makefile, Dockerfile and setup.cfg",
    "think hard about this",
    "redesign the cache",
    "re-design the cache",
    "re-architect billing",
    "write it end to end",
    "make it work end-to-end",
    "rename the flag across files",
    "rename it across all of our services",
    "the architecture is wrong",
    "implement auth across several services",
    "optimize the whole system",
    "debug the entire codebase",
    "design a queue from scratch",
    "implement search in multiple modules",
    "implement caching throughout the platform",
    "debug intermittent failures in the distributed system",
    "rewrite the parser from scratch",
    "port the whole library to Rust",
    "split the monolith into services",
    "re-architecting our auth",
    "migration to k8s",
    "end-to-end encryption for the chat",
    "do a root cause analysis",
    "plan a multi-step quest to win the war",
    "Work out the optimal route through all towns",
    "Analyze the strategic options and plan the campaign",
    "Figure out the optimal order of quests and explain the trade-offs",
    "build it from scratch for every service",
    "Plan the optimal path to become Hortator",
    "Plan the best strategy for the siege",
    "weigh the trade-offs and pick a strategy",
    "Prove that the square root of 2 is irrational",
    "no tests needed, refactor the provider layer",
    "don't stop: migrate the build",
    "Refaktoriere die gesamte Anbieterschicht",
    "Migriere den Build",
    "Refactorise la couche des fournisseurs",
    "Refactoriza la capa de proveedores",
    "Refatore a camada de provedores",
    "Рефактори слой провайдеров",
    "Найди первопричину сбоя",
    "重构提供者层",
    "找出根本原因",
    "设计一个分布式系统",
    "プロバイダ層をリファクタリングして",
]


@pytest.mark.parametrize("ask", STAY)
def test_a_narrow_ask_stays_on_the_first_tier(ask: str) -> None:
    assert assess_prompt(ask).value <= LOCAL_FAST


@pytest.mark.parametrize("ask", RISE)
def test_a_wide_ask_rises_above_the_first_tier(ask: str) -> None:
    assert assess_prompt(ask).value > LOCAL_FAST


@pytest.mark.parametrize("ask", ["Plan the optimal path to become Hortator", "devise a strategy for the siege"])
def test_planning_alone_is_no_matter_for_the_top(ask: str) -> None:
    assert LOCAL_FAST < assess_prompt(ask).value < 7


@pytest.mark.parametrize(
    ("verb", "scope"),
    [
        ("implement", "the whole module"),
        ("debug", "several services"),
        ("optimize", "the entire pipeline"),
        ("design", "the system"),
        ("implementiere", "das ganze Modul"),
        ("optimise", "plusieurs services"),
        ("реализуй", "всю систему"),
    ],
)
def test_an_ambiguous_verb_needs_a_scope(verb: str, scope: str) -> None:
    alone, scoped = assess_prompt(f"{verb} x"), assess_prompt(f"{verb} {scope}")
    assert alone.value <= LOCAL_FAST < scoped.value
    assert "a verb with a wide scope" in [part.feature for part in scoped.contributions]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a.ts b.ts and c.ts", ["a.ts", "b.ts", "c.ts"]),
        ("a.ts,b.ts,c.ts.", ["a.ts", "b.ts", "c.ts"]),
        ("in `src/app.py` (and 'lib/x.rs')!", ["src/app.py", "lib/x.rs"]),
        ("a.py, a.py and A.py", ["a.py", "A.py"]),
        ("End of it.Next one. e.g. this", []),
        ("https://x.example/a.py 3.14 v1.2", []),
        ("me@x.rs", []),
        ("the Makefile", ["makefile"]),
        ("archive.tar.gz and notes.md", ["notes.md"]),
        ("src/a.py:12", ["src/a.py"]),
        ("a.ts:3:1 b.tsx#L4", ["a.ts", "b.tsx"]),
        ("", []),
    ],
)
def test_files_are_told_from_other_dots(text: str, found: list[str]) -> None:
    assert files(Sample(text)) == found


def test_rules_say_what_they_found() -> None:
    assert [(part.feature, part.value, part.part) for part in rules(Sample("Refactor a.ts, b.ts, c.ts"))] == [
        ("a strong signal of wide work", "refactor", "coordinative"),
        ("3 files", "a.ts, b.ts, c.ts", "coordinative"),
    ]


def test_many_words_are_shown_in_part() -> None:
    asked = "refactor, migrate, redesign, restructure, modernize and overhaul it"
    assert rules(Sample(asked))[0].value == "refactor, migrate, redesign, restructure, modernize, …"


def test_listed_steps_count() -> None:
    listed = "Do this:\n- load the file\n- sort the rows\n- drop the empty ones\n- save it"
    assert ("several steps", "4 listed") in [(part.feature, part.value) for part in rules(Sample(listed))]


@pytest.mark.parametrize(
    ("asked", "negated"),
    [
        ("no refactoring, please", True),
        ("do not refactor", True),
        ("please don’t refactor it", True),
        ("Kein Refactoring", True),
        ("sans refactoriser", True),
        ("без рефакторинга", True),
        ("不需要重构", True),
        ("not now. refactor it", False),
        ("no tests; refactor it", False),
        ("do not refactor a, refactor b", False),
    ],
)
def test_a_negated_signal_does_not_count(asked: str, negated: bool) -> None:
    found = [part.feature for part in rules(Sample(asked))]
    assert ("a strong signal of wide work" not in found) == negated
