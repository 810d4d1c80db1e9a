"""`mrt help exit-codes`, `environment`, `config` and `tiers`: made from what is declared, so that they cannot drift from it."""

from __future__ import annotations


def exit_codes() -> str:
    """What each exit code means."""
    from mrt.errors import EXIT_CODE_MEANINGS

    lines = [f"{int(code):>3}  {meaning}" for code, meaning in EXIT_CODE_MEANINGS.items()]
    return "\n".join([*lines, "128 + N  ended by signal N (129: hang-up, 143: terminated)"])


def environment() -> str:
    """Every environment variable that is looked at."""
    from mrt.config import describe
    from mrt.endpoints import PROVIDERS

    lines = [
        "MRT_CONFIG   the config file (default: $XDG_CONFIG_HOME/mrt/config.toml)",
        "MRT_PROJECT_CONFIG   off: no project's .mrt.toml is read; nor is one where MRT_CONFIG or --config names a file",
        "MRT_DB       the spend store (default: $XDG_DATA_HOME/mrt/spend.db)",
        "XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_CACHE_HOME   where config, store, cache are (~/.config, ~/.local/share, ~/.cache)",
        "NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE, TERM=dumb   whether to colour",
        "MRT_PAGER, PAGER   the pager of what is longer than the screen (less); empty or cat: none",
        "HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY   the proxy to other machines; never used for this one",
        "SSL_CERT_FILE   certificates that vouch for servers",
        "CUDA_VISIBLE_DEVICES   the NVIDIA GPUs that fit counts",
        "TZ   the timezone of days and months where budget.timezone is not set",
        "",
        "Each provider's address and key (empty counts as unset):",
    ]
    for name, provider in PROVIDERS.items():
        stem = provider.variables
        also = ", then LOCAL_LLM_BASE_URL and LOCAL_LLM_API_KEY" if provider.local else ""
        lines.append(f"  {name + '/':<12} {stem}_BASE_URL, {stem}_API_KEY{also}")
    lines += ["", "Each setting:"]
    lines += [f"  {', '.join(setting.environment)}  ({setting.name})" for setting in describe()]
    return "\n".join(lines)


def config() -> str:
    """Every setting."""
    from mrt.config import describe

    lines = [
        "Settings of config.toml; precedence: flag, environment, project's .mrt.toml, file, default.",
        "A project's file may set what says so and nothing else.",
        "",
    ]
    for setting in describe():
        mark = f"; a project may {setting.project}" if setting.project else ""
        lines.append(f"{setting.name} = {setting.default or '(unset)'}  ({setting.type}{mark})")
        lines.append(f"    {setting.help}")
    return "\n".join(lines)


_TIERS = """\
A tier is a model with a name, and how it is asked: [tiers.NAME] in the config file, in the order in which they are climbed, any
number of them. Without any, these are built in:
{defaults}
Which tier starts: the complexity of the prompt, 1 to 10, is worked out from its text alone, and the first tier whose
max_complexity reaches it starts; the last needs none. A gate closes a tier: its server is down, the prompt does not fit its
context, its price is not known under a budget, a budget is in the way. `mrt route --explain "..."` shows all of it and sends
nothing.
Which tier answers: the first whose answer passes its checks (`mrt help checks`). Else, and when the server fails, the next one
is asked.
  --tier NAME       start there
  --max-tier NAME   go no higher
  --no-escalate     take what the first tier gives
  -m MODEL          ask this one alone
A conversation that escalated stays on the higher tier until `mrt ask --clear`.
Whether a tier costs anything goes by its endpoint, never by the model's name. Free of charge are local servers
({local}); all others are paid, unless `local` says otherwise
under [endpoints.NAME].
Settings of a tier:
{settings}"""


def tiers() -> str:
    """What a tier is, the ones built in, and their settings."""
    from mrt.config import DEFAULT_TIERS, describe
    from mrt.endpoints import PROVIDERS

    defaults = [f"  {tier.name:<12} {tier.model:<28} {_bound(tier.max_complexity)}" for tier in DEFAULT_TIERS]
    settings = [item for item in describe() if item.name.startswith("tiers.")]
    local = [name for name, provider in PROVIDERS.items() if provider.local]
    return _TIERS.format(
        defaults="\n".join(defaults),
        local=", ".join(local),
        settings="\n".join(f"  {item.name.rpartition('.')[2]:<15} {item.help}" for item in settings),
    )


def _bound(complexity: float | None) -> str:
    return "everything else" if complexity is None else f"complexity up to {complexity:g}"
