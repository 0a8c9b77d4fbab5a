"""What a gradient check found: as a value, a table in text, HTML, and plain data."""

from __future__ import annotations

import html
import textwrap
from dataclasses import asdict, dataclass, field
from typing import Any

from tinycnn.checking.mistakes.hints import HINTS, Hint
from tinycnn.tables import html_table, text_table


@dataclass(frozen=True)
class Entry:
    """One derivative that was tried: of one cell, or along a direction.

    ``where`` says which in words, ``index`` by its place if it is a single cell. ``analytic`` is what
    backward claims, ``numeric`` the difference of the forward pass, ``error`` how far they are apart
    relative to the larger or to the gradient's root mean square, ``resolution`` the same for what the
    difference itself may be wrong by. ``verdict`` is "agrees", "differs", "kink" or "unresolved", the
    last two with a ``reason``; ``own_noise`` and ``doubtful`` say which kind of unresolved.
    """

    where: str  # "[0,3,1]", "direction 2", "4 cells tied at 1"
    analytic: float
    numeric: float
    error: float  # |analytic - numeric| / max(|analytic|, |numeric|, RMS of the gradient)
    resolution: float  # the same for the difference's own error
    verdict: str  # "agrees", "differs", "kink", "unresolved"
    reason: str = ""
    own_noise: bool = False  # unresolved only because float64 cannot show what is so small
    doubtful: bool = False  # unresolved: it may be wrong, or forward's rounding makes it look so
    index: tuple[int, ...] | None = None  # of a single cell

    @property
    def size(self) -> float:
        """The larger of the analytic and the numeric derivative, without sign."""
        return max(abs(self.analytic), abs(self.numeric))

    @property
    def decided(self) -> bool:
        """Whether it says anything about the gradient."""
        return self.verdict in ("agrees", "differs")


@dataclass(frozen=True)
class Diagnosis:
    """What a wrong gradient looks like: a ``kind`` of mistake, and a ``text`` that says why."""

    kind: str  # "factor", "transposed", "flipped kernel", ...
    text: str  # "looks like ... because ..."

    @property
    def hint(self) -> Hint:
        """What that kind of mistake teaches, and the question that leads on."""
        return HINTS[self.kind]


@dataclass(frozen=True)
class TensorReport:
    """The check of the gradient of one array, ``name``, of ``shape``.

    ``entries`` are the derivatives that were tried; ``shortage`` says why they are too few for a
    verdict, if they are, ``note`` what else is to be known, and ``diagnosis`` what a wrong gradient
    looks like.
    """

    name: str
    shape: tuple[int, ...]
    entries: list[Entry]
    shortage: str = ""  # why what was checked is too little for a verdict
    note: str = ""
    diagnosis: list[Diagnosis] = field(default_factory=list)

    @property
    def checked(self) -> int:
        """How many derivatives were compared."""
        return sum(entry.decided for entry in self.entries)

    @property
    def skipped(self) -> list[Entry]:
        """The derivatives that could not be compared, each with its reason."""
        return [entry for entry in self.entries if not entry.decided]

    @property
    def failures(self) -> list[Entry]:
        """The derivatives that differ from the differences."""
        return [entry for entry in self.entries if entry.verdict == "differs"]

    @property
    def worst(self) -> Entry | None:
        """The largest error; of those that differ, if any do."""
        compared = self.failures or [entry for entry in self.entries if entry.decided]
        return max(compared, key=lambda entry: (entry.error, entry.index is not None), default=None)

    @property
    def verdict(self) -> str:
        """ "right", "wrong", or "undecided", if what was checked is too little to tell."""
        return "wrong" if self.failures else "undecided" if self.shortage else "right"

    @property
    def ok(self) -> bool:
        """Whether enough was checked, and all of it agrees: the verdict "right"."""
        return self.verdict == "right"


