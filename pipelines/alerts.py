"""Who is told how a night ended, and how: by e-mail, by a webhook, or not at all.

Belongs here: the `[alerts]` part of the service's TOML file, the message, and sending it. Does not belong here: what
went wrong (`pipelines.night_end` reads that off a run). No setting here moves a figure, so they stand apart from
`assets.service`. A message holds what a log may hold: no code of a client, no value from a file.
"""

import os
import smtplib
import ssl
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Annotated, Literal

import httpx
import tenacity
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from assets.feeds.wrong_input import WrongInput

_FROZEN = ConfigDict(frozen=True, extra="forbid")
TRIES = 3
SECONDS_A_TRY = 10.0


class Email(BaseModel):
    """A mail server and who gets the mail; the password is named by its environment variable, never written down."""

    model_config = _FROZEN
    to: tuple[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")], ...] = Field(min_length=1)
    sender: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password_variable: str | None = None

    @model_validator(mode="after")
    def _no_password_in_the_clear(self) -> "Email":
        if self.user is not None and self.security == "none":
            raise ValueError("a password would travel in the clear: choose starttls or tls")
        if (self.user is None) != (self.password_variable is None):
            raise ValueError("user and password_variable go together")
        return self


class Webhook(BaseModel):
    """An address that takes a JSON message; often a secret in itself, so it may be named by its variable."""

    model_config = _FROZEN
    url: str | None = Field(default=None, pattern=r"^https?://")
    url_variable: str | None = None

    @model_validator(mode="after")
    def _one_of_the_two(self) -> "Webhook":
        if (self.url is None) == (self.url_variable is None):
            raise ValueError("give either url or url_variable")
        return self


class Alerts(BaseModel):
    """What is sent, and when a night counts as overdue."""

    model_config = _FROZEN
    email: Email | None = None
    webhook: Webhook | None = None
    on_success: bool = False
    overdue_hours: int = Field(default=26, ge=1)


@dataclass(frozen=True, kw_only=True)
class Message:
    """One thing to tell: a subject of one line, and its text."""

    subject: str
    text: str
    is_good_news: bool


def read_alerts(config: Path) -> Alerts:
    """The `[alerts]` part of a service's file; nobody is told where there is none.

    Raises:
        WrongInput: in one line, the key that is wrong and the mend.
    """
    try:
        table = tomllib.loads(config.read_text(encoding="utf-8")).get("alerts", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WrongInput("the configuration can't be read", place=str(config), mend="name a TOML file") from error
    try:
        return Alerts.model_validate(table)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(["alerts", *(str(part) for part in fault["loc"])])
        raise WrongInput(
            "this setting can't be used", place=place, mend=fault["msg"].removeprefix("Value error, ")
        ) from error


def told_of_end(*, clinic: str, version: str | None, problem: str | None, seconds: float) -> Message:
    """What is said of a night that ended.

    Args:
        clinic: the service's name.
        version: what was published; None where nothing was.
        problem: one line saying why nothing was published; None where all went well.
        seconds: how long the night took.
    """
    if problem is None:
        text = f"Version {version} is published; the night took {seconds:.0f} s."
        return Message(subject=f"Rapport: {clinic}: published", text=text, is_good_news=True)
    text = f"{problem}.\n\nNothing was published; readers keep what they had. The line names the place and the mend."
    return Message(subject=f"Rapport: {clinic}: nothing was published", text=text, is_good_news=False)


def told_of_silence(*, clinic: str, hours: float | None) -> Message:
    """What is said where no night ended in time; `hours` since the last one, None where there never was one."""
    last = "No night has ended here yet." if hours is None else f"The last night ended {hours:.0f} hours ago."
    text = f"{last} Look whether the daemon or the timer runs: `python3 -m pipelines doctor` says."
    return Message(subject=f"Rapport: {clinic}: no night has run", text=text, is_good_news=False)


def tell(
    message: Message, *, alerts: Alerts, environ: Mapping[str, str] = os.environ, wait: float = 2.0
) -> tuple[str, ...]:
    """Send a message every way that is set up.

    Args:
        message: what to tell.
        alerts: to whom; good news only where it was asked for.
        environ: where the secrets are, by the names that the settings give.
        wait: seconds before the second try, doubled before the third.

    Returns:
        One line for each way that failed, without the secret: a night is not undone because nobody heard of it.
    """
    if message.is_good_news and not alerts.on_success:
        return ()
    ways: list[tuple[str, Callable[[], None]]] = []
    if alerts.email is not None:
        email = alerts.email
        ways.append(
            (f"e-mail by {email.host}:{email.port}", lambda: _send_email(message, email=email, environ=environ))
        )
    if alerts.webhook is not None:
        webhook = alerts.webhook
        ways.append(("the webhook", lambda: _post(message, webhook=webhook, environ=environ)))
    failures = (_failure(name, send, wait=wait) for name, send in ways)
    return tuple(failure for failure in failures if failure is not None)


def _failure(name: str, send: Callable[[], None], *, wait: float) -> str | None:
    patience = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(TRIES),
        wait=tenacity.wait_exponential(multiplier=wait, min=wait),
        retry=tenacity.retry_if_exception_type((OSError, smtplib.SMTPException, httpx.HTTPError)),
        reraise=True,
    )
    try:
        patience(send)
    except WrongInput as wrong:
        return f"{name} was not sent: {wrong}"
    except (OSError, smtplib.SMTPException, httpx.HTTPError) as error:
        return f"{name} was not sent ({type(error).__name__}, tried {TRIES} times)"
    return None


def _send_email(message: Message, *, email: Email, environ: Mapping[str, str]) -> None:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = message.subject, email.sender, ", ".join(email.to)
    mail.set_content(message.text)
    trusted = ssl.create_default_context()
    if email.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(email.host, email.port, timeout=SECONDS_A_TRY, context=trusted)
    else:
        server = smtplib.SMTP(email.host, email.port, timeout=SECONDS_A_TRY)
    with server:
        if email.security == "starttls":
            server.starttls(context=trusted)
        if email.user is not None and email.password_variable is not None:
            server.login(email.user, _secret(environ, email.password_variable, key="alerts.email.password_variable"))
        server.send_message(mail)


def _post(message: Message, *, webhook: Webhook, environ: Mapping[str, str]) -> None:
    url = webhook.url or _secret(environ, str(webhook.url_variable), key="alerts.webhook.url_variable")
    told = {"text": f"{message.subject}\n{message.text}", "is_good_news": message.is_good_news}
    httpx.post(url, json=told, timeout=SECONDS_A_TRY).raise_for_status()


def _secret(environ: Mapping[str, str], name: str, *, key: str) -> str:
    value = environ.get(name)
    if not value:
        raise WrongInput(f"the environment has no {name}", place=key, mend="set it where the night is started")
    return value
