"""Exports as systems elsewhere write them, each with the mapping that its vendor would have written."""

from tests.assets.feeds.proposal.made_up_service import CLINICIANS, HEAD, MadeUp, Service, table


def american():
    s = Service(14)
    said = {
        "attended": "Completed",
        "did_not_attend": "No Show",
        "cancelled_by_client": "Canceled by Patient",
        "cancelled_by_clinic": "Canceled by Provider",
    }
    encounters = table(
        ["EncounterID", "PatientMRN", "ProviderID", "EncounterDateTime", "VisitStatus", "VisitType", "LengthMinutes", "Department"],
        [
            (f"E{x.number}", f"MRN{x.client:06d}", f"PR{x.clinician}", x.at.strftime("%m/%d/%Y %I:%M %p"), said[x.status],
             {"in_person": "In Person", "video": "Telehealth", "phone": "Phone"}[x.mode], x.minutes, f"Unit {x.clinician % 2}")
            for x in s.slots
        ],
    )  # fmt: skip
    flow = table(
        [
            "AssessmentID",
            "PatientMRN",
            "EncounterID",
            "AssessmentDate",
            *(f"PHQ9_Q{n}" for n in range(1, 10)),
            *(f"GAD7_Q{n}" for n in range(1, 8)),
        ],
        [
            (
                f"F{i}",
                f"MRN{x.client:06d}",
                f"E{x.number}",
                x.at.strftime("%m/%d/%Y"),
                *s.answers(9, 0, 3),
                *s.answers(7, 0, 3),
            )
            for i, x in enumerate(s.held)
        ],
    )
    srs = table(
        ["AssessmentID", "PatientMRN", "EncounterID", "AssessmentDate", "SRS_Total"],
        [
            (f"G{i}", f"MRN{x.client:06d}", f"E{x.number}", x.at.strftime("%m/%d/%Y"), round(sum(s.lines_marked(4)), 1))
            for i, x in enumerate(s.held)
        ],
    )
    ratings = 'columns = { rating_id = "AssessmentID", client_id = "PatientMRN", appointment_id = "EncounterID", completed_on = "AssessmentDate" }'
    truth = (
        HEAD.format(alliance="SRS", outcome="PHQ-9")
        + f"""
[[feeds.attendance]]
files = "encounters.csv"
datetime_format = "%m/%d/%Y %I:%M %p"
columns = {{ appointment_id = "EncounterID", case_id = "PatientMRN", clinician_id = "ProviderID", starts_at = "EncounterDateTime", status = "VisitStatus", duration_minutes = "LengthMinutes", modality = "VisitType", site = "Department" }}
words.status = {{ "Completed" = "attended", "No Show" = "did_not_attend", "Canceled by Patient" = "cancelled_by_client", "Canceled by Provider" = "cancelled_by_clinic" }}
words.modality = {{ "In Person" = "in_person", "Telehealth" = "video", "Phone" = "phone" }}

[[feeds.alliance]]
files = "srs.csv"
date_format = "%m/%d/%Y"
{ratings}
constants = {{ instrument = "SRS", rater = "client" }}
total = "SRS_Total"

[[feeds.outcomes]]
files = "flowsheets.csv"
date_format = "%m/%d/%Y"
{ratings}
constants = {{ instrument = "PHQ-9", rater = "client" }}
items = "PHQ9_Q{{n}}"

[[feeds.outcomes]]
files = "flowsheets.csv"
date_format = "%m/%d/%Y"
{ratings}
constants = {{ instrument = "GAD-7", rater = "client" }}
items = "GAD7_Q{{n}}"
"""
    )
    return MadeUp("American", {"encounters.csv": encounters, "flowsheets.csv": flow, "srs.csv": srs}, truth)


