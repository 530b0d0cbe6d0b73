"""Mail: from sign-up through the queue and a real mail server to a signed-in user."""

import html
import json
import pathlib
import tempfile
import time
import urllib.parse
import uuid
from collections.abc import Iterator

import httpx
import pytest
import supabase

from apus_server import ApusServer
from mail_server import MailServer, code_in, html_of, link_in, text_of

PASSWORD = "correct horse battery staple"


def address() -> str:
    return f"u{uuid.uuid4().hex[:12]}@example.com"


def without_migrations() -> pathlib.Path:
    path = pathlib.Path(tempfile.mkdtemp(prefix="apus-nothing-")) / "migrations"
    path.mkdir()
    return path


def started(*options: str) -> ApusServer:
    server = ApusServer(
        without_migrations(), "--auth-site-url", "https://app.example", "--auth-mailer-autoconfirm", "false",
        "--auth-smtp-max-frequency", "0", *options,
    )
    server.start()
    return server


def stopped(server: ApusServer) -> None:
    try:
        assert server.stop() == 0, server.log_text()[-4000:]
    finally:
        server.remove()


def client(server: ApusServer, role: str = "anon") -> supabase.Client:
    return supabase.create_client(server.url, server.token(role))


@pytest.fixture(scope="module")
def post() -> Iterator[MailServer]:
    server = MailServer(tls="starttls", user="apus", password="secret ü")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def apus(post: MailServer) -> Iterator[ApusServer]:
    templates = pathlib.Path(tempfile.mkdtemp(prefix="apus-templates-"))
    (templates / "nl").mkdir()
    (templates / "nl" / "confirmation.subject.mustache").write_text("Welkom, {{Data.name}} & co")
    (templates / "nl" / "confirmation.html.mustache").write_text(
        '<p>{{ .Data.name }}</p><a href="{{ .ConfirmationURL }}">ja</a>'
    )
    with tempfile.NamedTemporaryFile(suffix=".pem") as authority:
        post.authority.cert_pem.write_to_path(authority.name)
        server = started(
            "--auth-smtp-host", "localhost", "--auth-smtp-port", str(post.port),
            "--auth-smtp-ca", authority.name, "--auth-smtp-user", "apus", "--auth-smtp-pass", "secret ü",
            "--auth-smtp-admin-email", "noreply@apus.example", "--auth-smtp-sender-name", "Apus & Söhne",
            "--auth-mailer-templates", str(templates), "--auth-security-update-password-require-reauthentication", "false",
        )
        yield server
        stopped(server)


def sign_up(server: ApusServer, email: str, **data: str) -> None:
    client(server).auth.sign_up({"email": email, "password": PASSWORD, "options": {"data": data}})


# Sign-up, link and code


def test_a_link_shows_a_page_whose_button_confirms(apus: ApusServer, post: MailServer) -> None:
    email = address()
    sign_up(apus, email)
    mail = post.wait_for(email)
    sender = mail["From"].addresses[0]
    assert (sender.display_name, sender.addr_spec) == ("Apus & Söhne", "noreply@apus.example")
    assert [to.addr_spec for to in mail["To"].addresses] == [email]
    assert mail["Message-ID"].endswith("@apus.example>")
    assert mail["Auto-Submitted"] == "auto-generated"
    link = link_in(mail)
    assert link.startswith(apus.url + "/auth/v1/verify?")
    assert html.escape(link, quote=True) in html_of(mail)

    # A scanner follows the link, twice: nothing happens.
    for _ in range(2):
        assert httpx.get(link).status_code == 200
    with pytest.raises(supabase.AuthApiError, match="not confirmed"):
        client(apus).auth.sign_in_with_password({"email": email, "password": PASSWORD})

    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(link).query))
    answer = httpx.post(link.split("?")[0], data=query)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("https://app.example?code=")
    assert client(apus).auth.sign_in_with_password({"email": email, "password": PASSWORD}).session
    # The link is used up.
    again = httpx.post(link.split("?")[0], data=query)
    assert "otp_expired" in again.headers["location"]


