"""The names of models that clients have built in."""

from tests.server.serving import Served


def test_models_are_those_that_clients_have_built_in(shared: Served) -> None:
    found = shared.get("/v1/models").json()
    assert found["object"] == "list"
    names = [model["id"] for model in found["data"]]
    assert {"tts-1", "tts-1-hd", "gpt-4o-mini-tts"} < set(names)
    for name in names:
        model = shared.get(f"/v1/models/{name}").json()
        assert model == {"id": name, "object": "model", "created": 0, "owned_by": "mira"}
    audio = shared.get("/v1/audio/models").json()
    assert audio["data"] == found["data"]
    assert [model["id"] for model in audio["models"]] == names  # as Open WebUI reads them
    answer = shared.get("/v1/models/gpt-9")
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert (error["param"], error["code"]) == ("model", "model_not_found")