def openmrs_like():
    s = Service(15)
    said = {
        "attended": "COMPLETED",
        "did_not_attend": "MISSED",
        "cancelled_by_client": "CANCELLED_BY_PATIENT",
        "cancelled_by_clinic": "CANCELLED_BY_PROVIDER",
    }
    booked = table(
        [
            "appointment_uuid",
            "patient_id",
            "provider_id",
            "start_date_time",
            "status",
            "patient_program_id",
            "location_id",
        ],
        [
            (
                f"9f{x.number}-ab",
                300 + x.client,
                20 + x.clinician,
                x.at.strftime("%Y-%m-%d %H:%M:%S"),
                said[x.status],
                900 + x.client,
                1,
            )
            for x in s.slots
        ],
        mark="\t",
    )
    rows = []
    for i, x in enumerate(s.held):
        for name, answers in (("PHQ9", s.answers(9, 0, 3)), ("WAI-SR", s.answers(12, 1, 5))):
            rows += [
                (f"g{i}{name[0]}", 300 + x.client, f"9f{x.number}-ab", x.at.strftime("%Y-%m-%d"), name, n, answer)
                for n, answer in enumerate(answers, 1)
            ]
    obs = table(
        [
            "obs_group_id",
            "patient_id",
            "appointment_uuid",
            "obs_datetime",
            "form_name",
            "question_number",
            "value_numeric",
        ],
        rows,
        mark="\t",
    )
    ratings = """date_format = "%Y-%m-%d"
delimiter = "\\t"
layout = "long"
columns = { rating_id = "obs_group_id", client_id = "patient_id", appointment_id = "appointment_uuid", completed_on = "obs_datetime", instrument = "form_name" }
constants = { rater = "client" }
item_number = "question_number"
item_value = "value_numeric"
"""
    truth = (
        HEAD.format(alliance="WAI-SR", outcome="PHQ-9")
        + f"""
[[feeds.attendance]]
files = "appointments.tsv"
delimiter = "\\t"
columns = {{ appointment_id = "appointment_uuid", episode_id = "patient_program_id", case_id = "patient_id", clinician_id = "provider_id", starts_at = "start_date_time", status = "status", site = "location_id" }}
words.status = {{ "COMPLETED" = "attended", "MISSED" = "did_not_attend", "CANCELLED_BY_PATIENT" = "cancelled_by_client", "CANCELLED_BY_PROVIDER" = "cancelled_by_clinic" }}

[[feeds.alliance]]
files = "obs.tsv"
only = {{ form_name = ["WAI-SR"] }}
{ratings}
[[feeds.outcomes]]
files = "obs.tsv"
only = {{ form_name = ["PHQ9"] }}
words.instrument = {{ "PHQ9" = "PHQ-9" }}
{ratings}"""
    )
    return MadeUp("OpenMRS-like", {"appointments.tsv": booked, "obs.tsv": obs}, truth)


def german():
    s = Service(16)
    said = {
        "attended": "wahrgenommen",
        "did_not_attend": "nicht erschienen",
        "cancelled_by_client": "abgesagt durch Klient",
        "cancelled_by_clinic": "abgesagt durch Praxis",
    }
    mode = {"in_person": "Präsenz", "video": "Video", "phone": "Telefon"}
    booked = table(
        ["Termin-Nr", "Klient-Nr", "Therapeut", "Datum", "Uhrzeit", "Status", "Dauer", "Kanal", "Standort"],
        [
            (x.number, f"KL{x.client:04d}", f"TP{x.clinician}", x.at.strftime("%d.%m.%Y"), x.at.strftime("%H:%M"), said[x.status], x.minutes, mode[x.mode], f"Süd{x.clinician % 2}")
            for x in s.slots
        ],
        mark=";", encoding="latin-1",
    )  # fmt: skip

    def marked(each):
        return [str(value).replace(".", ",") for value in each]

    ors = table(
        ["Bogen-Nr", "Klient-Nr", "Termin-Nr", "Datum", "ORS_1", "ORS_2", "ORS_3", "ORS_4"],
        [
            (f"O{i}", f"KL{x.client:04d}", x.number, x.at.strftime("%d.%m.%Y"), *marked(s.lines_marked(4)))
            for i, x in enumerate(s.held)
        ],
        mark=";",
    )
    srs = table(
        ["Bogen-Nr", "Klient-Nr", "Termin-Nr", "Datum", "SRS_1", "SRS_2", "SRS_3", "SRS_4"],
        [
            (f"S{i}", f"KL{x.client:04d}", x.number, x.at.strftime("%d.%m.%Y"), *marked(s.lines_marked(4)))
            for i, x in enumerate(s.held)
        ],
        mark=";",
    )
    ratings = """delimiter = ";"
decimal = ","
date_format = "%d.%m.%Y"
columns = { rating_id = "Bogen-Nr", client_id = "Klient-Nr", appointment_id = "Termin-Nr", completed_on = "Datum" }"""
    truth = (
        HEAD.format(alliance="SRS", outcome="ORS")
        + f"""
[[feeds.attendance]]
files = "Termine.csv"
delimiter = ";"
encoding = "cp1252"
datetime_format = "%d.%m.%Y %H:%M"
columns = {{ appointment_id = "Termin-Nr", case_id = "Klient-Nr", clinician_id = "Therapeut", starts_at = ["Datum", "Uhrzeit"], status = "Status", duration_minutes = "Dauer", modality = "Kanal", site = "Standort" }}
words.status = {{ "wahrgenommen" = "attended", "nicht erschienen" = "did_not_attend", "abgesagt durch Klient" = "cancelled_by_client", "abgesagt durch Praxis" = "cancelled_by_clinic" }}
words.modality = {{ "Präsenz" = "in_person", "Video" = "video", "Telefon" = "phone" }}

[[feeds.alliance]]
files = "SRS.csv"
{ratings}
constants = {{ instrument = "SRS", rater = "client" }}
items = "SRS_{{n}}"

[[feeds.outcomes]]
files = "ORS.csv"
{ratings}
constants = {{ instrument = "ORS", rater = "client" }}
items = "ORS_{{n}}"
"""
    )
    return MadeUp("German", {"Termine.csv": booked, "ORS.csv": ors, "SRS.csv": srs}, truth)


