"""What `mrt demo` and the commands of `mrt mcp` print for scripts."""

from __future__ import annotations

from mrt.output.schemas.form import COUNT, FLAG, NUMBER, OPEN, TEXT, described, known_or_null, record, several

DEMO = record(
    engine=described(FLAG, "llama.cpp itself answered for the local tiers"),
    steps=several(record(title=TEXT, command=TEXT, exit_code=COUNT, stdout=TEXT, stderr=TEXT, seconds=NUMBER)),
    seconds=NUMBER,
)
CLIENT = record(
    client=TEXT,
    title=TEXT,
    where=described(TEXT, "the file that it belongs into"),
    text=TEXT,
    command=described(known_or_null(TEXT), "what does the same"),
)
TOOLS = record(
    instructions=TEXT,
    tools=several(record(name=TEXT, title=TEXT, description=TEXT, input_schema=OPEN, output_schema=OPEN)),
)
