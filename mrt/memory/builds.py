"""About when a numbered build of llama.cpp was made: rules that changed are switched by dates."""

from __future__ import annotations

# Builds and days on which public packagers named them as the newest: ggml-org/llama.cpp #2641; pull requests openeuler-riscv
# #1555, AOSC aosc-os-abbs #10794, luncliff/vcpkg-registry #424 and #433, lemonade-sdk/llamacpp-rocm #49, gominimal/pkgs #40,
# SubtitleEdit #12526, #13892 and #14430.
_KNOWN = (
    (992, "2023-08-17"),
    (4260, "2024-12-04"),
    (5298, "2025-05-07"),
    (6092, "2025-08-06"),
    (6301, "2025-08-27"),
    (7814, "2026-01-23"),
    (8651, "2026-04-03"),
    (10035, "2026-07-16"),
    (10507, "2026-08-20"),
    (10760, "2026-09-02"),
)
# Beyond the last one known, a build is dated by the pace of the last two for so many builds.
_AHEAD = 3000


def date_of_build(number: int) -> str | None:
    """YYYY-MM-DD of a build, to a few days, by a straight line between the builds known; None for one that cannot be dated."""
    from datetime import date, timedelta

    if not _KNOWN[0][0] <= number <= _KNOWN[-1][0] + _AHEAD:
        return None
    after = next((index for index, (build, _) in enumerate(_KNOWN) if index and build >= number), len(_KNOWN) - 1)
    (low, first), (high, last) = _KNOWN[after - 1 : after + 1]
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return str(start + timedelta(days=round((end - start).days * (number - low) / (high - low))))
