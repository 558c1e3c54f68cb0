"""A measurement as FHIR R4 and as CSV: the right codes and units, valid by a library of others, delivered or told why not."""

import csv
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from rppg_ros.export.deliver import WAITING, Delivery, ExportError
from rppg_ros.export.fhir import bundle
from rppg_ros.export.table import COLUMNS
from rppg_ros.meter.measuring import Measured
from rppg_ros.types import NS_PER_S, Rate, Reason, Status, Vital

START_NS = 1_700_000_000 * NS_PER_S + 250_000_000


def heart(**changes):
    values = {"per_minute": 72.34, "std": 1.0, "snr_db": 5.0, "quality": 0.93, "status": Status.OK, "window_s": 30.0}
    return Rate(
        Vital.BVP, "abcde", START_NS + 30 * NS_PER_S, **values | changes, model="mmrphys-rgbt", low=70.0, high=75.0
    )


def breath(status=Status.LOW_QUALITY, reasons=(Reason.MOVEMENT, Reason.TALKING), shares=(0.6, 0.2)):
    return Rate.unknown(Vital.RSP, "abcde", START_NS, status, "mmrphys-rgbt", 30.0, reasons, shares)


def measured(*rates, face="abcde", start_ns=START_NS):
    return Measured(
        face, start_ns, start_ns + 30 * NS_PER_S, {rate.vital: rate for rate in rates or (heart(), breath())}
    )


