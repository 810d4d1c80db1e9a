"""`mrt help`: what holds for every verb, by topic."""

from __future__ import annotations

import click

from mrt.commands._shared import ExamplesFirst, common_options, console

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
        from difflib import get_close_matches

        near = get_close_matches(topic, TOPICS, n=1)
        guess = f" Did you mean {near[0]!r}?" if near else ""
        raise click.UsageError(f"No such topic {topic!r}.{guess} Topics: {', '.join(TOPICS)}")
    if console().mode == "json":
        console().envelope("help", {"topic": topic, "text": text})
    else:
        console().result(text)
