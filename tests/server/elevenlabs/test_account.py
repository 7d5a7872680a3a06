"""Models are listed as each client reads them, and anybody is a user who may speak."""

import time
from pathlib import Path

from tests.conftest import Serve
from tests.server.keyed import READER, SPEAKER, ask, write_keys
from tests.server.serving import Served
from tests.toys import ToySynthesizer


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


def test_a_key_that_is_limited_is_told_how_much_is_left(serve: Serve, tmp_path: Path) -> None:
    secret = "limited-0123456789"
    more = f'[limited]\nkey = "{secret}"\nmay = ["speak", "voices"]\ncharacters_a_minute = 100\n'
    served = serve(ToySynthesizer(), api_keys_file=write_keys(tmp_path / "keys.toml", more))

    def subscription(secret: str) -> dict[str, object]:
        answer = ask(served, "GET", "/v1/user/subscription", secret).json()
        assert ask(served, "GET", "/v1/user", secret).json()["subscription"].keys() == answer.keys()
        assert isinstance(answer, dict)
        return answer

    told = subscription(secret)
    assert (told["character_limit"], told["character_count"]) == (100, 0)
    assert told["can_use_instant_voice_cloning"] is True
    assert 0 < told["next_character_count_reset_unix"] - time.time() < 62  # type: ignore[operator]
    ask(served, "POST", "/v1/text-to-speech/anna", secret, json={"text": "x" * 40})
    assert subscription(secret)["character_count"] == 40
    for other in (SPEAKER, READER):
        told = subscription(other)
        assert told["character_limit"] > 10**6 and told["character_count"] == 0  # type: ignore[operator]
        assert told["can_use_instant_voice_cloning"] is False
