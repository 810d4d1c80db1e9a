"""The pages for man: fresh, valid roff, and the same text as the help."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib

import pytest
from rig.command import Home
from rig.home_setup import run_here
from tools.make_shell import COMPLETIONS, MAN, generated

from mrt.cli import VERBS, group
from mrt.commands._man import pages
from mrt.commands._roff import escaped, filled, marked, structured
from mrt.commands._topics import TOPICS
from mrt.commands._tree import context_of, subcommands, walk

PAGES = pages(group)
HINT = "run: python -m tests.tools.make_shell"


@pytest.fixture(scope="module")
def shown() -> dict[str, str]:
    """Every page as a reader sees it, on one line, without the lines' breaks."""
    if shutil.which("mandoc") is None:
        pytest.skip("mandoc is not installed")
    texts = {}
    for name, page in PAGES.items():
        done = subprocess.run(["mandoc", "-T", "utf8", "-O", "width=1000"], input=page, capture_output=True, text=True)
        texts[name] = " ".join(re.sub(".\b", "", done.stdout).split())
    return texts


def test_the_pages_in_the_tree_are_fresh() -> None:
    files = generated()
    there = {path: path.read_text(encoding="utf-8") for path in (*COMPLETIONS.iterdir(), *MAN.iterdir())}
    assert {path.name for path in there} == {path.name for path in files}, HINT
    assert [path.name for path, text in files.items() if there[path] != text] == [], HINT


def test_an_installed_mrt_brings_the_pages_and_the_scripts() -> None:
    settings = tomllib.loads((COMPLETIONS.parent / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"] == {
        "mrt/data/man": "share/man/man1",
        "completions/mrt.bash": "share/bash-completion/completions/mrt",
        "completions/_mrt": "share/zsh/site-functions/_mrt",
        "completions/mrt.fish": "share/fish/vendor_completions.d/mrt.fish",
    }


def test_there_is_a_page_of_mrt_and_of_every_verb() -> None:
    assert PAGES.keys() == {"mrt.1", *(f"mrt-{verb}.1" for verb in VERBS)}


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
@pytest.mark.parametrize("name", PAGES)
def test_mandoc_finds_nothing_to_warn_of(name: str) -> None:
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning"], input=PAGES[name], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
@pytest.mark.parametrize("name", PAGES)
def test_groff_finds_nothing_to_warn_of(name: str) -> None:
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Wbreak", "-z", "-Tutf8"], input=PAGES[name], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_plain_ascii_in_lines_that_any_tool_takes(name: str) -> None:
    assert PAGES[name].isascii()
    assert not [line for line in PAGES[name].splitlines() if line != line.rstrip()]


def test_a_page_has_what_the_help_has(shown: dict[str, str]) -> None:
    for verb in VERBS:
        page = shown[f"mrt-{verb}.1"]
        for context in walk(context_of(group, [verb])):
            assert context.command_path in page
            for item in context.command.get_params(context):
                record = item.get_help_record(context)
                assert record is None or " ".join(f"{record[0]} {record[1]}".split()) in page
            for line in getattr(context.command, "examples", "").strip().splitlines():
                assert " ".join(line.split()) in page


def test_the_page_of_mrt_has_the_topics(shown: dict[str, str]) -> None:
    page = shown["mrt.1"]
    for _, text in TOPICS.values():
        for word in text().replace("`", "").split():
            assert word.removesuffix(":") in page


@pytest.mark.parametrize(("words", "name"), [((), "mrt.1"), (("ask",), "mrt-ask.1")], ids=["mrt", "ask"])
def test_help_prints_the_page(store_home: Home, words: tuple[str, ...], name: str) -> None:
    done = run_here(store_home, "help", "--man", *words)
    assert (done.stdout, done.stderr, done.exit_code) == (PAGES[name], "", 0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("aks",), "error: no topic and no verb 'aks' (did you mean ask?)"),
        (("spend", "import"), "error: man pages are of whole verbs\nhint: mrt help --man spend\n"),
        (("privacy",), "error: the topic 'privacy' stands in the page of mrt itself\nhint: mrt help --man\n"),
    ],
    ids=["typo", "command", "topic"],
)
def test_a_page_that_there_is_not(store_home: Home, words: tuple[str, ...], message: str) -> None:
    done = run_here(store_home, "help", "--man", *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(message)


# --- roff


@pytest.mark.parametrize(
    ("text", "roff"),
    [
        (".hidden", r"\&.hidden"),
        ("'quoted'", r"\(aqquoted\(aq"),
        ("a\\nb", r"a\enb"),
        ("--dry-run", r"\-\-dry\-run"),
        ("a\n.SH b", "a .SH b"),
        ("~/x ^ `y`", r"\(ti/x \(ha \(gay\(ga"),
        ("≥ $1", r"\[u2265] $1"),
    ],
)
def test_nothing_in_a_text_is_a_command_of_roff(text: str, roff: str) -> None:
    assert escaped(text) == roff


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
@pytest.mark.parametrize("text", [".TH x", "'br", "\\fBx", "a -- b", "~^`'\"", "≥ naïve – x", "x .de y", "\\", "%s"])
def test_a_text_is_shown_as_it_is(text: str) -> None:
    page = f'.TH X 1 "2026-11-21"\n.SH A\n{escaped(text)}\n'
    done = subprocess.run(["mandoc", "-T", "utf8"], input=page, capture_output=True, text=True)
    assert f" {text}\n" in re.sub(".\b", "", done.stdout)


def test_what_stands_in_backticks_is_bold() -> None:
    assert marked("see `mrt ask` or .x") == r"see \fBmrt ask\fR or .x"
    assert marked("`mrt -q`: a") == r"\fBmrt \-q\fR: a"
    assert marked("one ` alone") == r"one \(ga alone"


def test_a_list_becomes_tagged_paragraphs() -> None:
    text = "Some text:\n  one    the first\n         and more\n  two    the second\nThe end."
    assert list(structured(text)) == [
        ".PP",
        "Some text:",
        ".TP",
        "one",
        "the first and more",
        ".TP",
        "two",
        "the second",
        ".PP",
        "The end.",
    ]


def test_a_label_is_a_tag_too() -> None:
    text = "One object:\nask: answer, tier,\n  model\nprobe --deep: trials [a: b]\nWhat it cannot promise: much."
    assert list(structured(text)) == [
        *(".PP", "One object:"),
        *(".TP", "ask", "answer, tier, model"),
        *(".TP", r"probe \-\-deep", "trials [a: b]"),
        *(".PP", "What it cannot promise: much."),
    ]


def test_a_broken_line_never_begins_with_a_command() -> None:
    assert all(not line.startswith(".") for line in filled(["x" * 77 + " .SH " + "y" * 77]))


def test_every_subcommand_is_in_the_page_of_its_verb() -> None:
    for verb in VERBS:
        for name in subcommands(context_of(group, [verb]).command):
            assert f".SS mrt {verb} {escaped(name)}\n" in PAGES[f"mrt-{verb}.1"]
