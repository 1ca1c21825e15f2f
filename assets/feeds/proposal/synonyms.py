"""What record systems call things: the names of columns and the words in them, in one table.

Belongs here: names and words, English and German, as UK and US systems, CORE Net, IAPTus, SystmOne, OpenMRS, REDCap and
home-made lists write them. Does not belong here: how a name is weighed against a column's values (`roles`), or any wording
of an instrument's items: the four lines of the ORS and the SRS are named by their labels alone.

Names are compared in lower case, capitals and punctuation turned into spaces: `ApptDateTime` is `appt date time`.
"""

import re
from typing import Final

_KEY = r"(?:id|ids|ref|reference|number|no|nr|num|code|key|uid|uuid|guid|identifier|pseudonym|pk|kennung|nummer|mrn|urn|upi|sequence|seq)"
_OWN = r"(?:local|system|unique|internal|pseudo|anon|anonymous|anonymised|masked|record|main|lead|primary|case|care)"
_CLIENT = r"(?:client|patient|person|pat|pt|service user|su|participant|individual|partner|member|spouse|klient|klientin|patientin|consumer|subject)"
_CLINICIAN = (
    r"(?:clinician|therapist|staff|staff member|practitioner|provider|counsellor|counselor|psychologist|professional"
    r"|care professional|hcp|worker|case worker|key worker|therapeut|therapeutin|behandler|clin|performer)"
)
_BOOKED = r"(?:appointment|appt|apt|app|booking|contact|care contact|attendance|session|visit|encounter|event|slot|activity|termin)"
_COURSE = (
    r"(?:episode|referral|spell|course|pathway|treatment|(?:care|treatment|therapy|service) episode|service request|enrolment|enrollment|therapy|behandlung"
    r"|program enrollment|patient program|care plan|service|fall)"
)
_FORM = r"(?:form|assessment|questionnaire|rating|response|survey|measure|outcome|instance|submission|score|bogen|obs group)"
_ON = r"(?:date|on|datum|day|at)"

Tiers = tuple[str, ...]
"""Patterns for the whole of a name, the surest first."""


def _keys(entity: str) -> Tiers:
    return (
        rf"(?:{_OWN} )*{entity}(?: {_OWN})*(?: {_KEY})+|{_KEY} {entity}(?: in)?|{entity.replace(' ', '')}id",
        rf"(?:{_OWN} )*{entity}",
    )


