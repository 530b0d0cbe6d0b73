"""The example's page in a real browser: two people in two browsers, who do not know each other."""

import concurrent.futures
import contextlib
import os
import pathlib
import re
import shutil
import sys
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from apus_server import EXAMPLE, ApusServer
from conftest import running

#: All waits are for something to happen; this is only where a failure is called one.
PATIENCE = 30_000
DELIVERIES = ["get", "etag", "wait", "sse", "socket"]
#: What a browser says when the server is away.
AWAY = re.compile(r"ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE|ERR_NETWORK|WebSocket connection|status of 503|"
                  r"Failed to fetch|network error")

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def page_server() -> Iterator[ApusServer]:
    """With the skills and people of the example and nobody's talk, so that it starts quickly."""
    yield from running(ApusServer(
        EXAMPLE / "migrations", "--web-root", str(EXAMPLE / "web"),
        "--seed", str(EXAMPLE / "seed" / "01_skills_and_people.sql"), "--server-drain-timeout", "2",
    ))  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    if not found and sys.platform != "linux":
        pytest.skip("there is no Chromium on the PATH")
    assert found, "Chromium is missing: run scripts/setup --test"
    # Chromium's sandbox refuses to be root's.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=options)
        yield browser
        browser.close()


class Person:
    """Somebody with a browser of their own; what it complains about is kept."""

    def __init__(self, browser: Browser, server: ApusServer, name: str) -> None:
        self.context = browser.new_context(viewport={"width": 1280, "height": 900})
        self.page: Page = self.context.new_page()
        self.name = name
        self.complaints: list[str] = []
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.add_init_script(
            "addEventListener('securitypolicyviolation', (e) => console.error('CSP: ' + e.violatedDirective))"
        )
        self.page.goto(server.url + "/")
        self.page.get_by_label("Your name").fill(name)
        self.page.get_by_role("button", name="Continue as a guest").click()
        expect(self.page.locator("#who")).to_have_text(name)

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} ({message.location.get('url')})")

    # MARK: - What a person does

    def ask(self, title: str, subject: str, more: str = "") -> None:
        self.page.get_by_label("It is about").select_option(label=subject)
        self.page.get_by_label("Your question").fill(title)
        self.page.get_by_label("More about it").fill(more)
        self.page.get_by_role("button", name="Ask", exact=True).click()

    def help(self, subject: str) -> None:
        self.page.get_by_text("I can help").click()
        self.page.get_by_label("My subject").select_option(label=subject)
        self.page.get_by_role("button", name="I have time now").click()
        expect(self.page.locator("#available-state")).to_contain_text(subject)

    def proposal(self, title: str):
        return self.page.locator("#proposals article", has_text=title)

    def accept(self, title: str) -> None:
        self.proposal(title).get_by_role("button", name="Accept").click()
        expect(self.page.locator("#conversation")).to_be_visible()

    def write(self, text: str) -> None:
        self.page.get_by_label("Message", exact=True).fill(text)
        self.page.get_by_role("button", name="Send").click()

    def reads(self, text: str, writer: str) -> None:
        expect(self.page.locator(f"#messages .{writer} .body").last).to_have_text(text)

    def leave(self) -> None:
        self.page.locator("#sign-out").click()
        expect(self.page.locator("#entrance")).to_be_visible()


@pytest.fixture
def person(browser: Browser, page_server: ApusServer) -> Iterator[Callable[[str], Person]]:
    """Makes people. In the end, none of their browsers may have complained."""
    people: list[Person] = []

    def person(name: str) -> Person:
        people.append(Person(browser, page_server, name))
        return people[-1]

    yield person
    for somebody in people:
        with contextlib.suppress(Exception):
            somebody.leave()
        somebody.context.close()
    assert {somebody.name: somebody.complaints for somebody in people if somebody.complaints} == {}


def pair(person: Callable[[str], Person], subject: str, title: str) -> tuple[Person, Person]:
    """Two people in conversation."""
    expert, asker = person("Edda"), person("Arno")
    expert.help(subject)
    asker.ask(title, subject)
    expert.accept(title)
    expect(asker.page.locator("#conversation")).to_be_visible()
    return asker, expert


