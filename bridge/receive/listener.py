"""The C-STORE SCP: who is let in, what is taken, and what they are told."""

import ssl
from collections.abc import Callable
from typing import Final

from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.presentation import AllStoragePresentationContexts
from pynetdicom.sop_class import StorageCommitmentPushModel, Verification  # type: ignore[attr-defined]
from pynetdicom.transport import ThreadedAssociationServer

from bridge.archive.association import without_delay
from bridge.archive.retrievals import Retrievals
from bridge.config.listener import Listener, ListenerTls, Peer
from bridge.metrics import BridgeMetrics
from bridge.receive.intake import Intake, read_header
from bridge.receive.pace import Pace
from bridge.receive.transfer_syntaxes import TRANSFER_SYNTAXES
from bridge.refusals import InstanceInvalidError
from bridge.tls import server_context
from eigenwarp.errors import OptionInvalidError, StoreUnavailableError
from eigenwarp.log import get_logger

_SUCCESS, _NO_RESOURCES, _CANNOT_UNDERSTAND = 0x0000, 0xA700, 0xC000
_NO_SUCH_EVENT: Final = 0x0113
_NOT_AUTHORIZED: Final = 0x0124
_REJECTED_PERMANENTLY, _BY_USER, _CALLING_AE_UNKNOWN = 0x01, 0x01, 0x03
_log = get_logger(__name__)

CommitmentHandler = Callable[[list[str], list[str]], None]
"""Called with the SOP instance UIDs that an archive has committed itself to, and those that it has not."""


