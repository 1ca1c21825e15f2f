"""What a service says of itself: its one configuration file, read once into typed, frozen settings.

Belongs here: every setting that the figures depend on, and one clear line for each way of getting one wrong. Does
not belong here: where a night runs and keeps its state (`pipelines`), or how a feed's file is read (`assets.feeds`).
"""

import tomllib
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from assets.contracts import staging
from assets.feeds.mapping import FeedMapping, glob_to_regex
from assets.feeds.mapping_checks import read_mappings
from assets.feeds.pulls.fhir_settings import check_measures
from assets.feeds.pulls.settings import Pull, read_pulls
from assets.feeds.wrong_input import WrongInput
from assets.science.instruments.loinc import LOINC_FORMS
from assets.science.instruments.registry import REGISTRY, Registry, with_local

_FROZEN = ConfigDict(frozen=True, extra="forbid")


class Clinic(BaseModel):
    """Who the service is, and where its days begin."""

    model_config = _FROZEN
    name: str = Field(min_length=1)
    time_zone: str
    first_possible_day: date
    is_synthetic: bool = False

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("it is not a time zone's IANA name, such as Europe/London")
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The clinic's own time zone."""
        return ZoneInfo(self.time_zone)


class Suppression(BaseModel):
    """How small a group may be before everything about it is withheld from pages, and by how few a figure may move."""

    model_config = _FROZEN
    minimum_clients: int = Field(default=10, ge=1)
    minimum_sessions: int = Field(default=5, ge=1)
    minimum_clinicians: int = Field(default=3, ge=1)
    minimum_difference: int = Field(default=5, ge=1)


class Freshness(BaseModel):
    """How old the newest of each thing may be on the data date before a person is told."""

    model_config = _FROZEN
    newest_file_days: int = Field(default=7, ge=1)
    newest_appointment_days: int = Field(default=7, ge=1)
    newest_form_days: int = Field(default=14, ge=1)
    newest_version_days: int = Field(default=3, ge=1)


class Episodes(BaseModel):
    """How episodes are told apart where the clinic does not record them."""

    model_config = _FROZEN
    gap_days: int = Field(default=120, ge=1)


class Standards(BaseModel):
    """What the service wants to reach; a rate with none is shown without a target."""

    model_config = _FROZEN
    alliance_recorded: Annotated[float, Field(ge=0, le=1)] | None = None
    outcome_recorded: Annotated[float, Field(ge=0, le=1)] | None = None
    improved_rate: Annotated[float, Field(ge=0, le=1)] | None = None
    did_not_attend_rate: Annotated[float, Field(ge=0, le=1)] | None = None


class AllowedColumn(BaseModel):
    """A column in which direct identifiers are known to stand and which a file is not held for.

    Attributes:
        file: a glob over names in the inbox, as in the feeds.
        column: as the file names it.
        reason: why, for whoever reads the settings after.
    """

    model_config = _FROZEN
    file: str = Field(min_length=1)
    column: str = Field(min_length=1)
    reason: str = Field(min_length=1)

    def covers(self, *, file: str, column: str) -> bool:
        """Whether a file's column is the one meant."""
        return column == self.column and bool(glob_to_regex(self.file).fullmatch(file))


class Privacy(BaseModel):
    """What is done so that nobody can be known from what leaves landing.

    Attributes:
        rekey_clinicians: whether staff codes leave landing as codes too.
        country: ISO 3166 alpha-2; whose telephone and social security numbers are looked for.
        allow: columns that a file is not held for.
        keep_landing_days: how long the bytes of a landed file are kept; for good where none is given.
    """

    model_config = _FROZEN
    rekey_clinicians: bool = False
    country: str = Field(default="GB", pattern="^[A-Z]{2}$")
    allow: tuple[AllowedColumn, ...] = ()
    keep_landing_days: int | None = Field(default=None, ge=0)


class MeasurePair(BaseModel):
    """One alliance measure read together with one outcome measure."""

    model_config = _FROZEN
    alliance: str
    outcome: str


class Ruptures(BaseModel):
    """What counts as a marked fall of alliance, and how soon it must be made good to be called repaired."""

    model_config = _FROZEN
    falls_by_sd: float = Field(default=2.0, gt=0)
    repaired_within_sessions: int = Field(default=5, ge=1)


class Service(BaseSettings):
    """One service's whole configuration."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid")
    clinic: Clinic
    suppression: Suppression = Suppression()
    episodes: Episodes = Episodes()
    freshness: Freshness = Freshness()
    standards: Standards = Standards()
    ruptures: Ruptures = Ruptures()
    privacy: Privacy = Privacy()
    period_months: int = Field(default=12, ge=1, le=60)
    measures: tuple[MeasurePair, ...] = Field(min_length=1)
    instruments: dict[str, dict[str, Any]] = Field(default_factory=dict)
    pulls: dict[str, Pull] = Field(default_factory=dict)
    feeds: dict[str, tuple[FeedMapping, ...]]

    @property
    def registry(self) -> Registry:
        """The instruments with the service's own numbers over them."""
        return with_local(REGISTRY, self.instruments)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic-settings' own
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only the file speaks: a stray environment variable must not move a published figure."""
        return (init_settings,)


def read_service(file: Path) -> Service:
    """Read and check a configuration file.

    Raises:
        WrongInput: in one line, the key that is wrong and the mend.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise WrongInput(
            f"the configuration can't be read ({error.strerror})", place=str(file), mend="name a TOML file"
        ) from error
    except UnicodeDecodeError as error:
        raise WrongInput("the configuration is not UTF-8", place=str(file), mend="save it as UTF-8") from error
    return _parsed(str(file), text)


@lru_cache(maxsize=8)
def _parsed(place: str, text: str) -> Service:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WrongInput(f"it is not valid TOML: {error}", place=place, mend="mend that line") from error
    # Who is told of a night moves no figure: `pipelines.alerts` reads it.
    tables.pop("alerts", None)
    local = tables.get("instruments", {})
    try:
        registry = with_local(REGISTRY, local)
    except ValueError as error:
        raise WrongInput(str(error).rstrip("."), place="instruments", mend="mend that number") from error
    counts = {each.id: each.n_items.value for each in registry}
    pulls = read_pulls(tables.pop("pulls", {}))
    check_measures(pulls, instruments=counts, with_codes=[form.instrument for form in LOINC_FORMS if form.items.value])
    feeds = read_mappings(tables.pop("feeds", {}), feeds=staging.FEEDS, instruments=counts)
    try:
        service = Service(**tables, feeds=feeds, pulls=pulls)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise _wrong_setting(fault["type"], fault["msg"], fault["loc"]) from error
    for index, pair in enumerate(service.measures):
        for kind, name in (("alliance", pair.alliance), ("outcome", pair.outcome)):
            known = [each.id for each in registry.of_kind(kind)]
            if name not in known:
                place = f"measures[{index}].{kind}"
                raise WrongInput(
                    f"no {kind} instrument is known as this", place=place, mend=f"known are {', '.join(known)}"
                )
    return service


def _wrong_setting(kind: str, message: str, location: tuple[int | str, ...]) -> WrongInput:
    key = ""
    for part in location:
        key += f"[{part}]" if isinstance(part, int) else f".{part}"
    key = key.removeprefix(".")
    if kind == "missing":
        return WrongInput("this setting is missing", place=key, mend="add it")
    if kind == "extra_forbidden":
        return WrongInput("there is no such setting", place=key, mend="remove it or mend its name")
    return WrongInput("this setting can't be used", place=key, mend=message.removeprefix("Value error, "))
