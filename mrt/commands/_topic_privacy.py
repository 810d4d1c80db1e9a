"""`mrt help privacy`: what goes where, what is kept where, and what is never done, with the paths and names that are declared."""

from __future__ import annotations

_TEXT = """\
What leaves this machine: a prompt, its files and its conversation go to the endpoint of the tier that is asked, to models you set
as assessor, as planner or for a second opinion (agree=MODEL), and nowhere else. Which tier that will be, `mrt route` says, and
`mrt ask --dry-run` shows the whole request and sends none of it. There is no telemetry, no update check, no download of prices:
the catalog, the prices and the router's weights are part of the package.
  mrt probe                   asks for names and states: the configured endpoints, clouds with a key, and the usual ports of
                              this machine ({ports})
  mrt bench                   sends its own tasks, or yours, to the models named
  mrt fit URL                 reads the head of the model file at this address
  mrt spend prices --update   fetches a table, from where genai-prices publishes it; nothing else does
A redirect to another host is not followed. Proxies are never used for addresses of this machine. A .mrt.toml that came with a
repository can neither run a command nor name a model or server, and limits in it only get tighter (`mrt help config`).

What is kept, by default and with XDG_CONFIG_HOME, XDG_DATA_HOME and XDG_CACHE_HOME unset:
{paths}
The store holds the tokens, times, costs and outcomes of all calls, and the text of conversations in plain form, so that -c and
--session work. `mrt ask -n` keeps no text; `mrt ask --clear` forgets a conversation. Nobody else can read them: folders are made
with mode 0700, files with 0600. To be rid of something, delete the file.

Keys come from the environment ({keys}, ...), from the output of key_cmd, or from
key_file; never from a flag. A key is sent to its own endpoint alone, and never printed, logged or stored: messages, --json and
--debug-http mask what looks like one. A server of this machine never gets a cloud's key.

Code that a model wrote runs nowhere but in the sandbox (`mrt help sandbox`). An answer is never part of a command line, and its
control sequences never reach a terminal. Completion asks no server, runs no key_cmd and shows no text of a conversation."""


def privacy() -> str:
    """The text, with what is declared elsewhere."""
    from urllib.parse import urlsplit

    from mrt.endpoints import PROVIDERS

    ports = sorted({urlsplit(provider.url).port or 0 for provider in PROVIDERS.values()} - {0})
    keys = [
        f"{provider.variables}_API_KEY" for provider in PROVIDERS.values() if provider.needs_key and not provider.local
    ]
    return _TEXT.format(ports=", ".join(map(str, ports)), keys=", ".join(keys[:2]), paths="\n".join(kept_files()))


def kept_files() -> list[str]:
    """Every file and folder that mrt writes by itself, and what is in it, a line each."""
    from mrt.config import config_path, data_directory, store_path
    from mrt.endpoints.cache import cache_path

    bare = {"HOME": "/~"}  # what the functions make of an environment in which nothing is set
    kept = {
        config_path(bare): "your settings; names of keys, never keys",
        store_path(bare): "the spend store (elsewhere with MRT_DB)",
        data_directory(bare) / "bench": "answers of `mrt bench`, a file a run",
        data_directory(bare) / "backups": "copies that `mrt spend backup` made",
        data_directory(bare) / "prices": "price tables, after `mrt spend prices --update`",
        store_path(bare).with_name("spend.db-learned"): "what was learned from the outcomes in the store",
        cache_path(bare): "what the last probes saw: names and abilities of models",
    }
    return [f"  {path.as_posix().removeprefix('/'):<36} {what}" for path, what in kept.items()]
