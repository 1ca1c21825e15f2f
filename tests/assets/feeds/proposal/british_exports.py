"""Exports as three kinds of British record systems write them, each with the mapping that its vendor would have written."""

from tests.assets.feeds.proposal.made_up_service import CLIENTS, HEAD, MadeUp, Service, table


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


ALL = (systmone_like, iaptus_like, core_net_like)
