"""Where a clinic's systems are and what is asked of them: one `[pulls.<name>]` table a system.

Belongs here: the shape of those tables, save of systems that have a module of their own for it (`redcap_settings`, `fhir_settings`). Does
not belong here: how a system is spoken to (`sql`, `objects`), or what the fetched files mean (`assets.feeds.mapping`: the files of pull `ehr` and query `visits` are `pulled/ehr/visits*.parquet`).
A secret is never a setting: a setting names the environment variable that holds it.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, model_validator

from assets.feeds.pulls.fhir_settings import FhirPull
from assets.feeds.pulls.redcap_settings import RedcapPull
from assets.feeds.pulls.setting_parts import FROZEN, Name, Variable
from assets.feeds.wrong_input import WrongInput


class Query(BaseModel):
    """One question to a database.

    Attributes:
        name: of the files it makes.
        sql: one SELECT, in the database's own words.
        watermark: a column that only grows for rows that are new or changed (a moment or a number); without one every
            night asks for everything.
        overlap_minutes: how far behind the watermark to ask again, for rows whose transaction ended late; of moments only.
    """

    model_config = FROZEN
    name: Name
    sql: str = Field(min_length=1)
    watermark: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    overlap_minutes: int = Field(default=60, ge=0)


class SqlPull(BaseModel):
    """A database: PostgreSQL by its own wire format, any other by SQLAlchemy's driver for it.

    Attributes:
        url_variable: names the environment variable with the address and the password.
        queries: what is asked, each under its own name.
        seconds: how long one answer may take to begin.
    """

    model_config = FROZEN
    kind: Literal["sql"]
    url_variable: Variable
    queries: tuple[Query, ...] = Field(min_length=1)
    seconds: int = Field(default=600, ge=1)

    @model_validator(mode="after")
    def _names_differ(self) -> "SqlPull":
        names = [query.name for query in self.queries]
        if len(set(names)) < len(names):
            raise ValueError("two queries have the same name")
        return self

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that must hold something, by the setting that names them."""
        return {"url_variable": self.url_variable}


class ObjectPull(BaseModel):
    """A folder of an object store: S3 and whatever speaks as it does, Azure, Google, or a mounted folder.

    Attributes:
        url: `s3://bucket/folder`, `az://container/folder`, `gs://bucket/folder` or `file:///folder`.
        files: globs over names below that folder; the others are left alone.
        options: the store's own settings, such as `endpoint`, `region` or `allow_http`; see obstore's documentation.
        secrets: more of them, each naming the environment variable that holds its value.
        seconds: how long one answer may take.
    """

    model_config = FROZEN
    kind: Literal["objects"]
    url: str = Field(pattern=r"^(s3|az|gs|file)://")
    files: tuple[str, ...] = ("**",)
    options: dict[str, str] = Field(default_factory=dict)
    secrets: dict[str, Variable] = Field(default_factory=dict)
    seconds: int = Field(default=600, ge=1)

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that must hold something, by the setting that names them."""
        return {f"secrets.{option}": variable for option, variable in self.secrets.items()}


Pull = SqlPull | ObjectPull | RedcapPull | FhirPull
_PULLS = TypeAdapter(dict[Name, Annotated[Pull, Field(discriminator="kind")]])


def read_pulls(tables: object) -> dict[str, Pull]:
    """The `[pulls]` part of a service's settings.

    Raises:
        WrongInput: in one line, the key that is wrong and the mend.
    """
    try:
        return _PULLS.validate_python(tables)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        # Behind a pull's name stands which kind it was read as, or that the name itself is wrong.
        place = ".".join(["pulls", *(str(part) for at, part in enumerate(fault["loc"]) if at != 1)])
        mend = fault["msg"].removeprefix("Value error, ")
        raise WrongInput("this setting can't be used", place=place, mend=mend) from error
