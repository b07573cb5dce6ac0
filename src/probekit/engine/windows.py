"""How do the blocks of a sampling make one reading?"""

from __future__ import annotations

from collections.abc import Sequence

from probekit.model.measurement import Failure
from probekit.model.readings import Complement, Exact, Histogram, Mean, Reading, Share, Total
from probekit.probe import Readings


def put_together(blocks: Sequence[Readings]) -> Readings:
    """Shares and levels are strung together, of a count the largest is kept, and a failure in any block stands."""
    values: dict[str, Reading | Total | Failure] = {}
    notes: dict[str, str] = {}
    for block in blocks:
        notes |= block.notes
        for name, value in block.values.items():
            values[name] = _joined(values[name], value) if name in values else value
    return Readings(notes, **values)


def _joined(earlier: Reading | Total | Failure, later: Reading | Total | Failure) -> Reading | Total | Failure:  # noqa: PLR0911  # one return a sort
    match earlier, later:
        case (Failure(), _) | (_, Failure()):
            return earlier if isinstance(earlier, Failure) else later
        case (Exact(low), Exact(high)):
            return Exact(max(low, high))
        case (Total(), Total()):
            return later
        case (Share() as one, Share() as other):
            return one + other
        case (Complement() as one, Complement() as other):
            return one + other
        case (Mean() as one, Mean() as other):
            return one + other
        case (Histogram() as one, Histogram() as other):
            return one + other
    message = f"a {type(later).__name__} cannot follow a {type(earlier).__name__}: a sample is given whole, once"
    raise TypeError(message)
