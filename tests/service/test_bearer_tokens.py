"""Bearer tokens of a local issuer: taken when everything about them holds, and refused for each thing that does not."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import jwt
import pytest
from jwt.utils import base64url_encode

from eigenwarp.errors import NotAuthenticatedError, StoreUnavailableError
from eigenwarp.settings import Settings
from service.bearer_tokens import BearerTokens
from service.signing_keys import KEPT_SECONDS, PAUSE_SECONDS, SigningKeys
from tests.servers.processes import wait_until
from tests.service.issuer import AUDIENCE, Issuer, running_issuer
from tests.service.web_server import running_web


class Clock:
    """Moves when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running_issuer() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(issuer: Issuer, clock: Clock) -> BearerTokens:
    return BearerTokens(issuer.url, AUDIENCE, "scope", SigningKeys(issuer.url, None, clock))


def refusal(tokens: BearerTokens, token: str) -> str:
    with pytest.raises(NotAuthenticatedError) as refused:
        tokens.verify(token)
    return refused.value.detail


def test_a_good_token_tells_who_and_what_for(issuer: Issuer, tokens: BearerTokens) -> None:
    caller = tokens.verify(issuer.token(scope="openid eigenwarp:read eigenwarp:submit eigenwarp:everything read"))
    assert (caller.id, caller.scopes) == ("oidc:u-17", frozenset({"read", "submit"}))


def test_scopes_may_come_as_an_array_in_another_claim(issuer: Issuer, clock: Clock) -> None:
    tokens = BearerTokens(issuer.url, AUDIENCE, "roles", SigningKeys(issuer.url, f"{issuer.url}/keys", clock))
    assert tokens.verify(issuer.token(roles=["eigenwarp:admin", 7])).scopes == frozenset({"admin"})
    assert tokens.verify(issuer.token()).scopes == frozenset()


def test_an_elliptic_curve_will_do(issuer: Issuer, tokens: BearerTokens) -> None:
    issuer.rotate("curve", curve=True)
    assert tokens.verify(issuer.token()).id == "oidc:u-17"


def test_one_of_several_audiences_will_do(issuer: Issuer, tokens: BearerTokens) -> None:
    assert tokens.verify(issuer.token(aud=["other", AUDIENCE])).id == "oidc:u-17"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "http://127.0.0.1:1"}, "another issuer"),
        ({"aud": "other"}, "another audience"),
        ({"aud": f"{AUDIENCE}-other"}, "another audience"),
        ({"exp": 1_000_000_000}, "has expired"),
        ({"nbf": 4_000_000_000}, "not valid yet"),
        ({"exp": None}, "is missing"),
        ({"aud": None}, "is missing"),
        ({"iss": None}, "is missing"),
        ({"sub": None}, "is missing"),
        ({"sub": ""}, "sub is empty"),
        ({"sub": "x" * 256}, "longer than 255"),
        ({"sub": 7}, "malformed"),
    ],
)
def test_a_claim_that_does_not_hold_is_named(
    issuer: Issuer, tokens: BearerTokens, changes: dict[str, object], reason: str
) -> None:
    assert reason in refusal(tokens, issuer.token(**changes))


def test_a_token_that_names_no_algorithm_is_refused(issuer: Issuer, tokens: BearerTokens) -> None:
    token = jwt.encode(issuer.claims(), None, "none", headers={"kid": "first"})
    assert "algorithm" in refusal(tokens, token)


def test_the_public_key_is_no_shared_secret(issuer: Issuer, tokens: BearerTokens) -> None:
    # PyJWT refuses to sign so; an attacker does it by hand.
    import hashlib
    import hmac
    import json

    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT", "kid": "first"}, issuer.claims())]
    signed = b".".join(base64url_encode(part) for part in parts)
    signature = base64url_encode(hmac.digest(issuer.public_pem(), signed, hashlib.sha256))
    assert "algorithm" in refusal(tokens, (signed + b"." + signature).decode())


def test_another_key_under_a_known_id_is_refused(issuer: Issuer, tokens: BearerTokens) -> None:
    tokens.verify(issuer.token())
    issuer.rotate("first")
    assert "signature is wrong" in refusal(tokens, issuer.token())


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "..", "é.é.é"])
def test_nonsense_is_refused(tokens: BearerTokens, token: str) -> None:
    assert "malformed" in refusal(tokens, token)


def test_keys_are_fetched_once_and_kept(issuer: Issuer, tokens: BearerTokens) -> None:
    for _ in range(5):
        tokens.verify(issuer.token())
    assert issuer.fetched == ["/.well-known/openid-configuration", "/keys"]


