"""No patient's data outside the hospital's own systems: looked for in everything that was written and sent."""

import gzip
from collections.abc import Collection

from tests.bridge.site import Site
from tests.integration.deployment import Deployment

_GZIP = b"\x1f\x8b"


def require_nameless(site: Site, service: Deployment, names: Collection[str]) -> None:
    """Not in what the bridge keeps and logs, nor in what the service got, wrote and logged.

    Args:
        site: stopped.
        names: of patients, whole and in parts, and whatever else must not be seen.
    """
    needles = {part for name in names for part in (name, *name.split("^")) if len(part) > 3}
    assert needles
    files = [path for folder in (site.folder, service.folder) for path in folder.rglob("*") if path.is_file()]
    assert any("instances" in path.parts for path in files)
    assert any("objects" in path.parts for path in files)
    read = 0
    for path in files:
        content = path.read_bytes()
        read += len(content)
        if content.startswith(_GZIP):
            content = gzip.decompress(content)
        for needle in needles:
            assert needle.lower().encode() not in content.lower(), f"{needle} in {path}"
            assert needle.encode("utf-16-le") not in content, f"{needle} in {path}"
    assert read > 100_000
