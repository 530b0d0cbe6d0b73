"""A real mail server (aiosmtpd) that keeps what it gets, and can be slow, away, or refuse."""

import asyncio
import email
import email.message
import email.policy
import re
import ssl
import threading
import time

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from reserved_port import ReservedPort


class MailServer:
    """Listens on a port of loopback until it is stopped; keeps its port when it starts again."""

    def __init__(self, *, tls: str = "none", user: str | None = None, password: str | None = None) -> None:
        self.tls = tls
        self.user = user
        self.password = password
        self._reserved = ReservedPort()
        self.port = self._reserved.number
        #: While it is set, no message is answered.
        self.holding = threading.Event()
        #: While it is set, messages are taken, and their sender is not told.
        self.silent = threading.Event()
        #: What the next messages are answered with instead of being taken.
        self.refusals: list[str] = []
        self.arrived = threading.Condition()
        self._mails: list[email.message.EmailMessage] = []
        self._envelopes: list[Envelope] = []
        self.sessions: set[int] = set()
        self.authority = trustme.CA()
        self._certificate = self.authority.issue_cert("localhost", "127.0.0.1")
        self._controller: Controller | None = None

    def start(self) -> None:
        context = None
        if self.tls != "none":
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._certificate.configure_cert(context)
        options: dict = {}
        if self.tls == "starttls":
            options |= {"tls_context": context, "require_starttls": True}
        if self.user is not None:
            options |= {"authenticator": self._authenticate, "auth_required": True}
            options |= {"auth_require_tls": self.tls == "starttls"}
        self._controller = Controller(
            self, hostname="127.0.0.1", port=self.port,
            ssl_context=context if self.tls == "implicit" else None, **options,
        )
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    # What tests look at

    @property
    def mails(self) -> list[email.message.EmailMessage]:
        with self.arrived:
            return list(self._mails)

    def to(self, address: str) -> list[email.message.EmailMessage]:
        with self.arrived:
            return [mail for mail, envelope in zip(self._mails, self._envelopes) if envelope.rcpt_tos == [address]]

    def wait_for(self, address: str, number: int = 1, seconds: float = 30) -> email.message.EmailMessage:
        """The newest mail to an address, once there are `number` of them."""
        deadline = time.monotonic() + seconds
        with self.arrived:
            while True:
                found = [m for m, e in zip(self._mails, self._envelopes) if e.rcpt_tos == [address]]
                if len(found) >= number:
                    return found[-1]
                if not self.arrived.wait(deadline - time.monotonic()):
                    raise TimeoutError(f"{len(found)} of {number} mails to {address}")

    # aiosmtpd's handler

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        while self.holding.is_set():
            await asyncio.sleep(0.05)
        if self.refusals:
            return self.refusals.pop(0)
        with self.arrived:
            self.sessions.add(id(session))
            self._mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
            self._envelopes.append(envelope)
            self.arrived.notify_all()
        while self.silent.is_set():
            await asyncio.sleep(0.05)
        return "250 OK"

    def _authenticate(self, server, session, envelope, mechanism: str, data) -> AuthResult:
        ok = (
            isinstance(data, LoginPassword)
            and data.login.decode() == self.user
            and data.password.decode() == self.password
        )
        return AuthResult(success=ok, handled=ok)


def text_of(mail: email.message.EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return part.get_content()


def html_of(mail: email.message.EmailMessage) -> str:
    part = mail.get_body(("html",))
    assert part is not None
    return part.get_content()


def code_in(mail: email.message.EmailMessage) -> str:
    found = re.search(r"\b(\d{6})\b", text_of(mail))
    assert found, text_of(mail)
    return found[1]


def link_in(mail: email.message.EmailMessage) -> str:
    found = re.search(r"https?://\S+", text_of(mail))
    assert found, text_of(mail)
    return found[0]
