"""Resources in the shape of HL7's published examples and of US Core, with everything in them that must never land."""

# Words that stand where FHIR keeps names, telephones, addresses, narrative, comments and displays.
NEVER_TO_LAND = ("Baxter", "Careful", "555 0143", "Erewhon", "hospital-4711", "wept", "Not at all", "Little interest")
CONTAINED = [{"resourceType": "Patient", "id": "p", "name": [{"family": "Baxter"}], "telecom": [{"value": "555 0143"}]}]
NARRATIVE = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Amy Baxter, 534 Erewhon St</div>'}
OWN = {
    "contained": CONTAINED,
    "text": NARRATIVE,
    "identifier": [{"system": "urn:oid:1.2.36", "value": "hospital-4711"}],
}


def coded(*codes, system="http://loinc.org"):
    return {"coding": [{"system": system, "code": code, "display": "Not at all"} for code in codes], "text": "Baxter"}


def reference(to, display="Amy Baxter"):
    return {"reference": to, "display": display}


def appointment(name="a1", *, status="fulfilled", client="p1", clinician="d1", start="2026-03-02T10:00:00Z", **more):
    """After HL7's example of a booked appointment."""
    return {
        "resourceType": "Appointment",
        "id": name,
        **OWN,
        "status": status,
        "serviceType": [coded("52", system="http://terminology.hl7.org/CodeSystem/service-type")],
        "appointmentType": coded("FOLLOWUP", system="http://terminology.hl7.org/CodeSystem/v2-0276"),
        "description": "wept through the last session",
        "start": start,
        "end": start.replace(":00:00", ":50:00"),
        "comment": "Call Amy Baxter on 555 0143 before",
        "participant": [
            {"actor": reference(f"Patient/{client}"), "required": "required", "status": "accepted"},
            {
                "type": [coded("ATND")],
                "actor": reference(f"Practitioner/{clinician}", "Dr Adam Careful"),
                "required": "required",
                "status": "accepted",
            },
            {"actor": reference("Location/1", "Erewhon, second floor"), "status": "accepted"},
        ],
        **more,
    }


def encounter(name="e1", *, status="finished", client="p1", clinician="d1", **more):
    """After US Core's encounter."""
    return {
        "resourceType": "Encounter",
        "id": name,
        **OWN,
        "status": status,
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "VR", "display": "virtual"},
        "type": [coded("185349003", system="http://snomed.info/sct")],
        "subject": reference(f"Patient/{client}"),
        "participant": [{"individual": reference(f"Practitioner/{clinician}", "Dr Adam Careful")}],
        "appointment": [{"reference": "Appointment/a1"}],
        "episodeOfCare": [{"reference": "EpisodeOfCare/c1"}],
        "period": {"start": "2026-07-02T10:00:00+01:00", "end": "2026-07-02T10:50:00+01:00"},
        "location": [{"location": reference("Location/1", "Erewhon")}],
        **more,
    }


def episode(name="c1", *, status="finished", client="p1", clinician="d1", **more):
    """After HL7's example of an episode of care."""
    return {
        "resourceType": "EpisodeOfCare",
        "id": name,
        **OWN,
        "status": status,
        "statusHistory": [
            {"status": "waitlist", "period": {"start": "2026-02-01", "end": "2026-02-20"}},
            {"status": "active", "period": {"start": "2026-02-20"}},
        ],
        "type": [coded("hacc", system="http://terminology.hl7.org/CodeSystem/episodeofcare-type")],
        "diagnosis": [{"condition": reference("Condition/1", "wept")}],
        "patient": reference(f"Patient/{client}"),
        "managingOrganization": reference("Organization/o1", "Erewhon"),
        "period": {"start": "2026-02-20", "end": "2026-06-01"},
        "careManager": reference(f"Practitioner/{clinician}", "Dr Adam Careful"),
        **more,
    }


PHQ_9_CODES = ["44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8"]
GAD_7_CODES = ["69725-0", "68509-9", "69733-4", "69734-2", "69735-9", "69689-8", "69736-7"]
ANSWER_CODES = ("LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9")


def answered(link, *answers, text="Little interest or pleasure"):
    return {"linkId": link, "text": text, "answer": list(answers)}


def loinc_answer(count):
    return {"valueCoding": {"system": "http://loinc.org", "code": ANSWER_CODES[count], "display": "Not at all"}}


def phq_9(name="q1", *, counts=(0, 1, 2, 3, 0, 1, 2, 3, 1), client="p1", items=None, status="completed", **more):
    """After US Core's response to the PHQ-9."""
    items = items or [
        answered(f"/{code}", loinc_answer(count)) for code, count in zip(PHQ_9_CODES, counts, strict=True)
    ]
    total = answered("/44261-6", {"valueDecimal": sum(counts)})
    difficulty = answered("/69722-7", {"valueString": "wept"})
    return {
        "resourceType": "QuestionnaireResponse",
        "id": name,
        **OWN,
        "questionnaire": "http://loinc.org/q/44249-1|2.77",
        "status": status,
        "subject": reference(f"Patient/{client}"),
        "encounter": reference("Encounter/e1"),
        "authored": "2026-03-02T09:55:00-05:00",
        "author": reference(f"Patient/{client}"),
        "item": [*items, total, difficulty],
        **more,
    }


def total(name="o1", *, code="44261-6", client="p1", **more):
    """After US Core's observation of a screening."""
    value = (
        {} if any(key.startswith("value") or key == "component" for key in more) else {"valueQuantity": {"value": 12}}
    )
    return {
        "resourceType": "Observation",
        "id": name,
        **OWN,
        "status": "final",
        "category": [coded("survey", system="http://terminology.hl7.org/CodeSystem/observation-category")],
        "code": coded(code),
        "subject": reference(f"Patient/{client}"),
        "encounter": reference("Encounter/e1"),
        "effectiveDateTime": "2026-03-02T23:30:00-05:00",
        "performer": [reference(f"Patient/{client}"), reference("Practitioner/d1", "Dr Adam Careful")],
        "note": [{"text": "wept"}],
        **value,
        **more,
    }
