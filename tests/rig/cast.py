"""The scripted models that the suite talks to: a fast one that is often out of its depth, a heavy one, and a slow one."""

from __future__ import annotations

from rig.scripted_model import SLOW, Line, ModelScript

ESCALATION_REASON = "this needs a stronger model"
CODE = "```python\ndef add(a, b):\n    return a + b\n```"

FAST_MODEL = ModelScript(
    name="fast",
    context_length=32768,
    lines=(
        Line("hard", "I will try, but I am not the right one.", escalate=ESCALATION_REASON),
        Line("unsure", "It may be forty two, or so.", confidence=0.3),
        Line("think", "The sum is 4.", think="Two and two make four."),
        Line("code", CODE),
        Line("json", '{"city": "Paris", "population": 2100000}'),
        Line("refuse", "I'm sorry, but I can't help with that."),
        Line("loop", "round and round it goes\n", endless=True),
        Line("capital", "Paris is the capital of France."),
        Line("", "Hello from the fast model."),
    ),
)
HEAVY_MODEL = ModelScript(
    name="heavy",
    context_length=32768,
    lines=(
        Line("hard", "Here is the whole plan, step by step."),
        Line("unsure", "It is exactly forty two."),
        Line("loop", "It goes round once and stops."),
        Line("", "Hello from the heavy model."),
    ),
)
# About 80 tokens a second, for ever: long enough to be cancelled, killed or timed out in the middle.
SLOW_MODEL = ModelScript(name="slow", size=SLOW, lines=(Line("", "tick tock goes the clock and ", endless=True),))
