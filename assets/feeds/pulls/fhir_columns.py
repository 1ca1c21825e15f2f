"""The files that FHIR resources become: a fixed set of columns of text for each, and the path that each comes from.

Belongs here: which paths are kept, and how one value is read. Does not belong here: streams and files (`fhir_rows`), or what
a column means to a feed (the `[[feeds.*]]` mapping, as for any file).

What is not listed here never leaves memory: names, addresses, telephone numbers, identifiers such as a hospital number,
narrative, comments, item and answer texts, displays, and contained resources. Moments are in the clinic's own zone, as
`2026-11-20 14:05:00`, days as `2026-11-20`; `updated` alone is in UTC and to the microsecond. A value that should be a moment
or a number and is none is `?`, which no contract takes.

A resource that is entered in error keeps its row with that status: an attendance mapping gives it a word of its own (say
`cancelled_by_clinic`), and forms and totals lose their answers, so that the newest version stands empty. So does what a bulk
export tells was deleted: it comes as it last was, with the status `deleted` and no `updated`; an episode of which that is told
still stands. What was never pulled has its id and that status alone. A search can't tell of deletions.
"""

from dataclasses import dataclass
from typing import Final

from assets.feeds.pulls.fhir_settings import Resource

WITHDRAWN: Final = ("entered-in-error", "cancelled")
DELETED: Final = "deleted"
_ID = "[A-Za-z0-9.-]+"
_LONGEST_CODE: Final = 64
# HL7's extensions by which a coded answer carries its number.
_ORDINALS: Final = (
    "http://hl7.org/fhir/StructureDefinition/ordinalValue",
    "http://hl7.org/fhir/StructureDefinition/itemWeight",
    "http://hl7.org/fhir/StructureDefinition/questionnaire-ordinalValue",
    "http://hl7.org/fhir/StructureDefinition/iso21090-CO-value",
)


@dataclass(frozen=True, kw_only=True)
class FhirColumn:
    """One column of a file.

    Attributes:
        name: the column's.
        path: where FHIR keeps it.
        sql: DuckDB's, over the resource's struct `r`.
    """

    name: str
    path: str
    sql: str


def _code(sql: str) -> str:
    return f"CASE WHEN length({sql}) > {_LONGEST_CODE} THEN '?' ELSE {sql} END"


def _id(reference: str, kinds: str) -> str:
    pattern = f"(?:^|/)(?:{kinds})/({_ID})(?:/_history/[^/]*)?$"
    return f"nullif(regexp_extract({reference}, '{pattern}', 1), '')"


def _first(kind: str, *, ending: str = "") -> str:
    """The first reference of a kind in `refs`, or of those kinds that begin so and have this ending.

    Looked for where the kind's name stands first, which takes half as long as searching for the whole pattern; where it is
    not one there, the whole pattern tells.
    """
    rest = f"{kind}{ending}/({_ID})(?:/_history/[^ ]*)?(?: |$)"
    there = f"regexp_extract(substr(refs, greatest(strpos(refs, '{kind}') - 1, 1)), '^[/ ]?{rest}', 1)"
    anywhere = f"nullif(regexp_extract(refs, '(?:^|[/ ]){rest}', 1), '')"
    return f"coalesce(nullif({there}, ''), CASE WHEN contains(refs, '{kind}') THEN {anywhere} END)"


def moment(sql: str) -> str:
    """A FHIR dateTime or instant in the session's zone; a bare date as it stands."""
    bare = f"CASE WHEN regexp_full_match({sql}, '\\d{{4}}(-\\d\\d){{0,2}}') THEN {sql} ELSE '?' END"
    whole = f"coalesce(strftime(TRY_CAST({sql} AS TIMESTAMPTZ), '%Y-%m-%d %H:%M:%S'), '?')"
    return f"CASE WHEN {sql} IS NULL THEN NULL WHEN length({sql}) <= 10 THEN {bare} ELSE {whole} END"


def day(sql: str) -> str:
    """The day of a FHIR dateTime in the session's zone."""
    return f"left({moment(sql)}, 10)"


def number(sql: str) -> str:
    """A number as it stands, else NULL."""
    return f"CASE WHEN regexp_full_match({sql}, '-?\\d+([.]\\d+)?([eE][+-]?\\d+)?') THEN {sql} END"


def plain_code(answer: str) -> str:
    """What an answer (R4's value[x]) says where that is no number: a code, a text, or `true` or `false`."""
    return f"coalesce({answer}.valueCoding.code, {answer}.valueString, {answer}.valueBoolean)"


