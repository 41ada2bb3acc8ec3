"""What is kept on a subject."""

from eigenwarp.client.transport import Transport
from eigenwarp.schemas.subjects import Erasure, History


class SubjectCalls:
    """The part of ``Client`` about subjects."""

    _transport: Transport

    def history(self, subject: str) -> History:
        """A subject's coefficients, by date of acquisition.

        Raises:
            SubjectUnknownError: nothing is held on the subject.
        """
        return self._transport.document(History, "GET", f"/subjects/{subject}/coefficients")

    def history_csv(self, subject: str) -> str:
        """As ``history``, as CSV."""
        path, headers = f"/subjects/{subject}/coefficients", {"Accept": "text/csv"}
        return self._transport.call("GET", path, headers=headers).text

    def erase(self, subject: str) -> Erasure:
        """Remove everything that is held on a subject: volumes, jobs with their results, coefficients.

        Raises:
            SubjectUnknownError: nothing is held on the subject, or it went with an earlier try whose answer was lost.
        """
        return self._transport.document(Erasure, "DELETE", f"/subjects/{subject}")
