"""Where a REDCap project is and what is asked of it.

Belongs here: the shape of a `[pulls.<name>]` table whose kind is `redcap`. Does not belong here: how it is asked (`redcap`).
"""

from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, Field, field_validator, model_validator

from assets.feeds.pulls.setting_parts import FROZEN, Address, Name, Variable

# PHP drops what a form has beyond its thousandth field, without a word; a batch of records is such a form.
MOST_RECORDS_AT_ONCE = 900


class RedcapExport(BaseModel):
    """What becomes one kind of file: a form's rows, some fields, or a report.

    Attributes:
        name: of the files it makes.
        form: a form's unique name, as the data dictionary's second column has it; each file row is one filled form,
            whether the form stands once in a record, once an event, or repeats.
        fields: beside a form, fields from elsewhere in the record that each row of the form shall carry, such as the
            client's code: the row's own value, else the only one that the record has. Alone, the fields of the rows.
        report: a report's number; such an export is one answer, never in parts, and always full.
        repeats: of a report, keep the rows of this repeating form alone, as `redcap_repeat_instrument` names it.
        events: unique names of events; only their rows are asked for, carried fields included. None asks for all.
        filter_logic: REDCap's own, such as `[consent] = "1"`.
        values: codes as they are stored, or the words that choices are shown with.
        checkbox_labels: with words, a ticked box holds its choice's word and not `Checked`.
        missing_codes: the project's codes for what is missing and why; each becomes blank.
        overlap_hours: how far behind the last night to ask again. REDCap's clock speaks the server's zone; two days hold
            even where `time_zone` is wrong by the whole world's width.
        full_every_days: how often everything is asked for, 0 always. REDCap tells of what its log calls changed: not of
            what was mended beneath it.
    """

    model_config = FROZEN
    name: Name
    form: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]*$")
    fields: tuple[str, ...] = ()
    report: int | None = Field(default=None, ge=1)
    repeats: str | None = Field(default=None, min_length=1)
    events: tuple[str, ...] = ()
    filter_logic: str = ""
    values: Literal["raw", "label"] = "raw"
    checkbox_labels: bool = False
    missing_codes: tuple[str, ...] = ()
    overlap_hours: int = Field(default=48, ge=0)
    full_every_days: int = Field(default=7, ge=0)

    @model_validator(mode="after")
    def _asks_for_one_thing(self) -> "RedcapExport":
        if self.report is None and self.form is None and not self.fields:
            raise ValueError("name a form, fields, or a report")
        if self.report is not None and (self.form or self.fields or self.events or self.filter_logic):
            raise ValueError("a report has its own forms, fields, events and filter; leave them out")
        if self.report is None and self.repeats is not None:
            raise ValueError("repeats is of reports; a form's export has its own rows alone")
        return self

    @property
    def is_always_full(self) -> bool:
        """Whether every night asks for everything, so that one file is replaced."""
        return self.report is not None or self.full_every_days == 0


class RedcapPull(BaseModel):
    """A REDCap project, by its API.

    A record that is deleted in REDCap is told of by no export: what has landed stays, as with a dropped file, until it is
    purged.

    Attributes:
        url: of the API, as its own page shows it, with the last slash: `https://redcap.clinic.example/api/`.
        token_variable: names the environment variable with the token of a user who may export the full data set.
        exports: what is asked, each under its own name.
        record_field: the project's first field, which names records.
        time_zone: the server's; None where it is the clinic's.
        data_access_groups: whether rows tell their group, as `redcap_data_access_group`.
        survey_fields: whether rows tell when a survey was completed, as `<form>_timestamp`.
        records_at_once: how many records one question asks for; fewer where the server runs out of memory.
        seconds: how long one answer may take.
    """

    model_config = FROZEN
    kind: Literal["redcap"]
    url: Address
    token_variable: Variable
    exports: tuple[RedcapExport, ...] = Field(min_length=1)
    record_field: str = Field(default="record_id", pattern=r"^[a-z][a-z0-9_]*$")
    time_zone: str | None = None
    data_access_groups: bool = False
    survey_fields: bool = False
    records_at_once: int = Field(default=500, ge=1, le=MOST_RECORDS_AT_ONCE)
    seconds: int = Field(default=300, ge=1)

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError) as error:
                raise ValueError("name a zone as Europe/London") from error
        return name

    @model_validator(mode="after")
    def _names_differ(self) -> "RedcapPull":
        names = [export.name for export in self.exports]
        if len(set(names)) < len(names):
            raise ValueError("two exports have the same name")
        return self

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that must hold something, by the setting that names them."""
        return {"token_variable": self.token_variable}
