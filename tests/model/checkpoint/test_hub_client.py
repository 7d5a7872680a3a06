"""What the hub answers is understood, and what it refuses is one line that says what to do."""

import base64
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import constants

from mira.errors import NotDownloaded
from mira.model.checkpoint import hub_client, hub_download
from mira.model.checkpoint.hub import locate
from mira.model.checkpoint.hub_client import HubClient, HubFile, Interrupted
from tests.model.checkpoint.hub_server import MODEL_FILES, Hub

TOKEN = "hf_secret"


def refused(name: str = "owner/name", revision: str = "main", file: HubFile | None = None) -> str:
    """The one line that is answered."""
    with HubClient(name) as client, pytest.raises(NotDownloaded) as raised:
        if file is None:
            client.revision(revision)
        else:
            with client.content(revision, file, 0):
                pass
    message = str(raised.value)
    assert "\n" not in message
    assert message.startswith(f"{name}: can't be downloaded from {constants.ENDPOINT}")
    return message


def log_in() -> None:
    Path(constants.HF_TOKEN_PATH).parent.mkdir(parents=True, exist_ok=True)
    Path(constants.HF_TOKEN_PATH).write_text(TOKEN)


def test_a_revision_lists_its_files(hub: Hub, model_files: Path) -> None:
    with HubClient("owner/name") as client:
        found = client.revision("main")
        assert client.revision(found.commit) == found
    assert {file.name: file.num_bytes for file in found.files} == MODEL_FILES
    assert [len(file.digest) for file in found.files if file.name.startswith("model.")] == [64]
    assert [len(file.digest) for file in found.files if file.name == "config.json"] == [40]


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("start", [0, 1, 500])
def test_content_begins_anywhere(hub: Hub, model_files: Path, name: str, start: int) -> None:
    with HubClient("owner/name") as client:
        commit, files = (found := client.revision("main")).commit, found.files
        (file,) = (file for file in files if file.name == name)
        with client.content(commit, file, start) as (begins, blocks):
            assert begins == start
            assert b"".join(blocks) == (model_files / name).read_bytes()[start:]


def test_a_slash_in_a_branch_is_not_one_in_the_address(hub: Hub, model_files: Path) -> None:
    commit = hub.publish("owner/name", model_files, "refs/pr/1")
    with HubClient("owner/name") as client:
        assert client.revision("refs/pr/1").commit == commit


def test_a_model_that_is_not_there(hub: Hub) -> None:
    assert "there is neither a directory of this name here nor a model there." in refused(
        "owner/none"
    )
    hub.token = TOKEN
    log_in()
    assert "nor a model there. If the name is right, the model is private" in refused("a/b")


def test_a_revision_that_is_not_there(hub: Hub) -> None:
    message = refused(revision="v9")
    assert "it has no revision v9. Let model_revision be a branch, tag or commit" in message


