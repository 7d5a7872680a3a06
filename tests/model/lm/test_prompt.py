"""Prompts: the published ids, and nothing that a user writes among them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from mira.errors import CheckpointError, InvalidRequest, NothingToSay, SynthesisFailed
from mira.model.checkpoint.layout import Checkpoint
from mira.model.checkpoint.tokens import NAMES, TokenMap, read_tokens
from mira.model.lm.prompt import PromptBuilder, plain_tokenizer
from tests.model.lm.conftest import GLOBAL_TOKENS
from tools.tiny.tokenizer import make_tokenizer

SPEECH_MARKERS = [
    f"<|{name}|>"
    for names in NAMES.values()
    for key, prefix in names.items()
    for name in {"speech": (f"{prefix}0", f"{prefix}8191"), "global": (f"{prefix}4095",)}.get(
        key, (prefix,)
    )
]
MARKERS = [
    *SPEECH_MARKERS,
    "<|task_tts|>",
    "<|task_controllable_tts|>",
    "<|gender_1|>",
    "<|start_acoustic_token|>",
    "<|end_semantic_token|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|endoftext|>",
    "<tool_call>",
    "</tool_call>",
]
LOOK_ALIKES = [
    "<\u200b|im_end|>",  # zero-width space
    "＜｜im_end｜＞",  # full width
    "‹|im_end|›",
    "<|im\u005fend|>",
    "<|im_end\u007c>",  # these two are the marker itself, written as escapes
    "<|ｉｍ_ｅｎｄ|>",
    "<∣im_end∣>",  # divides
    "<|im_end|\u0338>",  # a combining stroke
    "<<|im_end|>|im_end|>",
    "< |im_end| >",
]


@pytest.fixture(scope="module", params=["mira", "spark"])
def checkpoint(request: pytest.FixtureRequest) -> Checkpoint:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def builder(checkpoint: Checkpoint) -> PromptBuilder:
    return PromptBuilder(checkpoint.language / "tokenizer.json", checkpoint.tokens)


@pytest.fixture(scope="module")
def published(checkpoint: Checkpoint) -> Tokenizer:
    """The tokenizer as everybody else loads it."""
    return Tokenizer.from_file(str(checkpoint.language / "tokenizer.json"))


@pytest.fixture(scope="module")
def full(mira: Checkpoint) -> Tokenizer:
    """The same, of one naming."""
    return Tokenizer.from_file(str(mira.language / "tokenizer.json"))


def test_the_published_prompt(tmp_path_factory) -> None:
    """The very ids, by number, at true size: section 2.1 of the published facts."""
    directory = tmp_path_factory.mktemp("true")
    for naming in ("mira", "spark"):
        tokenizer = make_tokenizer(naming, true_size=True)
        tokenizer.save(str(directory / "tokenizer.json"))
        tokens: TokenMap = read_tokens(directory, 166_000, ())
        builder = PromptBuilder(directory / "tokenizer.json", tokens)
        text = tokenizer.encode("hello the world").ids
        assert builder.build("hello the world", [10, 20, 4095, *range(29)]) == [
            165137,
            165146,
            *text,
            165152,
            165150,
            *(151675, 151685, 155760, *range(151665, 151694)),
            165156,
            165151,
        ]
        assert builder.build("lo", GLOBAL_TOKENS, [311, 8191], "hel")[-3:] == [
            165151,
            156072,
            163952,
        ]


def test_its_length(builder: PromptBuilder) -> None:
    assert len(builder.build("hello", GLOBAL_TOKENS)) == len(builder.text_ids("hello")) + 38


def test_both_namings_mean_the_same(mira: Checkpoint, spark: Checkpoint) -> None:
    one, two = (
        PromptBuilder(c.language / "tokenizer.json", c.tokens).build(
            "hello there", GLOBAL_TOKENS, [1, 2], "before "
        )
        for c in (mira, spark)
    )
    assert one == two  # their tokenizers name the same ids


def test_the_whole_prompt_reads_as_published(prompts: PromptBuilder, full: Tokenizer) -> None:
    ids = prompts.build("hello", [0] * 32, [3], "the ")
    context = "<|context_token_0|>" * 32
    assert full.decode(ids, skip_special_tokens=False) == (
        "<|task_tts|><|start_text|>the hello<|end_text|>"
        f"<|context_audio_start|>{context}<|context_audio_end|>"
        "<|prompt_speech_start|><|speech_token_3|>"
    )


@pytest.mark.parametrize("text", MARKERS + LOOK_ALIKES)
def test_markers_in_the_text_are_read_aloud(text, builder, published) -> None:
    added = published.get_added_tokens_decoder().keys()
    for hostile in (text, f"say {text}{text} now", f"<|{text}|>"):
        ids = builder.text_ids(hostile)
        assert not set(ids) & added
        assert published.decode(ids, skip_special_tokens=False) == unicodedata.normalize(
            "NFC", hostile
        )


def test_every_added_token_in_the_text_is_read_aloud(published, builder) -> None:
    added = published.get_added_tokens_decoder()
    assert len(added) > 13_000
    for token in added.values():
        assert not set(builder.text_ids(token.content)) & added.keys()


def test_a_marker_may_not_come_together_from_two_parts(prompts, full) -> None:
    """Transcript and text are joined before they become ids."""
    ids = prompts.build("d|> hello", GLOBAL_TOKENS, transcript="<|im_en")
    assert full.token_to_id("<|im_end|>") not in ids


_TEXTS = st.lists(
    st.sampled_from(MARKERS + LOOK_ALIKES) | st.text(st.characters(exclude_categories=["Cs"])),
    min_size=1,
).map("".join)


@given(text=_TEXTS)
def test_any_text_decodes_back(prompts: PromptBuilder, full: Tokenizer, text: str) -> None:
    ids = prompts.text_ids(text)
    assert full.decode(ids, skip_special_tokens=False) == unicodedata.normalize("NFC", text)
    assert all(full.id_to_token(i) not in MARKERS for i in ids)


def test_half_a_surrogate_pair_is_the_callers_fault(prompts: PromptBuilder) -> None:
    with pytest.raises(InvalidRequest, match="not valid Unicode"):
        prompts.build("hello \ud83d", GLOBAL_TOKENS)


def test_nothing_to_say(prompts: PromptBuilder) -> None:
    with pytest.raises(NothingToSay):
        prompts.build("", GLOBAL_TOKENS)


@pytest.mark.parametrize("wrong", [GLOBAL_TOKENS[:31], [4096, *GLOBAL_TOKENS[1:]]])
def test_a_speaker_outside_the_codebook(prompts, wrong) -> None:
    with pytest.raises(InvalidRequest, match="global token"):
        prompts.build("hello", wrong)


def test_speech_outside_the_codebook(prompts) -> None:
    with pytest.raises(SynthesisFailed, match="speech token 8192 is outside"):
        prompts.build("hello", GLOBAL_TOKENS, [8192])


def test_a_damaged_tokenizer_is_named(tmp_path) -> None:
    path = tmp_path / "tokenizer.json"
    with pytest.raises(CheckpointError, match="no such file"):
        plain_tokenizer(path)
    for content in ("{", "{}", "[]"):
        path.write_text(content)
        with pytest.raises(CheckpointError, match="damaged or incomplete"):
            plain_tokenizer(path)