def test_codes_units_and_times():
    first, second = (entry["resource"] for entry in bundle(measured(), "Patient/123")["entry"])
    assert first["code"]["coding"][0] == {"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate"}
    assert first["valueQuantity"] == {
        "value": 72.3,
        "unit": "beats/minute",
        "system": "http://unitsofmeasure.org",
        "code": "/min",
    }
    assert first["effectivePeriod"] == {
        "start": "2023-11-14T22:13:20.250+00:00",
        "end": "2023-11-14T22:13:50.250+00:00",
    }
    assert first["subject"] == {"reference": "Patient/123"} and "70.0 to 75.0 /min" in first["note"][0]["text"]
    assert second["code"]["coding"][0]["code"] == "9279-1" and "valueQuantity" not in second
    assert second["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert second["dataAbsentReason"]["text"] == "movement (0.60), talking (0.20)"


def test_nobody_is_named_by_the_id_of_a_face():
    text = json.dumps(bundle(measured()))
    assert "abcde" not in text and "not identified" in text


@pytest.mark.parametrize(
    ("status", "code"),
    [(Status.UNSUPPORTED, "unsupported"), (Status.NO_FACE, "not-performed"), (Status.STALE, "unknown")],
)
def test_why_there_is_no_value(status, code):
    (entry,) = bundle(measured(breath(status, (), ())))["entry"]
    absent = entry["resource"]["dataAbsentReason"]
    assert absent["coding"][0]["code"] == code and absent["text"]


@pytest.mark.parametrize("subject", ["", "Patient/123"])
def test_it_is_valid_by_the_rules_of_r4(subject):
    library = pytest.importorskip("fhir.resources.R4B.bundle", reason="fhir.resources is installed for tests only")
    validated = (
        getattr(library.Bundle, "model_validate", None) or library.Bundle.parse_obj
    )  # pydantic 1 has the latter alone
    found = validated(bundle(measured(), subject))
    assert [entry.resource.code.coding[0].code for entry in found.entry] == ["8867-4", "9279-1"]
    broken = bundle(measured(), subject)
    del broken["entry"][0]["resource"]["status"]
    with pytest.raises(ValueError, match="status"):
        validated(broken)


class Problems(list):
    """Hears what went wrong."""

    __call__ = list.append


def test_into_a_folder_as_both(tmp_path):
    problems = Problems()
    delivery = Delivery(str(tmp_path / "new" / "folder"), ("fhir", "csv"), problems)
    delivery.send(measured(), "Patient/9")
    delivery.send(measured(heart(), face="", start_ns=START_NS + 60 * NS_PER_S))
    delivery.end()
    assert not problems and delivery.delivered == 2
    files = sorted(path.name for path in (tmp_path / "new" / "folder").iterdir())
    assert files == [
        "20231114T221320.250Z-abcde.fhir.json",
        "20231114T221420.250Z-nobody.fhir.json",
        "measurements.csv",
    ]
    written = json.loads((tmp_path / "new" / "folder" / files[0]).read_text())
    assert written == bundle(measured(), "Patient/9")
    rows = list(csv.DictReader((tmp_path / "new" / "folder" / "measurements.csv").open()))
    assert tuple(rows[0]) == COLUMNS and [row["rate"] for row in rows] == [
        "heart_rate",
        "respiration_rate",
        "heart_rate",
    ]
    assert rows[0]["per_minute"] == "72.340" and rows[1]["per_minute"] == "" and rows[1]["why"].startswith("movement")
    assert rows[1]["status"] == "LOW_QUALITY" and rows[0]["start_s"] == "1700000000.250"


@pytest.fixture
def server():
    """A FHIR server that answers with a status of one's choice, and keeps what it got."""
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((self.path, self.headers["Content-Type"], self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(self.server.status)
            self.end_headers()

        def log_message(self, *args):
            pass

    httpd = HTTPServer(("127.0.0.1", 0), Handler)
    httpd.status, httpd.got = 200, got
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield httpd
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def test_to_a_server(server):
    problems = Problems()
    url = f"http://127.0.0.1:{server.server_port}/fhir"
    delivery = Delivery(url, ("fhir",), problems)
    delivery.send(measured(), "Patient/9")
    delivery.end()
    ((path, kind, body),) = server.got
    assert (path, kind) == ("/fhir", "application/fhir+json") and json.loads(body) == bundle(measured(), "Patient/9")
    assert not problems


def test_a_server_that_refuses_or_is_away_is_told(server):
    problems = Problems()
    server.status = 422
    url = f"http://127.0.0.1:{server.server_port}/fhir"
    delivery = Delivery(url, ("fhir",), problems)
    delivery.send(measured())
    delivery.end()
    assert "the server answered 422" in problems[0] and delivery.delivered == 0
    delivery = Delivery("http://127.0.0.1:9/fhir", ("fhir",), problems)
    delivery.send(measured())
    delivery.end()
    assert "export to http://127.0.0.1:9/fhir" in problems[1]


def test_a_server_that_sends_elsewhere_has_not_taken_it(server):
    problems = Problems()
    server.status = 302
    delivery = Delivery(f"http://127.0.0.1:{server.server_port}/fhir", ("fhir",), problems)
    delivery.send(measured())
    delivery.end()
    assert "the server answered 302" in problems[0] and delivery.delivered == 0


def test_an_answer_that_is_no_http_does_not_end_the_delivery():
    problems = Problems()
    with socket.socket() as odd:
        odd.bind(("127.0.0.1", 0))
        odd.listen()

        def answer():
            for _ in range(2):
                connection, _ = odd.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(b"SSH-2.0-OpenSSH_9\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        delivery = Delivery(f"http://127.0.0.1:{odd.getsockname()[1]}/", ("fhir",), problems)
        delivery.send(measured())
        delivery.send(measured())
        thread.join()
        delivery.end()
    assert len(problems) == 2 and "SSH-2.0" in problems[1]


def test_two_measurements_that_begin_together_are_two_files(tmp_path):
    delivery = Delivery(str(tmp_path), ("fhir",), Problems())
    for _ in range(3):
        delivery.send(measured())
    delivery.end()
    assert len(list(tmp_path.glob("*.fhir.json"))) == 3 == len(list(tmp_path.iterdir()))


def test_a_folder_that_vanished_is_made_again_and_one_format_does_not_need_the_other(tmp_path):
    problems, folder = Problems(), tmp_path / "out"
    delivery = Delivery(str(folder), ("fhir", "csv"), problems)
    folder.rmdir()
    delivery.send(measured())
    delivery.end()
    assert len(list(folder.iterdir())) == 2 and not problems
    (folder / "measurements.csv").unlink()
    (folder / "measurements.csv").mkdir()
    delivery = Delivery(str(folder), ("fhir", "csv"), problems)
    delivery.send(measured())
    delivery.end()
    assert len(list(folder.glob("*.fhir.json"))) == 2 and len(problems) == 1


def test_what_is_left_at_the_end_is_told(tmp_path, monkeypatch):
    problems, gate = Problems(), threading.Event()
    monkeypatch.setattr(Delivery, "_deliver", lambda self, *args: gate.wait(60))
    delivery = Delivery(str(tmp_path), ("csv",), problems)
    for _ in range(5):
        delivery.send(measured())
    delivery.end(timeout_s=0.1)
    gate.set()
    assert any("measurements were not delivered in time" in one for one in problems)


def test_a_disk_that_fails_is_told_and_the_next_one_is_tried(tmp_path):
    problems = Problems()
    delivery = Delivery(str(tmp_path / "there"), ("csv",), problems)
    (tmp_path / "there" / "measurements.csv").mkdir()
    delivery.send(measured())
    delivery.send(measured())
    delivery.end()
    assert len(problems) == 2 and "directory" in problems[0].lower()


def test_what_piles_up_is_refused(tmp_path, monkeypatch):
    problems, gate = Problems(), threading.Event()
    monkeypatch.setattr(Delivery, "_deliver", lambda self, *args: gate.wait(60))
    delivery = Delivery(str(tmp_path), ("csv",), problems)
    for _ in range(WAITING + 5):
        delivery.send(measured())
    gate.set()
    assert 3 <= len(problems) <= 5 and "not delivered" in problems[0]
    delivery.end()


@pytest.mark.parametrize(
    ("target", "formats", "told"),
    [
        ("ftp://host/x", ("fhir",), "begins with http"),
        ("http://", ("fhir",), "begins with http"),
        ("http://127.0.0.1:abc/", ("fhir",), "begins with http"),
        ("http://me:secret@host/", ("fhir",), r"'http://host/': a folder, or a URL that begins"),
        ("http://a b/", ("fhir",), "begins with http"),
        ("http://[bad", ("fhir",), "begins with http"),
        ("https:/x", ("fhir",), "begins with http"),
        ("http://host/fhir", ("csv",), "CSV goes to a folder"),
        ("/proc/nowhere", ("csv",), "export target '/proc/nowhere'"),
        ("folder", ("xml",), "not xml"),
        ("folder", (), "not none"),
    ],
)
def test_what_cannot_be_is_refused_at_once(target, formats, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ExportError, match=told):
        Delivery(target, formats, print)
