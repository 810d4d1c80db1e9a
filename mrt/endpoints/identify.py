"""Find out what a server is, and put what it is into a report."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from mrt.endpoints.kinds import PROVIDERS
from mrt.endpoints.line import Line
from mrt.endpoints.place import Place
from mrt.endpoints.probe import models_url
from mrt.endpoints.servers import RECOGNISERS, Recognise
from mrt.endpoints.servers.listing import list_address, listed_in
from mrt.endpoints.sighting import Sighting
from mrt.errors import MrtError
from mrt.providers import shown
from mrt.providers.visit import LARGEST_ANSWER, Answer

# What common web servers answer to plain text at a port for TLS.
_HTTPS_WANTED = re.compile(r"HTTP request (?:was sent )?to (?:an )?HTTPS (?:port|server)", re.IGNORECASE)

_BEHIND = "a gateway answers, but not the server behind it"
# What passes by itself, or with another server's start; the address is right all the same.
_FOR_NOW = {
    429: "it turns requests away for now",
    502: _BEHIND,
    503: "it is not available now",
    504: _BEHIND,
    529: "it is overloaded",
}


def identify(place: Place, line: Line) -> Sighting:
    """What the server on this line is. Raises Unreachable, TimedOut or NotAnApi when it cannot be spoken to."""
    if _is_cloud(place):
        return _cloud(place, line)
    for recognise in _in_order(place):
        sighting = recognise(line)
        if sighting is not None:
            return sighting
    return _stranger(place, line)


def _is_cloud(place: Place) -> bool:
    """A server for everybody, or one elsewhere that is only said to be like one: it has a list of models and nothing more."""
    if place.target.kind not in ("openai", "anthropic"):
        return False
    return place.remote or place.target.protocol == "anthropic" or place.name not in place.config.endpoints


def _cloud(place: Place, line: Line) -> Sighting:
    listed_at = models_url(line.target)
    if _is_openrouter(place):
        # Its list of models is open to everybody; this says whether the key is good, and costs nothing.
        line.list_models(listed_at.removesuffix("/models") + "/key")
    found = RECOGNISERS["openai"](line)
    return found if found is not None and line.refused is None else _stranger(place, line)


def _is_openrouter(place: Place) -> bool:
    own = place.name == "openrouter" and place.name not in place.config.endpoints
    return own or urlsplit(place.target.url).hostname == "openrouter.ai"


def _in_order(place: Place) -> Iterator[Recognise]:
    """The kinds that are expected here, then all others."""
    expected = [kind for kind in (place.target.kind, *place.names) if kind in RECOGNISERS and kind != "openai"]
    yield from (RECOGNISERS[kind] for kind in dict.fromkeys([*expected, *RECOGNISERS]))


def _stranger(place: Place, line: Line) -> Sighting:
    """Somebody who is no model server that can be used: say what is known of them."""
    kind = place.target.kind
    if line.refused is not None and not _is_page(line.refused):
        return Sighting(kind, "auth")
    if line.first is None:
        return _silent(kind, line.trouble)
    answer = line.list_models(list_address(line)) or line.first
    if answer.status == 400 and _HTTPS_WANTED.search(answer.text[:2000]):
        return Sighting(kind, "unknown", message="it speaks TLS, not plain HTTP", hint="write https:// in its url")
    if answer.status in _FOR_NOW:
        return Sighting(kind, "unknown", message=f"{_FOR_NOW[answer.status]} (HTTP {answer.status})")
    if not answer.whole:
        return Sighting(
            kind, "unknown", message=f"it sends more than {LARGEST_ANSWER // 2**20} MiB where a list is due"
        )
    if listed_in(answer) is not None:
        return Sighting(kind)
    return Sighting(
        kind,
        "unknown",
        message=f"it answers, but not as a model server ({_looks(answer)})",
        hint=f"check the url of {place.name}",
    )


def _silent(kind: str, trouble: MrtError | None) -> Sighting:
    if trouble is None:
        return Sighting(kind, "unknown", message="it says nothing")
    return Sighting(kind, "unknown", message=trouble.message, hint=trouble.hint)


def _is_page(answer: Answer) -> bool:
    """A page that says no is some web server's; model servers speak JSON, or plain text."""
    return answer.status == 403 and "html" in answer.headers.get("content-type", "")


def _looks(answer: Answer) -> str:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip()[:60]
    return f"HTTP {answer.status}, {kind}" if kind else f"HTTP {answer.status}"


def with_names(sighting: Sighting, place: Place) -> Sighting:
    """The sighting, with what to do where it is another kind of server than the user's settings say."""
    expected, found = place.target.kind, sighting.kind
    if sighting.state != "ready" or not place.named or found == expected or expected in ("openai", "anthropic"):
        return sighting
    hint = _other_kind(place, found)
    if expected == "ollama":  # its own protocol, which no other speaks; all others answer chat completions
        named = "a server like OpenAI's" if found == "openai" else found
        return replace(sighting, state="unknown", message=f"it is {named}, not {expected}", hint=hint)
    # With a list of models and nothing more it may be the expected kind behind a gateway.
    return sighting if found == "openai" else replace(sighting, hint=hint)


def _other_kind(place: Place, found: str) -> str:
    """The commands that call the server what it is; the name of a cloud would lead to that cloud."""
    provider = PROVIDERS.get(found)
    named = "a server like OpenAI's" if found == "openai" else found
    setting = f"mrt config set endpoints.{place.name}"
    if place.name not in place.config.endpoints:
        if provider is not None and found != "openai":
            return f"it is {named}: export {provider.variables}_BASE_URL={shown(place.target.url)}, and write {found}/MODEL"
        return f"it is {named}: give it an endpoint of its own, of the kind openai: mrt help config"
    if found in RECOGNISERS and found != "openai":
        return f"it is {named}: {setting}.kind {found}"
    guessed = place.config.endpoints[place.name].local is None and place.target.local
    local = f" && {setting}.local true" if guessed else ""
    return f"it is {named}: {setting}.kind openai{local}"
