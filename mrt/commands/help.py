"""`mrt help`: what holds for every verb, by topic."""

from __future__ import annotations

import click

from mrt.commands._shared import ExamplesFirst, common_options, console
from mrt.errors import UsageError
from mrt.near import guessed, nearest

EXAMPLES = """
mrt help exit-codes
mrt help config
"""


@click.command(cls=ExamplesFirst, examples=EXAMPLES)
@click.argument("topic", required=False)
@common_options
def command(topic: str | None) -> None:
    """Explain TOPIC; without one, list the topics."""
    from mrt.commands._topics import TOPICS

    if topic is None:
        text = "\n".join(f"{name:<12}  {about}" for name, (about, _) in TOPICS.items())
    elif topic in TOPICS:
        text = TOPICS[topic][1]()
    else:
        raise UsageError(f"no topic {topic!r}{guessed(nearest(topic, TOPICS))}", f"topics are {', '.join(TOPICS)}")
    if console().mode == "json":
        console().envelope("help", {"topic": topic, "text": text})
    else:
        console().result(text)