# MARK: - Matching and talking


def test_a_question_meets_an_expert(person: Callable[[str], Person]) -> None:
    expert, asker = person("Edda"), person("Arno")
    expert.help("Gardening")
    asker.ask("When do I prune roses?", "Gardening", "They are old ones.")
    expect(asker.page.locator("#waiting-state")).to_contain_text("Edda")
    expect(expert.proposal("When do I prune roses?")).to_contain_text("Arno asks")
    expert.accept("When do I prune roses?")
    expect(asker.page.locator("#partner")).to_have_text("Edda")
    expect(expert.page.locator("#partner")).to_have_text("Arno")
    for somebody in (asker, expert):
        expect(somebody.page.locator("#presence")).to_have_text("here")

    expert.reads("They are old ones.", "theirs")
    expert.page.get_by_label("Message", exact=True).press_sequentially("In")
    expect(asker.page.locator("#typing")).to_have_text("Edda is typing…")
    expert.write("In March, <b>before</b> they sprout.")
    asker.reads("In March, <b>before</b> they sprout.", "theirs")
    expect(asker.page.locator("#typing")).to_have_text("")
    asker.write("Thank you!")
    expert.reads("Thank you!", "theirs")
    asker.reads("Thank you!", "mine")

    asker.page.get_by_label("5 ★").check()
    asker.page.get_by_role("button", name="Close the conversation").click()
    expect(expert.page.locator("#problem")).to_have_text("The conversation is closed. ★★★★★")
    expect(asker.page.locator("#question")).to_be_visible()


def test_a_question_waits_for_somebody_with_time(person: Callable[[str], Person]) -> None:
    asker = person("Arno")
    asker.ask("Why does it drip?", "Plumbing")
    expect(asker.page.locator("#waiting-state")).to_have_text("Nobody is free yet. You are the next.")
    first, second = person("Edda"), person("Emil")
    first.help("Plumbing")
    expect(first.proposal("Why does it drip?")).to_be_visible()
    second.help("Plumbing")
    expect(second.proposal("Why does it drip?")).to_have_count(0)
    # Who declines is not asked again, and the other one is.
    first.proposal("Why does it drip?").get_by_role("button", name="Not now").click()
    expect(second.proposal("Why does it drip?")).to_be_visible()
    expect(first.proposal("Why does it drip?")).to_have_count(0)
    asker.page.get_by_role("button", name="Withdraw the question").click()
    expect(second.proposal("Why does it drip?")).to_have_count(0)
    expect(asker.page.locator("#question")).to_be_visible()


# MARK: - Deliveries


def meter(somebody: Person, delivery: str, field: str):
    return somebody.page.locator(f"[data-delivery={delivery}] [data-field={field}]")


def number(somebody: Person, delivery: str, field: str) -> int:
    return int(meter(somebody, delivery, field).inner_text().replace(",", ""))


def test_each_delivery_tells_the_same_change(person: Callable[[str], Person]) -> None:
    asker, expert = pair(person, "Piano", "Which étude first?")
    expert.page.get_by_role("button", name="Watch").click()
    for delivery in DELIVERIES:
        expect(meter(expert, delivery, "latest")).to_have_text("Which étude first?")
    # Nothing has changed: the cheap one is told so, and the patient ones are told nothing.
    expect(meter(expert, "etag", "notModified")).not_to_have_text("0")
    quiet = {delivery: number(expert, delivery, "bytes") for delivery in ("etag", "wait", "sse", "socket")}
    asker.write("Or a scale?")
    for delivery in DELIVERIES:
        expect(meter(expert, delivery, "latest")).to_have_text("Or a scale?")
        expect(meter(expert, delivery, "lag")).to_have_text(re.compile(r"\d m?s"))
        expect(meter(expert, delivery, "problem")).to_have_text("")
    assert number(expert, "sse", "requests") == 1
    assert number(expert, "wait", "requests") <= 3
    assert all(number(expert, delivery, "bytes") > bytes for delivery, bytes in quiet.items())
    # A stream sends the new row; a GET sends all of them, every time.
    assert number(expert, "sse", "bytes") - quiet["sse"] < number(expert, "get", "bytes")


