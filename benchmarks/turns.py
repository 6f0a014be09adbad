# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Things to time, interleaved, each in a separate process: what else the machine does hits
all of them."""

import multiprocessing
import multiprocessing.connection
import resource
import statistics
import traceback


class Turns:
    """Starts processes and calls them one after the other; as a context manager, ends them.

    Args:
        makers: name -> (function, arguments); called in its process, it returns the function to
            call in each turn, which returns a dict of numbers.

    Raises:
        ValueError: a maker raised it.
        ChildProcessError: a process was ended from outside.
        RuntimeError: a process failed otherwise.
    """

    def __init__(self, makers):
        context = multiprocessing.get_context("spawn")
        self._sides = {}
        for name, maker in makers.items():
            mine, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, *maker), daemon=True)
            process.start()
            theirs.close()  # so that the end of the process ends the pipe
            self._sides[name] = (mine, process)
        try:
            self._receive_all()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def run(self, rounds, warm_up=2) -> dict[str, dict[str, float]]:
        """Medians of `rounds` turns of each, after others that do not count.

        The first of all is taken by all of them together: each traces and compiles in it.

        Returns:
            name -> what the function returned, and `peak_bytes` of its process.
        """
        found = {name: [] for name in self._sides}
        for name in self._sides:
            self._send_go(name)
        self._receive_all()
        for turn in range(1, warm_up + rounds):
            for name in self._sides:
                self._send_go(name)
                numbers = self._receive(name)
                if turn >= warm_up:
                    found[name].append(numbers)
        return {
            name: {key: statistics.median(n[key] for n in numbers) for key in numbers[0]}
            for name, numbers in found.items()
        }

    def close(self):
        for pipe, process in self._sides.values():
            pipe.close()
            process.terminate()
        for _, process in self._sides.values():
            process.join()

    def _send_go(self, name):
        try:
            self._sides[name][0].send("go")
        except OSError:  # it has ended between its turns
            raise self._ended(name) from None

    def _receive_all(self):
        """From all, whoever comes first: the first failure is reported first."""
        names = {pipe: name for name, (pipe, _) in self._sides.items()}
        while names:
            for pipe in multiprocessing.connection.wait(list(names)):
                self._receive(names.pop(pipe))

    def _receive(self, name):
        try:
            answer = self._sides[name][0].recv()
        except (EOFError, OSError):
            raise self._ended(name) from None
        if isinstance(answer, ValueError):
            raise answer
        if isinstance(answer, str):
            raise RuntimeError(f"{name} failed:\n{answer}")
        return answer

    def _ended(self, name):
        _, process = self._sides[name]
        process.join()
        return ChildProcessError(
            f"the process of {name!r} was ended, with status {process.exitcode}; -9 is what "
            "happens where memory runs out."
        )


def _serve(pipe, make, *arguments):
    try:
        try:
            function = make(*arguments)
        except ValueError as error:  # of the arguments
            pipe.send(ValueError(str(error)))  # some kinds of it do not survive the pipe
            return
        pipe.send({})
        while True:
            pipe.recv()
            numbers = function()
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            pipe.send({"peak_bytes": peak, **numbers})
    except (EOFError, BrokenPipeError):  # nobody asks any more
        return
    except Exception:  # sent to the process that started this one, which ends with it
        pipe.send(traceback.format_exc())
