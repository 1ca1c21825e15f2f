"""A FHIR R4 server: what is asked of it, how it lets us in, and which of its forms are which measures.

Belongs here: the shape of a `[pulls.<name>]` table of kind `fhir`. Does not belong here: asking (`fhir`, `fhir_bulk`),
signing in (`fhir_sign_in`), or LOINC's own codes (`assets.science.instruments.loinc`), which need no setting.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from pydantic import BaseModel, Field, model_validator

from assets.feeds.pulls.setting_parts import FROZEN, Address, Variable
from assets.feeds.wrong_input import WrongInput

Resource = Literal["Appointment", "Encounter", "EpisodeOfCare", "QuestionnaireResponse", "Observation"]
RESOURCES: Final[tuple[Resource, ...]] = (
    "Appointment",
    "Encounter",
    "EpisodeOfCare",
    "QuestionnaireResponse",
    "Observation",
)


class SignIn(BaseModel):
    """How the server lets us in.

    Attributes:
        kind: `none`; `bearer`, a token that stands in the environment; or `backend_services`, SMART's way for machines: a
            statement signed with our own key buys a token of a few minutes.
        token_variable: of `bearer`, names the environment variable that holds the token.
        client_id: of `backend_services`, as the server's keepers registered us.
        key_file: our private key (RSA, or EC on the curve P-384) as PEM or JWK, readable by this account alone.
        key_variable: or names the environment variable that holds the same.
        key_id: what the registered public key is called; not needed where a JWK names itself.
        token_url: where tokens are given; asked of the server where it is missing.
        scope: what is asked for; where it is missing, to read the resources that are pulled, and no others.
    """

    model_config = FROZEN
    kind: Literal["none", "bearer", "backend_services"] = "none"
    token_variable: Variable | None = None
    client_id: str | None = Field(default=None, min_length=1)
    key_file: str | None = Field(default=None, min_length=1)
    key_variable: Variable | None = None
    key_id: str | None = Field(default=None, min_length=1)
    token_url: Address | None = None
    scope: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> "SignIn":
        if self.kind == "bearer" and self.token_variable is None:
            raise ValueError("a bearer token needs token_variable")
        if self.kind == "backend_services":
            if self.client_id is None:
                raise ValueError("backend services need client_id")
            if (self.key_file is None) == (self.key_variable is None):
                raise ValueError("backend services need key_file or key_variable, and not both")
        return self


class Questionnaire(BaseModel):
    """One questionnaire of the server's that is a measure of the registry.

    Attributes:
        url: its canonical address, without a version.
        instrument: the measure.
        items: the link ids of its items, in the form's order, nested or not; where missing, LOINC's codes of the items.
        answers: what each answer counts whose code neither is a number nor carries one, nor is one of LOINC's.
    """

    model_config = FROZEN
    url: str = Field(min_length=1)
    instrument: str = Field(min_length=1)
    items: tuple[str, ...] = ()
    answers: dict[str, float] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _items_differ(self) -> "Questionnaire":
        if len(set(self.items)) < len(self.items):
            raise ValueError("an item is listed twice")
        return self


class FhirPull(BaseModel):
    """A FHIR R4 server.

    Attributes:
        url: its base address.
        way: `search`, page by page; or `bulk`, one export of everything, which the server prepares.
        group: of `bulk`, the id of the Group that is exported; everybody where it is missing.
        resources: what is pulled, each into files of its own: `pulled/<name>/Appointment-*.parquet`.
        only: of a resource, search parameters that narrow it down, as `{ category = "survey" }`.
        page: how many resources a page should hold.
        sorts: whether to ask for the newest first, which lets a long search be taken up where it broke off.
        overlap_minutes: how far behind the last night's beginning to ask again, for clocks and transactions that lag.
        seconds: how long one answer may take; of an export's files, each.
        export_hours: how long the server may prepare an export.
        file_addresses: other addresses than the server's own from which an export's files may be fetched, without a token.
        may_lack: whether a pull counts although the server says that it could not give some resources.
        sign_in: how the server lets us in.
        questionnaires: which of its questionnaires are which measures; LOINC's own need not be listed.
        totals: codes of observations that are a measure's total, beside LOINC's own.
    """

    model_config = FROZEN
    kind: Literal["fhir"]
    url: Address
    way: Literal["search", "bulk"] = "search"
    group: str | None = Field(default=None, pattern=r"^[A-Za-z0-9.-]{1,64}$")
    resources: tuple[Resource, ...] = Field(default=RESOURCES, min_length=1)
    only: dict[Resource, dict[str, str]] = Field(default_factory=dict)
    page: int = Field(default=1000, ge=1, le=10_000)
    sorts: bool = True
    overlap_minutes: int = Field(default=60, ge=0)
    seconds: int = Field(default=600, ge=1)
    export_hours: int = Field(default=12, ge=1)
    file_addresses: tuple[Address, ...] = ()
    may_lack: bool = False
    sign_in: SignIn = SignIn()
    questionnaires: tuple[Questionnaire, ...] = ()
    totals: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _says_one_thing_once(self) -> "FhirPull":
        if len(set(self.resources)) < len(self.resources):
            raise ValueError("a resource is listed twice")
        if self.group is not None and self.way != "bulk":
            raise ValueError('a group goes with way = "bulk"')
        return self

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that must hold something, by the setting that names them."""
        named = {"token_variable": self.sign_in.token_variable, "key_variable": self.sign_in.key_variable}
        return {f"sign_in.{key}": variable for key, variable in named.items() if variable is not None}

    @property
    def base(self) -> str:
        """The address to which a resource's name is added."""
        return self.url.rstrip("/")


def check_measures(pulls: Mapping[str, object], *, instruments: Mapping[str, int], with_codes: Iterable[str]) -> None:
    """Hold the questionnaires and totals of FHIR pulls against the registry.

    Args:
        pulls: the settings' pulls by name; those of other kinds are passed over.
        instruments: each measure's id with the number of its items.
        with_codes: the measures whose items LOINC's codes are known of.

    Raises:
        WrongInput: naming the key.
    """
    coded = set(with_codes)
    for name, pull in pulls.items():
        if not isinstance(pull, FhirPull):
            continue
        named = {
            f"questionnaires.{place}.instrument": form.instrument for place, form in enumerate(pull.questionnaires)
        }
        named |= {f"totals.{code}": instrument for code, instrument in pull.totals.items()}
        for key, instrument in named.items():
            if instrument not in instruments:
                raise WrongInput(
                    "no instrument is known as this",
                    place=f"pulls.{name}.{key}",
                    mend=f"known are {', '.join(instruments)}",
                )
        for place, form in enumerate(pull.questionnaires):
            wanted, key = instruments[form.instrument], f"pulls.{name}.questionnaires.{place}.items"
            if form.items and len(form.items) != wanted:
                raise WrongInput(
                    f"lists {len(form.items)} items and {form.instrument} has {wanted}",
                    place=key,
                    mend="list every item once, in the form's order",
                )
            if not form.items and form.instrument not in coded:
                raise WrongInput(
                    f"is missing, and LOINC's codes of the items of {form.instrument} are not known here",
                    place=key,
                    mend="list the link ids of its items, in the form's order",
                )