def bare_totals():
    """Monthly drops, no key of a form, and totals by the measure's name."""
    s = Service(17)
    said = {
        "attended": "Seen",
        "did_not_attend": "Did not attend",
        "cancelled_by_client": "Cancelled by client",
        "cancelled_by_clinic": "Cancelled by clinic",
    }
    files = {}
    for year in (2024, 2025, 2026):
        files[f"activity_{year}.csv"] = table(
            ["Contact Ref", "Client Code", "Counsellor Code", "Contact Date/Time", "Outcome", "Minutes"],
            [
                (
                    x.number,
                    f"Z{x.client:03d}",
                    f"CO{x.clinician}",
                    x.at.strftime("%d-%m-%Y %H:%M"),
                    said[x.status],
                    x.minutes,
                )
                for x in s.slots
                if x.at.year == year
            ],
        )
    files["scores.csv"] = table(
        ["Client Code", "Date", "Measure", "Score"],
        [
            (f"Z{x.client:03d}", x.at.strftime("%d-%m-%Y"), name, total)
            for x in s.held
            for name, total in (
                ("CORE-OM", round(sum(s.answers(34, 0, 4)) * 10 / 34, 1)),
                ("WAI-S", sum(s.answers(12, 1, 7))),
            )
        ],
    )
    files["counsellors.csv"] = table(
        ["Counsellor Code", "Job Title", "Team", "Start Date"],
        [(f"CO{n}", "Counsellor" if n % 2 else "Psychologist", "East", f"0{n + 1}-02-2019") for n in range(CLINICIANS)],
    )
    ratings = """date_format = "%d-%m-%Y"
columns = { rating_id = ["Client Code", "Date"], client_id = "Client Code", completed_on = "Date", instrument = "Measure" }
constants = { rater = "client" }
total = "Score"
"""
    truth = (
        HEAD.format(alliance="WAI-S", outcome="CORE-OM")
        + f"""
[[feeds.attendance]]
files = "activity_????.csv"
datetime_format = "%d-%m-%Y %H:%M"
columns = {{ appointment_id = "Contact Ref", case_id = "Client Code", clinician_id = "Counsellor Code", starts_at = "Contact Date/Time", status = "Outcome", duration_minutes = "Minutes" }}
words.status = {{ "Seen" = "attended", "Did not attend" = "did_not_attend", "Cancelled by client" = "cancelled_by_client", "Cancelled by clinic" = "cancelled_by_clinic" }}

[[feeds.alliance]]
files = "scores.csv"
only = {{ Measure = ["WAI-S"] }}
{ratings}
[[feeds.outcomes]]
files = "scores.csv"
only = {{ Measure = ["CORE-OM"] }}
{ratings}
[[feeds.clinicians]]
files = "counsellors.csv"
date_format = "%d-%m-%Y"
columns = {{ clinician_id = "Counsellor Code", profession = "Job Title", site = "Team", started_on = "Start Date" }}
"""
    )
    return MadeUp("Bare totals", files, truth)


ALL = (american, openmrs_like, german, bare_totals)