def count_of(answer: str, *, by_code: str) -> str:
    """What an answer counts, as text; `?` where it is no number and nothing makes it one.

    Args:
        answer: SQL of the struct.
        by_code: SQL of what its code counts by the settings or by LOINC.
    """
    ordinals = ", ".join(f"'{url}'" for url in _ORDINALS)
    extension = f"list_filter({answer}.valueCoding.extension, lambda e: e.url IN ({ordinals}))[1].valueDecimal"
    parts = (
        number(f"{answer}.valueInteger"),
        number(f"{answer}.valueDecimal"),
        number(f"{answer}.valueQuantity.value"),
        by_code,
        number(extension),
        number(plain_code(answer)),
    )
    return f"coalesce({', '.join(parts)}, '?')"


def _minutes(period: str) -> str:
    begins, ends = (f'TRY_CAST({period}."{name}" AS TIMESTAMPTZ)' for name in ("start", "end"))
    return f"CAST(date_diff('minute', {begins}, {ends}) AS VARCHAR)"


UPDATED: Final = "strftime(TRY_CAST({} AS TIMESTAMPTZ) AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
_OWN = (
    FhirColumn(name="id", path="id", sql="r.id"),
    FhirColumn(name="updated", path="meta.lastUpdated", sql=UPDATED.format("r.meta.lastUpdated")),
    FhirColumn(name="status", path="status", sql=_code("r.status")),
)
_PRACTITIONERS = "Practitioner|PractitionerRole"
_REASON = "coalesce(r.cancelationReason, r.cancellationReason).coding[1].code"
# A clinician's own reference comes before a role's, which may be another id for the same person.
_CLINICIAN = f"coalesce({_first('Practitioner')}, {_first('PractitionerRole')})"
# A list costs as much as four other columns, and few appointments have two clients.
_EVERY_CLIENT = (
    "array_to_string(list_sort(list_distinct(regexp_extract_all(refs, "
    f"'(?:^|[/ ])Patient/({_ID})(?:/_history/[^ ]*)?(?: |$)', 1))), ' ')"
)
_HAS_MORE = "refs LIKE '%Patient/%Patient/%'"
_CLIENTS = f"CASE WHEN {_HAS_MORE} THEN nullif({_EVERY_CLIENT}, '') ELSE first_client END"
_VALUES = (
    '"valueInteger":"VARCHAR","valueDecimal":"VARCHAR","valueString":"VARCHAR","valueBoolean":"VARCHAR",'
    '"valueQuantity":{"value":"VARCHAR"},'
    '"valueCoding":{"code":"VARCHAR","extension":[{"url":"VARCHAR","valueDecimal":"VARCHAR"}]}'
)
_VALUE_NAMES = ("valueInteger", "valueDecimal", "valueString", "valueBoolean", "valueQuantity", "valueCoding")
# The parts of an observation that may bear a value: itself, as its components are.
OBSERVED: Final = "{'code': r.code, " + ", ".join(f"'{name}': r.{name}" for name in _VALUE_NAMES) + "}"
HAS_VALUE: Final = "coalesce(" + ", ".join(f"CAST({{0}}.{name} AS VARCHAR)" for name in _VALUE_NAMES) + ") IS NOT NULL"
ITEM: Final = '{"linkId":"VARCHAR","answer":[{' + _VALUES + "}]}"
_CODED = '{"coding":[{"code":"VARCHAR"}]}'
_REFERENCE = '{"reference":"VARCHAR"}'
_PERIOD = '{"start":"VARCHAR","end":"VARCHAR"}'
_ISSUES = '[{"severity":"VARCHAR","code":"VARCHAR"}]'
_META = (
    f'"resourceType":"VARCHAR","id":"VARCHAR","meta":{{"lastUpdated":"VARCHAR"}},"status":"VARCHAR","issue":{_ISSUES}'
)

