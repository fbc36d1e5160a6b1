"""Signing in to an Exchange server: passwords, NTLM, the system's own sign-in, certificates.

Each mailbox has a session of its own, so that two accounts can trust two authorities: the
library's own switches for that are process-wide.
"""

from __future__ import annotations

import base64
import logging
import re
import ssl
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import spnego
from exchangelib.configuration import Configuration
from exchangelib.credentials import Credentials
from exchangelib.errors import (
    ErrorServerBusy,
    MalformedResponseError,
    RedirectError,
    TransportError,
    UnauthorizedError,
)
from exchangelib.properties import ENTRY_ID, EWS_ID, AlternateId
from exchangelib.protocol import BaseProtocol, FailFast
from exchangelib.services import ConvertId
from exchangelib.transport import BASIC, DIGEST, GSSAPI, NOAUTH, NTLM, get_auth_instance
from exchangelib.version import EXCHANGE_2013_SP1, Version
from requests.auth import AuthBase, HTTPBasicAuth
from requests_ntlm import HttpNtlmAuth

from desktop_crm.core import clock
from desktop_crm.sync.answer_limit import LimitedAdapter
from desktop_crm.sync.formats import mail_header as header

# Its lines hold the header with the password and, of a request that failed, the whole message;
# neither may reach a log file. What went wrong is logged by the adapter.
logging.getLogger("exchangelib").setLevel(logging.CRITICAL)

