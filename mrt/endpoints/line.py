"""The questions a probe may put to a server, each asked at most once, with the key only where it belongs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mrt.domain import Secret, Target
from mrt.endpoints import probe
from mrt.endpoints.kinds import PLACEHOLDER_KEY, PROVIDERS
from mrt.errors import NotAnApi, TimedOut, Unreachable, UpstreamError
from mrt.providers import protocol
from mrt.providers.visit import Answer, Visit

# Read-only on every server on record: none of these loads, unloads, wakes, evicts or runs a model, and none costs money. What
# reads like a question but is not one stays out: LiteLLM's /health asks every model, llama-swap's /unload is a GET, and /slots
# wakes a sleeping llama.cpp and keeps one that is awake from falling asleep.
ASKED_OF_ANY = frozenset(
    {
        "/props",
        "/running",
        "/health/liveliness",
        "/api/version",
        "/api/tags",
        "/api/v1/models",
        "/api/v0/models",
        "/v1/models",
    }
)
# Asked of the one kind of server that is known to take it well.
ASKED_OF_ONE = {
    "ollama": frozenset({"/api/ps"}),
    "llamacpp": frozenset({"/metrics", "/models"}),
    "vllm": frozenset({"/version", "/metrics"}),
    "litellm": frozenset({"/v1/model/info", "/health/readiness"}),
}


class Line:
    """One server while it is visited. `target` has the key; a key that was found by chance is held back until it is asked for.

    `first` is the first answer of all, `trouble` the last request that got none, `refused` says that a key was not accepted.
    """

    def __init__(self, target: Target, visit: Visit, *, hold_key: bool = False) -> None:
        self.target = target
        self._visit = visit
        self._send_key = not hold_key and target.key is not None
        self._answers: dict[str, Answer | None] = {}
        self.first: Answer | None = None
        self.trouble: UpstreamError | None = None
        self.refused: Answer | None = None

    @property
    def sent_key(self) -> bool:
        """Whether the server has been shown the key."""
        return self._send_key

    @property
    def root(self) -> str:
        """The server's address without what protocols add to it."""
        return root_of(self.target.url)

    def ask(self, path: str, kind: str | None = None) -> Answer | None:
        """The answer to GET `path`; None when the server closed the connection instead.

        Raises Unreachable and TimedOut: there is nobody to put further questions to.
        """
        if path not in ASKED_OF_ANY and path not in ASKED_OF_ONE.get(kind or "", ()):
            raise ValueError(f"{path} is not asked of {kind or 'a stranger'}")
        return self._once(self.root + path)

    def more(self, path: str, kind: str) -> Answer | None:
        """Like `ask`, for what is nice to have of a server that is recognised: no failure matters. Answers of 200 only."""
        try:
            answer = self.ask(path, kind)
        except (Unreachable, TimedOut):
            return None
        return answer if answer is not None and answer.status == 200 else None

    def list_models(self, url: str) -> Answer | None:
        """The answer to the list of models that the protocol of the endpoint has, at its own address."""
        return self._once(url)

    def json(self, path: str) -> Any:
        """The document of a successful answer to `ask`; None when there is none."""
        answer = self.ask(path)
        return answer.json if answer is not None and answer.status == 200 else None

    def _once(self, url: str) -> Answer | None:
        if url not in self._answers:
            self._answers[url] = self._asked(url)
        return self._answers[url]

    def _asked(self, url: str) -> Answer | None:
        try:
            answer = self._visit.get(url, self._headers())
            if is_refusal(answer) and not self._send_key:
                answer = self._with_key(url, answer)
        except (Unreachable, TimedOut):
            raise
        except UpstreamError as error:
            self.trouble = error
            if self.first is None and isinstance(error, NotAnApi):
                raise
            return None
        self.first = self.first or answer
        if is_refusal(answer):
            self.refused = answer
        return answer

    def _with_key(self, url: str, refusal: Answer) -> Answer:
        """Ask again with the key that was held back, or as local servers are asked: with anything for a key."""
        if self.target.key is None:
            if not PROVIDERS[self.target.kind].local:
                return refusal
            return self._visit.get(url, self._headers(Secret(PLACEHOLDER_KEY)))
        self._send_key = True
        return self._visit.get(url, self._headers())

    def _headers(self, stand_in: Secret | None = None) -> Mapping[str, str]:
        key = stand_in or (self.target.key if self._send_key else None)
        return protocol(self.target).headers(replace(self.target, key=key))


def root_of(url: str) -> str:
    """An address without `/v1` or `/api`, a user's name, a query or a slash at its end."""
    return re.sub(r"[?#].*", "", url).rstrip("/").removesuffix("/v1").removesuffix("/api").rstrip("/")


def is_refusal(answer: Answer) -> bool:
    """Whether the server wants a key, or another one."""
    return probe.is_refusal(answer.status, answer.json if answer.status == 400 else None)