COLUMNS: Final[dict[str, Tiers]] = {
    "client": (
        *_keys(_CLIENT),
        r"mrn|hospital (?:no|number)|case note number|chart (?:no|number)|pseudonym|record id|study id|chiffre",
    ),
    "case": (rf"(?:case|couple|family|dyad|household)(?: {_KEY})+", r"case|couple|family"),
    "clinician": (*_keys(_CLINICIAN), r"seen by|with|hp code"),
    "appointment": (*_keys(_BOOKED),),
    "episode": (*_keys(_COURSE),),
    "form": (*_keys(_FORM),),
    "row": (r"id|uuid|uid|guid|key|ref|nr|no|number|row ?(?:id|identifier|number)|record ?(?:id|no)|source id",),
    "moment": (
        (
            rf"(?:{_BOOKED} )?(?:start |scheduled |booked )?date ?(?:and )?time|{_BOOKED}(?: start)? (?:date|datum|on|at|time)"
            rf"|date (?:of )?{_BOOKED}(?: start)?|date (?:started|start)|dos|date of service|service date|start(?:s|ed)? (?:at|date|date time|datetime|time)|scheduled (?:for|at|start|date)"
        ),
        r"date|datum|start|when|tag|beginn",
    ),
    "clock": (
        rf"(?:{_BOOKED} )?(?:start )?(?:time|clock|uhrzeit|zeit)|time of {_BOOKED}",
        r"start|starts|begin|begins|from|von|beginn",
    ),
    "completed": (
        (
            rf"(?:date )?(?:completed|completion|assessed|administered|answered|rated|filled(?: in)?)(?: {_ON})?"
            rf"|(?:{_FORM} )(?:completed |completion )?{_ON}|date (?:of )?(?:{_FORM}|completion)|date completed"
        ),
        rf"date|datum|{_BOOKED} (?:date|datum|day)|date (?:of )?{_BOOKED}|{_BOOKED} date ?time|obs date ?time|date ?time|timestamp",
    ),
    "referred": (
        (
            rf"(?:date )?(?:of )?refer(?:ral|red)(?: request)?(?: received| made| created)?(?: {_ON})?|received (?:on|date)|intake(?: date| on)?|date of intake"
            r"|date received|zuweisung(?:sdatum)?|date (?:of )?referral(?: received)?"
        ),
    ),
    "started": (
        (
            rf"(?:{_COURSE} )?(?:start|started|starts|begin|began|begun|commenced|accepted|enrolled|opened)(?: {_ON})?"
            r"|(?:date )?(?:of )?(?:start|first (?:session|appointment|contact|treatment|therapy))(?: date)?|beginn"
            rf"|date (?:started|enrolled|opened|accepted)|date of first {_BOOKED}|{_COURSE} (?:start|begin) date"
        ),
    ),
    "ended": (
        (
            rf"(?:{_COURSE} )?(?:end|ended|ends|closed|closure|close|discharge|discharged)(?: {_ON})?|{_COURSE} (?:completed|finished)(?: {_ON})?"
            rf"|date (?:of )?(?:end|ended|closed|closure|discharge|discharged)|ende|service discharge date"
            r"|(?:discharge|closure|end) date|entlassung(?:sdatum)?"
        ),
    ),
    "since": (
        r"start(?:ed)?(?: on| date)?|since|joined(?: on)?|date (?:joined|started)|employed since|in post since|hire date|hired",
    ),
    "status": (
        (
            r"(?:attend(?:ance|ed)?|appointment|appt|session|contact|visit|booking|event|activity|care contact)"
            r" (?:status|outcome|result|state|type|code)|(?:attend|attended|attendance) or (?:dna|did not attend)(?: code)?"
            r"|current status|attendance|attended|dna|outcome of (?:attendance|appointment)|attend status|attendance indicator"
        ),
        r"status|outcome|result|state|ergebnis|did attend",
    ),
    "duration": (
        (
            r"(?:actual |planned |clinical )?(?:appointment |appt |session |contact |visit |care contact |event )?"
            r"(?:duration|length|dauer)(?: (?:in )?(?:minutes|mins|min|m))?|(?:contact |session |clinical )?(?:minutes|mins|min|minuten)"
            r"|clinical contact duration(?: of care contact)?"
        ),
    ),
    "modality": (
        (
            r"(?:consultation|contact|appointment|appt|session|delivery|attendance|visit) (?:type|mode|medium|method|mechanism|channel"
            r"|medium used|modality)|modality|channel|medium|mode|mode of (?:delivery|contact|session)|delivery|format|location type"
            r"|consultation medium used|delivery mode|kanal"
        ),
        r"type|contact",
    ),
    "end_reason": (
        (
            r"(?:end|ending|discharge|closure|close|closed|completion|exit|leaving|termination)(?: \w+)? (?:reason|code|type|status|outcome)"
            r"|reason (?:for )?(?:end|ending|discharge|closure|leaving|exit|closing)|end of (?:care|treatment) (?:reason|code)"
            r"|planned ending|ending|therapy ending|type of ending"
        ),
    ),
    "programme": (
        (
            r"(?:treatment |care |service )?(?:program|programme|pathway|stream|line)(?: name)?|treatment (?:type|model|approach)"
            r"|therapy (?:type|model)|intervention(?: type)?|service line|therapieform"
        ),
        r"treatment|therapy|service",
    ),
    "problem": (
        (
            r"(?:main |primary |presenting |provisional |working )+(?:problem|complaint|issue|concern|diagnosis|difficulty)s?"
            r"|problem(?: descriptor)?|(?:primary|main|presenting) reason|diagnosis|reason for referral|referral reason|presentation|diagnose"
        ),
    ),
    "age_band": (r"age (?:band|group|range|bracket|category)|altersgruppe|age at referral band",),
    "birth": (r"(?:\w+ )?(?:dob|d o b|date of birth|birth ?date|birth ?day)|born(?: on)?|geburtsdatum|year of birth",),
    "gender": (
        r"gender(?: identity)?(?: code)?|sex|geschlecht|administrative gender|(?:client|patient) (?:gender|sex)",
    ),
    "decile": (r"(?:\w+ )*(?:imd|deprivation|index of multiple deprivation)(?: \w+)* ?(?:decile|tenth)|decile|imd",),
    "profession": (
        (
            r"profession|grade|role|job (?:title|role)|discipline|occupation|staff (?:group|type|role|grade)|qualification|beruf|band"
            r"|professional (?:group|role)"
        ),
    ),
    "site": (
        (
            r"(?:site|clinic|location|team|centre|center|branch|hub|service|office|standort|base|ward|unit|facility|department|dept)"
            r"(?: (?:name|code|id|ref))?|(?:appointment|session|contact|visit|work|clinic) (?:site|location)|organisation site(?: code)?"
        ),
    ),
    "instrument": (
        (
            r"(?:measure|instrument|questionnaire|scale|tool|test|form|assessment|survey|outcome measure|assessment tool|fragebogen)"
            r"(?: (?:name|type|code|title|id|used))?|(?:coded )?assessment tool type|type of (?:measure|form|questionnaire)"
        ),
        r"type|name",
    ),
    "rater": (r"rater|rated by|completed by|respondent|informant|perspective|source|filled (?:in )?by|version",),
    "item_number": (
        r"(?:item|question|q|frage|line)(?: (?:number|no|nr|num|id|index|order|seq|sequence))?|item ?number|question ?number",
    ),
    "item_value": (
        (
            r"(?:item |question )?(?:value|answer|response|score|result|rating|wert|antwort|numeric value|value numeric)"
            r"(?: (?:value|score|given|numeric))?"
        ),
    ),
    "total": (
        (
            r"(?:(?:total|sum|overall|raw|scale|assessment|form|measure|person|clinical|questionnaire|survey) )*"
            r"(?:total|score|sum|summe|result|value|wert)(?: (?:total|value|score))?"
        ),
    ),
}
"""What a column is taken for by its name alone; `row` is a file's own key, whatever a row of it is."""

