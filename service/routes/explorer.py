"""The explorer page and the interface's description as a page: static files of ours, and of the wheel with Swagger UI.

Nothing is fetched from elsewhere, neither by us nor by the browser.
"""

from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException

from service.etags import is_held
from service.resources import ResourcesDep

router = APIRouter(include_in_schema=False)

_STATIC = Path(__file__).parent.parent / "static"
_SWAGGER_FILES = ("swagger-ui-bundle.js", "swagger-ui.css")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'{styles}; img-src 'self' blob: data:; "
    "connect-src 'self'{downloads}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@router.get("/")
def explorer(request: Request, resources: ResourcesDep) -> Response:
    """The explorer."""
    # Results may be redirected to the object store's public address.
    store = urlsplit(resources.settings.s3_public_endpoint or "")
    downloads = f" {store.scheme}://{store.netloc}" if store.netloc else ""
    return _page(request, "index.html", _POLICY.format(styles="", downloads=downloads))


@router.get("/docs")
def docs(request: Request) -> Response:
    """Swagger UI over ``/openapi.json``."""
    # It writes style attributes of its own.
    return _page(request, "docs.html", _POLICY.format(styles=" 'unsafe-inline'", downloads=""))


@router.get("/static/{name}")
def static_file(request: Request, name: str) -> Response:
    """A file that the pages name."""
    path = _files().get(name)
    if path is None:
        raise HTTPException(404)
    return _file(request, path, {})


def _page(request: Request, name: str, policy: str) -> Response:
    return _file(request, _STATIC / name, {"Content-Security-Policy": policy})


def _file(request: Request, path: Path, headers: dict[str, str]) -> Response:
    """The browser may keep it, and asks each time whether it is still the same."""
    headers = {**headers, "Cache-Control": "public, max-age=0, must-revalidate"}
    answer = FileResponse(path, headers=headers, stat_result=path.stat())
    tag = answer.headers["etag"]
    return Response(status_code=304, headers={**headers, "ETag": tag}) if is_held(request.headers, tag) else answer


def _files() -> dict[str, Path]:
    """Servable files by name; a name that is not listed leads nowhere, whatever its dots and slashes."""
    found = {path.name: path for path in _STATIC.iterdir() if path.suffix != ".html"}
    # The package's place without importing it: it would bring an application of its own.
    package = find_spec("fastapi_offline")
    for folder in (package.submodule_search_locations or []) if package else []:
        found.update({name: Path(folder) / "static" / name for name in _SWAGGER_FILES})
    return found
