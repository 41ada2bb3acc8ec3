"""Deployments, started once and shared, and their logs beside each failure."""

from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.integration.deployment import Deployment
from tests.integration.http_calls import HttpCalls
from tests.servers.postgres import running_postgres
from tests.servers.redis import running_redis
from tests.servers.s3 import running_s3
from tests.tiny_bundle import write_tiny_bundle

MODELS = Path(__file__).resolve().parents[2] / "models"
# A silent worker is found out within seconds, so that a test need not wait for half a minute.
BRIEF = {"LEASE_SECONDS": 2, "RECOVERY_SECONDS": 0.5, "SHUTDOWN_SECONDS": 2}


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a bundle named ``tiny``: a projection takes some 20 ms, a latent refinement more than a second."""
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny", shape=(48, 48, 48))


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> Iterator[Deployment]:
    """Two workers over PostgreSQL, S3 and Redis, with the hippocampus model and the tiny one. Not to be broken."""
    with full_form(tmp_path_factory.mktemp("deployment")) as made:
        made.start(MODELS / "hippocampus", tiny)
        yield made


@pytest.fixture(scope="session")
def calls(deployment: Deployment) -> HttpCalls:
    """A caller of the deployment."""
    return deployment.calls


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> Iterator[Deployment]:
    """One worker over SQLite, a folder and Redis, with the tiny model: what one machine runs."""
    folder = tmp_path_factory.mktemp("small")
    with (
        running_redis(_made(folder / "redis")) as redis,
        Deployment(folder, redis, settings={"DEFAULT_MODEL": "tiny"}) as made,
    ):
        made.start(tiny)
        yield made


@pytest.fixture(scope="session")
def breakable_of_session(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> Iterator[Deployment]:
    """As ``deployment``, with the tiny model alone and brief leases."""
    with full_form(tmp_path_factory.mktemp("breakable"), DEFAULT_MODEL="tiny", **BRIEF) as made:
        made.start(tiny)
        yield made


@pytest.fixture
def breakable(breakable_of_session: Deployment) -> Iterator[Deployment]:
    """A whole deployment to break; it is mended for the next test."""
    breakable_of_session.mend()
    yield breakable_of_session
    breakable_of_session.mend()


@contextmanager
def full_form(folder: Path, **settings: object) -> Iterator[Deployment]:
    """Two workers over servers of their own, nothing started but the servers."""
    with ExitStack() as stack:
        redis = stack.enter_context(running_redis(_made(folder / "redis")))
        postgres = stack.enter_context(running_postgres(_made(folder / "postgres")))
        s3 = stack.enter_context(running_s3(_made(folder / "s3")))
        yield stack.enter_context(Deployment(folder, redis, postgres=postgres, s3=s3, workers=2, settings=settings))


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The logs of the deployments that a failed test used."""
    report = yield
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, Deployment):
                report.sections.append((f"logs of {name}", value.logs()))
    return report
