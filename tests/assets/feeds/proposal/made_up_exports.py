"""Exports of seven made-up record systems, each with the mapping that its vendor would have written by hand."""

from dataclasses import dataclass

from tests.assets.feeds.proposal.made_up_service import CLIENTS, CLINICIANS, Service, table

HEAD = """
[clinic]
name = "Made up"
time_zone = "Europe/London"
first_possible_day = 2015-01-01

[[measures]]
alliance = "{alliance}"
outcome = "{outcome}"
"""


@dataclass(frozen=True)
class MadeUp:
    """Files by name, and the true mapping as a settings file."""

    name: str
    files: dict[str, bytes]
    truth: str

    def write(self, folder):
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder


def systmone_like():
    s = Service(11)
    said = {
        "attended": "Finished",
        "did_not_attend": "Did Not Attend",
        "cancelled_by_client": "Cancelled by Patient",
        "cancelled_by_clinic": "Cancelled by Service",
    }
    visits = table(
        ["RowIdentifier", "IDAppointment", "IDPatient", "IDReferralIn", "IDStaffMember", "DateStart", "CurrentStatus", "DurationMinutes", "ContactMethod"],
        [
            (90000 + i, f"AP{x.number}", f"S{x.client:05d}", f"RF{x.client:05d}", f"ST{x.clinician:02d}",
             x.at.strftime("%d %b %Y %H:%M:%S"), said[x.status], x.minutes,
             {"in_person": "Face to face", "video": "Video", "phone": "Telephone"}[x.mode])
            for i, x in enumerate(s.slots)
        ],
    )  # fmt: skip
    phq = table(
        ["RowIdentifier", "IDPatient", "IDAppointment", "DateEvent", *(f"PHQ9Q{n}" for n in range(1, 10))],
        [
            (70000 + i, f"S{x.client:05d}", f"AP{x.number}", x.at.strftime("%d %b %Y"), *s.answers(9, 0, 3))
            for i, x in enumerate(s.held)
        ],
    )
    wai = table(
        ["RowIdentifier", "IDPatient", "IDAppointment", "DateEvent", *(f"WAISR{n:02d}" for n in range(1, 13))],
        [
            (80000 + i, f"S{x.client:05d}", f"AP{x.number}", x.at.strftime("%d %b %Y"), *s.answers(12, 1, 5))
            for i, x in enumerate(s.held)
        ],
    )
    referrals = table(
        ["IDReferralIn", "IDPatient", "DateReferral", "DateDischarged", "PrimaryReason", "DischargeReason"],
        [
            (f"RF{c.client:05d}", f"S{c.client:05d}", c.referred.strftime("%d %b %Y"), c.ended and c.ended.strftime("%d %b %Y"), c.problem,
             c.ended and ("Treatment completed" if c.is_planned else "Did not attend"))
            for c in s.courses
        ],
    )  # fmt: skip
    truth = (
        HEAD.format(alliance="WAI-SR", outcome="PHQ-9")
        + """
[[feeds.attendance]]
files = "SRVisit.csv"
datetime_format = "%d %b %Y %H:%M:%S"
columns = { appointment_id = "IDAppointment", episode_id = "IDReferralIn", case_id = "IDPatient", clinician_id = "IDStaffMember", starts_at = "DateStart", status = "CurrentStatus", duration_minutes = "DurationMinutes", modality = "ContactMethod" }
words.status = { "Finished" = "attended", "Did Not Attend" = "did_not_attend", "Cancelled by Patient" = "cancelled_by_client", "Cancelled by Service" = "cancelled_by_clinic" }
words.modality = { "Face to face" = "in_person", "Video" = "video", "Telephone" = "phone" }

[[feeds.alliance]]
files = "SRQuestionnaireWAI.csv"
date_format = "%d %b %Y"
columns = { rating_id = "RowIdentifier", client_id = "IDPatient", appointment_id = "IDAppointment", completed_on = "DateEvent" }
constants = { instrument = "WAI-SR", rater = "client" }
items = ["WAISR01", "WAISR02", "WAISR03", "WAISR04", "WAISR05", "WAISR06", "WAISR07", "WAISR08", "WAISR09", "WAISR10", "WAISR11", "WAISR12"]

[[feeds.outcomes]]
files = "SRQuestionnairePHQ.csv"
date_format = "%d %b %Y"
columns = { rating_id = "RowIdentifier", client_id = "IDPatient", appointment_id = "IDAppointment", completed_on = "DateEvent" }
constants = { instrument = "PHQ-9", rater = "client" }
items = "PHQ9Q{n}"

[[feeds.episodes]]
files = "SRReferralIn.csv"
date_format = "%d %b %Y"
columns = { episode_id = "IDReferralIn", case_id = "IDPatient", referred_on = "DateReferral", ended_on = "DateDischarged", end_reason = "DischargeReason", problem = "PrimaryReason" }
words.end_reason = { "Treatment completed" = "planned", "Did not attend" = "unplanned" }
"""
    )
    files = {
        "SRVisit.csv": visits,
        "SRQuestionnairePHQ.csv": phq,
        "SRQuestionnaireWAI.csv": wai,
        "SRReferralIn.csv": referrals,
    }
    return MadeUp("SystmOne-like", files, truth)


