"""Exports with what makes a mapping hard: couples, statuses that settle nothing, rivals, short years, names for staff."""

from tests.assets.feeds.proposal.made_up_service import HEAD, MadeUp, Service, table


def couples_clinic():
    """Couples by letter, the NHS's attendance codes, the WAI by clinicians, items named in words, days with short years."""
    s = Service(21)
    code = {"attended": "5", "did_not_attend": "3", "cancelled_by_client": "2", "cancelled_by_clinic": "4"}
    booked = table(
        ["Appt Ref", "Couple Ref", "Practitioner Code", "Supervisor Code", "Appt Date", "Appt Start Time", "Attended Or DNA Code", "Clinic Location"],
        [
            (f"B{x.number}", f"CP-{x.client:03d}", f"PC{x.clinician}", f"PC{(x.clinician + 1) % 6}", x.at.strftime("%d/%m/%y"), x.at.strftime("%H:%M:%S"), code[x.status], f"Room {x.clinician % 3}")
            for x in s.slots
        ],
    )  # fmt: skip
    both = [(x, letter) for x in s.held for letter in "AB"]
    csi = table(
        [
            "Form Ref",
            "Partner Ref",
            "Couple Ref",
            "Appt Ref",
            "Date of Form",
            *(f"CSI-4 Item {n}" for n in range(1, 5)),
        ],
        [
            (
                f"FC{i}",
                f"CP-{x.client:03d}{letter}",
                f"CP-{x.client:03d}",
                f"B{x.number}",
                x.at.strftime("%d/%m/%y"),
                *s.answers(4, 0, 5),
            )
            for i, (x, letter) in enumerate(both)
        ],
    )
    wai = table(
        ["Form Ref", "Client Ref", "Appt Ref", "Date of Form", *(f"WAI-SR Therapist Q{n}" for n in range(1, 13))],
        [
            (f"FW{i}", f"CP-{x.client:03d}{letter}", f"B{x.number}", x.at.strftime("%d/%m/%y"), *s.answers(12, 1, 5))
            for i, (x, letter) in enumerate(both)
        ],
    )
    truth = (
        HEAD.format(alliance="WAI-SR", outcome="CSI-4")
        + """
[[feeds.attendance]]
files = "appts.csv"
datetime_format = "%d/%m/%y %H:%M:%S"
columns = { appointment_id = "Appt Ref", case_id = "Couple Ref", clinician_id = "Practitioner Code", starts_at = ["Appt Date", "Appt Start Time"], status = "Attended Or DNA Code", site = "Clinic Location" }
words.status = { 2 = "cancelled_by_client", 3 = "did_not_attend", 4 = "cancelled_by_clinic", 5 = "attended", 6 = "attended", 7 = "late_not_seen" }

[[feeds.alliance]]
files = "wai.csv"
date_format = "%d/%m/%y"
columns = { rating_id = "Form Ref", client_id = "Client Ref", appointment_id = "Appt Ref", completed_on = "Date of Form" }
patterns = { case_id = { from = "Client Ref", regex = "^(.+)[AB]$" } }
constants = { instrument = "WAI-SR", rater = "clinician" }
items = "WAI-SR Therapist Q{n}"

[[feeds.outcomes]]
files = "csi.csv"
date_format = "%d/%m/%y"
columns = { rating_id = "Form Ref", client_id = "Partner Ref", case_id = "Couple Ref", appointment_id = "Appt Ref", completed_on = "Date of Form" }
constants = { instrument = "CSI-4", rater = "client" }
items = "CSI-4 Item {n}"
"""
    )
    return MadeUp("Couples clinic", {"appts.csv": booked, "csi.csv": csi, "wai.csv": wai}, truth)


