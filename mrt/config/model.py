"""The configuration as the rest of mrt sees it; every field that a user can set is declared here, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NamedTuple

from mrt.config.compound import EXAMPLES, NAMES, TABLE, Example
from mrt.config.values import (
    BOOLEAN,
    LIMIT,
    LINE,
    MODEL,
    MONEY,
    SECONDS,
    TEXT,
    URL,
    VARIABLE,
    ZONE,
    Kind,
    choice,
    integer,
    number,
)
from mrt.frozen import frozen

EndpointKind = Literal["openai", "anthropic", "ollama", "vllm", "lm_studio", "llamacpp", "llama_swap", "litellm"]
ENDPOINT_KINDS: tuple[EndpointKind, ...] = (
    "openai",
    "anthropic",
    "ollama",
    "vllm",
    "lm_studio",
    "llamacpp",
    "llama_swap",
    "litellm",
)
# Prefixes of model ids that need no [endpoints] section.
PROVIDER_PREFIXES: tuple[str, ...] = (*ENDPOINT_KINDS, "openrouter", "groq", "deepseek", "gemini", "xai", "mistral")


class Declaration(NamedTuple):
    """What a field says of the setting it is.

    `example` is for settings whose default says nothing; `also` has older names of the environment variable by the name of the
    section ("" where sections have none).
    """

    kind: Kind
    help: str
    example: Any = None
    also: Mapping[str, str] = {}


def declared(
    kind: Kind, explanation: str, example: Any = None, also: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Field metadata that makes the field a setting."""
    return {"setting": Declaration(kind, explanation, example, also or {})}


@frozen
class Tier:
    """One step of the cascade: a model and how it is asked. None means: as the provider or `[ask]` has it."""

    name: str
    model: str = field(
        metadata=declared(
            MODEL,
            "Model of the tier, as PROVIDER/MODEL or ENDPOINT/MODEL",
            "ollama/llama3.1:8b",
            {
                "local-fast": "TIER_LOCAL_FAST_MODEL",
                "local-heavy": "TIER_LOCAL_HEAVY_MODEL",
                "cloud": "TIER_CLOUD_MODEL",
            },
        )
    )
    max_complexity: float | None = field(
        default=None,
        metadata=declared(
            number(0, 10),
            "Prompts above this complexity (1 to 10) start on a later tier; the last tier needs none",
            4.0,
        ),
    )
    system: str | None = field(
        default=None,
        metadata=declared(TEXT, "System prompt: the persona of the tier", "Answer in one short paragraph."),
    )
    examples: tuple[Example, ...] = field(
        default=(), metadata=declared(EXAMPLES, "Worked examples sent ahead of the prompt", (Example("2 + 2", "4"),))
    )
    temperature: float | None = field(default=None, metadata=declared(number(0, 2), "Sampling temperature", 0.0))
    max_tokens: int | None = field(
        default=None, metadata=declared(integer(1), "Most tokens of an answer of this tier", 2048)
    )
    timeout: float | None = field(
        default=None, metadata=declared(SECONDS, "Seconds that an answer of this tier may take in all", 120.0)
    )
    context: int | None = field(
        default=None,
        metadata=declared(
            integer(1),
            "Context length in tokens: asked of Ollama, for others it ranks the tiers",
            8192,
        ),
    )
    options: Mapping[str, Any] = field(
        default_factory=dict,
        hash=False,
        metadata=declared(TABLE, "Further request fields, sent to the server as they are", {"top_p": 0.9}),
    )
    checks: tuple[str, ...] | None = field(
        default=None,
        metadata=declared(
            NAMES, "Quality checks an answer must pass, instead of the usual ones", ["code", "confidence=0.6"]
        ),
    )
    think: Literal["auto", "implicit", "off"] = field(
        default="auto",
        metadata=declared(
            choice("auto", "implicit", "off"),
            'Where thinking begins: "auto" at its tag, "implicit" at once, since the template opened it, "off" nowhere',
        ),
    )
    tools: bool | None = field(
        default=None, metadata=declared(BOOLEAN, "Whether the model is offered the tool that hands a prompt up", True)
    )


DEFAULT_TIERS = (
    Tier("local-fast", "ollama/llama3.1:8b", 4.0),
    Tier("local-heavy", "ollama/hermes3:70b", 10.0),
    Tier("cloud", "anthropic/claude-haiku-4-5"),
)