def test_a_private_model_needs_a_token_that_the_hub_alone_sees(
    hub: Hub, model_files: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hub.token = TOKEN
    assert "the model is private: log in (.venv/bin/hf auth login) or set HF_TOKEN" in refused()
    log_in()
    with HubClient("owner/name") as client:
        found = client.revision("main")
        for file in found.files:
            with client.content(found.commit, file, 0) as (_, blocks):
                assert b"".join(blocks) == (model_files / file.name).read_bytes()
    assert TOKEN not in caplog.text
    for request in hub.requests[1:]:
        authorized = request.headers.get("authorization") == f"Bearer {TOKEN}"
        assert authorized != request.path.startswith("/store/")


def test_a_token_that_is_refused(hub: Hub) -> None:
    log_in()
    message = refused()
    assert "token of this machine is refused (Invalid credentials in Author" in message
    assert TOKEN not in message


def test_a_token_that_nobody_wants_sent_is_not(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in()
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", True)
    with HubClient("owner/name") as client:
        client.revision("main")
    assert "authorization" not in hub.requests[0].headers


def test_a_token_that_can_not_be_one(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_sécret")
    with pytest.raises(NotDownloaded, match=r"can't be used \(it is none\): log in \(") as raised:
        HubClient("owner/name")
    assert "sécret" not in str(raised.value)
    monkeypatch.delenv("HF_TOKEN")
    Path(constants.HF_TOKEN_PATH).mkdir(parents=True)
    with pytest.raises(NotDownloaded, match=r"can't be used \(.*Is a directory.* set HF_TOKEN"):
        HubClient("owner/name")


@pytest.mark.parametrize("has_token", [False, True])
def test_terms_that_nobody_has_agreed_to(hub: Hub, has_token: bool) -> None:
    hub.gated = True
    if has_token:
        hub.token = TOKEN
        log_in()
    with HubClient("owner/name") as client:
        found = client.revision("main")
    message = refused(revision=found.commit, file=found.files[0])
    assert f"agree to terms first: do so at {hub.url}/owner/name, then log in (" in message


def test_an_answer_that_nobody_foresaw(hub: Hub) -> None:
    hub.statuses = [418]
    assert "it answers 418 (as it was told to)." in refused()


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_what_may_pass_is_an_interruption(hub: Hub, status: int) -> None:
    hub.statuses = [status]
    with HubClient("owner/name") as client, pytest.raises(Interrupted, match=f"answers {status}"):
        client.revision("main")


def test_a_cut_connection_is_an_interruption(hub: Hub) -> None:
    with HubClient("owner/name") as client:
        found = client.revision("main")
        hub.cuts = [100]
        with (
            pytest.raises(Interrupted),
            client.content(found.commit, found.files[0], 0) as (_, blocks),
        ):
            assert not b"".join(blocks)


def test_silence_is_an_interruption(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_client, "READ_TIMEOUT_S", 0.2)
    hub.bytes_per_s = 10_000  # two seconds for each block
    with HubClient("owner/name") as client:
        found = client.revision("main")
        (large,) = (file for file in found.files if file.name == "model.safetensors")
        with (
            pytest.raises(Interrupted, match="timed out"),
            client.content(found.commit, large, 0) as (_, blocks),
        ):
            list(blocks)


@pytest.mark.parametrize("endpoint", ["hf-mirror.invalid", "http://[::1", ""])
def test_an_address_that_is_none(endpoint: str, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    with pytest.raises(NotDownloaded, match="Set HF_ENDPOINT to an address like https://hugging"):
        HubClient("owner/name")


@pytest.mark.parametrize("breaks", ["", "answers", "is gone", "is none"])
def test_a_password_in_the_address_is_sent_and_not_shown(
    breaks: str, hub: Hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(hub_download, "LIST_PAUSES_S", ())
    host = hub.url.removeprefix("http://")
    said: list[str] = []
    if breaks == "is gone":
        hub.stop()
    elif breaks == "answers":
        hub.statuses = [418]
    address = f"http://somebody:s3cr%40t@{'[::1' if breaks == 'is none' else host}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    try:
        locate("owner/name", part="codec", report=lambda what, *_: said.append(what))
    except NotDownloaded as error:
        said.append(str(error))
    else:
        assert breaks == ""
        basic = f"Basic {base64.b64encode(b'somebody:s3cr@t').decode()}"
        assert hub.requests[0].headers["authorization"] == basic
    assert said
    assert not any(secret in f"{said} {caplog.text}" for secret in ("s3cr", "somebody"))


def test_a_proxy_that_is_none(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "somewhere://else")
    with pytest.raises(NotDownloaded, match="the proxy that the environment names can't be used"):
        HubClient("owner/name")
    monkeypatch.setenv("HTTPS_PROXY", "http://somebody:s3cr/et@host")
    with pytest.raises(NotDownloaded, match=r"\(it is no address\). Correct HTTPS_PROXY") as raised:
        HubClient("owner/name")
    assert "s3cr" not in str(raised.value)


def test_an_address_that_the_hubs_own_library_cant_read(tmp_path: Path) -> None:
    """It reads the environment when it is imported, and so before we do."""
    environment = {**os.environ, "HF_ENDPOINT": "http://somebody:s3cr/et@host", "HF_HOME": "/none"}
    command = [sys.executable, "-m", "mira", "model", "download", "owner/name"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert "Set HF_ENDPOINT to an address like https://huggingface.co" in done.stderr
    assert "s3cr" not in done.stderr


SPOILED: dict[str, Callable[[dict], object]] = {
    "a list": lambda found: [found],
    "no commit": lambda found: found.pop("sha"),
    "a commit that is a path": lambda found: found.update(sha="../../etc"),
    "no sizes": lambda found: found["siblings"][0].pop("size"),
    "a name that leads away": lambda found: found["siblings"][0].update(rfilename="../../x.json"),
    "a name from the root": lambda found: found["siblings"][0].update(rfilename="/etc/x.json"),
    "a name that is none": lambda found: found["siblings"][0].update(rfilename="\ud800.json"),
    "a digest that is a path": lambda found: found["siblings"][0].update(blobId="../x"),
    "more than all": lambda found: found["siblings"][0].update(size=float("inf")),
    "less than nothing": lambda found: found["siblings"][0].update(size=-1),
}


@pytest.mark.parametrize("how", SPOILED)
def test_an_answer_that_is_none(hub: Hub, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    true_dumps = json.dumps

    def dumps(found: dict) -> str:
        changed = SPOILED[how](found)
        return true_dumps(changed if isinstance(changed, list) else found)

    monkeypatch.setattr("tests.model.checkpoint.hub_server.json.dumps", dumps)
    with HubClient("owner/name") as client, pytest.raises(NotDownloaded) as raised:
        client.revision("main")
    assert "does not answer as a Hugging Face hub does" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_list_without_an_end_is_left(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_client, "MAX_LIST_BYTES", 100)
    with HubClient("owner/name") as client, pytest.raises(NotDownloaded, match="does not answer"):
        client.revision("main")


def test_a_name_below_the_folder_is_one() -> None:
    file = HubFile("a/b.c/d e.json", 0, "0" * 40)
    for name in ("", ".", "..", "a/../b", "/a", "a\0b"):
        with pytest.raises(ValueError, match="is called"):
            replace(file, name=name)
