"""An identity provider of our own that says whatever a test wants it to say."""

import base64
import hmac
import http.server
import json
import threading
import time
import urllib.parse
from collections.abc import Callable
from typing import Any

from joserfc import jws, jwt
from joserfc.jwk import RSAKey

CLIENT = "our-client"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class EvilProvider:
    """Speaks OpenID Connect on a free port of loopback; answers a code with what `codes` holds for it."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, parameters={"kid": "evil-1"})
        self.stranger = RSAKey.generate_key(2048, parameters={"kid": "evil-1"})
        #: Answers of the token endpoint by code; called with the form that came.
        self.codes: dict[str, Callable[[dict[str, str]], dict[str, Any]]] = {}
        #: Over what the discovery document would say.
        self.document: dict[str, Any] = {}
        #: Where to redirect requests for the discovery document.
        self.moved: str | None = None
        self.userinfo: dict[str, Any] = {}
        #: Answers of further paths: what GitHub's API says.
        self.pages: dict[str, Any] = {}
        #: `Authorization` by path, as it came last.
        self.bearers: dict[str, str | None] = {}
        self.requests: list[str] = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = self.server.server_address[1]
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    # Tokens

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": "evil-user", "iat": now, "exp": now + 300} | changes
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, key: Any = None, header: dict[str, Any] | None = None, **changes: Any) -> str:
        header = {"alg": "RS256", "kid": "evil-1"} | (header or {})
        header = {name: value for name, value in header.items() if value is not None}
        registry = jws.JWSRegistry(algorithms=["RS256", "HS256"], strict_check_header=False)
        return jwt.encode(header, self.claims(**changes), key or self.key, registry=registry)

    def unsigned(self, **changes: Any) -> str:
        parts = [json.dumps({"alg": "none"}), json.dumps(self.claims(**changes))]
        return ".".join(_base64(part.encode()) for part in parts) + "."

    def hmac_with_public_key(self, **changes: Any) -> str:
        """RS256's public key taken as the secret of HS256."""
        # By hand: a library that is any good refuses to do it.
        parts = [json.dumps({"alg": "HS256", "kid": "evil-1"}), json.dumps(self.claims(**changes))]
        signed = ".".join(_base64(part.encode()) for part in parts)
        code = hmac.digest(self.key.as_pem(private=False), signed.encode(), "sha256")
        return signed + "." + _base64(code)

    def grant(self, code: str, make: Callable[[], str]) -> None:
        """A code that gives an access token and this id_token."""
        self.codes[code] = lambda form: {"access_token": "evil-access", "token_type": "Bearer", "id_token": make()}

    # HTTP

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.requests.append(self.path)
                provider.bearers[self.path] = self.headers.get("Authorization")
                if self.path.endswith("/.well-known/openid-configuration"):
                    if provider.moved:
                        self.send_response(302)
                        self.send_header("Location", provider.moved)
                        self.send_header("Content-Length", "0")
                        self.end_headers()
                        return
                    self.answer(
                        {
                            "issuer": provider.issuer,
                            "authorization_endpoint": provider.issuer + "/authorize",
                            "token_endpoint": provider.issuer + "/token",
                            "jwks_uri": provider.issuer + "/keys",
                            "userinfo_endpoint": provider.issuer + "/userinfo",
                            "token_endpoint_auth_methods_supported": ["client_secret_post"],
                        }
                        | provider.document
                    )
                elif self.path == "/keys":
                    self.answer({"keys": [provider.key.as_dict(private=False)]})
                elif self.path == "/userinfo":
                    self.answer(provider.userinfo)
                elif self.path in provider.pages:
                    self.answer(provider.pages[self.path])
                else:
                    self.send_error(404)

            def do_POST(self) -> None:
                provider.requests.append(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
                form = dict(urllib.parse.parse_qsl(body))
                make = provider.codes.pop(form.get("code", ""), None)
                if make is None:
                    self.answer({"error": "invalid_grant"}, 400)
                else:
                    self.answer(make(form))

            def answer(self, body: Any, status: int = 200) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *arguments: Any) -> None:
                pass

        return Handler
