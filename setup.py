# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Package metadata: `pip install .` gives the library and the command `electra`."""

import pathlib
import re

from setuptools import find_packages, setup

HERE = pathlib.Path(__file__).parent
VERSION = re.search(r'^__version__ = "(.+)"', (HERE / "electra_tf/__init__.py").read_text(), re.M)[
    1
]

DEMO = ["gradio>=6.31,<7"]
"""The page of `electra demo`."""
QUICKSTART = ["matplotlib>=3.8"]
"""What the quickstart needs beyond the library."""
CARDS = "electra_tf.cards"
"""Where an installed package has the run cards, see `electra_tf.config.given_hparams`."""
NOTEBOOKS = ["ipykernel>=6.29", "nbclient>=0.10", "nbformat>=5.10"]
"""Runs the notebooks of examples/ outside of a browser."""
SERVING = ["tensorflow-serving-api>=2.21,<2.22"]
"""Warm-up requests for TensorFlow Serving in exports."""

setup(
    name="electra-tf",
    version=VERSION,
    description="ELECTRA pre-training in TensorFlow 2 and Keras 3",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    author="The electra_tf Authors",
    keywords="ELECTRA, BERT, TensorFlow, Keras, pre-training, fine-tuning, text, NLP, transformer",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in range(10, 14)),
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Text Processing :: Linguistic",
        "Typing :: Typed",
    ],
    project_urls={
        "Paper": "https://openreview.net/pdf?id=r1xMH1BtvB",
        "Original implementation": "https://github.com/google-research/electra",
    },
    python_requires=">=3.10",
    packages=[*find_packages(include=["electra_tf", "electra_tf.*"]), CARDS],
    package_dir={CARDS: "configs"},
    package_data={
        "electra_tf": ["py.typed"],  # for type checkers: the hints are there
        "electra_tf.pretraining": ["bands.json"],
        "electra_tf.text": ["unicode_14.json"],
        CARDS: ["*/*.json"],
    },
    install_requires=[
        "absl-py>=2.1",
        "keras>=3.12",
        "numpy>=2.0",
        "safetensors>=0.4",
        "scikit-learn>=1.5",
        "scipy>=1.13",
        "sentencepiece>=0.2.3",
        "tensorboard>=2.20",
        # With 2.20 and oneDNN, question heads gave wrong numbers or ended the process (AVX-512).
        "tensorflow>=2.21,<2.22",
        # 2.21.0 cannot be imported.
        "tensorflow-text>=2.21.1,<2.22",
        "tokenizers>=0.20",
        "tqdm>=4.66",
        "zstandard>=0.22",
    ],
    extras_require={
        "beam": ["apache-beam>=2.60"],
        "bench": ["torch>=2.4", "transformers>=4.45"],
        "demo": DEMO,
        "dev": [
            *DEMO,
            *NOTEBOOKS,
            *QUICKSTART,
            *SERVING,
            "hypothesis>=6.100",
            "pytest>=8.0",
            "pytest-xdist>=3.6",
            "ruff>=0.6",
        ],
        "docs": ["mkdocs-material>=9.6", "mkdocstrings[python]>=1.0", "ruff>=0.6"],
        "gpu": ["tensorflow[and-cuda]>=2.21,<2.22"],
        "onnx": ["onnx>=1.17", "onnxruntime>=1.20", "tf2onnx>=1.17"],
        "quickstart": QUICKSTART,
        "serving": SERVING,
    },
    entry_points={"console_scripts": ["electra = electra_tf.cli.main:main"]},
)
