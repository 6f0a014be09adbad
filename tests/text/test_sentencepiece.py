# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""SentencePiece in the graph: the package's ids, and offsets that are bytes of the original."""

import io

import hypothesis
import own_texts
import pytest
import sentencepiece
import tensorflow as tf
from hypothesis import strategies as st

from electra_tf import text
from electra_tf.text.sentencepiece_training import without_accents

MODELS = [("de", "unigram"), ("de", "bpe"), ("de", "unigram", True, True), ("ja", "unigram")]
TEXTS = [*own_texts.GERMAN, *own_texts.JAPANESE, *own_texts.FULL_WIDTH]
ODD = [
    *(
        "",
        " ",
        "\u3000",
        "\u2581",
        "a  b ",
        "  führt\tam\u00a0Fluss\u200bentlang",
        "e\u0301e\u0301",
    ),
    *(b"ab\xff\xfecd", b"\xed\xa0\x80 x\x00y", b"M\xc3", "\U000e0001\U0010ffff\ue000", "㎏㎏ ㎏"),
]


@pytest.fixture(params=MODELS, ids=str, scope="module")
def tokenizer(request):
    return own_texts.tokenizer(*request.param)


def package_of(tokenizer):
    (model,) = tokenizer.files().values()
    return sentencepiece.SentencePieceProcessor(model_proto=model)


def as_bytes(line):
    return line if isinstance(line, bytes) else line.encode()


def check(tokenizer, lines):
    """Ids are the package's, offsets rise, lie inside, and hold what the pieces stand for."""
    package = package_of(tokenizer)
    lines = [as_bytes(line) for line in lines]
    expected = [package.encode(line) for line in lines]
    assert tokenizer(lines).to_list() == expected
    ids, starts, ends = (part.to_list() for part in tokenizer.offsets(lines))
    assert ids == expected
    for line, *row in zip(lines, ids, starts, ends, strict=True):
        assert row[1] == sorted(row[1]) and row[2] == sorted(row[2])
        for token, start, end in zip(*row, strict=True):
            assert 0 <= start <= end <= len(line)
            piece = tokenizer.vocabulary.token_of(token).replace("▁", "")
            if token != tokenizer.vocabulary.unk_id and start < end:
                found = package.normalize(line[start:end].decode(errors="replace"))
                # Parts of one character share its bytes, which hold more than each of them.
                assert piece in found.replace("▁", "") and (piece or not found.strip("▁"))
            elif token != tokenizer.vocabulary.unk_id:
                assert piece == ""


def test_ordinary_and_odd_texts(tokenizer):
    check(tokenizer, TEXTS)
    check(tokenizer, ODD)


SPECIMENS = st.one_of(
    st.characters(exclude_categories=()),  # of any category, unassigned, private and surrogates
    st.sampled_from("die Straße führt 小さな道は ＡＢＣｶﾞ㌀㎏\u3099\u0301\u00ad\u200b\u3000\u2581"),
)
LINES = st.one_of(
    st.text(SPECIMENS, max_size=30).map(lambda t: t.encode(errors="surrogatepass")),
    st.binary(max_size=12),
)


@hypothesis.settings(max_examples=10, derandomize=True, deadline=None)
@hypothesis.given(lines=st.lists(LINES, min_size=1, max_size=12))
def test_any_bytes(lines):
    check(own_texts.tokenizer("de", "unigram", True, True), lines)


def test_long_lines_and_words():
    tokenizer = own_texts.tokenizer("ja", "unigram")
    once = tokenizer([own_texts.JAPANESE[0]]).to_list()[0]
    # 1 MB without a space. (Of unknown characters in a row the library makes one token in time
    # that grows with their square: 1 MB of them takes most of a minute.)
    lines = [own_texts.JAPANESE[0] * 13_000, "の" * 350_000, "x" * 20_000]
    ids, starts, ends = tokenizer.offsets(lines)
    assert ids.to_list()[0][: len(once)] == once
    assert ids.to_list() == tokenizer(lines).to_list()
    for row, line in enumerate(lines):
        assert ends[row].numpy().max() == len(line.encode())
        assert (starts[row].numpy()[1:] >= starts[row].numpy()[:-1]).all()


