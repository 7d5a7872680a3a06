"""Pages for people: nothing on them comes from another machine."""

import re
import threading

import pytest

from mira.engine import Engine
from mira.settings import Settings
from tests.conftest import Serve
from tests.server.serving import Served
from tests.toys import ToySynthesizer

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def linked(page: str) -> list[str]:
    """What a browser would load or lead to."""
    return re.findall(r"(?:src|href)=\"([^\"]+)\"", page)


def test_the_root_is_a_page_for_browsers(shared: Served) -> None:
    answer = shared.get("/", headers=BROWSER)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "It is ready." in answer.text
    assert f"{shared.url}/v1/audio/speech" in answer.text
    links = linked(answer.text)
    assert len(links) >= 4
    for link in links:
        assert "//" not in link
        assert shared.get(f"/{link}").status_code == 200


@pytest.mark.parametrize("accept", ["*/*", "application/json"])
def test_the_root_is_json_for_others(shared: Served, accept: str) -> None:
    found = shared.get("/", headers={"accept": accept}).json()
    assert found["name"] == "Mira"
    assert shared.get(found["docs"]).status_code == 200


def test_the_page_does_not_say_that_it_is_ready_before_it_is(serve: Serve) -> None:
    loaded = threading.Event()
    served = serve(load=lambda settings: loaded.wait(20) and Engine(ToySynthesizer()))
    try:
        served.service.starting.report("converting a/b", 1, 4)
        page = served.get("/", headers=BROWSER).text
        assert "The engine is still starting: converting a/b, 25 %." in page
        assert "It is ready" not in page
    finally:
        loaded.set()


def test_addresses_are_as_they_are_outside_of_a_proxy(shared: Served) -> None:
    headers = {**BROWSER, "host": "speech.test", "x-forwarded-proto": "https"}
    assert "https://speech.test/v1/audio/speech" in shared.get("/", headers=headers).text
    headers = {"host": "speech.test", "x-forwarded-proto": "https"}
    assert "https://speech.test/v1." in shared.post("/audio/speech", headers=headers).text


def test_the_page_says_what_is_wrong_and_quotes_nobody(serve: Serve) -> None:
    def load(settings: Settings) -> Engine:
        raise OSError("secret")

    served = serve(load=load)
    answer = served.get("/", headers={**BROWSER, "host": "<b>"})
    assert "secret" not in answer.text
    assert "It is ready" not in answer.text
    assert "<b>" not in answer.text


def test_the_documentation_loads_nothing_from_elsewhere(shared: Served) -> None:
    page = shared.get("/docs", headers=BROWSER).text
    links = [link for link in linked(page) if link != "data:,"]
    assert len(links) == 2
    for link in links:
        assert "//" not in link
        answer = shared.get(f"/{link}")
        assert answer.status_code == 200
        assert len(answer.content) > 100_000
    kinds = {shared.get(f"/{link}").headers["content-type"].split(";")[0] for link in links}
    assert kinds == {"text/javascript", "text/css"}
    assert "://" not in page.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    "name", ["../app.py", "..%2fcore.py", "redoc.standalone.js", "favicon.png"]
)
def test_no_other_file_is_given_out(shared: Served, name: str) -> None:
    assert shared.get(f"/docs/{name}").status_code in (400, 404)


def test_refusals_are_documented_as_they_are(shared: Served) -> None:
    found = shared.get("/openapi.json").json()
    for path, operations in found["paths"].items():
        for operation in operations.values():
            assert "422" not in operation["responses"], path
            assert {"4XX", "5XX"} < set(operation["responses"]), path
    schemas = found["components"]["schemas"]
    assert "HTTPValidationError" not in schemas
    assert set(schemas["Problem"]["required"]) == {"message", "type", "param", "code"}
    used = set(re.findall(r"#/components/schemas/(\w+)", shared.get("/openapi.json").text))
    assert used == set(schemas)
