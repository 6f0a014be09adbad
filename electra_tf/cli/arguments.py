# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What every command line here shares: spelling of flags, case flags, one-line errors.

The module of a verb is written as::

    def add_flags(parser):
        parser.add_argument("--corpus-dir", required=True)

    def run(args):
        ...
"""

import argparse
import logging as std_logging
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from absl import app, flags, logging
from absl.flags import argparse_flags

from electra_tf import given_files, tensorflow_log
from electra_tf.config import check, given_hparams
from electra_tf.config.run_config import STRATEGIES, VOCABULARIES_TAKEN_FOR, RunConfig
from electra_tf.patterns import split_patterns

STANDARD_INPUT = "-"
_TRUE = ("true", "1", "yes")
_FALSE = ("false", "0", "no")


class _Parser(argparse_flags.ArgumentParser):
    """An absl-aware parser that takes `--corpus-dir` and `--corpus_dir` for the same option."""

    def __init__(self, **kwargs: Any):
        kwargs.setdefault("allow_abbrev", False)
        # Subparsers are made by this class too; absl's own flags belong to the root parser only.
        kwargs.setdefault("inherited_absl_flags", None)
        super().__init__(**kwargs)

    def parse_known_args(
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """As in argparse, after respelling known long options as they were declared."""
        args = list(sys.argv[1:] if args is None else args)
        return super().parse_known_args(self._respell(args), namespace)

    def _respell(self, args: list[str]):
        # The one attribute of argparse that also has the options of groups.
        declared = {_spelling_key(name): name for name in self._option_string_actions}
        respelled = []
        for position, argument in enumerate(args):
            if argument == "--":  # everything after it is positional
                return respelled + args[position:]
            if argument.startswith("--"):
                name, equals, value = argument.partition("=")
                argument = declared.get(_spelling_key(name), name) + equals + value
            respelled.append(argument)
        return respelled


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Says which flags are required, and defaults as far as they are values that one can give."""

    def _get_help_string(self, action: argparse.Action) -> str:
        text = action.help or ""
        if action.required:
            return f"{text} (required)"
        is_said = "default" in text or action.default in (None, False, "{}", [])
        return text if is_said else super()._get_help_string(action)


def _spelling_key(name: str):
    return name.replace("_", "-")


def make_parser(description: str) -> argparse.ArgumentParser:
    """Returns an absl-aware argument parser; hyphens and underscores in long options both work."""
    parser = _Parser(
        description=description,
        inherited_absl_flags=flags.FLAGS,
        formatter_class=_HelpFormatter,
    )
    parser.add_argument(
        "--verbose", action="store_true", help="show also what TensorFlow and Keras log"
    )
    return parser


def parser_of(verb: types.ModuleType, program: str | None = None) -> argparse.ArgumentParser:
    """Returns the parser of a verb.

    Args:
        verb: its module.
        program: what usage calls it; default: the name of the process.
    """
    parser = make_parser(verb.__doc__)
    parser.prog = program or parser.prog
    verb.add_flags(parser)
    return parser


class _ListHparams(argparse.Action):
    """Prints what hyperparameters there are, and exits; `const` is the class of the run."""

    def __call__(self, *_: Any) -> NoReturn:
        print(given_hparams.describe_hparams(self.const))
        raise SystemExit(0)


def add_run_flags(parser: argparse.ArgumentParser, config: type[RunConfig]) -> None:
    """Adds the flags of a run: where, which model, which hyperparameters; `config` checks those."""
    parser.add_argument("--data-dir", required=True, help="folder of data, vocabulary and models")
    parser.add_argument("--model-name", required=True, help="name of the model")
    add_hparams_flags(parser)
    parser.add_argument(
        "--list-hparams",
        action=_ListHparams,
        nargs=0,
        const=config,
        help="print name, default and meaning of all hyperparameters, and exit",
    )
    parser.add_argument(
        "--strategy",
        choices=STRATEGIES,
        help="where to compute; the same as the hyperparameter of this name",
    )
    parser.set_defaults(config=config)