_WITHHELD = (
    r"(?:client|patient|person|pt|pat|service user|su|klient|klientin|patientin|participant|family|carer|user|c)"
)
_OURS = (
    r"(?:clinic|service|provider|therapist|clinician|staff|hospital|practice|practitioner|team|trust|us|hcp|counsellor|counselor"
    r"|care professional|organisation|organization|klinik|praxis|behandler|therapeut|nhs|office|dept|department|t)"
)
_CALLED_OFF = r"(?:(?:late )?(?:cancelled|canceled|cancellation|cancel|canc|cnx|cxl|abgesagt|absage)(?: (?:late|in advance|on the day))?)"

WORDS: Final[dict[str, dict[str, str]]] = {
    "status": {
        "attended": r"(?:patient |client )?(?:attended|attend|att|seen|completed|complete|arrived|kept|present|showed|show|fulfilled"
        r"|finished|held|took place|yes|y|wahrgenommen|erschienen|anwesend|checked out|done)|attended (?:on time|late|late but seen|in full"
        r"|seen late|as planned|session)|(?:arrived |came )?late (?:but )?(?:was )?seen|patient arrived late but was seen|seen on time",
        "did_not_attend": r"(?:patient |client )?(?:did not attend|dna|dnad|dna d|no ?show|ns|noshow|failed to attend|fta|missed"
        r"|did not arrive|did not come|not attended|absent|non ?attendance|didn t attend|nicht erschienen|unentschuldigt|no shows)"
        r"|did not attend no (?:advance warning(?: given)?|contact|notice)|dna no (?:contact|notice|warning)",
        "cancelled_by_client": rf"(?:{_CALLED_OFF} (?:by |durch )?(?:the )?{_WITHHELD}|{_WITHHELD} {_CALLED_OFF}|cbc|cbp|cbsu)",
        "cancelled_by_clinic": rf"(?:{_CALLED_OFF} (?:by |durch )?(?:the )?{_OURS}|{_OURS} {_CALLED_OFF}|cbt|cbs)",
        "late_not_seen": r"(?:arrived |came |patient arrived |client arrived )?(?:too )?late (?:and |but )?"
        r"(?:was )?(?:could )?not (?:be )?seen|late not seen",
    },
    "modality": {
        "in_person": r"in person|face to face|f2f|ftf|face 2 face|in clinic|on site|onsite|clinic|office|home visit|outpatient|vor ort"
        r"|persönlich|praesenz|präsenz|face to face communication",
        "video": r"video(?: ?(?:call|consultation|link|conference|conferencing|session))?|online|online video|ms teams|teams|zoom"
        r"|attend anywhere|telemedicine(?: web camera)?|webcam|telehealth|video telehealth|virtual",
        "phone": r"(?:tele)?phone(?: (?:call|consultation|session))?|tel|call|audio|telefon|telefonisch",
        "text": r"text(?: message| messaging)?|sms|chat|e ?mail|instant messag(?:e|ing)|typed|written",
        "other": r"other|sonstige|andere",
    },
    "end_reason": {
        "planned": r"planned(?: ending| end)?|(?:treatment |therapy |scheduled )?complete[d]?(?: treatment| therapy)?|agreed(?: ending| end)?"
        r"|mutually agreed(?: completion(?: of treatment)?| ending)?|goals? (?:achieved|met)|successfully completed|completed as planned"
        r"|completed scheduled treatment|regulär|planmäßig|planmaessig|abgeschlossen",
        "unplanned": r"unplanned(?: ending| end)?|dropped ?out|drop ?out|disengaged|(?:patient |client )?(?:did not attend|dna)|stopped attending"
        r"|lost to follow ?up|lost contact|withdrew|withdrawn|self discharge[d]?|termination of treatment earlier than .*planned.*"
        r"|ended early|abgebrochen|abbruch|no further contact",
    },
    "rater": {
        "client": rf"{_CLIENT}(?: rated| version| form)?|self|self report|self rated|c",
        "clinician": rf"{_CLINICIAN}(?: rated| version| form)?|t",
        "observer": r"observer(?: rated| version)?|o",
    },
}
"""What the words of a column mean, by contract column and contract word."""

