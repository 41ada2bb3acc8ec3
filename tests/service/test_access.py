"""Who gets in: keys in both headers, scopes, and this machine alone while nothing is configured."""

import httpx
import pytest

from eigenwarp.errors import OptionInvalidError
from eigenwarp.schemas.access import Scope
from eigenwarp.settings import Settings
from service.key_text import KeyText
from service.keys import create_key
from service.resources import open_resources
from tests.service.web_server import WebServer


def made(web: WebServer, *scopes: Scope) -> KeyText:
    return create_key(web.resources.database, "tests", scopes)


def problem(response: httpx.Response, status: int, code: str) -> str:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found = response.json()
    assert found["type"] == f"/problems/{code}"
    return str(found["detail"])


def test_this_machine_needs_no_credentials_while_none_are_configured(web: WebServer) -> None:
    with web.client() as client:
        assert client.get("/models").status_code == 200


def test_once_a_key_is_made_everybody_needs_one_on_every_call(web: WebServer) -> None:
    with web.client() as client:
        assert client.get("/models").status_code == 200
        made(web, "read")
        response = client.get("/models")
    problem(response, 401, "not-authenticated")
    assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["X-Api-Key", "Authorization"])
def test_a_key_is_taken_from_either_header(web: WebServer, header: str) -> None:
    text = made(web, "read").reveal()
    with web.client(headers={header: f"Bearer {text}" if header == "Authorization" else text}) as client:
        assert client.get("/models").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"Authorization": "Basic dTpw"}, {"Authorization": "Bearer"}, {"X-Api-Key": "nonsense"}, {"X-Api-Key": "é"}],
)
def test_what_is_no_key_is_refused(web: WebServer, headers: dict[str, str]) -> None:
    made(web, "read")
    encoded = {name: value.encode() for name, value in headers.items()}
    problem(httpx.get(f"{web.url}/models", headers=encoded), 401, "not-authenticated")


def test_a_revoked_key_is_refused_from_the_next_call_on(web: WebServer) -> None:
    key = made(web, "read")
    with web.client(key.reveal()) as client:
        assert client.get("/models").status_code == 200
        web.resources.database.keys.revoke(key.id)
        problem(client.get("/models"), 401, "not-authenticated")


def test_revoking_the_last_key_does_not_open_the_door(web: WebServer) -> None:
    web.resources.database.keys.revoke(made(web, "read").id)
    with web.client() as client:
        problem(client.get("/models"), 401, "not-authenticated")


def test_a_missing_scope_is_named(web: WebServer) -> None:
    with web.client(made(web, "read", "submit").reveal()) as client:
        assert "admin" in problem(client.delete("/subjects/s-1"), 403, "not-allowed")


def test_no_scope_contains_another(web: WebServer) -> None:
    with web.client(made(web, "admin").reveal()) as client:
        assert "read" in problem(client.get("/models"), 403, "not-allowed")


def test_a_wrong_key_is_no_way_round_even_while_none_are_configured(web: WebServer) -> None:
    with web.client(KeyText.new().reveal()) as client:
        problem(client.get("/models"), 401, "not-authenticated")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[", "10.0.0.1"])
def test_without_credentials_a_foreign_host_name_is_refused(web: WebServer, host: str) -> None:
    problem(httpx.get(f"{web.url}/models", headers={"Host": host}), 403, "not-allowed")


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:1", "[::1]:8000", "LOCALHOST"])
def test_without_credentials_names_of_this_machine_will_do(web: WebServer, host: str) -> None:
    assert httpx.get(f"{web.url}/models", headers={"Host": host}).status_code == 200


def test_with_a_key_any_host_name_will_do(web: WebServer) -> None:
    key = made(web, "read").reveal()
    response = httpx.get(f"{web.url}/models", headers={"Host": "imaging.example", "X-Api-Key": key})
    assert response.status_code == 200


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_without_credentials_a_page_of_another_site_changes_nothing(web: WebServer, headers: dict[str, str]) -> None:
    detail = problem(httpx.delete(f"{web.url}/subjects/s-1", headers=headers), 403, "not-allowed")
    assert "another site" in detail


def test_without_credentials_our_own_page_may_change_things(web: WebServer) -> None:
    headers = {"Origin": web.url, "Sec-Fetch-Site": "same-origin"}
    problem(httpx.delete(f"{web.url}/subjects/s-1", headers=headers), 404, "subject-unknown")


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_without_credentials_nothing_is_taken_from_a_proxy(web: WebServer, header: str) -> None:
    problem(httpx.get(f"{web.url}/models", headers={header: "203.0.113.5"}), 403, "not-allowed")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "eigenwarp.example"])
def test_without_credentials_no_other_address_is_listened_on(settings: Settings, host: str) -> None:
    elsewhere = settings.model_copy(update={"host": host})
    with pytest.raises(OptionInvalidError, match="neither an API key nor an OIDC issuer"), open_resources(elsewhere):
        pytest.fail("it started")


def test_with_a_key_or_an_issuer_any_address_will_do(settings: Settings, web: WebServer) -> None:
    made(web, "read")
    with open_resources(settings.model_copy(update={"host": "0.0.0.0"})):
        pass
    elsewhere = {"home": settings.home / "other", "oidc_issuer": "https://issuer.example", "oidc_audience": "eigenwarp"}
    with open_resources(settings.model_copy(update={"host": "0.0.0.0", **elsewhere})):
        pass


def test_every_call_of_the_interface_asks_who_calls(web: WebServer) -> None:
    made(web, "read")
    described = httpx.get(f"{web.url}/openapi.json").json()
    unguarded = {
        f"{method.upper()} {path}"
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        if not operation.get("security")
    }
    # Of a place to put a file to, the signature in its URL is the permission.
    signed = "PUT /volumes/uploads/{upload}/content"
    assert unguarded == {"GET /healthz", "GET /readyz", "GET /metrics", signed}
