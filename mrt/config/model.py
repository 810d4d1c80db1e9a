"""The configuration as the rest of mrt sees it; every field that a user can set is declared here, or in spending.py, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from mrt.config.compound import EXAMPLES, NAMES, TABLE, Example
from mrt.config.declaration import ADDED, HARMLESS, LABEL, LOWER, declared, only
from mrt.config.spending import Budget, LimitSettings, Price
from mrt.config.values import (
    BOOLEAN,
    LINE,
    MODEL,
    SECONDS,
    TEXT,
    URL,
    VARIABLE,
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
class AskSettings:
    """How `mrt ask` behaves unless told otherwise. Times are in seconds."""

    max_tokens: int = field(default=4096, metadata=declared(integer(1), "Most tokens of an answer", project=LOWER))
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
        default="none", metadata=declared(choice("none", "stderr"), "Where a model's thinking goes", project=HARMLESS)
    )
    escalate: bool = field(default=True, metadata=declared(BOOLEAN, "Whether a poor answer goes to the next tier"))
    stream: Literal["auto", "always", "never"] = field(
        default="auto",
        metadata=declared(choice("auto", "always", "never"), "Whether text is printed as it comes", project=HARMLESS),
    )
    tag: str | None = field(
        default=None, metadata=declared(LINE, "Tag that calls are booked under", "nightly", project=LABEL)
    )
    project: str | None = field(
        default=None, metadata=declared(LINE, "Project that calls are booked under", "website", project=LABEL)
    )


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
            project=only("local", '"local"'),
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
class McpSettings:
    """What agents may do with the tools of `mrt mcp`. `coding_model` None means: the first local tier with a coder."""

    allow_paid: bool = field(
        default=False,
        metadata=declared(
            BOOLEAN, "Whether tools may ask paid tiers and models, within the budget", project=only(False, "false")
        ),
    )
    coding_model: str | None = field(
        default=None,
        metadata=declared(MODEL, "Model, tier or alias that ask_coding_model asks", "ollama/qwen2.5-coder:7b"),
    )
    tag: str = field(default="mcp", metadata=declared(LINE, "Tag that the calls of tools are booked under"))


@frozen
class Template:
    """A prompt kept under a name."""

    name: str
    prompt: str | None = field(
        default=None,
        metadata=declared(
            TEXT,
            "Text ahead of what is asked, or around it where it holds {input}",
            "Summarize in three sentences:",
            project=ADDED,
        ),
    )
    system: str | None = field(
        default=None, metadata=declared(TEXT, "System prompt", "Answer in plain words.", project=ADDED)
    )
    model: str | None = field(default=None, metadata=declared(MODEL, "Model, tier or alias that answers", "local-fast"))


class Origin(NamedTuple):
    """Where a value came from; `where` is the variable's name, FILE:LINE, or empty for a default."""

    kind: Literal["environment", "project", "file", "default"]
    where: str = ""


@frozen
class Config:
    """All settings. `path` is the file that was read, None where there was none; `origins` goes by dotted key.

    `project_path` is the project's file, where one was found, and `warnings` say what of it does not count.
    """

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
    mcp: McpSettings = McpSettings()
    aliases: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[str, Template] = field(default_factory=dict)
    origins: Mapping[str, Origin] = field(default_factory=dict)
    project_path: Path | None = None
    warnings: tuple[str, ...] = ()
