"""The help topics: one line about each, and its text, which is loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module


def _text(module: str, name: str) -> Callable[[], str]:
    def load() -> str:
        found = getattr(import_module(f"mrt.commands.{module}"), name)
        return str(found() if callable(found) else found)

    return load


TOPICS: dict[str, tuple[str, Callable[[], str]]] = {
    "exit-codes": ("what mrt's exit codes mean", _text("_topic_settings", "exit_codes")),
    "environment": ("environment variables", _text("_topic_settings", "environment")),
    "config": ("every setting, its type and default", _text("_topic_settings", "config")),
    "json": ("what --json and --stream-json print", _text("_topic_json", "JSON_TEXT")),
    "tiers": ("what a tier is, which one starts, which one answers", _text("_topic_settings", "tiers")),
    "checks": ("how an answer is judged", _text("_topic_texts", "CHECKS_TEXT")),
    "budgets": ("what a budget promises, and how", _text("_topic_texts", "BUDGETS_TEXT")),
    "privacy": ("what is sent where, what is kept where", _text("_topic_privacy", "privacy")),
    "sandbox": ("where code that a model wrote runs", _text("_topic_texts", "SANDBOX_TEXT")),
}
