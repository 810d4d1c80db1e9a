"""The scripted models of the demo: what each of its three tiers says to the demo's prompts."""

from __future__ import annotations

from mrt.demo.script import Line, ModelScript

EAGAIN, SLUG, COMMIT, BILLING = "EAGAIN", "slug", "commit message", "billing"
_NOTHING = Line("", "A scripted model: it knows the prompts of the demo alone.")

# It leaves a bracket open, as small models do; whether that is noticed is what the demo is about.
_BROKEN = """\
```python
import re


def slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower().strip("-")
```"""
_WHOLE = """\
```python
import re


def slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
```"""
_PLAN = """\
1. Add the new columns beside the old ones; nothing reads them yet.
2. Write both, in one transaction, and count the rows that differ.
3. Copy the old rows in batches, oldest first, each batch by its key.
4. Read the new columns behind a switch, for one customer, then for all.
5. Stop writing the old ones; drop them a release later."""

_FAST = (
    Line(
        EAGAIN,
        "The call would have to wait, and the descriptor is non-blocking: try again when poll() says it is ready.",
    ),
    Line(SLUG, _BROKEN),
    Line(COMMIT, "Close the cursor when a query fails"),
    _NOTHING,
)
_HEAVY = (
    Line(SLUG, _WHOLE),
    Line(
        BILLING,
        "A draft: copy the tables at night, then switch over. Have it reviewed before you run it.",
        escalate="a plan for live payments is beyond me",
    ),
    _NOTHING,
)
_CLOUD = (Line(BILLING, _PLAN), _NOTHING)

# What the fast model is asked to describe: a change as git shows it.
CHANGE = """\
--- a/store.py
+++ b/store.py
@@ -12,4 +12,6 @@ def rows(connection, query):
     cursor = connection.cursor()
-    cursor.execute(query)
-    return cursor.fetchall()
+    try:
+        return cursor.execute(query).fetchall()
+    finally:
+        cursor.close()
"""


def fast(name: str) -> ModelScript:
    """The small local model, under this name."""
    return ModelScript(_FAST, name)


def heavy(name: str) -> ModelScript:
    """The large local model, which knows when it is out of its depth."""
    return ModelScript(_HEAVY, name)


def cloud(name: str) -> ModelScript:
    """The paid model."""
    return ModelScript(_CLOUD, name, context_length=200_000)
