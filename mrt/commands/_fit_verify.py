"""`mrt fit --verify`: the plan beside what llama.cpp's own tool computes, or what a running server takes."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from mrt.errors import ExitCode, UpstreamError, UsageError
from mrt.memory.recipes import llama_server_arguments
from mrt.output.fit_verify import Compared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mrt.commands._fit_options import FitOptions
    from mrt.memory.answer import Answer
    from mrt.memory.plan import Plan
    from mrt.models.running import Running
    from mrt.output import Console

TOOL = "llama-fit-params"
MIB = 2**20
_TIMEOUT_S = 300
# "CUDA0 7401 814 517": device, weights, context and compute buffers in MiB (llama.cpp, tools/fit-params).
_ROW = re.compile(r"^(\S+)\s+(\d+)\s+(\d+)\s+(\d+)\s*$", re.MULTILINE)


def verify_file(options: FitOptions, answer: Answer, console: Console) -> int:
    """Compare with the user's own llama.cpp, which reads the file's header and allocates nothing."""
    path = Path(options.models[0]).expanduser()
    if not path.is_file():
        raise UsageError(
            "--verify needs a GGUF file or a running server",
            "mrt fit ./model.gguf --verify, or --endpoint NAME --verify",
        )
    tool = shutil.which(TOOL, path=console.environment.get("PATH"))
    if tool is None:
        raise UsageError(
            f"{TOOL} of llama.cpp is not on the PATH",
            "install llama.cpp, or compare with a server: --endpoint NAME --verify",
        )
    printed = _asked([tool, "-m", str(path), *llama_server_arguments(answer.plan), "--fit-print", "on"])
    return _show(compared(answer.plan, printed), TOOL, answer, console)


def _asked(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise UpstreamError(f"{TOOL} did not run: {type(error).__name__}", f"try it: {' '.join(command)}") from None
    if done.returncode != 0 or not _ROW.search(done.stdout):
        last = (done.stderr.strip().splitlines() or ["it prints nothing"])[-1]
        raise UpstreamError(f"{TOOL} prints no memory: {last}", "its --fit-print came with llama.cpp of April 2026")
    return done.stdout


def compared(plan: Plan, printed: str) -> list[Compared]:
    """Weights, context and compute buffers of each device, ours beside theirs; the host is their last row."""
    rows = _ROW.findall(printed)
    theirs = {name: [int(cell) * MIB for cell in cells] for name, *cells in rows}
    host = theirs.pop("host", None) or theirs.pop("CPU", None)
    gpus = [device for device in plan.devices if device.kind == "gpu"]
    pairs = [*zip(gpus, theirs.values(), strict=False), *([(plan.devices[-1], host)] if host else [])]
    found = []
    for device, (weights, context, compute) in pairs:
        name = "RAM" if device.kind == "cpu" else device.name
        found.append(Compared(name, "weights", device.weights_bytes, weights))
        found.append(Compared(name, "KV cache and state", device.kv_cache_bytes + device.recurrent_bytes, context))
        found.append(Compared(name, "compute buffer", device.compute_bytes, compute))
    return found


def verify_server(running: Running, answer: Answer, console: Console) -> int:
    """Compare with what a server says it takes, and with what the driver says its GPUs hold."""
    gpus = [device for device in answer.plan.devices if device.kind == "gpu"]
    needed = sum(device.buffers_bytes + (device.overhead_low + device.overhead_high) // 2 for device in gpus)
    found = []
    if running.vram_bytes is not None:
        found.append(Compared("GPUs", "as the server says", needed, running.vram_bytes))
    held = [
        gpu.total_bytes - gpu.free_bytes
        for gpu in answer.machine.gpus
        if gpu.free_bytes is not None and not gpu.unified
    ]
    if held:
        found.append(Compared("GPUs", "all that is in use now", needed, sum(held)))
    if not found:
        raise UsageError(
            "neither the server nor a driver says what memory is in use",
            "name a GGUF file and install llama.cpp instead",
        )
    return _show(found, running.shape.name, answer, console)


def _show(found: Sequence[Compared], against: str, answer: Answer, console: Console) -> int:
    if console.mode == "json":
        from mrt.output.fit_verify import verify_data

        console.envelope("fit", verify_data(found, against, answer))
    else:
        from mrt.output.fit_verify import verify_text

        console.result(verify_text(found, against, answer))
    return ExitCode.OK
