"""What was meant by a name that does not exist, and how messages say it."""

from __future__ import annotations

import pytest

from mrt.near import did_you_mean, guessed, nearest

KNOWN = ["ollama", "llamacpp", "openai", "Q4_K_M"]


@pytest.mark.parametrize(
    ("wrong", "most", "closeness", "found"),
    [
        pytest.param("olama", 1, 0.6, ["ollama"], id="the closest alone"),
        pytest.param("olama", 3, 0.6, ["ollama", "llamacpp"], id="the closest first"),
        pytest.param("olama", 3, 0.9, ["ollama"], id="only what is close enough"),
        pytest.param("q4_k_n", 1, 0.6, ["Q4_K_M"], id="whatever the case, in the known spelling"),
        pytest.param("zzz", 3, 0.6, [], id="nothing like it"),
        pytest.param("", 3, 0.6, [], id="no name"),
    ],
)
def test_the_names_that_look_like_it(wrong: str, most: int, closeness: float, found: list[str]) -> None:
    assert nearest(wrong, KNOWN, most, closeness) == found


@pytest.mark.parametrize(
    ("near", "hint", "brackets"),
    [
        pytest.param([], "`mrt probe` lists them", "", id="none"),
        pytest.param(["a"], "did you mean a?", " (did you mean a?)", id="one"),
        pytest.param(["a", "b"], "did you mean a or b?", " (did you mean a or b?)", id="two"),
        pytest.param(["a", "b", "c"], "did you mean a, b or c?", " (did you mean a, b or c?)", id="three"),
    ],
)
def test_a_message_names_them(near: list[str], hint: str, brackets: str) -> None:
    assert (did_you_mean(near, "`mrt probe` lists them"), guessed(near)) == (hint, brackets)
