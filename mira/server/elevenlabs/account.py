"""What ElevenLabs' clients ask about their account: models, and the user that a key is.

Knows nothing about how a key's characters are counted.
"""

import math
import time

from fastapi import APIRouter

from mira.server.allowance import MINUTE_S
from mira.server.auth import Asking
from mira.server.families import Family, only
from mira.server.state import Running

# One engine; clients have these built in.
MODELS = ("mira", "eleven_flash_v2_5", "eleven_turbo_v2_5", "eleven_multilingual_v2", "eleven_v3")
UNLIMITED_CHARS = 2**31 - 1  # clients subtract what was used, and expect a number

# OpenAI's list of models is at the same path.
router = APIRouter(tags=["ElevenLabs"], route_class=only(Family.ELEVENLABS))


@router.get("/v1/models", include_in_schema=False)
async def list_models(service: Running) -> list[dict[str, object]]:
    """List the names that clients ask for. The same engine answers all of them, and any other."""
    return [
        {
            "model_id": name,
            "name": name,
            "can_do_text_to_speech": True,
            "can_do_voice_conversion": False,
            "can_be_finetuned": False,
            "can_use_style": False,
            "can_use_speaker_boost": False,
            "serves_pro_voices": False,
            "requires_alpha_access": False,
            "token_cost_factor": 0.0,
            "maximum_text_length_per_request": service.settings.max_text_chars,
            "languages": [{"language_id": "en", "name": "English"}],
        }
        for name in MODELS
    ]


@router.get("/v1/user/subscription")
async def get_subscription(service: Running, caller: Asking) -> dict[str, object]:
    """Show what the key may have spoken: as much as it likes, or so much in a minute."""
    most, left = caller.grant.characters_a_minute, caller.characters_left
    return {
        "tier": "self-hosted",
        "status": "active",
        "character_count": 0 if most is None or left is None else most - left,
        "character_limit": UNLIMITED_CHARS if most is None else most,
        "next_character_count_reset_unix": math.ceil(time.time()) + MINUTE_S,
        "can_extend_character_limit": False,
        "allowed_to_extend_character_limit": False,
        "voice_slots_used": 0,
        "voice_limit": UNLIMITED_CHARS,
        "can_extend_voice_limit": False,
        "can_use_instant_voice_cloning": (service.settings.change_voices and caller.may("voices")),
        "can_use_professional_voice_cloning": False,
    }


@router.get("/v1/user")
async def get_user(service: Running, caller: Asking) -> dict[str, object]:
    """Show who asks: the key's name."""
    return {
        "user_id": caller.name or "mira",
        "workspace_id": "mira",
        "first_name": caller.name or "Mira",
        "subscription": await get_subscription(service, caller),
        "is_new_user": False,
        "is_onboarding_completed": True,
        "is_onboarding_checklist_completed": True,
        "can_use_delayed_payment_methods": False,
        "created_at": 0,
        "seat_type": "workspace_member",
    }