def test_the_page_recovers_from_a_restart(person: Callable[[str], Person], page_server: ApusServer) -> None:
    asker, expert = pair(person, "Swift", "What is an actor?")
    expert.page.get_by_role("button", name="Watch").click()
    for delivery in DELIVERIES:
        expect(meter(expert, delivery, "latest")).to_have_text("What is an actor?")
    page_server.stop()
    expect(asker.page.locator("#connection")).to_have_text("Reconnecting…")
    asker.write("Hello?")
    expect(asker.page.locator("#message [role=alert]")).to_contain_text("cannot be reached")
    page_server.start()
    for somebody in (asker, expert):
        expect(somebody.page.locator("#connection")).to_have_text("Live")
    # The text is still there.
    asker.page.get_by_role("button", name="Send").click()
    expert.reads("Hello?", "theirs")
    for delivery in DELIVERIES:
        expect(meter(expert, delivery, "latest")).to_have_text("Hello?")
        expect(meter(expert, delivery, "problem")).to_have_text("")
    for somebody in (asker, expert):
        expect(somebody.page.locator("#presence")).to_have_text("here")
        somebody.complaints = [text for text in somebody.complaints if not AWAY.search(text)]


# MARK: - Signing in


def test_an_account_with_an_address(person: Callable[[str], Person], page_server: ApusServer) -> None:
    somebody = person("Arno")
    somebody.leave()
    page = somebody.page
    page.get_by_text("With an e-mail address").click()
    page.get_by_label("E-mail address").fill("arno@people.example")
    page.get_by_label("Password").fill("a horse of another colour")
    page.get_by_role("button", name="Sign up").click()
    expect(page.locator("#who")).to_have_text("arno")
    # A token that holds no longer is exchanged on the way.
    page.evaluate("""() => {
        const session = JSON.parse(sessionStorage.getItem("experts.session"));
        session.expires_at = Date.now() / 1000 - 5;
        session.access_token += "x";
        sessionStorage.setItem("experts.session", JSON.stringify(session));
    }""")
    page.reload()
    expect(page.locator("#who")).to_have_text("arno")
    expect(page.locator("#connection")).to_have_text("Live")
    # A session that was ended elsewhere leads back to the entrance at once, with a word about it.
    page_server.sql("delete from auth.sessions")
    expect(page.locator("#guest [role=alert]")).to_have_text("Your session has ended. Please sign in again.")
    page.get_by_text("With an e-mail address").click()
    page.get_by_label("E-mail address").fill("arno@people.example")
    page.get_by_label("Password").fill("a horse of another kind")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#credentials [role=alert]")).not_to_have_text("")
    page.get_by_label("Password").fill("a horse of another colour")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#who")).to_have_text("arno")
    # Said by the browser of answers that are as they should be.
    somebody.complaints = [text for text in somebody.complaints if not re.search(r"status of 40[013]", text)]


# MARK: - For everybody


def test_it_fits_a_phone_and_everything_has_a_name(person: Callable[[str], Person]) -> None:
    asker, expert = pair(person, "Sailing", "Where does the wind come from when it comes from everywhere at once?")
    expert.page.get_by_role("button", name="Watch").click()
    expect(meter(expert, "get", "latest")).not_to_have_text("")
    for somebody in (asker, expert):
        somebody.page.set_viewport_size({"width": 360, "height": 740})
        wide = somebody.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 360, f"{wide} pixels wide for {somebody.name}"
    nameless = asker.page.evaluate("""() => [...document.querySelectorAll("input, select, textarea, button")]
        .filter((control) => !control.labels?.length && !control.textContent.trim())
        .map((control) => control.outerHTML)""")
    assert nameless == []
    # By keyboard alone: the message field has the focus, Enter sends.
    asker.page.get_by_label("Message", exact=True).focus()
    asker.page.keyboard.type("From port.")
    asker.page.keyboard.press("Enter")
    expert.reads("From port.", "theirs")


