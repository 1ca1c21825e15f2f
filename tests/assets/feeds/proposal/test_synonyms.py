import pytest

from assets.contracts.vocabulary import END_REASONS, MODALITIES, RATERS, STATUSES
from assets.feeds.proposal.synonyms import COLUMNS, WORDS, meaning, sureness, words_of


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ApptDateTime", "appt date time"),
        ("AttendOrDNACode", "attend or dna code"),
        ("NHS_Number", "nhs number"),
        ("IDReferralIn", "id referral in"),
        ("phq9_1", "phq9 1"),
        ("Termin-Nr", "termin nr"),
    ],
)
def test_a_name_is_told_by_its_words(name, words):
    assert words_of(name) == words


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("PatientMRN", "client"),
        ("Local Patient Identifier", "client"),
        ("StaffRef", "clinician"),
        ("Care Contact ID", "appointment"),
        ("DOS", "moment"),
        ("Klient-Nr", "client"),
    ],
)
def test_a_full_name_is_sure(name, role):
    assert sureness(name, role) == 3


def test_a_name_that_says_who_somebody_is_names_no_role():
    for name in ("Patient Name", "Surname", "Postcode", "Therapist Name", "E-mail", "Telephone"):
        assert [role for role in COLUMNS if sureness(name, role) == 3] == []


def test_every_word_of_every_contract_means_itself():
    for column, words in (
        ("status", STATUSES),
        ("modality", MODALITIES),
        ("end_reason", END_REASONS),
        ("rater", RATERS),
    ):
        assert tuple(WORDS[column]) == words
        assert [meaning(column, word) for word in words] == list(words)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Attended", "attended"),
        ("DNA", "did_not_attend"),
        ("No-Show", "did_not_attend"),
        ("Cancelled \N{EN DASH} client", "cancelled_by_client"),
        ("Canceled by Provider", "cancelled_by_clinic"),
        ("Patient arrived late and could not be seen", "late_not_seen"),
        ("Cancelled", None),
        ("Rescheduled", None),
        ("attended?", None),
        ("not attended yet", None),
    ],
)
def test_a_status_is_known_or_left_to_the_clinic(said, meant):
    assert meaning("status", said) == meant
