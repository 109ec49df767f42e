"""The side of a library that is timed: it reads commands from standard input and answers each with one line of JSON.

  list                 {"names": [...], "library": "PyTorch 2.15.0"}
  start NAME           {"name", "seconds"}: makes the work ready, compiling it where the library does that
  run NAME SECONDS     {"name", "calls", "seconds": [...], "threads"}: repeats it for that long; "calls" are in each number
  latency NAME CALLS   {"name", "calls", "p50", "p99", "p999", "max", "threads"}
  check NAME FILE      {"name", "differences"}: from the results of the same work in a file of benchmark_works
  drop NAME            {"name"}
  quit
What cannot be done is answered by {"error": "..."}. benchmarks/works/main.cpp answers the same commands
but start and check, and writes the files.

A library is an object with `name`, `works()` (names), and `start(name)`, which gives a run: an object with `calls`, a dict from
a number of threads to a function that does the work once and returns when it is done, and `check(tensors)`.
"""
import json
import os
import sys
import time
import warnings

clock = time.perf_counter


def time_of(function, times=1):
    begin = clock()
    for _ in range(times):
        function()
    return clock() - begin


def measure(call, seconds):
    """As benchmarks/works/measure.cpp: a tenth of the time to warm up, then at most about 1000 numbers over 0.1 ms or more."""
    begin, one = clock(), time_of(call)
    while clock() - begin < 0.1 * seconds:
        one = min(one, time_of(call))
    calls = max(1, int(max(1e-4, seconds / 1000) / one))
    least = max(1, min(11, int(seconds / (one * calls))))  # also where one was interrupted
    begin, numbers = clock(), []
    while len(numbers) < least or clock() - begin < seconds:
        numbers.append(time_of(call, calls) / calls)
    return calls, numbers


class Worker:
    def __init__(self, peer):
        self.peer, self.runs, self.chosen = peer, {}, {}

    def run_of(self, name):
        if name not in self.runs:
            if name not in self.peer.works():
                raise ValueError(f'there is no work {name}')
            run = self.peer.start(name)
            for call in run.calls.values():
                call(), call()
            # One sample is often done sooner by one thread than by two: the peer has its choice.
            median = {threads: sorted(time_of(call) for _ in range(15))[7] if len(run.calls) > 1 else 0
                      for threads, call in run.calls.items()}
            self.runs[name], self.chosen[name] = run, min(median, key=median.get)
        return self.runs[name]

    def answer(self, command, *arguments):
        if command == 'list':
            return {'names': self.peer.works(), 'library': self.peer.name}
        expected = {'start': 1, 'drop': 1, 'run': 2, 'latency': 2, 'check': 2}
        if expected.get(command) != len(arguments):
            raise ValueError(f'there is no command {command} of {len(arguments)} words')
        name = arguments[0]
        if command == 'start':
            return {'name': name, 'seconds': time_of(lambda: self.run_of(name))}
        if command == 'drop':
            self.runs.pop(name, None)
            return {'name': name}
        if command == 'check':
            from safetensors.numpy import load_file
            return {'name': name, 'differences': self.peer.start(name).check(load_file(arguments[1]))}
        run, threads = self.run_of(name), self.chosen.get(name)
        call = run.calls[threads]
        if command == 'run':
            calls, seconds = measure(call, float(arguments[1]))
            return {'name': name, 'calls': calls, 'seconds': seconds, 'threads': threads}
        if command == 'latency':
            each = sorted(time_of(call) for _ in range(int(arguments[1])))
            quantile = lambda q: each[min(len(each) - 1, int(q * len(each)))]
            return {'name': name, 'calls': len(each), 'p50': quantile(0.5), 'p99': quantile(0.99), 'p999': quantile(0.999),
                    'max': each[-1], 'threads': threads}


def serve(make_library):
    # Libraries and compilers print where they like: the answers have a way of their own, and the rest goes to standard error.
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)
    warnings.simplefilter('ignore')
    worker = Worker(make_library())
    for line in sys.stdin:
        words = line.split()
        if words == ['quit']:
            break
        try:
            answer = worker.answer(*words)
        except Exception as error:  # whatever a library throws, the comparison goes on without this row
            answer = {'error': f'{type(error).__name__}: {" ".join(str(error).split())[:300]}'}
        print(json.dumps(answer), file=answers, flush=True)
