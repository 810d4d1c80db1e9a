"""Conversations: what was said, and the tier one stays on after it escalated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mrt.domain import Message
from mrt.errors import UsageError
from mrt.frozen import frozen
from mrt.ledger.store import Store, reading, storable, writing

if TYPE_CHECKING:
    import sqlite3

NAME_LENGTH = 200


@frozen
class Conversation:
    """Messages in order, oldest first; `sticky_tier` is the tier to start on until the conversation is cleared."""

    name: str
    sticky_tier: str | None = None
    messages: tuple[Message, ...] = ()


def load_conversation(store: Store, name: str) -> Conversation | None:
    """The conversation of that name, None when there is none. UsageError for a name that none can have."""
    _check(name)
    with reading(store) as connection:
        rows = connection.execute(
            """
            SELECT sticky_tier, role, content FROM conversations
            LEFT JOIN messages ON conversation = name WHERE name = ? ORDER BY id
            """,
            (name,),
        ).fetchall()
    if not rows:
        return None
    return Conversation(name, rows[0][0], tuple(Message(role, content) for _, role, content in rows if role))


def last_conversation_name(store: Store) -> str | None:
    """The conversation that was written to last, whatever the clock did in between."""
    with reading(store) as connection:
        row = connection.execute("SELECT name FROM conversations ORDER BY last_turn DESC LIMIT 1").fetchone()
    return str(row[0]) if row else None


def append_exchange(store: Store, name: str, user: str, assistant: str, operation_id: str) -> None:
    """Add a question and its answer; the first one begins the conversation."""
    _check(name)
    with writing(store) as connection:
        now_us = store.now_us()
        _touch(connection, name, now_us)
        connection.executemany(
            "INSERT INTO messages (conversation, role, content, operation_id, created_us) VALUES (?, ?, ?, ?, ?)",
            [
                (name, role, storable(content), operation_id, now_us)
                for role, content in (("user", user), ("assistant", assistant))
            ],
        )


def stick(store: Store, name: str, tier: str) -> None:
    """Keep the conversation on `tier` until it is cleared; it begins with this if need be."""
    _check(name)
    with writing(store) as connection:
        _touch(connection, name, store.now_us())
        connection.execute("UPDATE conversations SET sticky_tier = ? WHERE name = ?", (storable(tier), name))


def clear_conversation(store: Store, name: str) -> bool:
    """Forget its messages and its tier; whether there was such a conversation."""
    _check(name)
    with writing(store) as connection:
        return connection.execute("DELETE FROM conversations WHERE name = ?", (name,)).rowcount > 0


def _touch(connection: sqlite3.Connection, name: str, now_us: int) -> None:
    """Make it the one used last. Turns are counted, since a clock that goes back would misorder them."""
    connection.execute(
        """
        INSERT INTO conversations (name, last_turn, created_us, used_us)
        SELECT :name, coalesce(max(last_turn), 0) + 1, :now, :now FROM conversations WHERE true
        ON CONFLICT (name) DO UPDATE SET last_turn = excluded.last_turn, used_us = excluded.used_us
        """,
        {"name": name, "now": now_us},
    )


def _check(name: str) -> None:
    if not name.strip() or len(name) > NAME_LENGTH or not name.isprintable():
        raise UsageError(
            f"{name[:40]!r} is no name for a conversation",
            f"take 1 to {NAME_LENGTH} printable characters on one line",
        )
