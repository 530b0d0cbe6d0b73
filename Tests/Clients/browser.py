"""A browser without JavaScript: it keeps cookies, follows redirects as far as the site goes, and presses buttons."""

import html.parser
import urllib.parse

import httpx


class Form(html.parser.HTMLParser):
    """The first form of a page: where it goes, and what it holds."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self.buttons: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form":
            self.action = attributes["action"]
        elif tag == "input" and "name" in attributes:
            self.fields[attributes["name"]] = attributes.get("value") or ""
        elif tag == "button":
            self.buttons.append(attributes["value"])


class Browser:
    def __init__(self, site: str) -> None:
        self.site = site
        self.client = httpx.Client()
        self.page: httpx.Response | None = None

    def open(self, url: str, **form: str) -> httpx.Response:
        """Opens a page; with fields, posts them."""
        answer = self.client.post(url, data=form) if form else self.client.get(url)
        while answer.is_redirect and answer.headers["location"].startswith(self.site):
            answer = self.client.get(answer.headers["location"])
        self.page = answer
        return answer

    def press(self, button: str, **fields: str) -> httpx.Response:
        """Fills the form of the page in and presses a button, as the page's own policy allows."""
        assert self.page is not None
        form = Form(self.page.text)
        assert button in form.buttons, self.page.text
        url = urllib.parse.urljoin(str(self.page.url), form.action)
        answer = self.open(url, **{**form.fields, **fields, "action": button})
        if answer.is_redirect:
            policy = self.page_policy_before
            assert any(answer.headers["location"].startswith(source) for source in policy), policy
        return answer

    @property
    def page_policy_before(self) -> list[str]:
        """Where the last page with a form lets forms end."""
        return self._policy

    def __setattr__(self, name, value):
        if name == "page" and isinstance(value, httpx.Response):
            policy = value.headers.get("content-security-policy", "")
            for directive in policy.split(";"):
                if directive.strip().startswith("form-action"):
                    object.__setattr__(self, "_policy", [s for s in directive.split()[1:] if s != "'self'"])
        object.__setattr__(self, name, value)


def answer_of(response: httpx.Response) -> dict[str, str]:
    """What a redirect to a client carries."""
    assert response.is_redirect, response.text
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(response.headers["location"]).query))