def test_a_new_key_is_found_when_a_token_names_it(issuer: Issuer, tokens: BearerTokens, clock: Clock) -> None:
    old = issuer.token()
    tokens.verify(old)
    issuer.rotate("second")
    clock.now += PAUSE_SECONDS
    tokens.verify(issuer.token())
    clock.now += PAUSE_SECONDS
    assert "does not publish" in refusal(tokens, old)


def test_invented_key_ids_do_not_make_us_ask_again_and_again(issuer: Issuer, tokens: BearerTokens) -> None:
    tokens.verify(issuer.token())
    before = len(issuer.fetched)
    issuer.rotate("invented")
    for _ in range(20):
        assert "does not publish" in refusal(tokens, issuer.token())
    assert len(issuer.fetched) == before


def test_a_key_that_was_withdrawn_ends_within_minutes(issuer: Issuer, tokens: BearerTokens, clock: Clock) -> None:
    old = issuer.token()
    tokens.verify(old)
    issuer.rotate("second")
    clock.now += KEPT_SECONDS
    assert "does not publish" in refusal(tokens, old)


def test_an_issuer_that_is_away_locks_nobody_out(issuer: Issuer, tokens: BearerTokens, clock: Clock) -> None:
    tokens.verify(issuer.token())
    issuer.away = True
    clock.now += 10 * KEPT_SECONDS
    assert tokens.verify(issuer.token()).id == "oidc:u-17"


def test_an_issuer_that_hangs_keeps_nobody_waiting_whose_key_is_known(
    issuer: Issuer, tokens: BearerTokens, clock: Clock
) -> None:
    token = issuer.token()
    tokens.verify(token)
    clock.now += KEPT_SECONDS
    issuer.answering.clear()
    before = len(issuer.fetched)
    with ThreadPoolExecutor(1) as pool:
        unlucky = pool.submit(tokens.verify, token)
        wait_until(lambda: len(issuer.fetched) > before, "one asks for the keys")
        assert tokens.verify(token).id == "oidc:u-17"
        assert not unlucky.done()
        issuer.answering.set()
        assert unlucky.result(30).id == "oidc:u-17"


def test_who_comes_while_the_first_keys_are_fetched_waits_for_them(issuer: Issuer, tokens: BearerTokens) -> None:
    token = issuer.token()
    with ThreadPoolExecutor(8) as pool:
        assert {caller.id for caller in pool.map(tokens.verify, [token] * 16)} == {"oidc:u-17"}
    assert issuer.fetched.count("/keys") == 1


def test_an_issuer_that_was_never_there_is_no_fault_of_the_callers(
    issuer: Issuer, tokens: BearerTokens, clock: Clock
) -> None:
    issuer.away = True
    with pytest.raises(StoreUnavailableError, match="token issuer"):
        tokens.verify(issuer.token())
    issuer.away = False
    clock.now += PAUSE_SECONDS
    assert tokens.verify(issuer.token()).id == "oidc:u-17"


def test_a_discovery_document_of_another_issuer_is_not_believed(issuer: Issuer, tokens: BearerTokens) -> None:
    issuer.announced_issuer = "https://evil.example"
    with pytest.raises(StoreUnavailableError):
        tokens.verify(issuer.token())


@pytest.mark.parametrize("document", [[], {}, {"keys": []}, {"keys": [7]}, {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}])
def test_what_is_no_key_set_is_no_defect_of_ours(issuer: Issuer, tokens: BearerTokens, document: object) -> None:
    issuer.key_set = document
    with pytest.raises(StoreUnavailableError):
        tokens.verify(issuer.token())


def test_tokens_open_the_service_and_their_scopes_bound_it(issuer: Issuer, settings: Settings) -> None:
    configured = settings.model_copy(update={"oidc_issuer": issuer.url, "oidc_audience": AUDIENCE})
    with running_web(configured) as web:

        def get(token: str | None) -> httpx.Response:
            return httpx.get(f"{web.url}/models", headers={"Authorization": f"Bearer {token}"} if token else {})

        assert get(None).status_code == 401
        assert get(issuer.token()).status_code == 200
        assert get(issuer.token(scope="eigenwarp:submit")).status_code == 403
        refused = get(issuer.token(exp=int(time.time()) - 3600))
        assert (refused.status_code, refused.json()["type"]) == (401, "/problems/not-authenticated")
        assert "has expired" in refused.json()["detail"]
