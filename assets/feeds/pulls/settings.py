"""Where a clinic's systems are and what is asked of them: one `[pulls.<name>]` table a system.

Belongs here: the shape of those tables. Does not belong here: how a system is spoken to (`sql`, `objects`), or what the
fetched files mean (`assets.feeds.mapping`: the files of pull `ehr` and query `visits` are `pulled/ehr/visits*.parquet`).
A secret is never a setting: a setting names the environment variable that holds it.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from assets.feeds.wrong_input import WrongInput

_FROZEN: Final = ConfigDict(frozen=True, extra="forbid")
_NAME: Final = r"^[a-z0-9][a-z0-9_-]*$"


class Query(BaseModel):
    """One question to a database.

    Attributes:
        name: of the files it makes.
        sql: one SELECT, in the database's own words.
        watermark: a column that only grows for rows that are new or changed (a moment or a number); without one every
            night asks for everything.
        overlap_minutes: how far behind the watermark to ask again, for rows whose transaction ended late; of moments only.
    """

    model_config = _FROZEN
    name: str = Field(pattern=_NAME)
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

    model_config = _FROZEN
    kind: Literal["sql"]
    url_variable: str = Field(min_length=1)
    queries: tuple[Query, ...] = Field(min_length=1)
    seconds: int = Field(default=600, ge=1)

    @model_validator(mode="after")
    def _names_differ(self) -> "SqlPull":
        names = [query.name for query in self.queries]
        if len(set(names)) < len(names):
            raise ValueError("two queries have the same name")
        return self


class ObjectPull(BaseModel):
    """A folder of an object store: S3 and whatever speaks as it does, Azure, Google, or a mounted folder.

    Attributes:
        url: `s3://bucket/folder`, `az://container/folder`, `gs://bucket/folder` or `file:///folder`.
        files: globs over names below that folder; the others are left alone.
        options: the store's own settings, such as `endpoint`, `region` or `allow_http`; see obstore's documentation.
        secrets: more of them, each naming the environment variable that holds its value.
        seconds: how long one answer may take.
    """

    model_config = _FROZEN
    kind: Literal["objects"]
    url: str = Field(pattern=r"^(s3|az|gs|file)://")
    files: tuple[str, ...] = ("**",)
    options: dict[str, str] = Field(default_factory=dict)
    secrets: dict[str, str] = Field(default_factory=dict)
    seconds: int = Field(default=600, ge=1)


Pull = Annotated[SqlPull | ObjectPull, Field(discriminator="kind")]
_PULLS: Final = TypeAdapter(dict[Annotated[str, Field(pattern=_NAME)], Pull])


def read_pulls(tables: object) -> dict[str, SqlPull | ObjectPull]:
    """The `[pulls]` part of a service's settings.

    Raises:
        WrongInput: in one line, the key that is wrong and the mend.
    """
    try:
        return _PULLS.validate_python(tables)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(["pulls", *(str(part) for part in fault["loc"] if part not in {"sql", "objects", "[key]"})])
        mend = fault["msg"].removeprefix("Value error, ")
        raise WrongInput("this setting can't be used", place=place, mend=mend) from error


def secret(environ: Mapping[str, str], variable: str, *, key: str) -> str:
    """What an environment variable holds.

    Raises:
        WrongInput: where it holds nothing.
    """
    value = environ.get(variable)
    if not value:
        raise WrongInput(f"the environment has no {variable}", place=key, mend="set it where the night is started")
    return value
