"""The tables of the store, and the steps that bring an older store up to date.

`calls` has one row per attempt, from its reservation on. Its states:

    reserved   the call may be under way; `reserved_nano` is the most it can cost (NULL: not known)
    settled    it ended, and its cost is as certain as `cost_state` says
    partial    the answer was cut off; what came is paid for
    failed     it ended without an answer, or its process died before it could say how it ended
    void       nothing was sent, or nothing that costs; it counts for nothing

`rollup` sums the ended calls (settled, partial, failed) by day and every dimension of the reports; each change of a row changes
it in the same transaction. `refusals` has the last calls that a budget stopped. All days are counted in one zone, `meta`'s
`timezone`. `imported_us` tells calls of other machines and programs from this store's own. Amounts are nano-dollars, times
microseconds since 1970 in UTC, and NULL always means unknown, never 0.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mrt.ledger.endings import NOT_ACCEPTED
from mrt.ledger.rollup import REBUILD as ROLLUP_REBUILD

if TYPE_CHECKING:
    import sqlite3

# "mrt1": tells our stores from the databases of other programs, which are never touched.
APPLICATION_ID = 0x6D727431

_CALLS = """
CREATE TABLE calls (
    id TEXT PRIMARY KEY,
    operation_id TEXT NOT NULL,
    attempt INTEGER NOT NULL CHECK (attempt >= 0),
    purpose TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('reserved', 'settled', 'partial', 'failed', 'void')),
    started_us INTEGER NOT NULL,
    settled_us INTEGER,
    swept_us INTEGER,
    day TEXT NOT NULL,
    timezone TEXT NOT NULL,
    tier TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    served_model TEXT,
    local INTEGER NOT NULL CHECK (local IN (0, 1)),
    session TEXT,
    tag TEXT,
    project TEXT,
    decision TEXT,
    reserved_nano INTEGER CHECK (reserved_nano >= 0),
    expires_us INTEGER NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    pid_started INTEGER,
    input_tokens_estimate INTEGER NOT NULL CHECK (input_tokens_estimate >= 0),
    outcome TEXT CHECK (outcome IN ('accepted', 'rejected', 'failed', 'interrupted', 'refused')),
    check_name TEXT,
    reason TEXT,
    finish_reason TEXT,
    input_tokens INTEGER CHECK (input_tokens >= 0),
    output_tokens INTEGER CHECK (output_tokens >= 0),
    cached_tokens INTEGER CHECK (cached_tokens >= 0),
    cache_write_tokens INTEGER CHECK (cache_write_tokens >= 0),
    reasoning_tokens INTEGER CHECK (reasoning_tokens >= 0),
    usage_source TEXT CHECK (usage_source IN ('reported', 'estimated', 'unknown')),
    cost_state TEXT CHECK (cost_state IN ('reported', 'priced', 'estimated', 'unknown', 'free')),
    cost_nano INTEGER CHECK (cost_nano >= 0),
    rates TEXT,
    price_reference TEXT,
    ttft_ms INTEGER,
    total_ms INTEGER,
    tokens_per_second REAL,
    CHECK ((state = 'reserved') = (cost_state IS NULL)),
    CHECK (CASE cost_state WHEN 'unknown' THEN cost_nano IS NULL WHEN 'free' THEN cost_nano = 0
           ELSE (cost_state IS NULL) = (cost_nano IS NULL) END),
    CHECK (state != 'void' OR cost_nano = 0)
) STRICT
"""

_ROLLUP = """
CREATE TABLE rollup (
    day TEXT NOT NULL,
    tier TEXT NOT NULL,
    model TEXT NOT NULL,
    calls INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    uncounted_calls INTEGER NOT NULL,
    cost_nano INTEGER NOT NULL,
    unpriced_calls INTEGER NOT NULL,
    PRIMARY KEY (day, tier, model)
) STRICT, WITHOUT ROWID
"""

_CONVERSATIONS = """
CREATE TABLE conversations (
    name TEXT PRIMARY KEY CHECK (name != ''),
    sticky_tier TEXT,
    last_turn INTEGER NOT NULL UNIQUE,
    created_us INTEGER NOT NULL,
    used_us INTEGER NOT NULL
) STRICT
"""

_MESSAGES = """
CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    conversation TEXT NOT NULL REFERENCES conversations (name) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant')),
    content TEXT NOT NULL,
    operation_id TEXT,
    created_us INTEGER NOT NULL
) STRICT
"""

_LEARNED = """
CREATE TABLE learned (
    endpoint_url TEXT NOT NULL,
    model TEXT NOT NULL,
    fact TEXT NOT NULL,
    value TEXT NOT NULL,
    learned_us INTEGER NOT NULL,
    PRIMARY KEY (endpoint_url, model, fact)
) STRICT, WITHOUT ROWID
"""

_META = "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID"

# Older rows were dated each in the zone of its time. Where that was always the same one, its days still hold.
_FIRST_ZONE = """
INSERT INTO meta SELECT 'timezone', CASE WHEN first = last THEN first ELSE '' END
FROM (SELECT min(timezone) AS first, max(timezone) AS last FROM calls) WHERE first IS NOT NULL
"""

# Calls that tell how a model did: an answer that was accepted or turned down. A server that was not there tells nothing of it,
# nor does an answer that was cut at a limit of tokens, which may be the user's own.
JUDGED = (
    "purpose = 'ask' AND (outcome IN ('accepted', 'rejected')"
    " OR (outcome = 'failed' AND check_name IN ('empty', 'filtered', 'refusal', 'tool_calls')))"
)

_OUTCOMES = """
CREATE TABLE outcomes (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('bench', 'feedback')),
    at_us INTEGER NOT NULL,
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    quantization TEXT,
    complexity REAL NOT NULL CHECK (complexity BETWEEN 1 AND 10),
    failed INTEGER NOT NULL CHECK (failed IN (0, 1)),
    run TEXT,
    call_id TEXT UNIQUE,
    CHECK ((kind = 'feedback') = (call_id IS NOT NULL))
) STRICT
"""

# What no budget allowed was never a call; the newest are kept for those who watch.
_REFUSALS = """
CREATE TABLE refusals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_us INTEGER NOT NULL,
    operation_id TEXT NOT NULL,
    purpose TEXT NOT NULL,
    tier TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    check_name TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT
