"""The programs that are timed: started together on the same two cores, and asked one at a time."""
import contextlib
import json
import os
import select
import signal
import subprocess
import tempfile
import time

PEERS = {'torch': 'PyTorch', 'compile': 'PyTorch compiled', 'jax': 'JAX', 'onnx': 'ONNX Runtime'}
OURS = 'aila'


class Refused(Exception):
    """A program's own word that it cannot do what was asked, or that it does not answer."""


class Program:
    def __init__(self, key, command):
        self.key, self.command, self.process, self.log = key, command, None, tempfile.TemporaryFile()
        self.version = self.names = None

    def start(self):
        # Unbuffered on our side: what a program has answered is read at once, and nothing is kept behind select's back.
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, bufsize=0,
                                        start_new_session=True)
        answer = self.ask('list', patience=300)
        self.names, self.version = answer['names'], answer.get('library', OURS)

    def ask(self, *words, patience):
        """The answer to one command, or Refused; a program that says nothing for `patience` seconds is ended."""
        if self.process is None:
            self.start()
        try:
            self.process.stdin.write((' '.join(map(str, words)) + '\n').encode())
            line = self.read_line(time.monotonic() + patience)
        except BrokenPipeError:
            line = b''
        if line is None:
            self.end()
            raise Refused(f'no answer within {patience:.0f} s')
        try:
            answer = json.loads(line)
        except ValueError:
            how = 'gave an answer that is no JSON'
            if not line:
                status = self.process.wait()
                how = f'was ended by signal {-status}' if status < 0 else f'ended with status {status}'
            self.end()
            raise Refused(f'the program {how}{self.last_words()}') from None
        if 'error' in answer:
            raise Refused(answer['error'])
        return answer

    def read_line(self, until):
        parts = []
        while True:
            ready = select.select([self.process.stdout], [], [], max(0, until - time.monotonic()))[0]
            if not ready:
                return None
            part = os.read(self.process.stdout.fileno(), 1 << 20)
            parts.append(part)
            if not part or part.endswith(b'\n'):
                return b''.join(parts)

    def last_words(self):
        self.log.seek(0)
        lines = self.log.read().decode(errors='replace').strip().splitlines()
        return f': {lines[-1][:200]}' if lines else ''

    def end(self):
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):  # it may be gone already
                os.killpg(self.process.pid, signal.SIGKILL)  # with the compilers it has started
            self.process.wait()
            self.process = None


def cores(wanted):
    """Two cores for this process and all it starts."""
    allowed = sorted(os.sched_getaffinity(0))
    chosen = allowed[:2] if wanted is None else wanted
    if len(chosen) != 2 or not set(chosen) <= set(allowed):
        raise Refused(f'two cores are needed, of {", ".join(map(str, allowed))}, which this process may use')
    os.sched_setaffinity(0, chosen)
    return chosen


def programs(works, python, peers, threads=2):
    worker = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'peers', 'worker.py')
    all_programs = [Program(OURS, [works])]
    all_programs += [Program(key, [python, worker, key, str(threads)]) for key in peers]
    for program in all_programs:
        try:
            program.start()
        except (OSError, Refused) as error:
            raise Refused(f'{" ".join(program.command[:1] + program.command[2:3])} does not start: {error}') from None
    return all_programs
