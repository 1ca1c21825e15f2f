"""The server's own configuration file: where it listens, how people sign in, which files it reads.

Belongs here: what an operator sets, and refusing what would not be safe. Does not belong here: the figures' settings
(`assets.service`), or who may sign in (`roster`).
"""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from assets.feeds.wrong_input import WrongInput
from pipelines.gatekeeper.toml_files import Checked, read_text, read_toml

_HEADER = r"^[A-Za-z0-9-]{1,100}$"


class Password(Checked):
    """A password and a one-time code, from a file."""

    method: Literal["password"]
    passwords: Path


class Proxy(Checked):
    """A proxy in front that has signed people in and says who they are in a header.

    Attributes:
        header: where the proxy writes the viewer's id.
        proxies: the addresses or networks that the proxy speaks from.
        secret_header: where it proves itself.
        secret_file: what it must write there; a proxy and a stranger may share an address.
        sign_out_url: where the proxy ends its own session.
    """

    method: Literal["proxy"]
    header: Annotated[str, Field(pattern=_HEADER)]
    proxies: tuple[str, ...] = Field(min_length=1)
    secret_header: Annotated[str, Field(pattern=_HEADER)]
    secret_file: Path
    sign_out_url: str | None = None

    @field_validator("proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _networks(value)

    @model_validator(mode="after")
    def _two_headers(self) -> "Proxy":
        if self.header.lower() == self.secret_header.lower():
            raise ValueError("`header` and `secret_header` must be two headers")
        return self


class Oidc(Checked):
    """The organisation's identity provider, by OpenID Connect.

    Attributes:
        issuer: its address, as its tokens name it.
        client_id: what it knows this server as.
        client_secret_file: what this server proves itself with.
        claim: which claim of the token is the viewer's id on the roster. An e-mail address counts only where the provider
            says that it is verified; `sub` never changes hands.
    """

    method: Literal["oidc"]
    issuer: str
    client_id: str = Field(min_length=1)
    client_secret_file: Path
    claim: Literal["sub", "email", "preferred_username", "oid"]

    @field_validator("issuer")
    @classmethod
    def _is_https(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise ValueError("give an address that begins with https://")
        return value.rstrip("/")


class Demo(Checked):
    """Ready sign-ins with one click, for a synthetic clinic on this machine alone; no file can ask for it."""

    method: Literal["demo"] = "demo"


class Server(Checked):
    """Where the server listens.

    Attributes:
        public_url: how people reach it, without a path; requests for any other host are refused.
        host: the address to listen at.
        port: the port to listen at.
        certificate: the chain's file, to speak TLS itself.
        key: its key's file.
        behind: addresses or networks of a proxy that speaks TLS for it, whose word on who called is taken.
        requests_per_minute: for each viewer, and for each address that has not signed in.
    """

    public_url: str
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=1, le=65535)
    certificate: Path | None = None
    key: Path | None = None
    behind: tuple[str, ...] = ()
    requests_per_minute: int = Field(default=600, ge=10)

    @field_validator("behind")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _networks(value)

    @field_validator("public_url")
    @classmethod
    def _is_an_origin(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError("write it as https://name or https://name:port")
        return f"{parts.scheme}://{parts.netloc.lower()}"

    @property
    def is_https(self) -> bool:
        """Whether people reach it over HTTPS."""
        return self.public_url.startswith("https:")

    @model_validator(mode="after")
    def _is_safe(self) -> "Server":
        if (self.certificate is None) != (self.key is None):
            raise ValueError("give `certificate` and `key`, or neither")
        if self.is_https and self.certificate is None and not self.behind:
            raise ValueError("HTTPS needs `certificate` and `key`, or a proxy named in `behind`")
        if not self.is_https and not (is_loopback(self.host) and is_loopback(urlsplit(self.public_url).hostname or "")):
            raise ValueError("plain HTTP is for this machine alone: give an https:// `public_url`")
        if not self.is_https and self.certificate is not None:
            raise ValueError("with a certificate, give an https:// `public_url`")
        return self


class Settings(Checked):
    """The whole configuration of one server.

    Attributes:
        server: where it listens.
        sign_in: one way of signing in.
        roster: who may sign in and as what.
        names: the clinic's directory of codes and names, if names are to be shown.
        directors_see_clients: whether directors may open clients' pages.
        session_hours: after which people sign in again.
        idle_minutes: without a request, after which they do.
    """

    server: Server
    sign_in: Annotated[Password | Proxy | Oidc | Demo, Field(discriminator="method")]
    roster: Path
    names: Path | None = None
    directors_see_clients: bool = False
    session_hours: float = Field(default=8, gt=0, le=24)
    idle_minutes: float = Field(default=60, gt=0, le=24 * 60)


def read_settings(file: Path) -> Settings:
    """Read and check a configuration; paths in it are relative to the file's folder.

    Raises:
        WrongInput: where it can't be used, naming the key.
    """
    found = read_toml(file, model=Settings)
    if isinstance(found.sign_in, Demo):
        raise WrongInput("this sign-in is for `serve --demo`", place=f"{file}: sign_in.method", mend="choose another")
    return _from(file.absolute().parent, found)


def read_secret(file: Path) -> str:
    """A secret that stands alone in a file.

    Raises:
        WrongInput: where it can't be read, is too short, or others than owner and group may read it.
    """
    secret = read_text(file).strip()
    if len(secret) < 16:  # noqa: PLR2004, RUF100
        raise WrongInput("the secret has fewer than 16 characters", place=str(file), mend="make it longer")
    if file.stat().st_mode & 0o007:
        raise WrongInput("everybody on this machine may read it", place=str(file), mend=f"chmod 600 {file.name}")
    return secret


def is_loopback(host: str) -> bool:
    """Whether a host is this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_among(address: str, networks: tuple[str, ...]) -> bool:
    """Whether an address is in one of the networks."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in ipaddress.ip_network(network) for network in networks)


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    for each in value:
        try:
            network = ipaddress.ip_network(each)
        except ValueError as error:
            raise ValueError("write addresses as 10.0.0.5 and networks as 10.0.0.0/24") from error
        if network.prefixlen == 0:
            raise ValueError("a network of every address trusts everybody")
    return value


def _from(folder: Path, found: Settings) -> Settings:
    def placed(part: Checked) -> dict[str, object]:
        return {
            name: folder / value.expanduser() if isinstance(value, Path) else value
            for name, value in ((name, getattr(part, name)) for name in type(part).model_fields)
        }

    return found.model_copy(
        update={
            **placed(found),
            "server": found.server.model_copy(update=placed(found.server)),
            "sign_in": found.sign_in.model_copy(update=placed(found.sign_in)),
        }
    )
