"""A worker that Redis did not answer in the moment of an acknowledgement takes messages again."""

from typing import Any

from celery import bootsteps
from celery.worker import state

from eigenwarp.log import get_logger

_LOOK_SECONDS = 2.0

_log = get_logger(__name__)


class LostSlot(bootsteps.StartStopStep):  # type: ignore[misc]
    """Part of a worker's consumer, which connects anew once it holds no job and yet takes no message.

    An acknowledgement that times out is logged by Celery and otherwise forgotten, but the message keeps its place among
    those that may be held at once. With one place, the worker would wait for ever beside a full queue.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._seen = False

    def start(self, consumer: Any) -> None:
        """With each new connection, the timers of the one before being gone."""
        self._seen = False
        consumer.timer.call_repeatedly(_LOOK_SECONDS, self._look, (consumer,))

    def _look(self, consumer: Any) -> None:
        lost = not state.reserved_requests and not consumer.task_consumer.channel.qos.can_consume()
        # Not at first sight: a message may be on its way to the job that it asks for.
        if lost and self._seen:
            _log.warning("an acknowledgement was lost: the worker connects anew")
            raise ConnectionResetError("an acknowledgement was lost")
        self._seen = lost