class ListenerServer:
    """The bridge's application entity. Each association is a thread.

    Args:
        committed: told of storage commitment's answers, which archives bring here.
        retrievals: get what comes because of a C-MOVE of ours; the intake does not.
    """

    def __init__(
        self,
        listener: Listener,
        intake: Intake,
        metrics: BridgeMetrics,
        committed: CommitmentHandler,
        retrievals: Retrievals,
    ) -> None:
        self._listener = listener
        self._intake = intake
        self._metrics = metrics
        self._committed = committed
        self._retrievals = retrievals
        self._pace = Pace(listener.instances_per_minute)
        self._arriving: dict[Association, int] = {}
        self._server: ThreadedAssociationServer | None = None

    def start(self) -> int:
        """Listen.

        Returns:
            The port, a free one where 0 was asked for.

        Raises:
            OptionInvalidError: the address cannot be bound to, or the TLS files do not serve.
        """
        listener = self._listener
        entity = AE(ae_title=listener.ae_title)
        entity.require_called_aet = True
        entity.maximum_associations = listener.associations
        entity.network_timeout = entity.dimse_timeout = listener.idle_seconds
        for context in AllStoragePresentationContexts:
            entity.add_supported_context(str(context.abstract_syntax), list(TRANSFER_SYNTAXES))
        entity.add_supported_context(Verification)
        # The archive that answers a commitment request is the SCP of it, here as well where it opens the association.
        entity.add_supported_context(StorageCommitmentPushModel, scu_role=False, scp_role=True)
        try:
            server = entity.start_server(
                (listener.host, listener.port),
                block=False,
                evt_handlers=[
                    (evt.EVT_CONN_OPEN, without_delay),
                    (evt.EVT_REQUESTED, self._admit),
                    (evt.EVT_DATA_RECV, self._bound),
                    (evt.EVT_C_ECHO, lambda event: _SUCCESS),
                    (evt.EVT_C_STORE, self._store),
                    (evt.EVT_N_EVENT_REPORT, self._report),
                    (evt.EVT_CONN_CLOSE, lambda event: self._arriving.pop(event.assoc, None)),
                ],
                ssl_context=_tls(listener.tls),
            )
        except OSError as error:
            where = f"{listener.host}:{listener.port}"
            raise OptionInvalidError(f"listener: {where} cannot be listened on: {error.strerror}") from None
        if server is None:
            raise OptionInvalidError(f"listener: {listener.host}:{listener.port} is not served")
        self._server = server
        return int(server.server_address[1])

    def stop(self) -> None:
        """Associations are ended; what was answered is kept."""
        if self._server is not None:
            self._server.shutdown()
            self._server = None

    def _admit(self, event: evt.Event) -> None:
        peers = self._listener.peers
        title, host = _caller(event.assoc)
        if peers and not any(_is(peer, title, host) for peer in peers):
            _log.warning("association refused: unknown peer", host=host)
            self._metrics.refused.labels("unknown-peer").inc()
            event.assoc.acse.send_reject(_REJECTED_PERMANENTLY, _BY_USER, _CALLING_AE_UNKNOWN)
            # Until the peer has read it: the connection would be cut off before.
            event.assoc.kill()

    def _bound(self, event: evt.Event) -> None:
        """Give up an association whose message grows past the limit, before it fills the memory."""
        arrived = self._arriving.get(event.assoc, 0) + len(event.data)
        self._arriving[event.assoc] = arrived
        if arrived > self._listener.instance_bytes + (1 << 20):
            self._metrics.refused.labels("too-large").inc()
            _log.warning("association ended: an instance over the limit", limit=self._listener.instance_bytes)
            event.assoc.abort(block=False)

    def _store(self, event: evt.Event) -> int:
        self._arriving.pop(event.assoc, None)
        title, _ = _caller(event.assoc)
        self._pace.wait(title)
        try:
            content = event.encoded_dataset()
            answer = self._retrieved(event, title, content)
            if answer is not None:
                return answer
            self._intake.take(content, "peer")
        except InstanceInvalidError as error:
            self._metrics.refused.labels(error.code).inc()
            _log.warning("instance refused", reason=error.code)
            return _CANNOT_UNDERSTAND
        except StoreUnavailableError as error:
            self._metrics.refused.labels(error.code).inc()
            _log.error("instance refused", reason=error.code)
            return _NO_RESOURCES
        return _SUCCESS

    def _retrieved(self, event: evt.Event, title: str, content: bytes) -> int | None:
        """The answer to an instance that a C-MOVE of this bridge brings: an earlier study is no new series.

        Returns:
            None for any other instance.
        """
        originator = str(getattr(event.request, "MoveOriginatorApplicationEntityTitle", None) or "").strip()
        is_ours = originator == self._listener.ae_title
        # Not every archive says why it sends (PS3.7, table 9.1-1: optional).
        if not is_ours and (originator or not self._retrievals.awaits_from(title)):
            return None
        header = read_header(content)
        if self._retrievals.take(header.identity.series_uid, header.sop_instance_uid, content):
            return _SUCCESS
        if not is_ours:
            return None
        # The question was given up, and nobody wants the answer any more.
        self._metrics.refused.labels("not-awaited").inc()
        return _NOT_AUTHORIZED

    def _report(self, event: evt.Event) -> tuple[int, None]:
        answer = event.event_information
        held = [str(item.ReferencedSOPInstanceUID) for item in answer.get("ReferencedSOPSequence", ())]
        failed = [str(item.ReferencedSOPInstanceUID) for item in answer.get("FailedSOPSequence", ())]
        if event.event_type not in (1, 2):
            return _NO_SUCH_EVENT, None
        self._committed(held, failed)
        return _SUCCESS, None


def _tls(tls: ListenerTls | None) -> ssl.SSLContext | None:
    return None if tls is None else server_context("listener.tls", tls.certificate, tls.key, tls.authority)


def _caller(association: Association) -> tuple[str, str]:
    """AE title, as the request spells it, and address."""
    request = association.requestor.primitive
    title = "" if request is None else str(request.calling_ae_title or "")
    return title.strip(), str(association.requestor.address)


def _is(peer: Peer, title: str, host: str) -> bool:
    return peer.ae_title == title and (not peer.hosts or host in peer.hosts)