def test_a_code_confirms(apus: ApusServer, post: MailServer) -> None:
    email = address()
    sign_up(apus, email)
    code = code_in(post.wait_for(email))
    session = client(apus).auth.verify_otp({"email": email, "token": code, "type": "signup"}).session
    assert session is not None and session.user.email == email


def test_every_kind_of_mail_arrives_in_the_users_language(apus: ApusServer, post: MailServer) -> None:
    email = address()
    sign_up(apus, email, locale="de-AT")
    mail = post.wait_for(email)
    assert mail["Subject"] == "Bestätigen Sie Ihre E-Mail-Adresse"
    user = client(apus)
    user.auth.verify_otp({"email": email, "token": code_in(mail), "type": "signup"})

    user.auth.reset_password_for_email(email)
    assert post.wait_for(email, 2)["Subject"] == "Neues Passwort wählen"
    user.auth.sign_in_with_otp({"email": email})
    mail = post.wait_for(email, 3)
    assert mail["Subject"] == "Ihr Anmeldelink"
    user.auth.verify_otp({"email": email, "token": code_in(mail), "type": "magiclink"})
    user.auth.reauthenticate()
    mail = post.wait_for(email, 4)
    assert mail["Subject"] == "Ihr Bestätigungscode" and code_in(mail)

    new = address()
    user.auth.update_user({"email": new})
    assert post.wait_for(new)["Subject"] == post.wait_for(email, 5)["Subject"]
    assert email in text_of(post.wait_for(new)) and new in text_of(post.wait_for(new))

    invited = address()
    client(apus, "service_role").auth.admin.invite_user_by_email(invited, {"data": {"locale": "fr"}})
    assert post.wait_for(invited)["Subject"] == "Vous êtes invité"


def test_templates_of_the_operator_come_first_and_escape(apus: ApusServer, post: MailServer) -> None:
    email = address()
    sign_up(apus, email, locale="nl", name="<script>Ada</script>")
    mail = post.wait_for(email)
    assert mail["Subject"] == "Welkom, <script>Ada</script> & co"
    assert "&lt;script&gt;Ada" in html_of(mail) and "<script>" not in html_of(mail)
    assert link_in(mail)


def test_a_name_with_line_breaks_adds_no_header(apus: ApusServer, post: MailServer) -> None:
    email, victim = address(), address()
    sign_up(apus, email, locale="nl", name=f"Ada\r\nBcc: {victim}\r\n\r\nbody")
    mail = post.wait_for(email)
    assert mail["Bcc"] is None
    assert post.to(victim) == []


def test_two_recipients_in_one_address_are_refused(apus: ApusServer, post: MailServer) -> None:
    for email in ["a@evil.example,b@victim.example", "a@evil.example\nb@victim.example", '"a@evil.example,b"@v.example']:
        with pytest.raises(supabase.AuthApiError):
            sign_up(apus, email)


# A mail server that is slow, away, or refuses


def test_a_slow_mail_server_slows_nobody(apus: ApusServer, post: MailServer) -> None:
    sign_up(apus, address())
    emails = [address() for _ in range(6)]
    post.holding.set()
    try:
        # Whoever signs up is answered although no mail goes out.
        for email in emails:
            sign_up(apus, email)
            assert not post.to(email)
    finally:
        post.holding.clear()
    for email in emails:
        post.wait_for(email)


def test_a_dead_mail_server_loses_nothing(apus: ApusServer, post: MailServer) -> None:
    post.stop()
    try:
        emails = [address() for _ in range(8)]
        for email in emails:
            sign_up(apus, email)
    finally:
        post.start()
    for email in emails:
        post.wait_for(email)


def test_a_passing_refusal_is_tried_again_under_the_same_identifier(apus: ApusServer, post: MailServer) -> None:
    email = address()
    post.refusals = ["451 later"]
    sign_up(apus, email)
    post.wait_for(email)
    assert post.refusals == []


