"""One database, and the repositories over it."""

from sqlalchemy import URL

from eigenwarp.errors import StoreUnavailableError
from eigenwarp.stores.database import migration
from eigenwarp.stores.database.audit import AuditRepository
from eigenwarp.stores.database.doomed import DoomedRepository
from eigenwarp.stores.database.engine import make_engine, parse_url
from eigenwarp.stores.database.jobs import JobRepository
from eigenwarp.stores.database.keys import KeyRepository
from eigenwarp.stores.database.subjects import SubjectRepository
from eigenwarp.stores.database.transactions import Transactions
from eigenwarp.stores.database.uploads import UploadRepository
from eigenwarp.stores.database.volumes import VolumeRepository


class Database:
    """The truth. One per process, for all its threads; not to be carried over a fork.

    Every call of every repository raises ``StoreUnavailableError`` where the database does not answer, within seconds,
    and then has changed nothing.
    """

    def __init__(self, url: URL) -> None:
        self._transactions = Transactions(make_engine(url))
        self.jobs = JobRepository(self._transactions)
        self.volumes = VolumeRepository(self._transactions)
        self.uploads = UploadRepository(self._transactions)
        self.subjects = SubjectRepository(self._transactions)
        self.doomed = DoomedRepository(self._transactions)
        self.keys = KeyRepository(self._transactions)
        self.audit = AuditRepository(self._transactions)

    def migrate(self) -> None:
        """Bring the schema to this release's. Nothing happens where it is; several at once wait for each other."""
        with self._transactions.write() as connection:
            migration.upgrade(connection)

    def check(self) -> None:
        """Returns when the database answers and has this release's schema.

        Raises:
            StoreUnavailableError: it does not, or has not.
        """
        with self._transactions.read() as connection:
            found = migration.current(connection)
        if found != migration.head():
            have = "has no schema" if found is None else f"is at schema {found}"
            raise StoreUnavailableError(
                f"the database {have}, this release needs {migration.head()}: run `eigenwarp migrate`"
            )

    def close(self) -> None:
        """Give the connections back."""
        self._transactions.engine.dispose()


def open_database(url: str) -> Database:
    """A database by its URL: ``sqlite:///path`` or ``postgresql://…``. Nothing is connected to yet.

    Raises:
        OptionInvalidError: the URL names neither.
        StoreUnavailableError: the SQLite file cannot be made.
    """
    return Database(parse_url(url))