@dataclass(frozen=True)
class GradientReport:
    """The check of a ``target``: a `TensorReport` for each of its arrays, in ``tensors``.

    ``problems`` are those of its behaviour, such as a changed input, ``notes`` say what was left out,
    and ``tolerance`` is the relative error that passes, ``why`` its reason. ``str`` is a table with all
    that is wrong below it; notebooks show HTML.
    """

    target: str
    problems: list[str]  # of behaviour: "mutates dy", ...
    tensors: list[TensorReport]
    tolerance: float
    why: str  # the tolerance's reason
    notes: list[str] = field(default_factory=list)  # what was left out, and why

    @property
    def verdict(self) -> str:
        """ "wrong" if the target misbehaves or any gradient is wrong, else "undecided" if any is."""
        found = {tensor.verdict for tensor in self.tensors}
        if self.problems or "wrong" in found:
            return "wrong"
        return "undecided" if "undecided" in found else "right"

    @property
    def ok(self) -> bool:
        """Whether the target behaves, and every gradient passes: the verdict "right"."""
        return self.verdict == "right"

    @property
    def worst(self) -> float:
        """The largest relative error of all that was compared."""
        return max((t.worst.error for t in self.tensors if t.worst is not None), default=0.0)

    def __getitem__(self, name: str) -> TensorReport:
        """The report on the array called ``name``."""
        return next(tensor for tensor in self.tensors if tensor.name == name)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {
            "target": self.target,
            "ok": self.ok,
            "verdict": self.verdict,
            "tolerance": self.tolerance,
            "why": self.why,
            "problems": list(self.problems),
            "notes": list(self.notes),
            "tensors": [
                {
                    "name": tensor.name,
                    "shape": list(tensor.shape),
                    "ok": tensor.ok,
                    "verdict": tensor.verdict,
                    "checked": tensor.checked,
                    "skipped": len(tensor.skipped),
                    "shortage": tensor.shortage,
                    "note": tensor.note,
                    "entries": [
                        asdict(entry)
                        | {"index": None if entry.index is None else list(entry.index)}
                        for entry in tensor.entries
                    ],
                    "diagnosis": [asdict(diagnosis) for diagnosis in tensor.diagnosis],
                }
                for tensor in self.tensors
            ],
        }

    def __str__(self) -> str:
        parts = [self._headline()]
        if self.tensors:
            parts.append(text_table(*self._table()))
        remarks = [
            textwrap.fill(remark, 80, initial_indent="- ", subsequent_indent="  ")
            for remark in self._remarks()
        ]
        if remarks:
            parts.append("\n".join(remarks))
        parts.append(textwrap.fill(f"Tolerance {self.tolerance:.0e}: {self.why}", 80))
        return "\n\n".join(parts)

    def _repr_html_(self) -> str:
        remarks = "".join(f"<li>{html.escape(remark)}</li>" for remark in self._remarks())
        return (
            f"<p><b>{html.escape(self._headline())}</b></p>"
            + (html_table(*self._table()) if self.tensors else "")
            + (f"<ul>{remarks}</ul>" if remarks else "")
            + f"<p>Tolerance {self.tolerance:.0e}: {html.escape(self.why)}</p>"
        )

    def _headline(self) -> str:
        return f"Gradients of {self.target}: {self.verdict}"

    def _table(self) -> tuple[tuple[str, ...], list[list[str]], int]:
        return _HEAD, [_row(tensor) for tensor in self.tensors], 3

    def _remarks(self) -> list[str]:
        remarks = [*self.problems, *self.notes]
        for tensor in self.tensors:
            remarks += [f"d{tensor.name}: {text}" for text in _about(tensor)]
        return remarks


_HEAD = ("tensor", "checked", "skipped", "where", "worst error", "analytic", "numeric")


def _row(tensor: TensorReport) -> list[str]:
    skipped = len(tensor.skipped)
    row = [tensor.name, str(tensor.checked), str(skipped) if skipped else ""]
    worst = tensor.worst
    if worst is None:
        return [*row, "", "", "", ""]
    mark = "" if worst.verdict == "agrees" else " !"
    return [
        *row,
        worst.where,
        f"{worst.error:.1e}{mark}",
        f"{worst.analytic:.7g}",
        f"{worst.numeric:.7g}",
    ]


def _about(tensor: TensorReport) -> list[str]:
    """The remarks on a tensor below the table: failures, diagnosis, what was skipped."""
    texts = []
    if tensor.failures:
        total = tensor.checked
        texts.append(f"{len(tensor.failures)} of {total} derivatives differ from the differences")
    texts += [diagnosis.text for diagnosis in tensor.diagnosis]
    if tensor.shortage:
        texts.append(f"undecided: {tensor.shortage}" if not tensor.failures else tensor.shortage)
    texts += [tensor.note] if tensor.note else []
    reasons: dict[str, list[Entry]] = {}
    already_said = tensor.shortage + tensor.note
    for entry in (entry for entry in tensor.skipped if entry.reason not in already_said):
        reasons.setdefault(entry.reason.split(" at (")[0], []).append(entry)
    for entries in list(reasons.values())[:3]:
        more = f" and {len(entries) - 2} more" if len(entries) > 2 else ""
        places = ", ".join(entry.where for entry in entries[:2])
        texts.append(f"skipped {places}{more}: {entries[0].reason}")
    if len(reasons) > 3:
        texts.append(f"skipped others for {len(reasons) - 3} more reasons of these kinds")
    return texts
