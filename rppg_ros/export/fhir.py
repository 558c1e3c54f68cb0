"""A measurement as HL7 FHIR R4: a transaction Bundle with one Observation for each rate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timezone
from types import MappingProxyType
from typing import Any

from rppg_ros import __version__
from rppg_ros.meter.measuring import Measured
from rppg_ros.reason_texts import WITHOUT_REASON, why
from rppg_ros.types import NS_PER_S, Rate, Status, Vital

Resource = dict[str, Any]

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
CODES: Mapping[Vital, tuple[str, str, str]] = MappingProxyType(
    {Vital.BVP: ("8867-4", "Heart rate", "beats/minute"), Vital.RSP: ("9279-1", "Respiratory rate", "breaths/minute")}
)
_ABSENT_OF = {Status.UNSUPPORTED: ("unsupported", "Unsupported"), Status.NO_FACE: ("not-performed", "Not Performed")}
_UNKNOWN = ("unknown", "Unknown")


def bundle(measured: Measured, subject: str = "") -> Resource:
    """Transaction that creates the Observations.

    Parameters
    ----------
    subject : reference to the patient, "Patient/123" or a URL; "": nobody is named, for an id of a face is no identity.
    """
    entries = [
        {"resource": observation(vital, rate, measured, subject), "request": {"method": "POST", "url": "Observation"}}
        for vital, rate in measured.rates.items()
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def observation(vital: Vital, rate: Rate, measured: Measured, subject: str = "") -> Resource:
    """One rate; where it is not known, the reason in place of the value."""
    code, name, unit = CODES[vital]
    out: Resource = {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": CATEGORY, "code": "vital-signs", "display": "Vital Signs"}]}],
        "code": {"coding": [{"system": LOINC, "code": code, "display": name}], "text": name},
        "subject": {"reference": subject} if subject else {"display": "not identified"},
        "effectivePeriod": {"start": _instant(measured.start_ns), "end": _instant(measured.end_ns)},
        "method": {"text": f"remote photoplethysmography, {rate.model or 'unknown model'}"},
        "device": {"display": f"rppg_ros {__version__}; not a medical device"},
    }
    if rate.status is Status.OK and math.isfinite(rate.per_minute):
        value = {"value": round(rate.per_minute, 1), "unit": unit, "system": UCUM, "code": "/min"}
        note = (
            f"{rate.low:.1f} to {rate.high:.1f} /min with a probability of 95 %, if right; "
            f"right within {5 if vital is Vital.BVP else 2} /min with a probability of {rate.quality:.2f}"
        )
        return out | {"valueQuantity": value, "note": [{"text": note}]}
    absent, display = _ABSENT_OF.get(rate.status, _UNKNOWN)
    text = why(rate) or WITHOUT_REASON[rate.status]
    return out | {
        "dataAbsentReason": {"coding": [{"system": ABSENT, "code": absent, "display": display}], "text": text}
    }


def _instant(stamp_ns: int) -> str:
    """Camera time as FHIR writes it, UTC."""
    return datetime.fromtimestamp(stamp_ns / NS_PER_S, timezone.utc).isoformat(timespec="milliseconds")