def test_full_width_text_has_its_own_offsets():
    tokenizer = own_texts.tokenizer("ja", "unigram")
    line = "（水車）　です"
    ids, starts, ends = (part.to_list()[0] for part in tokenizer.offsets([line]))
    tokens = [tokenizer.vocabulary.token_of(i).strip("▁") for i in ids]
    found = {t: line.encode()[a:b].decode() for t, a, b in zip(tokens, starts, ends, strict=True)}
    assert found.get("水車", found.get("車")) in ("水車", "車")
    assert line.encode()[starts[-1] : ends[-1]].decode() == tokens[-1]
    assert not any(piece.strip() != piece for piece in found.values())


def test_in_a_pipeline_and_saved(tmp_path):
    class Exported(tf.Module):
        def __init__(self):
            super().__init__()
            self.tokenizer = own_texts.tokenizer("de", "unigram")

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="texts")])
        def __call__(self, texts):
            return self.tokenizer.offsets(texts)

    module = Exported()
    expected = module.tokenizer(TEXTS).to_list()
    dataset = tf.data.Dataset.from_tensor_slices(TEXTS).batch(3).map(module.tokenizer)
    assert [row for batch in dataset for row in batch.to_list()] == expected
    tf.saved_model.save(module, str(tmp_path))
    assert tf.saved_model.load(str(tmp_path))(TEXTS)[0].to_list() == expected


def test_special_tokens_come_first_and_never_from_text():
    tokenizer = text.SentencePieceTokenizer(own_texts.model("de", num_unused=2))
    tokens = tokenizer.vocabulary.tokens
    assert tokens[:7] == (*text.SPECIAL_TOKENS, "[unused0]", "[unused1]")
    assert tokenizer.vocabulary.special_ids == (0, 1, 2, 3, 4)
    ids = tokenizer(["[CLS] [MASK] [unused0] [PAD]"]).to_list()[0]
    assert not {0, 2, 3, 4, 5, 6}.intersection(ids)


def test_words_that_were_split_before():
    tokenizer = own_texts.tokenizer("de", "unigram")
    words = ["Die", "Mühle", "", "Straße!"]
    assert tokenizer.of_words(words).to_list() == [tokenizer([word]).to_list()[0] for word in words]


def test_case_and_accents_are_in_the_model():
    for settings, shown in [
        ((False, False), "Straße"),
        ((True, False), "straße"),
        ((True, True), "straße"),
    ]:
        tokenizer = own_texts.tokenizer("de", "unigram", *settings)
        assert (tokenizer.do_lower_case, tokenizer.strip_accents) == settings
        assert package_of(tokenizer).normalize("Straße").strip("▁") == shown
    package = package_of(own_texts.tokenizer("de", "unigram", True, True))
    # Accents go, decomposed or not; marks that make another letter stay; İ has no fold of its own.
    assert package.normalize("É e\u0301 Ñ ệ İ ἄ й").split("▁")[1:] == list("eeneiαи")
    assert package.normalize("が か\u3099 ｶﾞ 한").split("▁")[1:] == ["が", "が", "ガ", "한"]


def test_without_accents():
    assert without_accents("Crème brûlée, Ελλάδα, ёж, が") == "Creme brulee, Ελλαδα, еж, が"


