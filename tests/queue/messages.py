"""What lies in the queue."""

import base64
import json
from typing import Any

from eigenwarp.queue import QUEUE_NAME
from tests.servers.redis import RedisServer


def messages(server: RedisServer) -> list[dict[str, Any]]:
    """Those that wait, the next first."""
    with server.client() as client:
        return [json.loads(text) for text in reversed(client.lrange(QUEUE_NAME, 0, -1))]


def arguments(message: dict[str, Any]) -> list[Any]:
    """Of the task."""
    (given, keywords, _) = json.loads(base64.b64decode(message["body"]))
    assert keywords == {}
    return list(given)


def waiting_ids(server: RedisServer) -> list[str]:
    """Of the jobs that messages wait for, the next first."""
    return [arguments(message)[0] for message in messages(server)]


def take(server: RedisServer) -> str:
    """As a worker does that then acknowledges: the next message's job."""
    with server.client() as client:
        text = client.rpop(QUEUE_NAME)
    assert isinstance(text, str)
    return str(arguments(json.loads(text))[0])
