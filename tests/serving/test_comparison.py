# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The comparison before an export appears looks at everything that the export gives."""

import numpy as np
import pytest
import tensorflow as tf
from served_models import VARIANTS, finetuned_folder, pretrained_folder

from electra_tf.serving.comparison import compare
from electra_tf.serving.differences import Differences, ExportDiffersError
from electra_tf.serving.finetuned import server_of
from electra_tf.serving.pretrained import PretrainedServer
from electra_tf.serving.sources import load_source


class Recorded:
    """A signature that gives again what it gave for the same inputs, one output changed."""

    def __init__(self, function):
        self._function = function
        self._seen = {}
        self.changed = None
        self.names = ()

    def __call__(self, **inputs):
        key = tuple(tf.convert_to_tensor(value).numpy().tobytes() for value in inputs.values())
        if key not in self._seen:
            inputs = {name: tf.convert_to_tensor(value) for name, value in inputs.items()}
            self._seen[key] = self._function(**inputs)
        outputs = dict(self._seen[key])
        self.names = tuple(outputs)
        if self.changed is not None:
            outputs[self.changed] = different(outputs[self.changed])
        return outputs


def different(values):
    """All values others than they were."""
    if values.dtype == tf.string:
        return tf.strings.join([values, "?"])
    if values.dtype == tf.bool:
        return ~values
    if values.dtype.is_integer:
        return values + 1
    # Not all by the same: softmax would not notice.
    change = 0.3 + 0.3 * (tf.range(tf.size(values)) % 3 == 1).numpy()
    return values + tf.cast(tf.reshape(change, tf.shape(values)), values.dtype)


def check_all_outputs(source, server):
    signatures = {name: Recorded(function) for name, function in server.signatures.items()}
    compare(signatures, source, "float32")
    for name, recorded in signatures.items():
        for output in recorded.names:
            recorded.changed = output
            with pytest.raises(ExportDiffersError):
                compare(signatures, source, "float32")
                pytest.fail(f"{name}: {output} may be anything")
        recorded.changed = None


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_every_output_of_a_task_is_compared(tmp_path, name):
    spec, changes = VARIANTS[name]
    source = load_source(finetuned_folder(tmp_path / "model", spec, **changes))
    server = server_of(source.loaded, 0, source.max_length, tf.float32)
    check_all_outputs(source, server)


@pytest.mark.slow
def test_every_output_of_a_pair_is_compared(tmp_path):
    source = load_source(pretrained_folder(tmp_path / "data"))
    server = PretrainedServer(source.pretrainer, source.tokenizer, 40, tf.float32, 3)
    check_all_outputs(source, server)


def test_features_may_differ_much_at_few_places_only():
    live = np.zeros([10, 10])
    few, all_over = live.copy(), live + 0.3
    few[0, 0] = 0.9
    Differences("bfloat16").feature("features", few, live)
    with pytest.raises(ExportDiffersError, match=r"root mean square: differs by 3\.00e-01"):
        Differences("bfloat16").feature("features", all_over, live)
    with pytest.raises(ExportDiffersError, match=r"differs by 1\.10e"):
        Differences("bfloat16").feature("features", few * 1.1 / 0.9, live)