def test_saved_and_loaded(tmp_path):
    made = own_texts.tokenizer("de", "unigram", True, True)
    text.save_tokenizer(made, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["spiece.model", "tokenizer.json"]
    # vocab.txt is what the original calls every vocabulary.
    for path in (tmp_path, tmp_path / "spiece.model", tmp_path / "vocab.txt"):
        found = text.load_tokenizer(path)
        assert found.settings == made.settings
        assert found.settings["kind"] == "sentencepiece"
        assert text.load_vocabulary(path).sha256 == made.vocabulary.sha256
        assert text.stored_settings(path) == {"do_lower_case": True, "strip_accents": True}
    (tmp_path / "tokenizer.json").unlink()
    assert text.load_tokenizer(tmp_path).settings == made.settings
    assert text.stored_settings(tmp_path) == {"do_lower_case": True, "strip_accents": True}


def test_settings_that_are_not_the_models(tmp_path):
    (tmp_path / "m.model").write_bytes(own_texts.model("de"))
    assert text.load_tokenizer(tmp_path / "m.model", False, True).do_lower_case is False
    with pytest.raises(ValueError, match=r"m\.model was made with do_lower_case False"):
        text.load_tokenizer(tmp_path / "m.model", do_lower_case=True)
    for choice in ({"pre_split": True}, {"tokenizer": "bert"}):
        with pytest.raises(
            ValueError, match=r"for WordPiece vocabularies, but .*m\.model is a Sent"
        ):
            text.load_tokenizer(tmp_path / "m.model", **choice)


def test_pieces_as_text():
    vocabulary = own_texts.tokenizer("de", "unigram").vocabulary
    tokens = ["[CLS]", "▁Die", "▁Müh", "le", ".", "[SEP]"]
    assert vocabulary.join(tokens) == "[CLS] Die Mühle. [SEP]"


def other_model(**names):
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(own_texts.GERMAN),
        model_writer=out,
        vocab_size=120,
        hard_vocab_limit=False,
        minloglevel=2,
        **names,
    )
    return out.getvalue()


def test_models_of_others_with_usual_names(tmp_path):
    model = other_model(pad_id=3, control_symbols=["<cls>", "<sep>", "<mask>"])
    vocabulary = text.SentencePieceTokenizer(model).vocabulary
    assert vocabulary.special.all == ("<pad>", "<unk>", "<cls>", "<sep>", "<mask>")
    assert vocabulary.special_ids == (3, 0, 4, 5, 6)


def test_models_without_special_tokens(tmp_path):
    (tmp_path / "m.model").write_bytes(other_model())
    with pytest.raises(ValueError, match=r"m\.model has no special token .* for pad, mask"):
        text.load_tokenizer(tmp_path / "m.model")


@pytest.mark.parametrize("content", [b"", b"no model", b"[PAD]\n[UNK]\n"])
def test_what_is_no_model(tmp_path, content):
    (tmp_path / "m.model").write_bytes(content)
    with pytest.raises(ValueError, match=r"m\.model is expected to be a SentencePiece model"):
        text.load_tokenizer(tmp_path / "m.model")


# ---- Training


@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_the_order_of_texts_does_not_matter(model_type):
    first, second = (
        text.train_sentencepiece_model(lines, 150, model_type)
        for lines in (own_texts.GERMAN, own_texts.GERMAN[::-1])
    )
    assert first == second


def test_rare_words_and_reserved_characters():
    lines = [*["Mühle und Fluss"] * 3, "Zypressenquittung", "Fluss\u2585Mühle\0Fluss" * 3]
    found = text.train_sentencepiece_model(lines, 60, "bpe", False, False, min_frequency=2)
    tokens = text.SentencePieceTokenizer(found).vocabulary.tokens
    assert "Z" not in tokens and "▁Mühle" in tokens
    all_words = text.train_sentencepiece_model(lines, 60, "bpe", False, False)
    assert "Z" in text.SentencePieceTokenizer(all_words).vocabulary.tokens


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((), 100), "hold no words"),
        ((own_texts.GERMAN, 20), r"vocab_size is expected to be at least \d\d .*, but is 20"),
        ((own_texts.GERMAN, 100, "word"), "model_type is expected to be one of unigram, bpe"),
        (
            (own_texts.GERMAN, 100, "bpe", True, True, 0),
            "min_frequency .* at least 1",
        ),
        (
            (own_texts.GERMAN, 100, "bpe", True, True, 1, 0.5),
            "character_coverage .* between",
        ),
        (
            (own_texts.GERMAN, 100, "bpe", True, True, 1, 1.0, -1),
            "num_unused .* at least 0",
        ),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        text.train_sentencepiece_model(*arguments)
