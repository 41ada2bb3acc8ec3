"""An OpenID Connect issuer: a real HTTP server with a discovery document and keys that it changes."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_curve_key
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as new_rsa_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

AUDIENCE = "eigenwarp"


class Issuer:
    """Signs tokens, and publishes the keys that it signs with.

    Args:
        port: of the loopback.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.fetched: list[str] = []
        self.away = False
        self.answering = threading.Event()
        self.answering.set()
        self.announced_issuer = self.url
        self.key_set: object = None
        self._keys: dict[str, RSAPrivateKey | EllipticCurvePrivateKey] = {}
        self.rotate("first")

    def rotate(self, key_id: str, *, curve: bool = False) -> None:
        """From now on this is the only key."""
        made = new_curve_key(SECP256R1()) if curve else new_rsa_key(public_exponent=65537, key_size=2048)
        self._keys = {key_id: made}

    def claims(self, **changes: object) -> dict[str, object]:
        """What a good token says, with changes; a claim that is None is left out."""
        now = int(time.time())
        good = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "u-17",
            "iat": now,
            "exp": now + 300,
            "scope": "openid eigenwarp:read",
        }
        return {name: value for name, value in {**good, **changes}.items() if value is not None}

    def token(self, **changes: object) -> str:
        """A token signed with the present key."""
        key_id, key = next(iter(self._keys.items()))
        algorithm = "RS256" if isinstance(key, RSAPrivateKey) else "ES256"
        return jwt.encode(self.claims(**changes), key, algorithm, headers={"kid": key_id})

    def public_pem(self) -> bytes:
        """The present key, as anybody can have it."""
        key = next(iter(self._keys.values()))
        return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def document(self, path: str) -> object:
        """What is served under a path; None for nothing."""
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.announced_issuer, "jwks_uri": f"{self.url}/keys", "token_endpoint": "unused"}
        if path == "/keys":
            return (
                self.key_set
                if self.key_set is not None
                else {"keys": [_public(key_id, key) for key_id, key in self._keys.items()]}
            )
        return None


def _public(key_id: str, key: RSAPrivateKey | EllipticCurvePrivateKey) -> dict[str, object]:
    if isinstance(key, RSAPrivateKey):
        found = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    else:
        found = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))
    return {**found, "kid": key_id, "use": "sig"}


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    """An issuer for the time of a block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.fetched.append(self.path)
            issuer.answering.wait(30)
            found = None if issuer.away else issuer.document(self.path)
            body = json.dumps(found).encode()
            self.send_response(503 if issuer.away else 404 if found is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing on standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer = Issuer(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