def group_practice():
    """American dates of service, staff by name, statuses that settle nothing, bills beside them, a scale that is not known."""
    s = Service(22)
    said = {
        "attended": "Show",
        "did_not_attend": "No-Show",
        "cancelled_by_client": "Cancelled - Client",
        "cancelled_by_clinic": "Cancelled",
    }
    visits = table(
        ["Appointment #", "Client #", "Clinician #", "Clinician Name", "DOS", "Start Time", "End Time", "Appointment Status", "CPT Code", "Copay"],
        [
            (x.number, 7000 + x.client, 10 + x.clinician, "Anna Smith", x.at.strftime("%m/%d/%Y"), x.at.strftime("%I:%M %p"), "05:00 PM",
             "Rescheduled" if x.number % 41 == 0 else said[x.status], "90834", "25.00")
            for x in s.slots
        ],
    )  # fmt: skip
    pcl = table(
        ["Client #", "Appointment #", "Assessment Date", *(f"pcl5_{n}" for n in range(1, 21)), "pcl5_total"],
        [(7000 + x.client, x.number, x.at.strftime("%m/%d/%Y"), *(a := s.answers(20, 0, 4)), sum(a)) for x in s.held],
    )
    haq = table(
        ["Client #", "Appointment #", "Assessment Date", *(f"haq2_{n}" for n in range(1, 20))],
        [(7000 + x.client, x.number, x.at.strftime("%m/%d/%Y"), *s.answers(19, 1, 6)) for x in s.held],
    )
    bills = table(
        ["Invoice #", "Client #", "Amount", "Paid"],
        [(i, 7000 + x.client, "120.00", "yes") for i, x in enumerate(s.held)],
    )
    truth = (
        HEAD.format(alliance="HAq-II", outcome="PCL-5")
        + """
[[feeds.attendance]]
files = "visits.csv"
datetime_format = "%m/%d/%Y %I:%M %p"
columns = { appointment_id = "Appointment #", case_id = "Client #", clinician_id = "Clinician #", starts_at = ["DOS", "Start Time"], status = "Appointment Status" }
words.status = { "Show" = "attended", "No-Show" = "did_not_attend", "Cancelled - Client" = "cancelled_by_client" }

[[feeds.alliance]]
files = "haq.csv"
date_format = "%m/%d/%Y"
columns = { rating_id = "Appointment #", client_id = "Client #", appointment_id = "Appointment #", completed_on = "Assessment Date" }
constants = { instrument = "HAq-II", rater = "client" }
items = "haq2_{n}"

[[feeds.outcomes]]
files = "pcl.csv"
date_format = "%m/%d/%Y"
columns = { rating_id = "Appointment #", client_id = "Client #", appointment_id = "Appointment #", completed_on = "Assessment Date" }
constants = { instrument = "PCL-5", rater = "client" }
items = "pcl5_{n}"
"""
    )
    return MadeUp(
        "Group practice", {"visits.csv": visits, "pcl.csv": pcl, "haq.csv": haq, "invoices.csv": bills}, truth
    )


def study_database():
    """REDCap's own names: one file of forms with everything on a line, checks of completeness, sessions in another."""
    s = Service(23)
    said = {"attended": "1", "did_not_attend": "2", "cancelled_by_client": "3", "cancelled_by_clinic": "4"}
    sessions = table(
        [
            "record_id",
            "redcap_repeat_instance",
            "session_datetime",
            "therapist_id",
            "session_status",
            "session_length_min",
        ],
        [
            (
                f"{x.client + 1}",
                x.number % 20 + 1,
                x.at.strftime("%Y-%m-%d %H:%M"),
                f"t{x.clinician}",
                said[x.status],
                x.minutes,
            )
            for x in s.slots
        ],
    )
    forms = table(
        [
            "record_id",
            "redcap_repeat_instance",
            "form_date",
            *(f"phq9_{n}" for n in range(1, 11)),
            "phq9_complete",
            *(f"sai{n}" for n in range(1, 7)),
            "sai_complete",
        ],
        [
            (
                f"{x.client + 1}",
                x.number % 20 + 1,
                x.at.strftime("%Y-%m-%d"),
                *s.answers(10, 0, 3),
                2,
                *s.answers(6, 0, 5),
                2,
            )
            for x in s.held
        ],
    )
    truth = (
        HEAD.format(alliance="SAI", outcome="PHQ-9")
        + """
[[feeds.attendance]]
files = "sessions.csv"
datetime_format = "%Y-%m-%d %H:%M"
columns = { appointment_id = ["record_id", "session_datetime"], case_id = "record_id", clinician_id = "therapist_id", starts_at = "session_datetime", status = "session_status", duration_minutes = "session_length_min" }

[[feeds.alliance]]
files = "forms.csv"
columns = { rating_id = ["record_id", "form_date"], client_id = "record_id", completed_on = "form_date" }
constants = { instrument = "SAI", rater = "client" }
items = "sai{n}"

[[feeds.outcomes]]
files = "forms.csv"
columns = { rating_id = ["record_id", "form_date"], client_id = "record_id", completed_on = "form_date" }
constants = { instrument = "PHQ-9", rater = "client" }
items = "phq9_{n}"
"""
    )
    return MadeUp("Study database", {"sessions.csv": sessions, "forms.csv": forms}, truth)


ALL = (couples_clinic, group_practice, study_database)
