"""Server-sent events are read as the standard has it."""

from eigenwarp.client.events import ServerEvent, parse_events


def events(text: str) -> list[ServerEvent]:
    return [event for event in parse_events(text.split("\n")) if event is not None]


def test_fields_are_joined_up_to_an_empty_line() -> None:
    assert events("id: 7-0\nevent: progress\ndata: a\ndata:b\n\n") == [ServerEvent("7-0", "a\nb")]


def test_an_id_holds_until_the_next() -> None:
    assert [event.id for event in events("data: 1\n\nid: 5\ndata: 2\n\ndata: 3\n\nid: 6\ndata: 4\n\n")] == [
        None,
        "5",
        "5",
        "6",
    ]


def test_comments_and_unfinished_events_are_none() -> None:
    assert events(": still there\n\n: again\n\ndata: cut off") == []


def test_a_reader_hears_of_every_line() -> None:
    assert len(list(parse_events([": a", "data: 1", "", "", ": b"]))) == 4