# A scheme begins the header or follows a comma; a realm may be called anything.
_SCHEME: Final = re.compile(r"(?:^|,\s*)(ntlm|negotiate|digest|basic)\b(?!\s*=)")
_TOKEN: Final = re.compile(r"(?:^|,\s*)negotiate\s+([A-Za-z0-9+/=]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SignIn:
    r"""How to sign in; secrets are in memory only.

    Attributes:
        login: `DOMAIN\user`, `user@domain` or a plain name.
        password: empty where a certificate or the system signs in.
        ca_file: certificates of the authority to trust; empty trusts the usual ones.
        certificate: PEM file with the person's certificate and its key.
        key_password: opens that key; empty when it is not encrypted.
        by_system: sign in as who is signed in to this computer (Kerberos, Windows).
    """

    login: str
    password: str = field(default="", repr=False)
    ca_file: str = ""
    certificate: str = ""
    key_password: str = field(default="", repr=False)
    by_system: bool = False


class BadCertificate(Exception):
    """The file of the person's certificate cannot be used; the text says why."""


class NoTicket(Exception):
    """The system has no sign-in that this server takes; the text says why."""


class NoSignIn(Exception):
    """The server offers no way of signing in that is supported; holds what it offered."""


class Policy(FailFast):  # type: ignore[misc]  # exchangelib carries no types
    """Which answers are errors, in the order that tells the person what is wrong.

    The library looks at "Connection: close" first, and so takes a refused password for a busy
    server and asks again until the account is locked.

    Attributes:
        refused: how the server refused to let the person in, once it did.
    """

    refused: UnauthorizedError | None = None

    def raise_response_errors(self, response: requests.Response) -> None:
        """Raise what an HTTP answer means; a usable one passes."""
        status = response.status_code
        if status in (401, 403):
            self.refused = UnauthorizedError(f"HTTP {status}")
            raise self.refused
        if status in (429, 502, 503, 504):
            error = ErrorServerBusy(f"HTTP {status}", back_off=_retry_after(response))
            raise error
        if 400 <= status < 500:
            # With "Connection: close" the library would take these for a busy server, too.
            raise MalformedResponseError(f"HTTP {status}")
        super().raise_response_errors(response)


def _retry_after(response: requests.Response) -> float | None:
    """Seconds the server asks to be left alone, from their number or a date."""
    value = response.headers.get("Retry-After", "")
    if value.isdigit():
        return float(value)
    at = header.moment(value) if value else None
    return max(0.0, (at - clock.now()).total_seconds()) if at else None


class _Adapter(LimitedAdapter):
    """Trusts one authority alone, where one is named, and shows the person's certificate."""

    def __init__(self, sign_in: SignIn, **kwargs: Any) -> None:  # noqa: ANN401  requests' own
        self._ca_file = sign_in.ca_file
        self._context = client_context(sign_in) if sign_in.certificate else None
        super().__init__(**kwargs)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  requests' own
        """Show the certificate on every connection."""
        if self._context is not None:
            kwargs["ssl_context"] = self._context
        super().init_poolmanager(*args, **kwargs)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ANN401
        """Verify by the named file alone, whatever the environment says."""
        super().cert_verify(conn, url, self._ca_file or verify, cert)  # type: ignore[no-untyped-call]

    def build_connection_pool_key_attributes(
        self,
        request: requests.PreparedRequest,
        verify: bool | str,
        cert: Any = None,  # noqa: ANN401  requests' own
    ) -> Any:  # noqa: ANN401
        """Verify by the named file alone, whatever the environment says."""
        return super().build_connection_pool_key_attributes(request, self._ca_file or verify, cert)


def client_context(sign_in: SignIn) -> ssl.SSLContext:
    """Settings of TLS that show the person's certificate.

    Raises:
        BadCertificate: the file cannot be read, or its password is wrong.
    """
    context = ssl.create_default_context(cafile=sign_in.ca_file or None)
    # Without a password OpenSSL would ask for one on the terminal.
    password = sign_in.key_password
    try:
        context.load_cert_chain(sign_in.certificate, password=lambda: password)
    except (OSError, ValueError) as error:
        raise BadCertificate(getattr(error, "reason", None) or str(error)) from error
    return context


def raw_session(sign_in: SignIn) -> requests.Session:
    """Session that does not sign in by itself; trusts what the mailbox trusts."""
    session = requests.Session()
    session.headers.update(
        {"Content-Type": "text/xml; charset=utf-8", "User-Agent": Endpoint.USERAGENT}
    )
    options: dict[str, Any] = {"pool_block": True, "pool_connections": 1, "pool_maxsize": 1}
    session.mount("https://", _Adapter(sign_in, **options))
    session.mount("http://", LimitedAdapter(**options))
    return session


class SystemSignIn(HttpNtlmAuth):
    """Signs in as who is signed in to this computer, bound to the server's certificate.

    Kerberos through GSSAPI, and SSPI on Windows. The binding is what a server with Extended
    Protection asks for.
    """

    def __init__(self) -> None:
        super().__init__(None, None)

    def response_hook(self, r: requests.Response, **kwargs: Any) -> requests.Response:  # noqa: ANN401
        """Answer the server's challenges until it is satisfied or says no."""
        offered = r.headers.get("www-authenticate", "").lower()
        if r.status_code != 401 or "negotiate" not in _SCHEME.findall(offered):
            return r
        if "Authorization" in r.request.headers:
            return r
        hashed = self._get_server_cert(r)
        bound = hashed and spnego.channel_bindings.GssChannelBindings(
            application_data=b"tls-server-end-point:" + hashed
        )
        answer = r
        try:
            client = spnego.client(
                hostname=urlsplit(r.url).hostname or "",
                service="http",
                channel_bindings=bound or None,
            )
            token = client.step()
            while token is not None and answer.status_code == 401:
                _ = answer.content
                answer.raw.release_conn()
                request = answer.request.copy()
                request.headers["Authorization"] = f"Negotiate {base64.b64encode(token).decode()}"
                before = answer
                answer = before.connection.send(request, **{**kwargs, "stream": False})
                answer.history.append(before)
                challenge = _TOKEN.search(answer.headers.get("www-authenticate", ""))
                token = client.step(base64.b64decode(challenge[1])) if challenge else None
        except (spnego.exceptions.SpnegoError, ImportError) as error:
            answer.close()
            raise NoTicket(str(error)) from error
        return answer


class Endpoint(BaseProtocol):  # type: ignore[misc]  # exchangelib carries no types
    """One server and one login with one connection; not shared, not cached, never retried."""

    USERAGENT = "desktop-crm"

    def __init__(self, url: str, sign_in: SignIn, *, timeout_s: float) -> None:
        policy = Policy()
        super().__init__(
            Configuration(
                service_endpoint=url,
                credentials=Credentials(sign_in.login, sign_in.password),
                retry_policy=policy,
                version=Version(build=EXCHANGE_2013_SP1, api_version="Exchange2013_SP1"),
                max_connections=1,
            )
        )
        self.TIMEOUT = (min(15.0, timeout_s), timeout_s)
        self._sign_in = sign_in
        self._policy = policy

    @property
    def version(self) -> Version:
        """Version the server speaks; a guess until its first answer."""
        return self.config.version

    def get_auth_type(self) -> str:
        """Ask the server once, without a password, how it wants to be signed in to."""
        service = ConvertId(protocol=self)
        payload = service.get_payload(
            items=[AlternateId(id="DUMMY", format=EWS_ID, mailbox="DUMMY")],
            destination_format=ENTRY_ID,
        )
        data = service.wrap(payload, api_version=self.version.api_version)
        with raw_session(self._sign_in) as session:
            try:
                response = session.post(
                    self.service_endpoint, data=data, allow_redirects=False, timeout=self.TIMEOUT
                )
            except requests.RequestException as error:
                raise TransportError(str(error)) from error
        return auth_type_of(response, self._sign_in)

    def get_session(self) -> requests.Session:
        """Session for one request.

        Raises:
            UnauthorizedError: the password was refused before: once more might lock the account.
        """
        if self._policy.refused is not None:
            raise self._policy.refused
        session: requests.Session = super().get_session()
        return session

    def create_session(self) -> requests.Session:
        """Session that signs in."""
        session = raw_session(self._sign_in)
        session.auth = auth_of(self.auth_type, self._sign_in)
        # What the library notes about a session in its log and its pool.
        session.session_id = 1  # type: ignore[attr-defined]
        session.usage_count = 0  # type: ignore[attr-defined]
        return session


def auth_of(auth_type: str, sign_in: SignIn) -> AuthBase | None:
    """What signs a request in; a password may hold letters beyond Latin-1."""
    login, password = sign_in.login, sign_in.password
    if auth_type == GSSAPI:
        return SystemSignIn()
    if auth_type == NOAUTH:
        return None
    if auth_type == BASIC:
        return HTTPBasicAuth(login.encode(), password.encode())
    if auth_type == NTLM and "@" in login and "\\" not in login:
        login = f"\\{login}"
    found: AuthBase = get_auth_instance(auth_type=auth_type, username=login, password=password)
    return found


def auth_type_of(response: requests.Response, sign_in: SignIn) -> str:
    """Way of signing in that an answer without password asks for; the safest comes first.

    Raises:
        NoSignIn: none of the offered ways is supported, or not the one that was chosen.
    """
    if response.status_code in (301, 302, 307, 308):
        raise RedirectError(response.headers.get("Location") or response.url)
    if response.status_code not in (200, 401, 500):
        Policy().raise_response_errors(response)
    if response.status_code != 401:
        return str(NOAUTH)
    offered = response.headers.get("WWW-Authenticate", "").lower()
    words = set(_SCHEME.findall(re.sub(r'"[^"]*"', "", offered)))
    if sign_in.by_system:
        if "negotiate" not in words:
            raise NoSignIn(offered[:100] or "-")
        return str(GSSAPI)
    if sign_in.certificate and not sign_in.password:
        raise UnauthorizedError("the certificate alone does not sign in")
    for name, auth_type in (
        ("ntlm", NTLM),
        ("negotiate", NTLM),
        ("digest", DIGEST),
        ("basic", BASIC),
    ):
        if name in words:
            return str(auth_type)
    raise NoSignIn(offered[:100] or "-")


def is_certificate_problem(error: BaseException) -> bool:
    """Whether an error, or one it came from, is a certificate that is not trusted."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError | requests.exceptions.SSLError):
            return True
        if "CERTIFICATE_VERIFY_FAILED" in str(seen):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def host_of(url: str) -> str:
    """Host name of an address, for messages."""
    return urlsplit(url).hostname or url
