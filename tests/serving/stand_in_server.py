# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Answers requests of TensorFlow Serving's two protocols with SavedModels, as its manuals say.

It stands in for a server, which no package index has: what clients send is read by the types of
the client library, and what they get is made by them.
"""

import contextlib
import http.server
import json
import re
import threading
from concurrent import futures

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

_PATH = re.compile(r"/v1/models/(\w+)(?:/versions/(\d+)|/labels/(\w+))?:predict")


class StandIn(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Servables by (name, version); labels by (name, label)."""

    def __init__(self, servables, labels):
        self.servables, self.labels = servables, labels
        self.asked = []  # (name, version) of every request

    def signature(self, name, version=None, label=None, signature_name=""):
        version = (
            version
            or self.labels.get((name, label))
            or max(number for known, number in self.servables if known == name)
        )
        self.asked.append((name, version))
        return self.servables[name, version][signature_name or "serving_default"]

    def Predict(self, request, context):
        spec = request.model_spec
        version = spec.version.value if spec.HasField("version") else None
        function = self.signature(spec.name, version, spec.version_label, spec.signature_name)
        inputs = {key: tf.constant(tf.make_ndarray(v)) for key, v in request.inputs.items()}
        response = predict_pb2.PredictResponse()
        for key, value in function(**inputs).items():
            response.outputs[key].CopyFrom(tf.make_tensor_proto(value))
        return response

    def rest(self, path, body):
        """The answer to POST `path`; rows as {"instances": ...}, columns as {"inputs": ...}."""
        name, version, label = _PATH.fullmatch(path).groups()
        request = json.loads(body)
        assert set(request) <= {"signature_name", "instances", "inputs"}
        signature_name = request.get("signature_name", "")
        function = self.signature(name, version and int(version), label, signature_name)
        specs = function.structured_input_signature[1]
        columns = request.get("inputs")
        if columns is None:
            rows = request["instances"]
            named = [row if isinstance(row, dict) else {next(iter(specs)): row} for row in rows]
            columns = {key: [row[key] for row in named] for key in specs}
        if not isinstance(columns, dict):
            columns = {next(iter(specs)): columns}
        inputs = {key: tf.constant(value, specs[key].dtype) for key, value in columns.items()}
        outputs = {key: _plain(value.numpy()) for key, value in function(**inputs).items()}
        if "inputs" in request:
            return {"outputs": outputs}
        rows = range(len(request["instances"]))
        return {"predictions": [{key: v[i] for key, v in outputs.items()} for i in rows]}


def _plain(values):
    if values.dtype == object:
        values = np.vectorize(lambda text: text.decode(), otypes=[object])(values)
    return values.tolist()


@contextlib.contextmanager
def serving(stand_in):
    """Starts both servers; gives the addresses of REST and of gRPC."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = json.dumps(stand_in.rest(self.path, body)).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    rest = http.server.ThreadingHTTPServer(("localhost", 0), Handler)
    threading.Thread(target=rest.serve_forever, daemon=True).start()
    server = grpc.server(futures.ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(stand_in, server)
    port = server.add_insecure_port("localhost:0")
    server.start()
    try:
        yield f"localhost:{rest.server_address[1]}", f"localhost:{port}"
    finally:
        rest.shutdown()
        rest.server_close()
        server.stop(None).wait()