def test_files_are_served_with_care(page_server: ApusServer) -> None:
    """Over a socket; the attacks are in Tests/Features/Web."""
    with httpx.Client(base_url=page_server.url) as client:
        page = client.get("/")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "script-src" not in page.headers["content-security-policy"]
        assert "<script>" not in page.text and " style=" not in page.text and " onclick=" not in page.text
        head = client.head("/app/main.js")
        assert head.headers["content-length"] == str(len(client.get("/app/main.js").content))
        tag = page.headers["etag"]
        assert client.get("/", headers={"If-None-Match": tag}).status_code == 304
        assert client.post("/").status_code == 405
        assert client.get("/health/ready").json() == {"status": "ready"}
    listed = {path.relative_to(EXAMPLE / "web") for path in pathlib.Path(EXAMPLE / "web").rglob("*") if path.is_file()}
    for path in listed:
        assert httpx.get(f"{page_server.url}/{path}").status_code == 200


# MARK: - Races


def test_nobody_is_asked_twice_at_once(page_server: ApusServer) -> None:
    """Twelve askers at the same moment, three experts with one place each."""

    def newcomer(name: str) -> httpx.Client:
        client = httpx.Client(base_url=page_server.url, timeout=60)
        made = client.post("/auth/v1/signup", json={}).raise_for_status().json()
        client.headers["Authorization"] = f"Bearer {made['access_token']}"
        profile = {"handle": "u" + made["user"]["id"].replace("-", "")[:20], "display_name": name}
        client.post("/rest/v1/profiles", json=profile).raise_for_status()
        return client

    def call(client: httpx.Client, function: str, **parameters):
        return client.post(f"/rest/v1/rpc/{function}", json=parameters).raise_for_status()

    experts = [newcomer(f"Expert {n}") for n in range(3)]
    askers = [newcomer(f"Asker {n}") for n in range(12)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        together = lambda calls: [future.result() for future in [pool.submit(*each) for each in calls]]  # noqa: E731
        together([(lambda who: call(who, "become_expert", skill="kotlin"), expert) for expert in experts])

        def ask(who: httpx.Client) -> str:
            return call(who, "request_expert", skill="kotlin", title="Why null?").json()

        asked = together([(ask, asker) for asker in askers])
        waiting = lambda: [expert.get("/rest/v1/matches?state=eq.proposed&select=id,question_id").json()  # noqa: E731
                           for expert in experts]
        assert [len(matches) for matches in waiting()] == [1, 1, 1]
        # Askers look again and experts report at the same time, many times: nothing changes but what is free.
        together([(lambda pair: call(pair[0], "seek_expert", question_id=pair[1]), pair)
                  for pair in zip(askers, asked)] + [(lambda who: call(who, "here"), who) for who in experts * 4])
        assert [len(matches) for matches in waiting()] == [1, 1, 1]
        assert len({match["question_id"] for matches in waiting() for match in matches}) == 3

        served = set()
        for _ in range(4):
            proposals = [matches[0] for matches in waiting()]
            # The button pressed twice at once opens one conversation.
            answers = together([
                (lambda pair: pair[0].post("/rest/v1/rpc/accept_match", json={"match_id": pair[1]["id"]}), pair)
                for pair in list(zip(experts, proposals)) * 2])
            assert sorted(answer.status_code for answer in answers) == [200] * 3 + [409] * 3
            served |= {match["question_id"] for match in proposals}
            for asker, question in zip(askers, asked):
                if question in {match["question_id"] for match in proposals}:
                    talk = asker.get("/rest/v1/conversations?closed_at=is.null&select=id").json()[0]
                    call(asker, "close_conversation", conversation_id=talk["id"])
            together([(lambda who: call(who, "here"), who) for who in experts * 3])
        assert served == set(asked)
        assert [len(matches) for matches in waiting()] == [0, 0, 0]
    open_places = page_server.sql(
        "select count(*) from availability join experts on profile_id = expert_id"
        " where headline = 'Knows about Kotlin' and active_conversations <> 0")
    assert int(open_places) == 0
    for client in experts + askers:
        client.close()