def add_hparams_flags(parser: argparse.ArgumentParser) -> None:
    """Adds `hparams` and `set`; see `given_hparams_of`."""
    parser.add_argument(
        "--hparams",
        default="{}",
        help="JSON object of hyperparameters, path of a file with one, or name of a card: "
        + ", ".join(given_hparams.cards()),
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a hyperparameter, over what --hparams says; the value is JSON, or else text; can be "
        "repeated",
    )


def given_hparams_of(args: argparse.Namespace) -> dict[str, Any]:
    """Returns the hyperparameters of the flags of `add_hparams_flags`.

    Raises:
        FileNotFoundError, ValueError: see `given_hparams.load_hparams` and `parse_assignments`.
    """
    return {
        **given_hparams.load_hparams(args.hparams),
        **given_hparams.parse_assignments(args.set),
    }


def run_hparams(args: argparse.Namespace) -> dict[str, Any]:
    """Returns the hyperparameters that the flags of a run give.

    Raises:
        FileNotFoundError, ValueError: see `given_hparams_of`, or there is another strategy than
            --strategy.
    """
    hparams = given_hparams.expanded_paths(args.config, given_hparams_of(args))
    if args.strategy is None:
        return hparams
    said = hparams.get("strategy", args.strategy)
    expected = f"left out or {said!r}, as --hparams or --set says"
    check(said == args.strategy, "--strategy", expected, args.strategy)
    return {**hparams, "strategy": args.strategy}


def add_corpus_flags(parser: argparse.ArgumentParser, standard_input: bool = True) -> None:
    """Adds `corpus_dir` or `input_files`, and `text_field`; see `corpus_of`."""
    corpus = parser.add_mutually_exclusive_group(required=True)
    corpus.add_argument(
        "--corpus-dir",
        help="folder of text files, searched with its sub-folders; .gz, .xz, .zst, .bz2 and tar "
        "archives are read too, hidden files are not"
        + ("; - for standard input" if standard_input else "")
        + " (this or --input-files is required)",
    )
    corpus.add_argument("--input-files", help="text files instead, as comma-separated globs")
    parser.add_argument(
        "--text-field",
        help="the files are JSON lines, each a document whose text is in this field",
    )


def corpus_of(args: argparse.Namespace) -> str | list[str]:
    """Returns the folder that the flags name, or the list of globs."""
    return args.corpus_dir or split_patterns(args.input_files)


def check_corpus(args: argparse.Namespace) -> None:
    """Check that the text that the flags name exists.

    Raises:
        FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError: it does not.
    """
    corpus = corpus_of(args)
    if corpus != STANDARD_INPUT:
        given_files.check_corpus(corpus)


def add_blanks_flag(parser: argparse.ArgumentParser) -> None:
    """Adds the reference's `blanks_separate_docs`."""
    parser.add_argument(
        "--blanks-separate-docs",
        default=True,
        type=parse_bool,
        help="whether blank lines indicate document boundaries",
    )


def add_case_flags_of_vocabulary(parser: argparse.ArgumentParser) -> None:
    """Adds the switches of `add_case_flags` and two more; by default the vocabulary's files decide.

    `pre_split` and `tokenizer` are arguments of `text.load_tokenizer`.
    """
    add_case_flags(parser)
    add_pre_split_flag(parser)
    parser.add_argument(
        "--tokenizer",
        choices=VOCABULARIES_TAKEN_FOR,
        help="take the vocabulary for BERT's although its files describe another tokenizer",
    )
    # Not given is not the same as the default: files that say it are not overruled.
    parser.set_defaults(do_lower_case=None, strip_accents=None, pre_split=None)


def add_model_flags(parser: argparse.ArgumentParser) -> None:
    """Adds what the files of a model may not contain; see `model_settings`."""
    parser.add_argument(
        "--generator", help="Hugging Face folder of the generator, if not inside the input"
    )
    parser.add_argument("--vocab-file", help="vocabulary of a checkpoint that has none beside it")
    parser.add_argument(
        "--hparams",
        default="{}",
        help="JSON object or path of a .json file: what a checkpoint of the original does not "
        'contain, such as {"model_hparam_overrides": {"num_attention_heads": 4}}',
    )
    parser.add_argument(
        "--labels", help="comma-separated classes of a checkpoint of the original, by id"
    )
    add_case_flags_of_vocabulary(parser)