STILL_TO_COME: Final = r"booked|scheduled|planned|pending|proposed|confirmed|future|to come|not yet (?:held|happened|attended|occurred)|waiting|arranged|0|tbc"
NOT_MISSED_BY_ANYBODY: Final = r"entered in error|rescheduled|rearranged|moved|deleted"

NATIONAL_CODES: Final = (
    r"attend(?:ed|ance)?(?: or)?(?: dna| did not attend)(?: code)?|attend(?:ance)? code|attendance status(?: code)?",
    {
        "2": "cancelled_by_client",
        "3": "did_not_attend",
        "4": "cancelled_by_clinic",
        "5": "attended",
        "6": "attended",
        "7": "late_not_seen",
    },
)
"""The NHS Data Dictionary's ATTENDED OR DID NOT ATTEND codes, taken for such under its own name only."""

FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "wai": ("WAI-SR", "WAI-S"),
    "core": ("CORE-10", "CORE-OM"),
    "arm": ("ARM-5", "ARM-12"),
    "haq": ("HAq-II",),
    "pcl": ("PCL-5",),
    "oq": ("OQ-45.2",),
    "oq45": ("OQ-45.2",),
    "das": ("DAS-7",),
    "kessler": ("K10",),
    "corenet": ("CORE-10", "CORE-OM"),
}
"""Short names that several measures go by; the number of items and the answers tell which."""

LABELS: Final[dict[str, tuple[str, ...]]] = {
    "SRS": ("relationship", "goals(?: and|) topics|goals", "approach(?: or|) method|approach|method", "overall"),
    "ORS": ("individual(?:ly)?|personal(?:ly)?", "interpersonal(?:ly)?", "social(?:ly)?", "overall"),
}
"""Items that systems name instead of numbering, in the form's order."""

ITEM_WORDS: Final = r"items?|q|questions?|frage|answers?|nr|no|i|qu|response"
OF_SEVERAL: Final = r"\b(?:couple|family|dyad|household)\b"
TOTAL_WORDS: Final = r"total|score|sum|tot|summe|totalscore|raw|clinical|overall|result|value"
ENDS_OF_A_COURSE: Final = (
    r"\b(?:first|last|pre|post|initial|final|baseline|start|end|follow ?up|change|diff|difference|min|max|mean)\b"
)
BY_CLINICIAN: Final = rf"\b(?:{_CLINICIAN}|wait|wai t)\b"
CORRECTIONS: Final = r"\b(?:corrections?|corrected|corr|amendments?|amended|amend|fix(?:es)?|korrektur(?:en)?|updates?|revisions?|revised)\b"
SENT_AGAIN: Final = r"\b(?:resent|re sent|resend|again|copy)\b"


def words_of(name: str) -> str:
    """A name in lower case with spaces for capitals and punctuation: `ApptDateTime` becomes `appt date time`."""
    spaced = re.sub(r"(?<=[a-zß-ÿ0-9])(?=[A-ZÀ-Þ])|(?<=[A-ZÀ-Þ])(?=[A-ZÀ-Þ][a-zß-ÿ])", " ", name)
    return " ".join(re.sub(r"[\W_]+", " ", spaced).split()).casefold()


def sureness(name: str, role: str) -> int:
    """How surely a column's name means a role: 3 for its full name, less for a shorter one, 0 for another's."""
    words = words_of(name)
    for place, pattern in enumerate(COLUMNS[role]):
        if re.fullmatch(pattern, words):
            return 3 - min(place, 2)
    return 0


def meaning(column: str, word: str) -> str | None:
    """The contract's word for a record system's word; None where the table does not know it, or knows two."""
    if "?" in word:
        return None
    said = words_of(word)
    found = [meant for meant, pattern in WORDS[column].items() if re.fullmatch(pattern, said)]
    return found[0] if len(found) == 1 else None
