"""Where an endpoint's key comes from: its own variable, command or file, and never another's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from mrt.config import Config, EndpointSettings
from mrt.domain import Secret, Target
from mrt.endpoints.kinds import LOCAL_VARIABLES, PLACEHOLDER_KEY, PROVIDERS
from mrt.errors import AuthError, ConfigError
from mrt.providers import is_loopback

KEY_COMMAND_TIMEOUT_S = 30
LARGEST_KEY_FILE = 64 * 1024


def with_key(target: Target, config: Config, environment: Mapping[str, str], patience_s: float | None = None) -> Target:
    """The target with its key, and with the hint to show when the server refuses it. A key_cmd may take so many seconds.

    Raises an AuthError when a cloud endpoint has no key; local ones get a placeholder, which servers without a key ignore.
    """
    endpoint = config.endpoints.get(target.endpoint)
    patience_s = KEY_COMMAND_TIMEOUT_S if patience_s is None else patience_s
    key, hint = _of_endpoint(endpoint, environment, patience_s) if endpoint else _of_provider(target, environment)
    if key is None and target.protocol != "anthropic" and _is_local_kind(target):
        key = PLACEHOLDER_KEY
    if key is None and _must_have_key(target, endpoint):
        raise AuthError(f"no key for {target.endpoint}", hint)
    if key is not None and not (key.isascii() and key.isprintable()):
        raise AuthError(f"the key of {target.endpoint} holds characters that no header can carry", hint)
    return replace(target, key=Secret(key) if key else None, key_hint=hint)


def _is_local_kind(target: Target) -> bool:
    return PROVIDERS[target.kind].local


def _must_have_key(target: Target, endpoint: EndpointSettings | None) -> bool:
    return endpoint is None and PROVIDERS[target.endpoint].needs_key and not is_loopback(target.url)


def _of_provider(target: Target, environment: Mapping[str, str]) -> tuple[str | None, str]:
    provider = PROVIDERS[target.endpoint]
    stems = (provider.variables, LOCAL_VARIABLES) if provider.local else (provider.variables,)
    key = next((key for stem in stems if (key := environment.get(f"{stem}_API_KEY", "").strip())), None)
    return key, f"export {stems[0]}_API_KEY=..."


def _of_endpoint(
    endpoint: EndpointSettings, environment: Mapping[str, str], patience_s: float
) -> tuple[str | None, str]:
    section = f"endpoints.{endpoint.name}"
    if endpoint.key_env:
        key = environment.get(endpoint.key_env, "").strip()
        if not key:
            raise AuthError(
                f"{section}.key_env names {endpoint.key_env}, which is not set", f"export {endpoint.key_env}=..."
            )
        return key, f"check the key in {endpoint.key_env}"
    if endpoint.key_cmd:
        return _of_command(endpoint.key_cmd, section, environment, patience_s), f"check what {section}.key_cmd prints"
    if endpoint.key_file:
        return _of_file(Path(endpoint.key_file).expanduser(), section), f"check the key in {endpoint.key_file}"
    return None, f"mrt config set {section}.key_env NAME_OF_A_VARIABLE"


def _of_command(command: str, section: str, environment: Mapping[str, str], patience_s: float) -> str:
    import subprocess

    try:
        done = subprocess.run(  # noqa: S602 - the user's own command, as they wrote it for their shell
            command,
            shell=True,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=patience_s,
            check=False,
        )
    except (subprocess.TimeoutExpired, OSError, UnicodeDecodeError):
        raise AuthError(f"{section}.key_cmd did not print a key", f"run it by hand: {command}") from None
    key = done.stdout.strip().partition("\n")[0].strip()
    if done.returncode or not key:
        raise AuthError(f"{section}.key_cmd ended with code {done.returncode} and no key", f"run it by hand: {command}")
    return key


def _of_file(path: Path, section: str) -> str:
    try:
        mode = path.stat().st_mode
        if os.name == "posix" and mode & 0o077:
            raise ConfigError(f"{section}.key_file {path} can be read by others", f"chmod 600 {path}")
        if path.is_fifo():  # which may never end
            raise AuthError(f"{section}.key_file {path} is a pipe", "put the key alone into a file")
        with path.open("rb") as file:
            text = file.read(LARGEST_KEY_FILE).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise AuthError(f"{section}.key_file {path} cannot be read: {reason}", "put the key alone into it") from None
    if not text:
        raise AuthError(f"{section}.key_file {path} is empty", "put the key alone into it")
    return text.partition("\n")[0].strip()