@frozen
class EndpointSettings:
    """A server of the user's, usable as NAME/MODEL. `key_file` is an absolute path; `local` None means: as its kind."""

    name: str
    kind: EndpointKind = field(metadata=declared(choice(*ENDPOINT_KINDS), "What kind of server it is", "litellm"))
    url: str = field(metadata=declared(URL, "Its address", "http://localhost:4000"))
    key_env: str | None = field(
        default=None, metadata=declared(VARIABLE, "Environment variable that holds the key", "KOALA_KEY")
    )
    key_cmd: str | None = field(
        default=None, metadata=declared(LINE, "Shell command that prints the key", "pass show koala")
    )
    key_file: str | None = field(
        default=None,
        metadata=declared(LINE, "File that holds the key, readable by its owner only", "~/.config/mrt/koala.key"),
    )
    local: bool | None = field(
        default=None,
        metadata=declared(
            BOOLEAN, "Free of charge; by default so for ollama, vllm, lm_studio, llamacpp and llama_swap", False
        ),
    )


@frozen
class Budget:
    """Limits on what paid tiers may spend, in dollars; None means no limit, 0 that nothing may be paid."""

    daily_usd: Decimal | None = field(
        default=Decimal("5.0"),
        metadata=declared(LIMIT, "Most dollars in a day", also={"": "TIER_CLOUD_DAILY_BUDGET_USD"}),
    )
    monthly_usd: Decimal | None = field(
        default=Decimal("50.0"),
        metadata=declared(LIMIT, "Most dollars in a month", also={"": "TIER_CLOUD_MONTHLY_BUDGET_USD"}),
    )
    timezone: str | None = field(
        default=None,
        metadata=declared(
            ZONE, "Time zone in which days and months begin; without this setting the system's", "Europe/Berlin"
        ),
    )
    soft_pct: int = field(default=80, metadata=declared(integer(1, 100), "Percent of a limit from which on mrt warns"))
    on_store_failure: Literal["refuse", "allow"] = field(
        default="refuse",
        metadata=declared(choice("refuse", "allow"), "What happens to paid tiers when the spend store does not work"),
    )
    per_session_usd: Decimal | None = field(
        default=None,
        metadata=declared(LIMIT, "Most dollars in one conversation, or in one ask without any", Decimal("1.0")),
    )
    per_call_usd: Decimal | None = field(
        default=None, metadata=declared(LIMIT, "Most dollars that one call may cost", Decimal("0.25"))
    )


@frozen
class LimitSettings:
    """A limit on some calls: those that fit everything it names. In dollars; None means no such limit."""

    name: str
    tier: str | None = field(
        default=None, metadata=declared(LINE, "Only calls of this tier; * stands for any text", "cloud")
    )
    model: str | None = field(
        default=None, metadata=declared(LINE, "Only calls to this PROVIDER/MODEL; * stands for any text", "anthropic/*")
    )
    tag: str | None = field(
        default=None, metadata=declared(LINE, "Only calls with this tag; * stands for any text", "nightly")
    )
    project: str | None = field(
        default=None, metadata=declared(LINE, "Only calls of this project; * stands for any text", "website")
    )
    session: str | None = field(
        default=None, metadata=declared(LINE, "Only calls of the conversation of this name", "review")
    )
    daily_usd: Decimal | None = field(
        default=None, metadata=declared(LIMIT, "Most dollars of those calls in a day", Decimal("1.0"))
    )
    monthly_usd: Decimal | None = field(
        default=None, metadata=declared(LIMIT, "Most dollars of those calls in a month", Decimal("10.0"))
    )
    per_session_usd: Decimal | None = field(
        default=None, metadata=declared(LIMIT, "Most dollars of those calls in one conversation", Decimal("0.5"))
    )
    per_call_usd: Decimal | None = field(
        default=None, metadata=declared(LIMIT, "Most dollars that one of those calls may cost", Decimal("0.1"))
    )


@frozen
class Price:
    """What a model costs, in dollars per million tokens; None means that cached input is billed as input."""

    input_usd_per_mtok: Decimal = field(metadata=declared(MONEY, "Input tokens, dollars per million", Decimal("2.5")))
    output_usd_per_mtok: Decimal = field(
        metadata=declared(MONEY, "Output tokens, dollars per million", Decimal("10.0"))
    )
    cached_input_usd_per_mtok: Decimal | None = field(
        default=None, metadata=declared(MONEY, "Input tokens read from a cache, dollars per million", Decimal("1.25"))
    )
    cache_write_usd_per_mtok: Decimal | None = field(
        default=None, metadata=declared(MONEY, "Input tokens written to a cache, dollars per million", Decimal("3.125"))
    )


