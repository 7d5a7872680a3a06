"""Models are listed as each client reads them, and anybody is a user who may speak."""

from tests.server.serving import Served


def test_models_are_told_apart_by_the_key(shared: Served) -> None:
    ours = shared.get("/v1/models").json()
    assert ours["object"] == "list"
    theirs = shared.get("/v1/models", headers={"xi-api-key": "any"}).json()
    assert {"model_id", "name", "can_do_text_to_speech"} <= set(theirs[0])
    assert "eleven_flash_v2_5" in {model["model_id"] for model in theirs}


def test_the_user_may_speak(shared: Served) -> None:
    user = shared.get("/v1/user").json()
    left = user["subscription"]["character_limit"] - user["subscription"]["character_count"]
    assert user["user_id"] and left > 10**6
    assert shared.get("/v1/user/subscription").json() == user["subscription"]
