"""The verdicts: of one derivative, and whether there are enough of them for one of the tensor."""

from __future__ import annotations

from collections.abc import Sequence

from tinycnn.checking.derivatives.dependence import depends_on
from tinycnn.checking.derivatives.extrapolation import SAFETY, Derivative
from tinycnn.checking.derivatives.rounding import ROUNDS, RoundingStep
from tinycnn.checking.derivatives.sampling import Direction
from tinycnn.checking.report import Entry
from tinycnn.checking.targets.target import Target

VISIBLE = 5e-4  # a difference counts if it would show an error of twice this
_BACKWARD = 16.0  # times the outputs' rounding: what backward's own rounding may amount to
TOO_SMALL = "too small to be seen beside float64's rounding of the outputs"
BOTH_ZERO = "the gradient and the difference are both exactly 0"
UNDERFLOWS = "products inside forward underflow at values as small as these"
ROUGH = "the differences are too rough here to show an error of 0.1 %"


def judged(
    direction: Direction,
    shape: tuple[int, ...],
    analytic: float,
    found: Derivative,
    least: float,
    own: float,
    tolerance: float,
    rounding: RoundingStep,
) -> Entry:
    """The verdict: a discrepancy is compared with what the difference itself may be wrong by.

    ``least`` is the size that a derivative along ``direction`` has in the tensor as a whole,
    ``own`` the part of it that backward's own type may round off, ``rounding`` what forward rounds to.
    """
    size = max(abs(analytic), abs(found.value), least)
    discrepancy, doubt = abs(analytic - found.value), SAFETY * (found.error + own * size)
    verdict, reason = "agrees", ""
    if found.kink:
        verdict, reason = "kink", found.kink
    elif not size:
        verdict, reason = "unresolved", BOTH_ZERO
    elif size <= SAFETY * found.blind or (
        tolerance * size + doubt < discrepancy <= _BACKWARD * found.blind
    ):
        verdict, reason = "unresolved", TOO_SMALL
    elif discrepancy > tolerance * size + doubt:
        verdict, reason = ("unresolved", found.unclear) if found.unclear else ("differs", "")
    elif doubt > VISIBLE * size:
        verdict, reason = "unresolved", ROUGH
    doubtful = (
        rounding.coarse and verdict == "unresolved" and discrepancy > tolerance * size + doubt
    )
    if rounding.coarse and verdict == "unresolved":
        reason = rounding.words
    return Entry(
        direction.label,
        analytic,
        found.value,
        error=abs(analytic / size - found.value / size) if size else 0.0,
        resolution=doubt / size if size else 0.0,
        verdict=verdict,
        reason=reason,
        own_noise=reason == BOTH_ZERO or (reason in (TOO_SMALL, ROUGH) and found.own_noise),
        doubtful=doubtful,
        index=direction.index(shape),
    )


def enough_for_a_verdict(
    target: Target, name: str, entries: Sequence[Entry], wanted: int, rms: float
) -> tuple[str, str]:
    """Why what was checked is too little for a verdict, and what else to say.

    ``rms`` is the size of the gradient's cells: beside larger ones that cannot be seen, one that is
    as good as 0 agrees with anything as small.
    """
    single = [entry for entry in entries if entry.index is not None]
    cells = sum(entry.decided or entry.own_noise for entry in single)
    known = [entry for entry in entries if entry.decided or entry.own_noise]
    underflowing = [entry for entry in entries if entry.reason == UNDERFLOWS]
    if underflowing:
        return _in_doubt(underflowing, "choose larger values"), ""
    if not known or cells < wanted / 4:
        return _too_few(entries, cells, wanted), ""
    doubtful = [entry for entry in entries if entry.doubtful]
    if doubtful:
        return _in_doubt(doubtful, "compute in float64, without rounding"), ""
    if not any(entry.decided and entry.size > VISIBLE * rms for entry in known):
        return _nothing_seen(target, name, known)
    whole = [entry for entry in entries if entry.index is None]
    if whole and not any(entry.decided or entry.own_noise for entry in whole):
        return "", (
            "no direction could be checked: of cells that were not tried one by one, nothing is known"
        )
    return "", ""


def _too_few(entries: Sequence[Entry], cells: int, wanted: int) -> str:
    rounded = [entry.reason for entry in entries if entry.reason.startswith(ROUNDS)]
    if 2 * len(rounded) > len(entries):
        return (
            f"{max(rounded, key=rounded.count)}, which hides an error of 0.1 %: {cells} of {wanted} "
            f"entries could be checked; compute in float64, without rounding"
        )
    return (
        f"too little is left to check: {cells} of {wanted} entries, the others were skipped; "
        f"choose arrays that lie further from kinks"
    )


def _in_doubt(entries: Sequence[Entry], remedy: str) -> str:
    worst = max(entries, key=lambda entry: entry.error)
    return (
        f"{worst.reason}: at {worst.where} the gradient is {worst.analytic:.7g} and the difference "
        f"{worst.numeric:.7g}, which may be rounding or an error; {remedy}"
    )


def _nothing_seen(target: Target, name: str, entries: Sequence[Entry]) -> tuple[str, str]:
    """Of a gradient of 0: whether it is 0 for every value, which is right, or only for these."""
    zero = all(entry.reason == BOTH_ZERO for entry in entries)
    what = f"{BOTH_ZERO} everywhere" if zero else f"every derivative is {TOO_SMALL}"
    where = depends_on(target, name)
    if not where:
        return "", f"{what}; nor do the outputs hang on {name} at any other values that were tried"
    return (
        f"nothing was tested: {what}, so any multiple of this gradient would agree as well; choose "
        f"values that the outputs hang on, such as normal ones {where}"
    ), ""