@frozen
class AskSettings:
    """How `mrt ask` behaves unless told otherwise. Times are in seconds."""

    max_tokens: int = field(default=4096, metadata=declared(integer(1), "Most tokens of an answer"))
    timeout: float = field(default=600.0, metadata=declared(SECONDS, "Seconds that an answer may take in all"))
    connect_timeout: float = field(default=5.0, metadata=declared(SECONDS, "Seconds to reach a server"))
    first_token_timeout: float = field(
        default=300.0, metadata=declared(SECONDS, "Seconds until the first token, loading of the model included")
    )
    idle_timeout: float = field(default=120.0, metadata=declared(SECONDS, "Seconds without a further token"))
    stdin_timeout: float = field(
        default=1.0, metadata=declared(SECONDS, "Seconds to wait for the first byte of piped input")
    )
    retries: int = field(
        default=2, metadata=declared(integer(0, 100), "Further tries after an overload or a lost connection")
    )
    reasoning: Literal["none", "stderr"] = field(
        default="none", metadata=declared(choice("none", "stderr"), "Where a model's thinking goes")
    )
    escalate: bool = field(default=True, metadata=declared(BOOLEAN, "Whether a poor answer goes to the next tier"))
    stream: Literal["auto", "always", "never"] = field(
        default="auto", metadata=declared(choice("auto", "always", "never"), "Whether text is printed as it comes")
    )
    tag: str | None = field(default=None, metadata=declared(LINE, "Tag that calls are booked under", "nightly"))
    project: str | None = field(default=None, metadata=declared(LINE, "Project that calls are booked under", "website"))


@frozen
class RouteSettings:
    """How a tier is chosen."""

    max_risk: float | None = field(
        default=None,
        metadata=declared(
            number(0, 1),
            "Highest probability of a poor answer that a tier may start with",
            0.2,
        ),
    )
    policy: Literal["capability", "min_cost"] = field(
        default="capability",
        metadata=declared(
            choice("capability", "min_cost"),
            "First tier that is able enough, or the one whose answers, escalations included, are expected to cost least",
        ),
    )
    learn: bool = field(
        default=True,
        metadata=declared(BOOLEAN, "Whether past outcomes in the spend store correct the probability of failure"),
    )
    secrets: Literal["any", "local"] = field(
        default="any",
        metadata=declared(
            choice("any", "local"),
            "Where a prompt may go that holds what looks like a key: anywhere, or local tiers only",
        ),
    )


@frozen
class AssessorSettings:
    """A model that rates prompts beside the rules; without `model` there is none. The timeout is in seconds."""

    model: str | None = field(
        default=None,
        metadata=declared(
            MODEL,
            "Model that gives a second opinion on complexity",
            "anthropic/claude-haiku-4-5",
        ),
    )
    when: Literal["never", "boundary", "always"] = field(
        default="boundary",
        metadata=declared(
            choice("never", "boundary", "always"),
            "When it is asked: boundary means near a tier's threshold, or where the prompt carries no signal",
        ),
    )
    max_tokens: int = field(default=256, metadata=declared(integer(1), "Most tokens of its answer"))
    timeout: float = field(default=10.0, metadata=declared(SECONDS, "Seconds that it may take"))


@frozen
class PlannerSettings:
    """The model that breaks work down."""

    model: str | None = field(
        default=None,
        metadata=declared(MODEL, "Model that breaks a task into steps", "anthropic/claude-opus-4-5"),
    )
    max_tokens: int = field(default=2048, metadata=declared(integer(1), "Most tokens of its plan"))
    timeout: float = field(default=120.0, metadata=declared(SECONDS, "Seconds that it may take"))


@frozen
class Template:
    """A prompt kept under a name."""

    name: str
    prompt: str | None = field(
        default=None,
        metadata=declared(
            TEXT, "Text ahead of what is asked, or around it where it holds {input}", "Summarize in three sentences:"
        ),
    )
    system: str | None = field(default=None, metadata=declared(TEXT, "System prompt", "Answer in plain words."))
    model: str | None = field(default=None, metadata=declared(MODEL, "Model, tier or alias that answers", "local-fast"))


class Origin(NamedTuple):
    """Where a value came from; `where` is the variable's name, FILE:LINE, or empty for a default."""

    kind: Literal["environment", "file", "default"]
    where: str = ""


@frozen
class Config:
    """All settings. `path` is the file that was read, None where there was none; `origins` goes by dotted key."""

    path: Path | None = None
    tiers: tuple[Tier, ...] = DEFAULT_TIERS
    endpoints: Mapping[str, EndpointSettings] = field(default_factory=dict)
    budget: Budget = Budget()
    limits: Mapping[str, LimitSettings] = field(default_factory=dict)
    prices: Mapping[str, Price] = field(default_factory=dict)
    ask: AskSettings = AskSettings()
    route: RouteSettings = RouteSettings()
    assessor: AssessorSettings = AssessorSettings()
    planner: PlannerSettings = PlannerSettings()
    aliases: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[str, Template] = field(default_factory=dict)
    origins: Mapping[str, Origin] = field(default_factory=dict)
