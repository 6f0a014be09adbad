# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Features of questions in the reference's style: Python loops over characters and tokens.

The same rows as `electra_tf.finetuning.kinds.question_rows`, for comparison; a test holds both to
the recorded ones.
"""

import functools
import unicodedata

from electra_tf.text.character_table import CJK_RANGES


class PlainTokenizer:
    """BERT's tokenizer for lower-cased text without accents, one character at a time."""

    def __init__(self, tokens):
        self.ids = {token: number for number, token in enumerate(tokens)}

    def __call__(self, text):
        return [piece for word in _words(text) for piece in self._pieces(word)]

    def _pieces(self, word):
        found, start = [], 0
        if len(word) > 200:
            return ["[UNK]"]
        while start < len(word):
            end = len(word)
            while end > start:
                piece = ("##" if start else "") + word[start:end]
                if piece in self.ids:
                    break
                end -= 1
            else:
                return ["[UNK]"]
            found.append(piece)
            start = end
        return found


def _words(text):
    characters = []
    for character in text:
        category = _category(character)
        if category == "Zs" or character in "\t\n\r":
            characters.append(" ")
        elif not category.startswith("C") and character != "\ufffd":
            characters.append(f" {character} " if _is_ideograph(character) else character)
    words = []
    for word in "".join(characters).split():
        decomposed = unicodedata.normalize("NFD", word.lower())
        word = "".join(c for c in decomposed if _category(c) != "Mn")
        words += "".join(f" {c} " if _is_punctuation(c) else c for c in word).split()
    return words


def _category(character):
    return unicodedata.category(character)


def _is_ideograph(character):
    return any(first <= ord(character) <= last for first, last in CJK_RANGES)


def _is_punctuation(character):
    if character.isascii():
        return character.isprintable() and not character.isalnum() and character != " "
    return _category(character).startswith("P")


def plain_question_features(
    examples, tokenizer, max_seq_length, task_name, doc_stride, max_query_length
):
    """Yields one dict of lists and integers per row."""
    for number, example in enumerate(examples):
        query = tokenizer(example.question)[:max_query_length]
        words, word_at = _split_words(example.context)
        tokens, word_of, first_token = [], [], []
        for index, word in enumerate(words):
            first_token.append(len(tokens))
            for piece in tokenizer(word):
                word_of.append(index)
                tokens.append(piece)
        answer = _answer(example, tokens, first_token, word_at, tokenizer)
        spans = _spans(len(tokens), max_seq_length - len(query) - 3, doc_stride)
        for window, (start, length) in enumerate(spans):
            best = [_is_best(spans, window, start + i) for i in range(length)]
            row = ["[CLS]", *query, "[SEP]", *tokens[start : start + length], "[SEP]"]
            offset = len(query) + 2
            inside = answer and answer[0] >= start and answer[1] < start + length
            segments = [0] * offset + [1] * (length + 1)
            padding = [0] * (max_seq_length - len(row))
            yield {
                "input_ids": [tokenizer.ids[token] for token in row] + padding,
                "input_mask": [1] * len(row) + padding,
                "segment_ids": segments + padding,
                f"{task_name}_eid": 1000 * number + window,
                f"{task_name}_start_positions": answer[0] - start + offset if inside else 0,
                f"{task_name}_end_positions": answer[1] - start + offset if inside else 0,
                f"{task_name}_is_impossible": int(example.is_impossible),
                "best": best,
            }


def _split_words(context):
    words, word_at, in_word = [], [], False
    for character in context:
        if character in " \t\r\n\u202f":
            in_word = False
        elif in_word:
            words[-1] += character
        else:
            words.append(character)
            in_word = True
        word_at.append(len(words) - 1)
    return words, word_at


def _answer(example, tokens, first_token, word_at, tokenizer):
    """Returns the tokens of the words of the answer, narrowed to the answer if that is found."""
    if not example.answers:
        return None
    text, start = example.answers[0]
    first = first_token[word_at[start]]
    last_word = word_at[start + len(text) - 1]
    last = (*first_token[1:], len(tokens))[last_word] - 1
    wanted = " ".join(tokenizer(text))
    for new_first in range(first, last + 1):
        for new_last in range(last, new_first - 1, -1):
            if " ".join(tokens[new_first : new_last + 1]) == wanted:
                return new_first, new_last
    return first, last


def _spans(count, room, stride):
    spans, start = [], 0
    while True:
        spans.append((start, min(room, count - start)))
        if start + room >= count:
            return spans
        start += min(room, stride)


def _is_best(spans, window, token):
    def context(span):
        start, length = span
        left, right = token - start, start + length - 1 - token
        return min(left, right) + 0.01 * length if left >= 0 and right >= 0 else -1

    return max(range(len(spans)), key=lambda i: context(spans[i])) == window


@functools.cache
def plain_tokenizer(vocabulary):
    """Returns the `PlainTokenizer` of a `Vocabulary`."""
    return PlainTokenizer(vocabulary.tokens)