STRUCTS: Final[dict[Resource, str]] = {
    "Appointment": f'{{{_META},"start":"VARCHAR","end":"VARCHAR","minutesDuration":"VARCHAR",'
    f'"participant":[{{"actor":{_REFERENCE}}}],"serviceType":[{_CODED}],"appointmentType":{_CODED},'
    f'"cancelationReason":{_CODED},"cancellationReason":{_CODED}}}',
    "Encounter": f'{{{_META},"period":{_PERIOD},"length":{{"value":"VARCHAR","code":"VARCHAR"}},"subject":{_REFERENCE},'
    f'"participant":[{{"individual":{_REFERENCE}}}],"location":[{{"location":{_REFERENCE}}}],"serviceType":{_CODED},'
    f'"type":[{_CODED}],"class":{{"code":"VARCHAR"}},"appointment":[{_REFERENCE}],"episodeOfCare":[{_REFERENCE}]}}',
    "EpisodeOfCare": f'{{{_META},"patient":{_REFERENCE},"careManager":{_REFERENCE},"period":{_PERIOD},"type":[{_CODED}],'
    f'"managingOrganization":{_REFERENCE},"team":[{_REFERENCE}],'
    f'"statusHistory":[{{"status":"VARCHAR","period":{_PERIOD}}}]}}',
    "QuestionnaireResponse": f'{{{_META},"questionnaire":"VARCHAR","subject":{_REFERENCE},"encounter":{_REFERENCE},'
    f'"authored":"VARCHAR","author":{_REFERENCE},"source":{_REFERENCE},"item":"JSON"}}',
    "Observation": f'{{{_META},"code":{_CODED},"subject":{_REFERENCE},"encounter":{_REFERENCE},'
    f'"effectiveDateTime":"VARCHAR","effectiveInstant":"VARCHAR","effectivePeriod":{_PERIOD},"performer":[{_REFERENCE}],'
    f'{_VALUES},"component":[{{"code":{_CODED},{_VALUES}}}]}}',
}

# What several columns are read from, each over `r` and those before it: `refs` are the references of those who take part, as
# one text with two blanks between them.
_REFS = "array_to_string(list_transform({}, lambda p: p.{}), '  ') AS refs"
BEFOREHAND: Final[dict[Resource, tuple[str, ...]]] = {
    "Appointment": (
        _REFS.format("r.participant", "actor.reference"),
        f"{_first('Patient')} AS first_client",
    ),
    "Encounter": (_REFS.format("r.participant", "individual.reference"),),
    "Observation": (_REFS.format("r.performer", "reference"),),
}

_ATTENDANCE = (
    "start",
    "end",
    "minutes",
    "client",
    "clients",
    "clinician",
    "location",
    "service",
    "type",
    "class",
    "appointment",
    "episode",
    "outcome",
)


def _attendance(**given: tuple[str, str]) -> tuple[FhirColumn, ...]:
    """The same columns for both resources that tell of attendance; those that one lacks are empty."""
    nothing = ("", "CAST(NULL AS VARCHAR)")
    told = {name: given.get(name, nothing) for name in _ATTENDANCE}
    return (*_OWN, *(FhirColumn(name=name, path=path, sql=sql) for name, (path, sql) in told.items()))


_MANAGERS = (_id("r.careManager.reference", "Practitioner"), _id("r.careManager.reference", _PRACTITIONERS))
_FIRST_WAIT = "list_min([h.period.start FOR h IN r.statusHistory IF h.status IN ('planned', 'waitlist')])"
_RATER = (
    "CASE regexp_extract(coalesce(r.source.reference, r.author.reference), "
    "'(?:^|/)(Patient|RelatedPerson|Practitioner|PractitionerRole)/', 1)"
    " WHEN 'Patient' THEN 'client' WHEN 'Practitioner' THEN 'clinician' WHEN 'PractitionerRole' THEN 'clinician' END"
)