"""

_ENDINGS = f"""
CREATE INDEX IF NOT EXISTS calls_not_accepted ON calls (day, outcome, check_name, state, cost_nano) WHERE {NOT_ACCEPTED}
"""

# Steps are only ever added: a store's `user_version` is the number of those it has had.
STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "first tables",
        (
            _CALLS,
            # Covers the sums of a period: a budget is checked without reading the rows themselves.
            "CREATE INDEX calls_by_start ON calls (started_us, state, cost_nano, reserved_nano)",
            "CREATE INDEX calls_reserved ON calls (expires_us) WHERE state = 'reserved'",
            _ROLLUP,
            _CONVERSATIONS,
            _MESSAGES,
            "CREATE INDEX messages_by_conversation ON messages (conversation, id)",
            _LEARNED,
        ),
    ),
    (
        "reports",
        (
            "ALTER TABLE calls ADD COLUMN baseline_model TEXT",
            "ALTER TABLE calls ADD COLUMN baseline_rates TEXT",
            "ALTER TABLE calls ADD COLUMN baseline_low_nano INTEGER CHECK (baseline_low_nano >= 0)",
            "ALTER TABLE calls ADD COLUMN baseline_high_nano INTEGER CHECK (baseline_high_nano >= 0)",
            "ALTER TABLE calls ADD COLUMN imported_us INTEGER",
            "CREATE INDEX calls_by_operation ON calls (operation_id)",
            "CREATE INDEX calls_by_session ON calls (session)",
            _META,
            _FIRST_ZONE,
            *ROLLUP_REBUILD,
        ),
    ),
    (
        "outcomes",
        (
            _OUTCOMES,
            "CREATE INDEX outcomes_by_model ON outcomes (endpoint, model, at_us)",
            f"CREATE INDEX calls_judged ON calls (endpoint, model, started_us, id) WHERE {JUDGED}",
        ),
    ),
    (
        "live",
        (
            # How far the answer of a call under way had come when its process last said so.
            "ALTER TABLE calls ADD COLUMN first_token_us INTEGER",
            "ALTER TABLE calls ADD COLUMN heard_us INTEGER",
            "ALTER TABLE calls ADD COLUMN heard_tokens INTEGER",
            _REFUSALS,
        ),
    ),
    (
        "endings",
        # Most answers are accepted; how the others ended is told without reading every call of the period.
        (_ENDINGS,),
    ),
)
VERSION = len(STEPS)


def migrate(connection: sqlite3.Connection) -> None:
    """Apply the steps this store has not had yet; to be called inside a transaction that began IMMEDIATE.

    Under it sqlite-utils works on savepoints, so of several processes that open a fresh store one does it all, and the
    others, once they have the lock, find nothing left to do.
    """
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

    migrations = Migrations("mrt")
    for name, statements in STEPS:
        migrations(name=name)(partial(_execute, statements))  # type: ignore[type-var]  # a partial has no __name__
    # Plugins that people installed for the sqlite-utils command have no business in this store.
    migrations.apply(Database(connection, recursive_triggers=False, execute_plugins=False))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _execute(statements: tuple[str, ...], database: Any) -> None:
    for statement in statements:
        database.execute(statement)
