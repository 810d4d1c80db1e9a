"""What was learned of a server and a model by using them, so that a known quirk costs a failed request only once."""

from __future__ import annotations

from mrt.config.secrets import shown
from mrt.ledger.store import Store, reading, storable, writing


def learned(store: Store, endpoint_url: str, model: str) -> dict[str, str]:
    """All facts of that model at that server, by name."""
    with reading(store) as connection:
        rows = connection.execute(
            "SELECT fact, value FROM learned WHERE endpoint_url = ? AND model = ?",
            (_place(endpoint_url), storable(model)),
        ).fetchall()
    return dict(rows)


def recall(store: Store, endpoint_url: str, model: str, fact: str, max_age_s: float | None = None) -> str | None:
    """One fact, None when it is not known or was learned more than `max_age_s` seconds ago."""
    oldest_us = -1 if max_age_s is None else store.now_us() - round(max_age_s * 1_000_000)
    with reading(store) as connection:
        row = connection.execute(
            "SELECT value FROM learned WHERE endpoint_url = ? AND model = ? AND fact = ? AND learned_us >= ?",
            (_place(endpoint_url), storable(model), fact, oldest_us),
        ).fetchone()
    return str(row[0]) if row else None


def remember(store: Store, endpoint_url: str, model: str, fact: str, value: str) -> None:
    """Keep a fact, in place of what was known before."""
    with writing(store) as connection:
        connection.execute(
            """
            INSERT INTO learned (endpoint_url, model, fact, value, learned_us) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET value = excluded.value, learned_us = excluded.learned_us
            """,
            (_place(endpoint_url), storable(model), fact, storable(value), store.now_us()),
        )


def _place(url: str) -> str:
    """The address without what may be a secret (user, password, query), and without a trailing slash."""
    return (storable(shown(url)) or "").rstrip("/")