def iaptus_like():
    s = Service(12)
    said = {
        "attended": "Attended",
        "did_not_attend": "DNA",
        "cancelled_by_client": "Cancelled by patient",
        "cancelled_by_clinic": "Cancelled by therapist",
    }
    mode = {"in_person": "Face to face", "video": "Online video", "phone": "Telephone"}
    contacts = table(
        ["PatientID", "ReferralID", "AppointmentID", "Appointment Date", "Appointment Time", "Therapist ID", "Attendance", "Duration (mins)",
         "Consultation Medium", "PHQ9 Total", "GAD7 Total", "NHS Number", "Postcode"],
        [
            (f"P{x.client:04d}", f"R{x.client:04d}", x.number, x.at.strftime("%d/%m/%Y"), x.at.strftime("%H:%M"), f"T{x.clinician}", said[x.status], x.minutes,
             mode[x.mode], *([sum(s.answers(9, 0, 3)), sum(s.answers(7, 0, 3))] if x.is_held else [None, None]), "943 476 5919", "SW1A 1AA")
            for x in s.slots
        ],
    )  # fmt: skip
    wai = table(
        ["PatientID", "AppointmentID", "Date Completed", *(f"Q{n}" for n in range(1, 13))],
        [(f"P{x.client:04d}", x.number, x.at.strftime("%d/%m/%Y"), *s.answers(12, 1, 5)) for x in s.held],
    )
    people = table(
        ["PatientID", "First Name", "Surname", "Date of Birth", "Gender", "IMD Decile"],
        [
            (
                f"P{n:04d}",
                "Ann",
                "Example",
                f"{n % 28 + 1:02d}/0{n % 9 + 1}/19{60 + n % 39}",
                "Female" if n % 3 else "Male",
                n % 10 + 1,
            )
            for n in range(CLIENTS)
        ],
    )
    truth = (
        HEAD.format(alliance="WAI-SR", outcome="PHQ-9")
        + """
[[feeds.attendance]]
files = "iaptus_contacts.csv"
datetime_format = "%d/%m/%Y %H:%M"
columns = { appointment_id = "AppointmentID", episode_id = "ReferralID", case_id = "PatientID", clinician_id = "Therapist ID", starts_at = ["Appointment Date", "Appointment Time"], status = "Attendance", duration_minutes = "Duration (mins)", modality = "Consultation Medium" }
words.status = { "Attended" = "attended", "DNA" = "did_not_attend", "Cancelled by patient" = "cancelled_by_client", "Cancelled by therapist" = "cancelled_by_clinic" }
words.modality = { "Face to face" = "in_person", "Online video" = "video", "Telephone" = "phone" }

[[feeds.alliance]]
files = "iaptus_wai_sr.csv"
date_format = "%d/%m/%Y"
columns = { rating_id = "AppointmentID", client_id = "PatientID", appointment_id = "AppointmentID", completed_on = "Date Completed" }
constants = { instrument = "WAI-SR", rater = "client" }
items = "Q{n}"

[[feeds.outcomes]]
files = "iaptus_contacts.csv"
date_format = "%d/%m/%Y"
columns = { rating_id = "AppointmentID", client_id = "PatientID", clinician_id = "Therapist ID", appointment_id = "AppointmentID", completed_on = "Appointment Date" }
constants = { instrument = "PHQ-9", rater = "client" }
total = "PHQ9 Total"

[[feeds.outcomes]]
files = "iaptus_contacts.csv"
date_format = "%d/%m/%Y"
columns = { rating_id = "AppointmentID", client_id = "PatientID", clinician_id = "Therapist ID", appointment_id = "AppointmentID", completed_on = "Appointment Date" }
constants = { instrument = "GAD-7", rater = "client" }
total = "GAD7 Total"

[[feeds.people]]
files = "iaptus_patients.csv"
date_format = "%d/%m/%Y"
born_on = "Date of Birth"
columns = { client_id = "PatientID", gender = "Gender", deprivation_decile = "IMD Decile" }
"""
    )
    files = {"iaptus_contacts.csv": contacts, "iaptus_wai_sr.csv": wai, "iaptus_patients.csv": people}
    return MadeUp("IAPTus-like", files, truth)


