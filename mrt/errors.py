"""The failures mrt knows, each with an exit code, a stable code for scripts and a hint.

MrtError                 1   internal
├─ UsageError            2   usage           the command line or an input file is wrong
│  └─ ConfigError        2   config          the configuration is wrong
├─ UpstreamError         3   upstream        a server answered with a failure
│  ├─ Unreachable        3   unreachable     nobody answered
│  ├─ NotAnApi           3   not_an_api      somebody answered who is not a model server
│  ├─ ProtocolFailure    3   protocol        the answer cannot be read
│  ├─ ModelNotFound      3   model_not_found
│  ├─ BadRequest         3   bad_request     the server rejects the request itself
│  ├─ ContextOverflow    3   context         prompt and answer do not fit the served context
│  └─ Overloaded         3   overloaded      busy or loading; worth another try
├─ AuthError             4   auth
├─ BudgetError           5   budget
│  ├─ UnpricedError      5   unpriced        a budget cannot be checked without a price
│  └─ StoreError         5   store           the spend store does not work
├─ IncompleteError       6   incomplete      no whole answer
│  ├─ Truncated          6   truncated       the stream broke off
│  ├─ LengthLimit        6   max_tokens      cut at the token limit
│  ├─ Filtered           6   filtered        the provider's filter cut it
│  ├─ Refused            6   refusal         the model refused
│  ├─ EmptyAnswer        6   empty
│  └─ ToolCallOnly       6   tool_calls      a tool call where an answer was asked
├─ QualityError          7   quality         below the bar on every tier allowed
├─ RateLimited           8   rate_limit
│  └─ QuotaExceeded      8   quota           waiting does not help
├─ SandboxError         69   sandbox         code that a model wrote cannot be run safely
├─ TimedOut            124   timeout
└─ Interrupted         130   interrupted     Ctrl-C or a signal
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the shell sees."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    UPSTREAM = 3
    AUTH = 4
    BUDGET = 5
    INCOMPLETE = 6
    QUALITY = 7
    RATE_LIMIT = 8
    NO_FIT = 9
    SANDBOX = 69
    TIMEOUT = 124
    INTERRUPTED = 130


EXIT_CODE_MEANINGS: dict[ExitCode, str] = {
    ExitCode.OK: "done and accepted",
    ExitCode.INTERNAL: "internal error",
    ExitCode.USAGE: "wrong usage or configuration",
    ExitCode.UPSTREAM: "no endpoint reachable, or the server failed",
    ExitCode.AUTH: "authentication failed",
    ExitCode.BUDGET: "refused by a budget",
    ExitCode.INCOMPLETE: "the answer is incomplete (cut, filtered, refused, empty)",
    ExitCode.QUALITY: "below the quality bar on every tier allowed",
    ExitCode.RATE_LIMIT: "rate limit or quota",
    ExitCode.NO_FIT: "does not fit the memory",
    ExitCode.SANDBOX: "no sandbox available",
    ExitCode.TIMEOUT: "timed out",
    ExitCode.INTERRUPTED: "interrupted",
}


class MrtError(Exception):
    """A failure with a message for people, a hint for the next step and a code for scripts."""

    exit_code: int = ExitCode.INTERNAL
    code = "internal"

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(MrtError):
    exit_code = ExitCode.USAGE
    code = "usage"


class ConfigError(UsageError):
    code = "config"


class UpstreamError(MrtError):
    exit_code = ExitCode.UPSTREAM
    code = "upstream"


class Unreachable(UpstreamError):
    code = "unreachable"


class NotAnApi(UpstreamError):
    code = "not_an_api"


class ProtocolFailure(UpstreamError):
    code = "protocol"


class ModelNotFound(UpstreamError):
    code = "model_not_found"


class BadRequest(UpstreamError):
    code = "bad_request"


class ContextOverflow(UpstreamError):
    code = "context"


class Overloaded(UpstreamError):
    code = "overloaded"


class AuthError(MrtError):
    exit_code = ExitCode.AUTH
    code = "auth"


class BudgetError(MrtError):
    exit_code = ExitCode.BUDGET
    code = "budget"


class UnpricedError(BudgetError):
    code = "unpriced"


class StoreError(BudgetError):
    code = "store"


class IncompleteError(MrtError):
    exit_code = ExitCode.INCOMPLETE
    code = "incomplete"


class Truncated(IncompleteError):
    code = "truncated"


class LengthLimit(IncompleteError):
    code = "max_tokens"


class Filtered(IncompleteError):
    code = "filtered"


class Refused(IncompleteError):
    code = "refusal"


class EmptyAnswer(IncompleteError):
    code = "empty"


class ToolCallOnly(IncompleteError):
    code = "tool_calls"


class QualityError(MrtError):
    exit_code = ExitCode.QUALITY
    code = "quality"


class RateLimited(MrtError):
    exit_code = ExitCode.RATE_LIMIT
    code = "rate_limit"


class QuotaExceeded(RateLimited):
    code = "quota"


class SandboxError(MrtError):
    exit_code = ExitCode.SANDBOX
    code = "sandbox"


class TimedOut(MrtError):
    exit_code = ExitCode.TIMEOUT
    code = "timeout"


class Interrupted(MrtError):
    exit_code: int = ExitCode.INTERRUPTED
    code = "interrupted"