COLUMNS: Final[dict[Resource, tuple[FhirColumn, ...]]] = {
    "Appointment": _attendance(
        start=("start", moment("r.start")),
        end=("end", moment('r."end"')),
        minutes=("minutesDuration, or end less start", f"coalesce({number('r.minutesDuration')}, {_minutes('r')})"),
        client=("participant.actor(Patient), the first", "first_client"),
        clients=("participant.actor(Patient), all, sorted", _CLIENTS),
        clinician=(
            "participant.actor(Practitioner), else PractitionerRole, the first",
            _CLINICIAN,
        ),
        location=("participant.actor(Location), the first", _first("Location")),
        service=("serviceType.coding.code, the first", _code("r.serviceType[1].coding[1].code")),
        type=("appointmentType.coding.code, the first", _code("r.appointmentType.coding[1].code")),
        appointment=("id", "r.id"),
        outcome=(
            "status, and what stands before the first hyphen of cancelationReason.coding.code: `cancelled pat`",
            f"{_code('r.status')} || coalesce(' ' || left(regexp_extract({_REASON}, '^[A-Za-z0-9]+'), 20), '')",
        ),
    ),
    "Encounter": _attendance(
        start=("period.start", moment("r.period.start")),
        end=("period.end", moment('r.period."end"')),
        minutes=(
            "length in minutes, or period.end less period.start",
            f"coalesce(CASE WHEN r.length.code = 'min' THEN {number('r.length.value')} END, {_minutes('r.period')})",
        ),
        client=("subject(Patient)", _id("r.subject.reference", "Patient")),
        clients=("subject(Patient or Group)", _id("r.subject.reference", "Patient|Group")),
        clinician=(
            "participant.individual(Practitioner), else PractitionerRole, the first",
            _CLINICIAN,
        ),
        location=("location.location, the first", _id("r.location[1].location.reference", "Location")),
        service=("serviceType.coding.code, the first", _code("r.serviceType.coding[1].code")),
        type=("type.coding.code, the first", _code("r.type[1].coding[1].code")),
        **{"class": ("class.code", _code("r.class.code"))},
        appointment=("appointment, the first", _id("r.appointment[1].reference", "Appointment")),
        episode=("episodeOfCare, the first", _id("r.episodeOfCare[1].reference", "EpisodeOfCare")),
        outcome=("status", _code("r.status")),
    ),
    "EpisodeOfCare": (
        *_OWN,
        FhirColumn(name="client", path="patient", sql=_id("r.patient.reference", "Patient")),
        FhirColumn(name="clinician", path="careManager", sql=f"coalesce({', '.join(_MANAGERS)})"),
        FhirColumn(name="programme", path="type.coding.code, the first", sql=_code("r.type[1].coding[1].code")),
        FhirColumn(name="team", path="team, the first", sql=_id("r.team[1].reference", "CareTeam")),
        FhirColumn(
            name="organisation",
            path="managingOrganization",
            sql=_id("r.managingOrganization.reference", "Organization"),
        ),
        FhirColumn(
            name="referred",
            path="statusHistory.period.start, the first that is planned or waitlist",
            sql=day(_FIRST_WAIT),
        ),
        FhirColumn(name="started", path="period.start", sql=day("r.period.start")),
        FhirColumn(name="ended", path="period.end", sql=day('r.period."end"')),
        FhirColumn(
            name="ended_as",
            path="status, where period.end is told",
            sql=f'CASE WHEN r.period."end" IS NOT NULL THEN {_code("r.status")} END',
        ),
    ),
    "QuestionnaireResponse": (
        *_OWN,
        FhirColumn(name="questionnaire", path="questionnaire, without its version", sql="form"),
        FhirColumn(name="instrument", path="the measure that the settings or LOINC's codes make it", sql="instrument"),
        FhirColumn(name="client", path="subject(Patient)", sql=_id("r.subject.reference", "Patient")),
        FhirColumn(
            name="author", path="author", sql=_id("r.author.reference", f"Patient|RelatedPerson|{_PRACTITIONERS}")
        ),
        FhirColumn(name="rater", path="source, else author: Patient is `client`, Practitioner `clinician`", sql=_RATER),
        FhirColumn(name="authored", path="authored", sql=day("r.authored")),
        FhirColumn(name="encounter", path="encounter", sql=_id("r.encounter.reference", "Encounter")),
        FhirColumn(name="link_id", path="item.linkId", sql="link"),
        FhirColumn(name="item_number", path="the item's place on the form", sql="item_number"),
        FhirColumn(
            name="value",
            path="item.answer.value: a number, a code's number, or its ordinal; empty where nothing was answered",
            sql="value",
        ),
    ),
    "Observation": (
        *_OWN,
        FhirColumn(
            name="code", path="code.coding.code or component.code.coding.code, the one that is known", sql="code"
        ),
        FhirColumn(name="instrument", path="the measure that the code is the total of", sql="instrument"),
        FhirColumn(name="client", path="subject(Patient)", sql=_id("r.subject.reference", "Patient")),
        FhirColumn(
            name="clinician",
            path="performer(Practitioner), the first",
            sql=_first("Practitioner", ending="(?:Role)?"),
        ),
        FhirColumn(
            name="effective",
            path="effectiveDateTime, effectiveInstant or effectivePeriod.start",
            sql=day("coalesce(r.effectiveDateTime, r.effectiveInstant, r.effectivePeriod.start)"),
        ),
        FhirColumn(name="encounter", path="encounter", sql=_id("r.encounter.reference", "Encounter")),
        FhirColumn(name="total", path="valueQuantity.value, valueInteger or a number in another value[x]", sql="value"),
    ),
}
# What tells one row of a file from another, and so the versions of one row.
KEYS: Final[dict[Resource, tuple[str, ...]]] = {
    "Appointment": ("id",),
    "Encounter": ("id",),
    "EpisodeOfCare": ("id",),
    "QuestionnaireResponse": ("id", "instrument", "item_number"),
    "Observation": ("id", "instrument"),
}
