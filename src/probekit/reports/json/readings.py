"""Write the readings of a measurement to JSON and read them: numbers and samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from probekit.model.measurement import Failure, Reason
from probekit.model.readings import (
    Complement,
    ErrorRate,
    Exact,
    Histogram,
    LatencySample,
    Mean,
    Quantile,
    Reading,
    Share,
    Summary,
)
from probekit.reports.json.noun import noun


def readings_document(values: Mapping[str, Reading | Failure]) -> dict[str, Any]:
    """Return the readings by metric, and each of their samples once."""
    samples: list[LatencySample] = []
    for value in values.values():
        if isinstance(value, Quantile | ErrorRate) and value.sample not in samples:
            samples.append(value.sample)
    return {
        "values": {name: _value(values[name], samples) for name in sorted(values)},
        "samples": [
            {"values": one.values, "delays": one.delays, "failures": one.failures, "unsent": one.unsent}
            for one in samples
        ],
    }


def _value(value: Reading | Failure, samples: Sequence[LatencySample]) -> float | dict[str, Any]:  # noqa: PLR0911  # one return per type
    """Return a number, a sample block by block, or why there is no reading."""
    match value:
        case Failure(reason=reason, detail=detail):
            return {"reason": reason.value, "detail": detail}
        case Exact(number):
            known = number_or_none(number)
            return known if known is not None else _no_number(number)
        case Share():
            return _of_share(value)
        case Complement(share):
            return {"complement_of": _of_share(share)}
        case Summary():
            return {"value": value.value, "of": value.of, "q": value.q}
        case Mean(levels):
            return {"levels": levels}
        case Histogram():
            summary = {"q": value.q, "edges": value.edges, "counts": value.counts, "trials": value.trials}
            return summary | {"own_requests": value.own_requests}
        case ErrorRate(sample=sample) | Quantile(sample=sample):
            return _of_sample(value, samples.index(sample))


def _of_share(share: Share) -> dict[str, Any]:
    return {"events": share.events, "trials": share.trials, "own_requests": share.own_requests}


def _of_sample(value: ErrorRate | Quantile, place: int) -> dict[str, Any]:
    if isinstance(value, ErrorRate):
        return {"failures_of_sample": place, "doubt": value.doubt}
    summary = None if value.value is None else value.value / 1000
    return {"q": value.q, "of_sample": place, "milliseconds": summary}


def number_or_none(value: float) -> float | None:
    """Return a number that JSON can write: None for NaN and infinities, 1 or 0 for a bool."""
    return +value if isfinite(value) else None


def _no_number(value: float) -> dict[str, Any]:
    return {"reason": Reason.BAD_RESPONSE.value, "detail": f"{value} is not a finite number"}


def readings_of(document: Mapping[str, Any]) -> dict[str, Reading | Failure]:
    """Return the readings of a document that `readings_document` made, by metric.

    Raises:
        LookupError, TypeError, ValueError: it is none.
    """
    samples = [noun(LatencySample, one) for one in document["samples"]]
    return {str(name): _reading(value, samples) for name, value in document["values"].items()}


def _reading(document: Any, samples: Sequence[LatencySample]) -> Reading | Failure:  # noqa: ANN401, PLR0911  # any JSON; one return per type
    """Return one reading, or why there is none."""
    match document:
        case bool():
            raise TypeError
        case int() | float() if isfinite(document):
            return Exact(document)
        case {"reason": _}:
            return noun(Failure, document)
        case {"complement_of": share}:
            return Complement(noun(Share, share))
        case {"value": _, "of": _}:
            return noun(Summary, document)
        case {"levels": levels}:
            return Mean(tuple(map(float, levels)))
        case {"edges": _}:
            return noun(Histogram, document)
        case {"failures_of_sample": place}:
            return ErrorRate(_sample(samples, place), str(document.get("doubt", "")))
        case {"of_sample": place}:
            return Quantile(_sample(samples, place), float(document["q"]))
    return noun(Share, document)


def _sample(samples: Sequence[LatencySample], place: int) -> LatencySample:
    """Return the sample at an index that counts from 0."""
    if place < 0:
        raise LookupError(place)
    return samples[place]
