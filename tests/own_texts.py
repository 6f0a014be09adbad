# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A few German and Japanese sentences, written for these tests, and tiny models of them."""

import functools

from electra_tf import text

GERMAN = (
    "Die kleine Straße führt am Fluss entlang zur alten Mühle.",
    "Im Frühling blühen dort die Apfelbäume, und die Kinder spielen bis zum Abend.",
    "Großmutter erzählt gern, wie der Müller früher das Mehl ins Dorf brachte.",
    "Heute mahlt die Mühle nur noch für Besucher, die aus der Stadt kommen.",
    "Über dem Eingang hängt ein Schild: „Bitte Füße abtreten!“",
    "Wer möchte, kann ein Stück Kuchen essen und dem Wasser zuhören.",
    "Am Fluss stehen Bänke, auf denen man lesen oder schlafen kann.",
    "Nach dem Regen ist die Straße glatt, und niemand fährt schnell.",
)
JAPANESE = (
    "小さな道は川に沿って古い水車小屋まで続いています。",
    "春になるとリンゴの花が咲き、子どもたちは夕方まで遊びます。",
    "祖母は、昔の粉屋が村へ小麦粉を運んだ話をよくします。",
    "今では水車は町から来る客のためだけに回っています。",
    "入口の上には「足をふいてください」と書いた札があります。",
    "お茶を飲みながら、水の音を聞くこともできます。",
    "川のそばには、本を読んだり眠ったりできる長いすがあります。",
    "雨のあとの道はすべりやすいので、だれも急ぎません。",
)
# As Japanese text has them: full-width letters and digits, half-width kana, composed signs.
FULL_WIDTH = ("ＡＢＣ１２３　ｶﾞｷﾞｸﾞ　㌀を㎏で", "が゙は か\u3099 と違う", "“Ｔｏｋｙｏ”　＝　東京！")


@functools.cache
def model(language, model_type="unigram", lower=False, strip=False, vocab_size=260, num_unused=0):
    """Content of a model of one of the two languages."""
    lines = {"de": GERMAN, "ja": JAPANESE}[language]
    return text.train_sentencepiece_model(
        lines, vocab_size, model_type, lower, strip, num_unused=num_unused, character_coverage=1.0
    )


@functools.cache
def tokenizer(language, *settings):
    return text.SentencePieceTokenizer(model(language, *settings))
