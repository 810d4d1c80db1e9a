"""What the demo shows: commands as a user would type them, why, and how each has to end."""

from __future__ import annotations

from mrt.demo.world import CHANGE_FILE
from mrt.errors import ExitCode
from mrt.frozen import frozen

_EASY = "what does EAGAIN mean?"
_CODE = "write a Python function that turns a title into a slug"
_PLAN = "plan the migration of the billing database without downtime"


@frozen
class Step:
    """One command of the demo. `stdin` is a file of the demo's folder; `code` is the exit code that it must end with."""

    title: str
    words: tuple[str, ...]
    code: ExitCode = ExitCode.OK
    stdin: str | None = None


STEPS = (
    Step("Which model servers are up, and do they have what the tiers ask for?", ("probe",)),
    Step(
        "What fits a graphics card? It need not be in this machine.",
        ("fit", "--compare", "llama3.1:8b", "qwen2.5-coder:14b", "--gpu", "RTX 4060", "--ram", "32GiB"),
        ExitCode.NO_FIT,
    ),
    Step("Which tier would answer, why, and at what cost? Nothing is sent.", ("route", "--explain", _CODE)),
    Step("An easy prompt is answered by the small local model.", ("ask", "--usage", _EASY)),
    Step(
        "So is one in a pipe; what is piped in follows the prompt.",
        ("ask", "write a commit message"),
        stdin=CHANGE_FILE,
    ),
    Step("Answers are checked: this code does not parse, so the next tier is asked.", ("ask", "--usage", _CODE)),
    Step("A hard prompt starts further up, and may be handed on to the paid model.", ("ask", "--usage", _PLAN)),
    Step("What was used, what it cost, and what is left of the budgets?", ("spend",)),
    Step("From now on, no more than a cent a day.", ("config", "set", "budget.daily_usd", "0.01")),
    Step(
        "The paid model could cost more than is left, so it is refused unasked.",
        ("ask", "--tier", "cloud", _PLAN),
        ExitCode.BUDGET,
    ),
    Step("Without being told whom to ask, mrt stays local over budget.", ("ask", "--usage", _PLAN)),
)