def core_net_like():
    s = Service(13)
    said = {
        "attended": "Attended",
        "did_not_attend": "DNA",
        "cancelled_by_client": "Client cancelled",
        "cancelled_by_clinic": "Service cancelled",
    }
    sessions = table(
        ["Session ID", "Client ID", "Therapist ID", "Session Date", "Session Time", "Session Attendance", "Length"],
        [
            (
                x.number,
                f"CN{x.client:04d}",
                f"TH{x.clinician}",
                x.at.strftime("%d/%m/%Y"),
                x.at.strftime("%H:%M"),
                said[x.status],
                x.minutes,
            )
            for x in s.slots
        ],
    )
    core = table(
        ["Client ID", "Session ID", "Date", *(f"CORE10_{n:02d}" for n in range(1, 11)), "CORE10_Total"],
        [
            (f"CN{x.client:04d}", x.number, x.at.strftime("%d/%m/%Y"), *(answers := s.answers(10, 0, 4)), sum(answers))
            for x in s.held
        ],
    )
    arm = table(
        ["Client ID", "Session ID", "Date", *(f"ARM{n}" for n in range(1, 6))],
        [(f"CN{x.client:04d}", x.number, x.at.strftime("%d/%m/%Y"), *s.answers(5, 1, 7)) for x in s.held],
    )
    truth = (
        HEAD.format(alliance="ARM-5", outcome="CORE-10")
        + """
[[feeds.attendance]]
files = "Sessions.csv"
datetime_format = "%d/%m/%Y %H:%M"
columns = { appointment_id = "Session ID", case_id = "Client ID", clinician_id = "Therapist ID", starts_at = ["Session Date", "Session Time"], status = "Session Attendance", duration_minutes = "Length" }
words.status = { "Attended" = "attended", "DNA" = "did_not_attend", "Client cancelled" = "cancelled_by_client", "Service cancelled" = "cancelled_by_clinic" }

[[feeds.alliance]]
files = "ARM5.csv"
date_format = "%d/%m/%Y"
columns = { rating_id = "Session ID", client_id = "Client ID", appointment_id = "Session ID", completed_on = "Date" }
constants = { instrument = "ARM-5", rater = "client" }
items = "ARM{n}"

[[feeds.outcomes]]
files = "CORE10.csv"
date_format = "%d/%m/%Y"
columns = { rating_id = "Session ID", client_id = "Client ID", appointment_id = "Session ID", completed_on = "Date" }
constants = { instrument = "CORE-10", rater = "client" }
items = ["CORE10_01", "CORE10_02", "CORE10_03", "CORE10_04", "CORE10_05", "CORE10_06", "CORE10_07", "CORE10_08", "CORE10_09", "CORE10_10"]
"""
    )
    return MadeUp("CORE-Net-like", {"Sessions.csv": sessions, "CORE10.csv": core, "ARM5.csv": arm}, truth)


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


ALL = (systmone_like, iaptus_like, core_net_like, american, openmrs_like, german, bare_totals)
