"""Completion in real shells, typed into as a person does: bash, zsh and fish on a terminal."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from completion_kit import ROOT, furnish, install, type_into
from rig.command import Home

SCRIPTS = ROOT / "completions"
SHOW = "show() { printf '<%s>\\n' \"$@\"; }"
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], f"{SHOW}; source {SCRIPTS / 'mrt.bash'}"),
    "zsh": (
        ["zsh", "-f", "-i"],
        f"{SHOW}; bindkey -e; autoload -Uz compinit; fpath=({SCRIPTS} $fpath); compinit -u -D",
    ),
    "fish": (
        ["fish", "--no-config", "-i"],
        f"function show; printf '<%s>\\n' $argv; end; source {SCRIPTS / 'mrt.fish'}",
    ),
}


@pytest.fixture
def furnished(store_home: Home) -> Home:
    furnish(store_home)
    (store_home.path / "schema.json").write_text("{}")
    (store_home.path / "weights of mine.gguf").touch()
    (store_home.path / "tasks").mkdir()
    return store_home


def typed(shell: str, line: str, home: Home) -> list[str]:
    """The words after TAB."""
    command, setup = SHELLS[shell]
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    return type_into(command, setup, line, install(home), home.path)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param("mrt sp", ["mrt", "spend"], id="verb"),
        pytest.param("mrt spend imp", ["mrt", "spend", "import"], id="command"),
        pytest.param("mrt ask --max-to", ["mrt", "ask", "--max-tokens"], id="flag"),
        pytest.param("mrt ask --effort m", ["mrt", "ask", "--effort", "medium"], id="choice"),
        pytest.param("mrt fit qwen2.5-coder:14", ["mrt", "fit", "qwen2.5-coder:14b"], id="after-a-colon"),
        pytest.param("mrt fit llama3.1:40", ["mrt", "fit", "llama3.1:405b"], id="digits-after-a-colon"),
        pytest.param("mrt ask -m box/qwen2.5-coder:1", ["mrt", "ask", "-m", "box/qwen2.5-coder:14b"], id="model-seen"),
        pytest.param("mrt ask -m shop/gp", ["mrt", "ask", "-m", "shop/gpt-4o@2024"], id="at-sign"),
        pytest.param("mrt ask -m shop/m", ["mrt", "ask", "-m", "shop/m+x=1,2"], id="equals-sign-in-the-value"),
        pytest.param("mrt ask --tier=loc", ["mrt", "ask", "--tier=local-fast"], id="after-an-equals-sign"),
        pytest.param(
            "mrt ask --model=box/qwen2.5-coder:1", ["mrt", "ask", "--model=box/qwen2.5-coder:14b"], id="both-signs"
        ),
        pytest.param('mrt ask -m "loc', ["mrt", "ask", "-m", "local-fast"], id="in-quotes"),
        pytest.param('mrt fit "qwen2.5-coder:14', ["mrt", "fit", "qwen2.5-coder:14b"], id="colon-in-quotes"),
        pytest.param("mrt ask 'it is' -m qui", ["mrt", "ask", "it is", "-m", "quick"], id="after-quoted-words"),
        pytest.param("mrt ask --schema sch", ["mrt", "ask", "--schema", "schema.json"], id="file"),
        pytest.param("mrt ask --schema=sch", ["mrt", "ask", "--schema=schema.json"], id="file-after-an-equals-sign"),
        pytest.param("mrt fit weig", ["mrt", "fit", "weights of mine.gguf"], id="file-with-a-space"),
        pytest.param("mrt ask --schema ~/sch", ["mrt", "ask", "--schema", "HOME/schema.json"], id="file-at-home"),
        pytest.param(
            "mrt ask --schema $HOME/sch", ["mrt", "ask", "--schema", "HOME/schema.json"], id="file-by-variable"
        ),
        pytest.param("mrt ask --session ü", ["mrt", "ask", "--session", "übung"], id="letters-of-any-alphabet"),
        pytest.param("mrt ask hi 2>/dev/null -m qui", ["mrt", "ask", "hi", "-m", "quick"], id="after-a-redirection"),
        pytest.param("mrt ask -m zzz", ["mrt", "ask", "-m", "zzz"], id="nothing"),
    ],
)
def test_tab_completes(furnished: Home, shell: str, line: str, words: list[str]) -> None:
    assert typed(shell, line, furnished) == [word.replace("HOME", str(furnished.path)) for word in words]
    assert not (furnished.path / "asked-for-a-key").exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_no_name_of_a_model_means_anything_to_the_shell(furnished: Home, shell: str) -> None:
    assert typed(shell, "mrt ask -m box/", furnished)[-1].startswith("box/")
    assert not (furnished.path / "pwned").exists()


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("text", ["[tiers.local-fast\nmodel=", "[budget]\ndaily_usd = 'much'\n[tiers.local-fast]\n"])
def test_with_a_broken_configuration_tab_still_works(store_home: Home, shell: str, text: str) -> None:
    (store_home.config / "mrt").mkdir()
    (store_home.config / "mrt" / "config.toml").write_text(text)
    assert typed(shell, "mrt sp", store_home) == ["mrt", "spend"]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
@pytest.mark.parametrize("before", ["autoload -Uz compinit; compinit -u -D", "true"], ids=["after-compinit", "alone"])
def test_zsh_takes_the_script_by_evaluation_too(furnished: Home, before: str) -> None:
    setup = f'{SHOW}; bindkey -e; {before}; eval "$(mrt completion zsh)"'
    assert type_into(SHELLS["zsh"][0], setup, "mrt sp", install(furnished), furnished.path) == ["mrt", "spend"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("setup", "line", "last"),
    [
        ("COMP_WORDBREAKS=${COMP_WORDBREAKS//:}", "mrt fit qwen2.5-coder:14", "qwen2.5-coder:14b"),
        ("shopt -s nullglob failglob; set -u; unset COMP_WORDBREAKS", "mrt sp", "spend"),
        ("true", "mrt fit -- qwen2.5-coder:14", "qwen2.5-coder:14b"),
        ("alias m=mrt; complete -F _mrt_completion m", "m sp", "spend"),
        ("set -o posix", "mrt sp", "spend"),
    ],
    ids=["colons-break-no-words", "strict-settings", "after-the-double-dash", "an-alias", "posix"],
)
def test_bash_as_people_set_it_up(furnished: Home, setup: str, line: str, last: str) -> None:
    command, source = SHELLS["bash"]
    words = type_into(command, f"{source}; {setup}", line, install(furnished), furnished.path)
    assert words[-1] == last


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_completes_an_alias_that_it_does_not_expand(furnished: Home) -> None:
    command, setup = SHELLS["zsh"]
    setup += "; setopt complete_aliases no_unset ksh_arrays; alias m=mrt; compdef m=mrt"
    assert type_into(command, setup, "m sp", install(furnished), furnished.path)[-1] == "spend"


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_is_given_the_home_of_a_tilde(furnished: Home) -> None:
    environment = install(furnished)
    script = (
        f'source {SCRIPTS / "mrt.bash"}; COMP_LINE="~/bin/mrt sp"; COMP_POINT=12; '
        "_mrt_completion '~/bin/mrt'; echo \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("spend\n", "")


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_one_that_the_shell_reads(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = next(Path(word) for word in SHELLS[shell][1].split() if str(SCRIPTS) in word) if shell != "zsh" else None
    done = subprocess.run([shell, "-n", str(script or SCRIPTS / "_mrt")], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
