"""What the GPUs of this machine drew while a model answered, where NVML tells."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from mrt.frozen import frozen

_SAMPLE_SECONDS = 0.1


@frozen
class Energy:
    """Joules of whole GPUs, what others did there and idle time included. `per_token` is per output token.

    `source` is "counter" for the GPU's own counter, "samples" for its power looked at ten times a second.
    """

    joules: float
    seconds: float
    per_token: float | None
    source: str

    @property
    def watts(self) -> float:
        """The mean."""
        return self.joules / self.seconds


class EnergyMeter:
    """Use it as a context; `reading` then tells what was drawn. Without a GPU that tells it does nothing.

    `nvml` gives NVML's Python module; whatever it raises means that nothing is known.
    """

    def __init__(self, nvml: Callable[[], Any] | None, clock: Callable[[], float]) -> None:
        self._load = nvml
        self._clock = clock
        self._gpus: list[_Gpu] = []
        self._nvml: Any = None
        self._done = threading.Event()
        self._thread: threading.Thread | None = None
        self._began = self._ended = 0.0

    def __enter__(self) -> EnergyMeter:
        self._began = self._clock()
        self._gpus = list(self._found())
        if any(gpu.start is None for gpu in self._gpus):
            self._thread = threading.Thread(target=self._sample, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        if self._thread is not None:
            self._thread.join()
        self._ended = self._clock()
        for gpu in self._gpus:
            gpu.finish(self._ended)
        if self._nvml is not None:
            _quietly(self._nvml.nvmlShutdown)

    def reading(self, tokens: int) -> Energy | None:
        """The energy of all GPUs together; None where none tells."""
        joules = [gpu.joules for gpu in self._gpus if gpu.joules is not None]
        seconds = self._ended - self._began
        if not joules or seconds <= 0:
            return None
        source = "counter" if all(gpu.start is not None for gpu in self._gpus) else "samples"
        return Energy(sum(joules), seconds, sum(joules) / tokens if tokens else None, source)

    def _found(self) -> Iterator[_Gpu]:
        if self._load is None:
            return
        try:
            nvml = self._load()
            nvml.nvmlInit()
        except Exception:  # a broken driver has more ways to fail than there are names for
            return
        self._nvml = nvml
        for index in range(_quietly(nvml.nvmlDeviceGetCount) or 0):
            handle = _quietly(nvml.nvmlDeviceGetHandleByIndex, index)
            if handle is not None:
                yield _Gpu(nvml, handle)

    def _sample(self) -> None:
        while not self._done.wait(_SAMPLE_SECONDS):
            now = self._clock()
            for gpu in self._gpus:
                gpu.sample(now)


class _Gpu:
    """One GPU: its energy counter (millijoules, since Volta) where it has one, else its power (milliwatts) over time."""

    def __init__(self, nvml: Any, handle: Any) -> None:
        self._nvml = nvml
        self._handle = handle
        self.start = self._counter()
        self._samples: list[tuple[float, float]] = []
        self.joules: float | None = None

    def _counter(self) -> int | None:
        value = _quietly(self._nvml.nvmlDeviceGetTotalEnergyConsumption, self._handle)
        return value if isinstance(value, int) else None

    def sample(self, now: float) -> None:
        """Look at the power once."""
        milliwatts = _quietly(self._nvml.nvmlDeviceGetPowerUsage, self._handle) if self.start is None else None
        if isinstance(milliwatts, int):
            self._samples.append((now, milliwatts / 1000))

    def finish(self, now: float) -> None:
        """Close the account."""
        self.sample(now)
        end = self._counter()
        if self.start is not None and end is not None and end >= self.start:
            self.joules = (end - self.start) / 1000
        elif len(self._samples) > 1:
            self.joules = area(self._samples)


def area(samples: Sequence[tuple[float, float]]) -> float:
    """The integral of watts over seconds, by trapezoids."""
    return sum((after - before) * (low + high) / 2 for (before, low), (after, high) in pairwise(samples))


def no_energy() -> EnergyMeter:
    """A meter that knows nothing: for a model on another machine, say."""
    return EnergyMeter(None, lambda: 0.0)


def _quietly(function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except Exception:  # each question may be unsupported on some device
        return None
