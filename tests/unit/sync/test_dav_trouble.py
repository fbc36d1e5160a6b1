"""What servers of calendars do besides answering: refuse, redirect, ask for time, talk nonsense."""

from __future__ import annotations

import datetime as dt
import gzip
import re
from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.sync import answer_limit
from desktop_crm.sync.answer_limit import TooLarge
from desktop_crm.sync.dav.busy import busy_times
from desktop_crm.sync.dav.changes import read_changes
from desktop_crm.sync.dav.client import CS, DAV, DavClient, Denied, Missing, Newer
from desktop_crm.sync.dav.places import Place
from desktop_crm.sync.dav.store import DavStore
from desktop_crm.sync.port import Change, FolderRole

EMPTY = '<d:multistatus xmlns:d="DAV:"/>'
EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\nBEGIN:VEVENT\r\nUID:{name}\r\nSUMMARY:{name}\r\n"
    "DTSTAMP:20260101T000000Z\r\nDTSTART:20260302T080000Z\r\nDTEND:20260302T090000Z\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n"
)


@pytest.fixture
def client(httpserver: HTTPServer) -> Iterator[DavClient]:
    made = DavClient(httpserver.url_for("/"), "ana", "parolă", timeout_s=10)
    yield made
    made.close()


def multistatus(*parts: str, more: str = "") -> str:
    space = 'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"'
    return f"<d:multistatus {space}>{''.join(parts)}{more}</d:multistatus>"


def resource(path: str, properties: str) -> str:
    return (
        f"<d:response><d:href>{path}</d:href><d:propstat><d:prop>{properties}</d:prop>"
        "<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
    )


@pytest.mark.parametrize(
    ("status", "raised"),
    [(404, Missing), (410, Missing), (412, Newer), (403, Denied), (405, Denied)],
)
def test_refusals_are_told_apart(
    httpserver: HTTPServer, client: DavClient, status: int, raised: type[Exception]
) -> None:
    body = '<d:error xmlns:d="DAV:"><d:valid-sync-token/></d:error>'
    httpserver.expect_request("/x").respond_with_data(body, status)
    with pytest.raises(raised, match="valid-sync-token" if raised is Denied else "/x"):
        client.send("GET", client.at("/x"))


def test_a_busy_server_says_how_long(httpserver: HTTPServer, client: DavClient) -> None:
    httpserver.expect_request("/x").respond_with_data("", 503, {"Retry-After": "7"})
    with pytest.raises(EnvironmentProblem, match="is busy") as problem:
        client.send("GET", client.at("/x"))
    assert problem.value.retryable
    assert problem.value.params["retry_after"] == 7.0


@pytest.mark.parametrize(("status", "retryable"), [(500, True), (502, True), (400, False)])
def test_an_error_is_an_error(
    httpserver: HTTPServer, client: DavClient, status: int, retryable: bool
) -> None:
    httpserver.expect_request("/x").respond_with_data("", status)
    with pytest.raises(EnvironmentProblem, match=f"HTTP {status}") as problem:
        client.send("GET", client.at("/x"))
    assert problem.value.retryable is retryable


