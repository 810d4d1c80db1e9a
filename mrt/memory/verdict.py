"""Whether a plan fits: judged by capacity with headroom, and apart from that by what is free right now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mrt.frozen import frozen

if TYPE_CHECKING:
    from mrt.memory.hardware import Machine
    from mrt.memory.plan import DevicePlan, Plan

Verdict = Literal["fits", "tight", "partial", "ram", "no"]


@frozen
class Judgement:
    """The verdict by capacity, whether the run fits what is free now (None: unknown), which devices are short, worst first."""

    verdict: Verdict
    fits_now: bool | None
    short: tuple[DevicePlan, ...] = ()
    # Whether the RAM that a model without GPU takes leaves the headroom free.
    roomy: bool = False

    @property
    def fits(self) -> bool:
        """Wholly on the GPUs, however narrowly."""
        return self.verdict in ("fits", "tight")


def judge(plan: Plan, machine: Machine) -> Judgement:
    """Judge a plan by the machine's whole memory; what is free now is a hint only, since a system keeps RAM in caches.

    fits: all layers on GPUs and each keeps `headroom` of its memory free, the overhead taken at its most;
    tight: all on GPUs, with less to spare; partial: some layers or experts are left to the CPU; ram: nothing is on a GPU;
    no: some device does not hold its part, or the parts that share one memory exceed it. An unknown capacity is taken to suffice.
    """
    short = tuple(sorted(_short(plan, machine), key=lambda device: device.margin_bytes or 0))
    return Judgement(
        _verdict(plan, machine, bool(short)), _fits_now(plan, machine), short, _roomy(plan.devices[-1], plan)
    )


def _verdict(plan: Plan, machine: Machine, short: bool) -> Verdict:
    if short:
        return "no"
    if plan.gpu_layers == 0 or not machine.gpus:
        return "ram"
    if not wholly_on_gpus(plan):
        return "partial"
    return "fits" if all(_roomy(device, plan) for device in _gpus(plan)) else "tight"


def _roomy(device: DevicePlan, plan: Plan) -> bool:
    """Whether a device keeps the headroom free; an unknown capacity is taken to."""
    return device.total_bytes is None or device.needed_high <= (1 - plan.settings.headroom) * device.total_bytes


def wholly_on_gpus(plan: Plan) -> bool:
    """True when a GPU holds every layer, the output and all experts."""
    return plan.gpu_layers >= plan.layers and plan.settings.cpu_moe == 0


def _gpus(plan: Plan) -> list[DevicePlan]:
    return [device for device in plan.devices if device.kind == "gpu"]


def _short(plan: Plan, machine: Machine) -> list[DevicePlan]:
    # A GPU too small for anything can be hidden from the engine, where nobody asked for it.
    hidden = plan.gpu_layers == 0 and plan.settings.gpu_layers is None
    devices = [device for device in plan.devices if not hidden or device.kind == "cpu"]
    short = [device for device in devices if device.total_bytes is not None and device.needed_high > device.total_bytes]
    if not short and any(gpu.unified for gpu in machine.gpus) and machine.ram_total_bytes is not None:
        # One memory holds both sides.
        together = sum(device.needed_high for device in plan.devices)
        short = list(plan.devices) if together > machine.ram_total_bytes else []
    return short


def _fits_now(plan: Plan, machine: Machine) -> bool | None:
    if machine.simulated:
        return None
    known = [device for device in plan.devices if device.buffers_bytes]
    if any(device.free_bytes is None for device in known):
        return None
    return all(device.needed_high <= (device.free_bytes or 0) for device in known)