def test_what_waits_survives_kill_9(apus: ApusServer, post: MailServer) -> None:
    post.stop()
    try:
        emails = [address() for _ in range(5)]
        for email in emails:
            sign_up(apus, email)
        apus.kill()
        apus.start()
    finally:
        post.start()
    for email in emails:
        post.wait_for(email, seconds=60)


def test_a_mail_that_was_cut_off_by_kill_9_comes_again_as_the_same(apus: ApusServer, post: MailServer) -> None:
    email = address()
    # The mail server has it, and does not say so before the sender is dead.
    post.silent.set()
    try:
        sign_up(apus, email)
        first = post.wait_for(email)
        apus.kill()
    finally:
        post.silent.clear()
    apus.start()
    # The lease of the dead process ends after half a minute.
    second = post.wait_for(email, 2, seconds=90)
    assert first["Message-ID"] == second["Message-ID"]
    assert code_in(first) == code_in(second)


def test_an_unknown_authority_gets_neither_mail_nor_password(post: MailServer) -> None:
    other = MailServer(tls="implicit", user="apus", password="secret")
    other.start()
    with tempfile.NamedTemporaryFile(suffix=".pem") as authority:
        post.authority.cert_pem.write_to_path(authority.name)
        server = started(
            "--auth-smtp-host", "localhost", "--auth-smtp-port", str(other.port), "--auth-smtp-security", "implicit",
            "--auth-smtp-ca", authority.name, "--auth-smtp-user", "apus", "--auth-smtp-pass", "secret",
            "--auth-smtp-admin-email", "noreply@apus.example",
        )
        sign_up(server, address())
        deadline = time.monotonic() + 60
        while "messages wait until they can be sent" not in server.log_text():
            assert time.monotonic() < deadline, server.log_text()
            time.sleep(0.1)
        assert other.mails == []
        stopped(server)
    other.stop()


# Development


def test_without_a_mail_server_messages_land_in_the_inbox_and_the_log() -> None:
    server = started("--auth-sms-autoconfirm", "false", "--auth-external-phone-enabled", "true")
    try:
        email = f"<b>{uuid.uuid4().hex[:6]}</b>@example.com"
        with pytest.raises(supabase.AuthApiError):
            sign_up(server, email)
        email = f"a&b{uuid.uuid4().hex[:6]}@example.com"
        sign_up(server, email)
        letters = inbox(server)
        assert [letter["recipient"] for letter in letters] == [email]
        page = httpx.get(server.url + "/dev/inbox")
        assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
        assert html.escape(email) in page.text and email not in page.text
        assert "script" not in page.headers["content-security-policy"]
        assert "default-src 'none'" in page.headers["content-security-policy"]
        entry = next(json.loads(line) for line in server.log_text().splitlines() if "/dev/inbox" in line)
        assert letters[0]["code"] in json.dumps(entry) and email in json.dumps(entry)

        user = client(server).auth.verify_otp({"email": email, "token": letters[0]["code"], "type": "signup"})
        assert user.session is not None

        client(server).auth.sign_in_with_otp({"phone": "+4915112345678"})
        letter = inbox(server, 2)[0]
        assert letter["channel"] == "sms" and letter["recipient"] == "+4915112345678"
        session = client(server).auth.verify_otp({"phone": "+4915112345678", "token": letter["code"], "type": "sms"})
        assert session.session is not None

        # A name that leads to this machine is not this machine.
        for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example"]:
            assert httpx.get(server.url + "/dev/inbox", headers={"Host": host}).status_code == 403
        assert httpx.post(server.url + "/dev/inbox").status_code == 405
    finally:
        stopped(server)


def test_the_inbox_is_not_there_with_a_mail_server(apus: ApusServer) -> None:
    assert httpx.get(apus.url + "/dev/inbox").status_code == 404


def inbox(server: ApusServer, number: int = 1) -> list[dict]:
    deadline = time.monotonic() + 60
    while True:
        letters = httpx.get(server.url + "/dev/inbox", headers={"Accept": "application/json"}).json()
        if len(letters) >= number:
            return letters
        assert time.monotonic() < deadline, server.log_text()
        time.sleep(0.05)