@pytest.mark.parametrize(
    "body", ["<html></html>", "no xml", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;']
)
def test_nonsense_is_called_so(httpserver: HTTPServer, client: DavClient, body: str) -> None:
    httpserver.expect_request("/").respond_with_data(body, 207)
    with pytest.raises(EnvironmentProblem, match="no calendar or address book"):
        client.find("/", f"{DAV}displayname")


def test_a_wrong_password_is_asked_with_once(httpserver: HTTPServer, client: DavClient) -> None:
    asked: list[str] = []

    def refuse(request: Request) -> Response:
        asked.append(request.headers["Authorization"])
        return Response("", 401, {"WWW-Authenticate": 'Basic realm="x"'})

    httpserver.expect_request("/x").respond_with_handler(refuse)
    for _ in range(3):
        with pytest.raises(UserError, match="refused the login or password") as problem:
            client.send("GET", client.at("/x"))
        assert "parolă" not in str(problem.value)
    assert len(asked) == 1


def test_a_server_may_ask_for_a_digest(httpserver: HTTPServer, client: DavClient) -> None:
    def answer(request: Request) -> Response:
        if request.headers.get("Authorization", "").startswith("Digest"):
            return Response("well", 200)
        challenge = 'Digest realm="BaikalDAV",qop="auth",nonce="n",opaque="o"'
        return Response("", 401, {"WWW-Authenticate": challenge})

    httpserver.expect_request("/x").respond_with_handler(answer)
    assert client.send("GET", client.at("/x")).text == "well"


def test_a_redirect_is_followed_at_home_only(httpserver: HTTPServer, client: DavClient) -> None:
    httpserver.expect_request("/.well-known/caldav").respond_with_data(
        "", 301, {"Location": "/dav/"}
    )
    httpserver.expect_request("/dav/").respond_with_data("well")
    assert client.send("GET", client.at("/.well-known/caldav")).text == "well"
    elsewhere = {"Location": "https://evil.example/dav/"}
    httpserver.expect_request("/away").respond_with_data("", 302, elsewhere)
    with pytest.raises(EnvironmentProblem, match="sends the request elsewhere"):
        client.send("GET", client.at("/away"))
    httpserver.expect_request("/loop").respond_with_data("", 302, {"Location": "/loop"})
    with pytest.raises(EnvironmentProblem, match="too many redirects"):
        client.send("GET", client.at("/loop"))


# --- answers without end ------------------------------------------------------------------------


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> int:
    """What is read of one answer, for this test."""
    monkeypatch.setattr(answer_limit, "ANSWER_LIMIT", 1_000_000)
    return 1_000_000


def test_an_answer_without_end_is_read_to_the_limit_and_no_further(
    httpserver: HTTPServer, client: DavClient, small_limit: int
) -> None:
    sent = []

    def endless(_request: Request) -> Response:
        def pieces() -> Iterator[bytes]:
            for _ in range(1_000):
                sent.append(1)
                yield b"x" * 100_000

        return Response(pieces(), 207)

    httpserver.expect_request("/cal/").respond_with_handler(endless)
    httpserver.expect_request("/x").respond_with_data("y")
    for _ in range(2):
        with pytest.raises(TooLarge, match="not read to its end") as it:
            client.find("/cal/", f"{DAV}getetag")
        assert "What was read so far is kept" in str(it.value)
        assert not it.value.retryable
        assert it.value.params["server"] == "localhost"
    assert client.send("GET", client.at("/x")).content == b"y"
    # What lies in the buffers of the sockets was sent; the rest was not.
    assert len(sent) < 500


def test_a_packed_answer_counts_unpacked(
    httpserver: HTTPServer, client: DavClient, small_limit: int
) -> None:
    packed = gzip.compress(b"x" * (small_limit * 20))
    assert len(packed) < small_limit / 10
    headers = {"Content-Encoding": "gzip"}
    httpserver.expect_request("/x").respond_with_data(packed, headers=headers)
    with pytest.raises(TooLarge):
        client.send("GET", client.at("/x"))


def test_a_resource_that_is_too_large_is_set_aside_alone_until_it_changes(
    httpserver: HTTPServer, client: DavClient, small_limit: int
) -> None:
    place = Place(client, "/cal/", "Cal", FolderRole.CALENDAR, syncs=False)
    etags = {"a.ics": '"1"', "b.ics": '"1"', "c.ics": '"1"'}
    large = {"b.ics"}
    fetched: list[list[str]] = []

    def answer(request: Request) -> Response:
        body = request.get_data(as_text=True)
        names = [name for name in etags if name in body or request.path.endswith(name)]
        if "multiget" in body:
            fetched.append(names)
            data = {n: EVENT.format(name=n) + "x" * (2_000_000 * (n in large)) for n in names}
            parts = [
                resource(
                    f"/cal/{n}",
                    f"<d:getetag>{etags[n]}</d:getetag><c:calendar-data>{data[n]}</c:calendar-data>",
                )
                for n in names
            ]
        else:
            found = names or (etags if request.headers["Depth"] == "1" else [])
            parts = [resource(f"/cal/{n}", f"<d:getetag>{etags[n]}</d:getetag>") for n in found]
        return Response(multistatus(*parts), 207)

    httpserver.expect_request(re.compile("^/cal/")).respond_with_handler(answer)
    batch = read_changes(place, None, 100, dt.UTC, ())
    assert [c.item_id for c in batch.changes] == ["/cal/a.ics", "/cal/c.ics"]
    (aside,) = batch.quarantined
    assert (aside.item_id, aside.reason) == ("/cal/b.ics", answer_limit.ITEM_TOO_LARGE)
    fetched.clear()
    again = read_changes(place, batch.token, 100, dt.UTC, ())
    assert (again.changes, again.quarantined, fetched) == ((), (), [])
    large.clear()
    etags["b.ics"] = '"2"'
    last = read_changes(place, again.token, 100, dt.UTC, ())
    assert ([c.item_id for c in last.changes], last.quarantined) == (["/cal/b.ics"], ())


# --- changes told in parts ----------------------------------------------------------------------


def collect(place: Place, token: str | None) -> tuple[list[Change], str]:
    found: list[Change] = []
    while True:
        batch = read_changes(place, token, 100, dt.UTC, ())
        found += batch.changes
        token = batch.token
        if not batch.more:
            return found, token


def test_a_server_may_tell_changes_in_parts_and_escape_as_it_likes(
    httpserver: HTTPServer, client: DavClient
) -> None:
    place = Place(client, "/cal/", "Cal", FolderRole.CALENDAR, syncs=True)
    etags = {"a b.ics": 'W/"1"', "c@d.ics": '"1"'}

    def answer(request: Request) -> Response:
        body = request.get_data(as_text=True)
        if request.method == "PROPFIND" and request.headers["Depth"] == "0":
            token = "<d:sync-token>s0</d:sync-token>"
            return Response(multistatus(resource("/cal/", token)), 207)
        if request.method == "PROPFIND":
            parts = [
                resource(f"/cal/{name.replace(' ', '%20')}", f"<d:getetag>{tag}</d:getetag>")
                for name, tag in etags.items()
            ]
            return Response(multistatus(*parts), 207)
        if "multiget" in body:
            parts = [
                resource(
                    f"/cal/{name.replace(' ', '%20').replace('@', '%40')}",
                    f"<d:getetag>{tag}</d:getetag><c:calendar-data>"
                    f"{EVENT.format(name=name)}</c:calendar-data>",
                )
                for name, tag in etags.items()
                if name.replace(" ", "%20") in body
            ]
            return Response(multistatus(*parts), 207)
        if "s0" in body:
            part = resource("/cal/c%40d.ics", "<d:getetag>&quot;2&quot;</d:getetag>")
            full = (
                "<d:response><d:href>/cal/</d:href>"
                "<d:status>HTTP/1.1 507 Insufficient Storage</d:status></d:response>"
            )
            etags["c@d.ics"] = '"2"'
            return Response(multistatus(part, full, more="<d:sync-token>s1</d:sync-token>"), 207)
        gone = (
            "<d:response><d:href>/cal/a%20b.ics</d:href>"
            "<d:status>HTTP/1.1 404 Not Found</d:status></d:response>"
        )
        told = gone if "s1" in body else ""
        return Response(multistatus(told, more="<d:sync-token>s2</d:sync-token>"), 207)

    httpserver.expect_request("/cal/").respond_with_handler(answer)
    first, token = collect(place, None)
    assert sorted(c.item_id for c in first) == ["/cal/a%20b.ics", "/cal/c@d.ics"]
    assert {c.change_key for c in first} == {'"1"'}
    found, token = collect(place, token)
    assert sorted((c.kind.value, c.item_id) for c in found) == [
        ("delete", "/cal/a%20b.ics"), ("update", "/cal/c@d.ics"),
    ]  # fmt: skip
    assert collect(place, token) == ([], token)


def test_an_unchanged_collection_without_sync_costs_one_request(
    httpserver: HTTPServer, client: DavClient
) -> None:
    place = Place(client, "/cal/", "Cal", FolderRole.CALENDAR, syncs=False)
    asked: list[str] = []

    def answer(request: Request) -> Response:
        asked.append(request.headers["Depth"])
        ctag = f'<s:getctag xmlns:s="{CS[1:-1]}">c1</s:getctag>'
        return Response(multistatus(resource("/cal/", ctag)), 207)

    httpserver.expect_request("/cal/").respond_with_handler(answer)
    _, token = collect(place, None)
    asked.clear()
    assert collect(place, token)[0] == []
    assert asked == ["0"]


# --- busy times of others -----------------------------------------------------------------------


def test_busy_times_of_colleagues_come_from_the_outbox(
    httpserver: HTTPServer, client: DavClient
) -> None:
    free_busy = (
        "BEGIN:VCALENDAR\r\nBEGIN:VFREEBUSY\r\nFREEBUSY:20260302T080000Z/PT1H,"
        "20260302T100000Z/20260302T110000Z\r\nFREEBUSY;FBTYPE=FREE:20260302T120000Z/PT1H\r\n"
        "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20260302T130000Z/PT30M\r\nFREEBUSY:nonsense\r\n"
        "END:VFREEBUSY\r\nEND:VCALENDAR\r\n"
    )
    told = (
        '<c:schedule-response xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">'
        "<c:response><c:recipient><d:href>mailto:Ion@firma.example</d:href></c:recipient>"
        f"<c:request-status>2.0;Success</c:request-status><c:calendar-data>{free_busy}"
        "</c:calendar-data></c:response><c:response><c:recipient><d:href>mailto:x@y.example"
        "</d:href></c:recipient><c:request-status>3.7;Invalid</c:request-status></c:response>"
        "</c:schedule-response>"
    )
    principal = "<d:current-user-principal><d:href>/me/</d:href></d:current-user-principal>"
    home = (
        "<c:calendar-home-set><d:href>/home/</d:href></c:calendar-home-set>"
        "<c:schedule-outbox-URL><d:href>/out/</d:href></c:schedule-outbox-URL>"
        "<c:calendar-user-address-set><d:href>mailto:ana@firma.example</d:href>"
        "</c:calendar-user-address-set>"
    )
    calendar = "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"
    for start in ("/.well-known/caldav", "/.well-known/carddav", "/"):
        answer = multistatus(resource(start, principal))
        httpserver.expect_request(start, "PROPFIND").respond_with_data(answer, 207)
    for path, properties in (("/me/", home), ("/home/", calendar)):
        answer = multistatus(resource(path, properties))
        httpserver.expect_request(path, "PROPFIND").respond_with_data(answer, 207)
    httpserver.expect_request("/home/", "OPTIONS").respond_with_data(
        "", 200, {"DAV": "1, calendar-access, calendar-auto-schedule"}
    )
    httpserver.expect_request("/out/", "POST").respond_with_data(told)
    store = DavStore([client], "ana@firma.example", dt.UTC)
    assert store.at(client).schedules
    at = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
    people = ["ion@firma.example", "x@y.example"]
    found = busy_times(store, people, at, at + dt.timedelta(hours=8))
    assert found["x@y.example"] is None
    times = found["ion@firma.example"]
    assert times is not None
    assert [(t.start.hour, t.end.hour, t.show_as.value) for t in times] == [
        (8, 9, "busy"), (10, 11, "busy"), (13, 13, "tentative"),
    ]  # fmt: skip
