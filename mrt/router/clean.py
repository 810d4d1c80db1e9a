"""What a person asks, apart from what their tools wrapped around it: reminders, tool results, quotes, other turns."""

from __future__ import annotations

import re
from typing import NamedTuple

from mrt.router.lexicon import word_set
from mrt.router.topic import text_to_work_on

# Blocks that a harness writes; what stands in them is not the ask.
HARNESS = word_set(
    "system system-reminder system_reminder system-prompt system_prompt system-message system_message system-instruction"
    " system_instruction system_instructions reminder environment environment_details environment_context environment-context"
    " env context_window tool_result tool_results tool-result tool_output tool_response tool_call tool_calls tool_use tools"
    " function_call function_calls function_result function_results functions invoke command-name command-message command-args"
    " command-contents local-command-stdout local-command-stderr local-command-caveat bash-stdout bash-stderr bash-input"
    " ide_opened_file ide_selection ide_diagnostics open_files active_file user_info user_rules user_preferences project_rules"
    " project_layout additional_data attached_files current_file open_tabs git_status gitstatus permissions custom_instructions"
    " agent_instructions memory memories session-start-hook user-prompt-submit-hook post-tool-use-hook task-notification skills"
    " available_skills available_tools mcp_servers"
)
# Blocks of material that belongs to the ask but is not the instruction.
MATERIAL = word_set(
    "stdin document documents file files file_content file_contents paste pasted attachment source log logs diff data"
)
# Patterns are compiled when a text needs them.
_TAG = r"<(/?)([A-Za-z][\w:.-]{0,40})(?:\s[^<>]{0,300})?>"
_TURN = r"<\|im_start\|>(\w+)|<\|start_header_id\|>(\w+)<\|end_header_id\|>|<\|(system|user|assistant)\|>"
_MARKS = r"<\|[a-z_]{1,30}\|>|\[/?INST\]"
_ROLE = r"(?im)^(system|user|human|assistant|ai)[ \t]*:[ \t]*"
_SYSTEM_OPEN, _SYSTEM_CLOSE = "<<SYS>>", "<</SYS>>"
_OURS, _ROLE_MOST = ("user", "human"), 20
# Layers that are taken off; each is shorter than the one around it.
_ROUNDS = 6
# More than this is looked at from both ends only.
_MOST = 60_000


class Cleaned(NamedTuple):
    """The instruction, the material that came with it, and what was left out, in words."""

    ask: str
    pasted: str = ""
    stripped: tuple[str, ...] = ()


def clean(ask: str, pasted: str = "", depth: int = 0) -> Cleaned:
    """The ask without what is not the ask; where nothing else is left, the material is the ask. Linear in the text."""
    stripped: dict[str, None] = {}
    materials = [pasted]
    text = _ends(ask).strip()
    for _ in range(_ROUNDS):
        before = text
        text = _round(text, materials, stripped).strip()
        if text == before:
            break
    material = "\n".join(part for part in materials if part.strip())
    if text or not material or depth >= _ROUNDS:
        return Cleaned(text, material, tuple(stripped))
    found = clean(material, "", depth + 1)
    return Cleaned(found.ask, found.pasted, tuple(stripped | dict.fromkeys(found.stripped)))


def _round(text: str, materials: list[str], stripped: dict[str, None]) -> str:
    if "<|" in text or "[INST]" in text or _SYSTEM_OPEN in text:
        text = _template(text, stripped)
    if "<" in text:
        text, found = _blocks(text, stripped)
        materials.append(found)
    if ":" in text[:_ROLE_MOST] and re.match(_ROLE, text):
        text = _transcript(text, stripped)
    if "\n>" in text or text.startswith(">"):
        text, found = _quotes(text, stripped)
        materials.append(found)
    text, found = text_to_work_on(text)
    materials.append(found)
    return text


def _ends(text: str) -> str:
    return text if len(text) <= 2 * _MOST else f"{text[:_MOST]}\n{text[-_MOST:]}"


def _template(text: str, stripped: dict[str, None]) -> str:
    """The last turn of the user where the text is a chat template filled in; else the text without its marks."""
    while (start := text.find(_SYSTEM_OPEN)) >= 0 and (end := text.find(_SYSTEM_CLOSE, start)) >= 0:
        text = text[:start] + text[end + len(_SYSTEM_CLOSE) :]
        stripped["system text"] = None
    turns = list(re.finditer(_TURN, text))
    ours = [index for index, turn in enumerate(turns) if (turn[1] or turn[2] or turn[3]).lower() == "user"]
    if ours:
        last = ours[-1]
        end = turns[last + 1].start() if last + 1 < len(turns) else len(text)
        text = text[turns[last].end() : end]
        stripped["other turns"] = None
    bare = re.sub(_MARKS, "", text)
    if bare != text:
        stripped["template marks"] = None
    return bare


def _blocks(text: str, stripped: dict[str, None]) -> tuple[str, str]:
    """The text without its harness blocks, and the material out of its material blocks. A block never closed stays, bare."""
    kept: list[str] = []
    material: list[str] = []
    place, opened = 0, None
    for tag in re.finditer(_TAG, text):
        closing, name = bool(tag[1]), tag[2].lower()
        if name not in HARNESS and name not in MATERIAL:
            continue
        if opened is not None:
            if name != opened[0]:
                continue
            opened = (name, opened[1] + (-1 if closing else 1), opened[2])
            if opened[1] == 0:
                if name in MATERIAL:
                    material.append(text[opened[2] : tag.start()])
                stripped[f"<{name}>"] = None
                place, opened = tag.end(), None
        else:
            kept.append(text[place : tag.start()])
            place = tag.end()
            opened = None if closing else (name, 1, tag.end())
    return "".join((*kept, text[place:])), "\n".join(material)


def _transcript(text: str, stripped: dict[str, None]) -> str:
    """The last turn of the user where the text opens like a transcript: `System: ...`, `User: ...`."""
    turns = list(re.finditer(_ROLE, text))
    if not turns or text[: turns[0].start()].strip():
        return text
    ours = [index for index, turn in enumerate(turns) if turn[1].lower() in _OURS]
    if not ours or len(turns) == 1:
        return text
    last = ours[-1]
    end = turns[last + 1].start() if last + 1 < len(turns) else len(text)
    if not (said := text[turns[last].end() : end].strip()):
        return text
    stripped["other turns"] = None
    return said


def _quotes(text: str, stripped: dict[str, None]) -> tuple[str, str]:
    """The text without the lines that it quotes, and those lines."""
    lines = text.split("\n")
    quoted = [line for line in lines if line.startswith(">") and not line.startswith(">>>")]
    if not quoted:
        return text, ""
    stripped["quoted lines"] = None
    rest = [line for line in lines if not line.startswith(">") or line.startswith(">>>")]
    return "\n".join(rest), "\n".join(line.lstrip("> ") for line in quoted)
