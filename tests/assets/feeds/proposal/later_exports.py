"""Exports that were written once the rules stood: a trust's and a private practice's."""

from tests.assets.feeds.proposal.made_up_service import HEAD, MadeUp, Service, table


def trust():
    s = Service(31)
    said = {
        "attended": "Attended",
        "did_not_attend": "Did not attend - no contact",
        "cancelled_by_client": "Cancelled by Service User",
        "cancelled_by_clinic": "Cancelled by Trust",
    }
    a = table(
        [
            "ClientID",
            "AppointmentSequence",
            "HCPCode",
            "AppointmentDate",
            "AppointmentTime",
            "OutcomeDescription",
            "DurationInMinutes",
            "AppointmentTypeDescription",
            "TeamName",
        ],
        [
            (
                400000 + x.client,
                x.number,
                f"H{x.clinician:03d}",
                x.at.strftime("%Y-%m-%d"),
                x.at.strftime("%H:%M:%S"),
                said[x.status],
                x.minutes,
                {"in_person": "Face to Face", "video": "Video Consultation", "phone": "Telephone"}[x.mode],
                f"Team {x.clinician % 2}",
            )
            for x in s.slots
        ],
    )
    w = table(
        [
            "ClientID",
            "AssessmentDate",
            "AssessmentSequence",
            "WSAS Q1",
            "WSAS Q2",
            "WSAS Q3",
            "WSAS Q4",
            "WSAS Q5",
            "WSAS Total",
        ],
        [
            (400000 + x.client, x.at.strftime("%Y-%m-%d %H:%M:%S"), i + 1, *(q := s.answers(5, 0, 8)), sum(q))
            for i, x in enumerate(s.held)
        ],
    )
    h = table(
        ["ClientID", "DateCompleted", "FormNumber"] + [f"CALPAS_{n}" for n in range(1, 25)],
        [(400000 + x.client, x.at.strftime("%Y-%m-%d"), i + 1, *s.answers(24, 1, 7)) for i, x in enumerate(s.held)],
    )
    t = (
        HEAD.format(alliance="CALPAS", outcome="WSAS")
        + """
[[feeds.attendance]]
files="Appointments.csv"
columns={appointment_id="AppointmentSequence",case_id="ClientID",clinician_id="HCPCode",starts_at=["AppointmentDate","AppointmentTime"],status="OutcomeDescription",duration_minutes="DurationInMinutes",modality="AppointmentTypeDescription",site="TeamName"}
words.status={"Attended"="attended","Did not attend - no contact"="did_not_attend","Cancelled by Service User"="cancelled_by_client","Cancelled by Trust"="cancelled_by_clinic"}
words.modality={"Face to Face"="in_person","Video Consultation"="video","Telephone"="phone"}
[[feeds.alliance]]
files="calpas.csv"
columns={rating_id="FormNumber",client_id="ClientID",completed_on="DateCompleted"}
constants={instrument="CALPAS",rater="client"}
items="CALPAS_{n}"
[[feeds.outcomes]]
files="wsas.csv"
date_format="%Y-%m-%d %H:%M:%S"
columns={rating_id="AssessmentSequence",client_id="ClientID",completed_on="AssessmentDate"}
constants={instrument="WSAS",rater="client"}
items="WSAS Q{n}"
"""
    )
    return MadeUp("Trust", {"Appointments.csv": a, "wsas.csv": w, "calpas.csv": h}, t)


def private_practice():
    s = Service(32)
    said = {
        "attended": "show",
        "did_not_attend": "no show",
        "cancelled_by_client": "cancelled by client",
        "cancelled_by_clinic": "clinician cancelled",
    }
    a = table(
        [
            "Id",
            "Client Id",
            "Clinician Id",
            "Date of Service",
            "Start",
            "End",
            "Attendance Status",
            "Session Length",
            "Location",
        ],
        [
            (
                x.number,
                f"c-{x.client}",
                f"st-{x.clinician}",
                x.at.strftime("%m/%d/%Y"),
                x.at.strftime("%I:%M %p"),
                "06:00 PM",
                said[x.status],
                x.minutes,
                f"Office {x.clinician % 3}",
            )
            for x in s.slots
        ],
    )
    o = table(
        ["Id", "Client Id", "Therapist Id", "Measure Date", "Measure Name", "Raw Score", "Rater"],
        [
            (f"m{i}{j}", f"c-{x.client}", f"st-{x.clinician}", x.at.strftime("%m/%d/%Y"), n, v, "Client")
            for i, x in enumerate(s.held)
            for j, (n, v) in enumerate(
                (
                    ("ORS", round(sum(s.lines_marked(4)), 1)),
                    ("SRS", round(sum(s.lines_marked(4)), 1)),
                    ("PHQ-9", sum(s.answers(9, 0, 3))),
                )
            )
        ],
    )
    e = table(
        [
            "Treatment Episode Id",
            "Client Id",
            "Lead Clinician Id",
            "Program",
            "Intake Date",
            "Discharge Date",
            "Discharge Reason",
        ],
        [
            (
                f"e{c.client}",
                f"c-{c.client}",
                f"st-{c.clinician}",
                "IOP" if c.client % 2 else "OP",
                c.referred.strftime("%m/%d/%Y"),
                c.ended and c.ended.strftime("%m/%d/%Y"),
                c.ended and ("Goals met" if c.is_planned else "Dropped out"),
            )
            for c in s.courses
        ],
    )
    t = (
        HEAD.format(alliance="SRS", outcome="ORS")
        + """
[[feeds.attendance]]
files="sessions.csv"
datetime_format="%m/%d/%Y %I:%M %p"
columns={appointment_id="Id",case_id="Client Id",clinician_id="Clinician Id",starts_at=["Date of Service","Start"],status="Attendance Status",duration_minutes="Session Length",site="Location"}
words.status={"show"="attended","no show"="did_not_attend","cancelled by client"="cancelled_by_client","clinician cancelled"="cancelled_by_clinic"}
[[feeds.alliance]]
files="measures.csv"
date_format="%m/%d/%Y"
only={"Measure Name"=["SRS"]}
columns={rating_id="Id",client_id="Client Id",clinician_id="Therapist Id",completed_on="Measure Date",instrument="Measure Name",rater="Rater"}
words.rater={"Client"="client"}
total="Raw Score"
[[feeds.outcomes]]
files="measures.csv"
date_format="%m/%d/%Y"
only={"Measure Name"=["ORS","PHQ-9"]}
columns={rating_id="Id",client_id="Client Id",clinician_id="Therapist Id",completed_on="Measure Date",instrument="Measure Name",rater="Rater"}
words.rater={"Client"="client"}
total="Raw Score"
[[feeds.episodes]]
files="episodes.csv"
date_format="%m/%d/%Y"
columns={episode_id="Treatment Episode Id",case_id="Client Id",clinician_id="Lead Clinician Id",programme="Program",referred_on="Intake Date",ended_on="Discharge Date",end_reason="Discharge Reason"}
words.end_reason={"Goals met"="planned","Dropped out"="unplanned"}
"""
    )
    return MadeUp("Private practice", {"sessions.csv": a, "measures.csv": o, "episodes.csv": e}, t)


ALL = (trust, private_practice)