def model_settings(args: argparse.Namespace) -> dict[str, Any]:
    """Returns the arguments of `interop.opening.open_model` that the flags give, and no others."""
    hparams = given_hparams.load_hparams(args.hparams)
    for name in ("do_lower_case", "strip_accents", "pre_split", "tokenizer", "vocab_file"):
        if getattr(args, name) is not None:
            hparams[name] = getattr(args, name)
    labels = args.labels.split(",") if args.labels else None
    given = {"hparams": hparams, "labels": labels, "generator": args.generator}
    return {name: value for name, value in given.items() if value}


def check_model_flags(args: argparse.Namespace, model: str) -> None:
    """Check that a model and the files that the flags of `add_model_flags` name exist.

    Raises:
        FileNotFoundError, ValueError: they do not, or --hparams is no JSON object.
    """
    given_files.check_model(model)
    model_settings(args)
    if args.vocab_file is not None:
        given_files.check_vocabulary(args.vocab_file)
    if args.generator is not None:
        given_files.check_model(args.generator)


def add_pre_split_flag(parser: argparse.ArgumentParser) -> None:
    """Adds `pre_split`."""
    parser.add_argument(
        "--pre-split",
        action="store_true",
        help="the text is split into words already, by spaces: no word is split at punctuation "
        "or ideographs, and nothing is removed from it",
    )


def add_case_flags(parser: argparse.ArgumentParser) -> None:
    """Adds the reference's switches for case and accents: `do_lower_case`, `strip_accents`."""
    switches = (
        ("--do-lower-case", "do_lower_case", True, "lower-case the text (default)"),
        ("--no-lower-case", "do_lower_case", False, "keep upper and lower case"),
        ("--do-strip-accents", "strip_accents", True, "strip accents (default)"),
        ("--no-strip-accents", "strip_accents", False, "keep accents"),
    )
    # Set first: the switches themselves then show no separate default in --help.
    parser.set_defaults(do_lower_case=True, strip_accents=True)
    for name, target, value, text in switches:
        parser.add_argument(
            name,
            dest=target,
            action="store_const",
            const=value,
            default=argparse.SUPPRESS,
            help=text,
        )


def parse_list(text: str) -> list[str]:
    """Returns the parts of a comma-separated list, without white space around them."""
    return list(filter(None, map(str.strip, text.split(","))))


def parse_bool(text: str) -> bool:
    """Returns the truth value written as true/false, yes/no or 1/0, in any letter case.

    The reference declared such flags with `type=bool`, for which 'False' is true
    (build_pretraining_dataset.py:209); here every other word is an error.
    """
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise argparse.ArgumentTypeError(
        f"expected one of {', '.join(_TRUE + _FALSE)}, received {text!r}"
    )


def run(
    main: Callable[[argparse.Namespace], int | None],
    parser: argparse.ArgumentParser,
    argv: Sequence[str] | None = None,
    check: Callable[[argparse.Namespace], None] | None = None,
) -> NoReturn:
    """Runs `main(namespace)` under absl and exits; what users can mend becomes one line.

    Status 2: wrong flags, and ValueError and OSError (a missing file, a full disk), which wrong
    input and circumstances raise. Status 1: a training that went wrong. Status 128 + n: signal n
    ended it. Anything else is a defect and keeps its traceback; `--verbosity=1` shows that of
    status 2 too.

    Args:
        main: what to do; returns the exit status, or None for 0.
        parser: of the flags.
        argv: the flags; default: those of this process.
        check: finds what is wrong with the flags and the files they name, before TensorFlow starts.
    """
    # The log is for people who watch a run: no process numbers before every line.
    logging.use_absl_handler()
    logging.get_absl_handler().setFormatter(std_logging.Formatter("%(message)s"))

    logging.get_absl_handler().python_handler.addFilter(tensorflow_log.is_ours)

    def guarded(args: argparse.Namespace):
        from electra_tf.cli import running

        if not args.verbose:
            tensorflow_log.hide()
        return running.guarded(main, args, check)

    argv = sys.argv[1:] if argv is None else argv
    app.run(guarded, [parser.prog, *argv], flags_parser=lambda line: parser.parse_args(line[1:]))
