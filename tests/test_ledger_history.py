"""Conversations: what is kept, which was last, and staying on a tier until cleared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from ledger_kit import Clock

from mrt.domain import Message
from mrt.errors import UsageError
from mrt.ledger import (
    Conversation,
    Store,
    append_exchange,
    clear_conversation,
    last_conversation_name,
    load_conversation,
    memory_store,
    stick,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> Iterator[Store]:
    with closing(memory_store(clock)) as opened:
        yield opened


def test_nothing_was_said_yet(store: Store) -> None:
    assert load_conversation(store, "talk") is None
    assert last_conversation_name(store) is None


def test_exchanges_come_back_in_order(store: Store, clock: Clock) -> None:
    append_exchange(store, "talk", "one?", "one.", "op1")
    append_exchange(store, "other", "else?", "else.", "op2")
    clock.now -= 1_000
    append_exchange(store, "talk", "two?", "two.", "op3")
    assert load_conversation(store, "talk") == Conversation(
        "talk",
        None,
        (Message("user", "one?"), Message("assistant", "one."), Message("user", "two?"), Message("assistant", "two.")),
    )


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        pytest.param("", "", id="empty"),
        pytest.param("a\0b\n\x1b[31m", "a\0b\n\x1b[31m", id="control characters"),
        pytest.param("größer 💡", "größer 💡", id="beyond ASCII"),
        pytest.param("caf\udce9", "caf?", id="undecodable bytes"),
    ],
)
def test_any_text_is_kept(store: Store, said: str, kept: str) -> None:
    append_exchange(store, "talk", said, said, "op")
    conversation = load_conversation(store, "talk")
    assert conversation is not None
    assert [message.content for message in conversation.messages] == [kept, kept]


def test_the_last_conversation_is_the_one_written_to_last_whatever_the_clock_says(store: Store, clock: Clock) -> None:
    for name in ("first", "second", "first"):
        clock.now -= 100
        append_exchange(store, name, "?", "!", "op")
    assert last_conversation_name(store) == "first"
    stick(store, "second", "cloud")
    assert last_conversation_name(store) == "second"
    load_conversation(store, "first")
    assert last_conversation_name(store) == "second"


def test_a_conversation_stays_on_its_tier_until_cleared(store: Store) -> None:
    append_exchange(store, "talk", "?", "!", "op")
    stick(store, "talk", "local-heavy")
    stick(store, "talk", "cloud")
    append_exchange(store, "talk", "?", "!", "op")
    conversation = load_conversation(store, "talk")
    assert conversation is not None
    assert (conversation.sticky_tier, len(conversation.messages)) == ("cloud", 4)
    assert clear_conversation(store, "talk")
    assert load_conversation(store, "talk") is None
    assert store.connection.execute("SELECT count(*) FROM messages").fetchone() == (0,)


def test_clearing_one_leaves_the_others(store: Store) -> None:
    append_exchange(store, "talk", "?", "!", "op")
    append_exchange(store, "other", "?", "!", "op")
    clear_conversation(store, "other")
    assert last_conversation_name(store) == "talk"
    assert not clear_conversation(store, "other")


def test_sticking_begins_a_conversation(store: Store) -> None:
    stick(store, "talk", "cloud")
    assert load_conversation(store, "talk") == Conversation("talk", "cloud", ())


@pytest.mark.parametrize("name", ["a", "Größe 7", "x" * 200, "'; DROP TABLE calls; --"])
def test_names(store: Store, name: str) -> None:
    append_exchange(store, name, "?", "!", "op")
    assert last_conversation_name(store) == name


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\nb", "a\0", "\x1b[31m", "\u2028", "\udcff", "a\u202eb"])
def test_names_that_none_can_have(store: Store, name: str) -> None:
    for use in (
        lambda: load_conversation(store, name),
        lambda: append_exchange(store, name, "?", "!", "op"),
        lambda: stick(store, name, "cloud"),
        lambda: clear_conversation(store, name),
    ):
        with pytest.raises(UsageError, match="no name for a conversation"):
            use()
    assert last_conversation_name(store) is None
