"""Times aila beside what else there is, turn by turn on the same two cores, and writes one table.

    python benchmarks/compare/compare.py --works build/release/benchmarks/benchmark_works --python build/peers/bin/python \\
        --report compare.json --plot compare.svg

`--check` times nothing: it proves that all programs compute the same thing. benchmarks/README.md says more.
"""
import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import figures
import report as reports
import rows as row_names
from session import OURS, PEERS, Refused, cores, programs

OVERHEAD = 'overhead/call'
TOLERANCE = {'output': 1e-4, 'loss': 1e-4, 'gradient': 1e-2}


def options():
    parser = argparse.ArgumentParser(description='Times aila beside PyTorch, JAX and ONNX Runtime on the same two cores.')
    parser.add_argument('--works', required=True, help='the program benchmark_works')
    parser.add_argument('--python', required=True, help='Python with the other libraries: benchmarks/peers/setup.sh makes one')
    parser.add_argument('--report', help='the report, a file whose name ends in .json; the table beside it ends in .md')
    parser.add_argument('--plot', help='a picture: .svg, .png or .pdf')
    parser.add_argument('--only', default='.', help='a regular expression that names of rows must match')
    parser.add_argument('--peers', default=','.join(PEERS), help=f'of {", ".join(PEERS)}, separated by commas')
    parser.add_argument('--rounds', type=int, default=5, help='turns of each program for each row (5)')
    parser.add_argument('--seconds', type=float, default=0.6, help='of one turn (0.6)')
    parser.add_argument('--calls', type=int, default=1_000_000, help='calls whose latency is measured (1000000)')
    parser.add_argument('--calls-long', type=int, default=100_000, help='the same, where one takes over 0.2 ms (100000)')
    parser.add_argument('--calls-peers', type=int, default=20_000, help='the same of the other libraries (20000)')
    parser.add_argument('--patience', type=float, default=900, help='seconds to wait for a program to compile a work (900)')
    parser.add_argument('--cores', help='two numbers, "0,1"; the first two that this process may use')
    parser.add_argument('--list', action='store_true', help='print the names of the rows and end')
    parser.add_argument('--check', action='store_true', help='compare results in place of times')
    return parser.parse_args()


def checked(o):
    """The options made usable, or Refused with one sentence."""
    if not os.access(o.works, os.X_OK) or os.path.isdir(o.works):
        raise Refused(f'{o.works} is no program; cmake --build --preset release --target benchmark_works builds it')
    o.works = os.path.abspath(o.works)
    o.python = shutil.which(o.python)
    if o.python is None:
        raise Refused('--python is no program; sh benchmarks/peers/setup.sh makes build/peers/bin/python')
    try:
        re.compile(o.only)
    except re.error as error:
        raise Refused(f'--only is no regular expression: {error}') from None
    o.peers = [p for p in o.peers.split(',') if p]
    for peer in o.peers:
        if peer not in PEERS:
            raise Refused(f'there is no peer {peer}; there are {", ".join(PEERS)}')
    for name in ('rounds', 'seconds', 'calls', 'calls_long', 'calls_peers', 'patience'):
        if getattr(o, name) <= 0:
            raise Refused(f'--{name.replace("_", "-")} must be above 0')
    if o.report and not o.report.endswith('.json'):
        raise Refused(f'the name of the report must end in .json: {o.report}')
    if o.plot and os.path.splitext(o.plot)[1] not in ('.svg', '.png', '.pdf'):
        raise Refused(f'the name of the plot must end in .svg, .png or .pdf: {o.plot}')
    for path in (o.report, o.plot):
        if path and not os.path.isdir(os.path.dirname(os.path.abspath(path))):
            raise Refused(f'there is no folder for {path}')
    if o.cores is not None:
        if not re.fullmatch(r'\d+,\d+', o.cores):
            raise Refused(f'--cores expects two numbers with a comma between, not {o.cores}')
        o.cores = [int(c) for c in o.cores.split(',')]
    return o


class Progress:
    """The row, who computes, and the time left as the rows so far went: on a terminal one line that changes."""
    def __init__(self, names):
        self.total, self.done, self.begin, self.width = sum(map(row_names.weight_of, names)), 0, time.monotonic(), 0
        self.live = sys.stderr.isatty()

    def share(self):
        elapsed = time.monotonic() - self.begin
        left = f', {elapsed / self.done * (self.total - self.done) / 60:3.0f} min left' if self.done else ''
        return f'[{100 * self.done // self.total:3} %{left}]'

    def show(self, row, who):
        if self.live:
            text = f'{self.share()} {row}: {who}'
            print('\r' + text.ljust(self.width), end='', file=sys.stderr, flush=True)
            self.width = len(text)

    def finish(self, row):
        self.done += row_names.weight_of(row['name'])
        self.line(f'{self.share()} {line_of(row)}')

    def line(self, text):
        if self.live:
            print('\r' + ' ' * self.width + '\r', end='', file=sys.stderr)
        print(text, flush=True)


def turn(program, *words, patience):
    time.sleep(0.03)  # whoever was at work before may still be waiting for more of it on its cores
    return program.ask(*words, patience=patience)


def time_row(name, all_programs, o, progress):
    """Times of one row by all programs that have it: {'times', 'missing', ...}."""
    ours, work = all_programs[0], row_names.work_of(name)
    row = {'name': name, 'times': {}, 'missing': {}}
    able = []
    for program in all_programs:
        if work not in program.names:
            continue
        progress.show(name, f'{program.version} makes it ready')
        try:
            if program is not ours:
                program.ask('start', work, patience=o.patience)
            able.append(program)
        except Refused as error:
            row['missing'][program.key] = str(error)
    before = turn(ours, 'peak', patience=60)
    (latency_of if name.startswith('latency/') else rounds_of)(row, work, able, o, progress)
    after = turn(ours, 'peak', patience=60)
    row['peak'] = {threads: (before[threads] + after[threads]) / 2 for threads in ('1', '2')}
    for program in able:
        if program.process is not None:
            program.ask('drop', work, patience=60)
    figures.finish(row)
    return row


def rounds_of(row, work, able, o, progress):
    rounds, last = {}, {}
    seconds = row_names.seconds_of(row['name'], o.seconds)
    for number in range(o.rounds):
        for program in list(able):
            progress.show(row['name'], f'{program.version}, round {number + 1} of {o.rounds}')
            try:
                answer = turn(program, 'run', work, seconds, patience=o.patience)
            except Refused as error:
                row['missing'][program.key] = str(error)
                able.remove(program)
                continue
            rounds.setdefault(program.key, []).append(answer['seconds'])
            last[program.key] = answer
            for library, times in answer.get('beside', {}).items():
                rounds.setdefault(library, []).append(times)
                last[library] = answer
            for figure in ('flops', 'bytes', 'threads'):
                if figure in answer and program.key == OURS:
                    row[figure] = answer[figure]
    for key, turns in rounds.items():
        if key not in row['missing']:
            row['times'][key] = figures.summary(turns, last[key]['calls'], last[key].get('threads'))


def latency_of(row, work, able, o, progress):
    row['threads'] = 1
    for program in list(able):
        progress.show(row['name'], f'{program.version}, call by call')
        try:
            one = statistics.median(turn(program, 'run', work, 0.2, patience=o.patience)['seconds'])
            calls = o.calls_long if one > 2e-4 else o.calls
            calls = calls if program.key == OURS else min(calls, o.calls_peers)
            answer = turn(program, 'latency', work, calls, patience=o.patience + 10 * calls * one)
        except Refused as error:
            row['missing'][program.key] = str(error)
            able.remove(program)
            continue
        row['times'][program.key] = {key: answer.get(key) for key in ('calls', 'p50', 'p99', 'p999', 'max', 'threads')}


def line_of(row):
    parts = []
    for key, t in row['times'].items():
        median = t.get('median', t.get('p50'))
        parts.append(f'{reports.COLUMNS[key]} {reports.duration(median)}')
    parts += [f'{reports.COLUMNS[key]}: {why}' for key, why in row['missing'].items()]
    ratio = f'   best peer over aila: {row["ratio"]:.2f}' if 'ratio' in row else ''
    return f'{row["name"]:30} ' + ', '.join(parts) + ratio


def processor():
    try:
        with open('/proc/cpuinfo') as file:
            return next(line.split(':')[1].strip() for line in file if line.startswith('model name'))
    except (OSError, StopIteration):
        return 'unknown processor'


def disturbance(peaks):
    """Words for a peak that sank while rows were timed: somebody else had the cores."""
    low = sum(peak['2'] < 0.85 * max(p['2'] for p in peaks) for peak in peaks)
    return f'around {low} of {len(peaks)} rows the peak was under 85 % of the best' if low > len(peaks) / 10 else ''


def write_report(o, rows, machine, versions):
    """After every row, so that nothing is lost when a long comparison is broken off."""
    peaks = [row['peak'] for row in rows if 'peak' in row]
    machine['peak'] = {t: statistics.median(peak[t] for peak in peaks) if peaks else 0 for t in ('1', '2')}
    machine['disturbed'] = disturbance(peaks)
    derived = [{'what': what, 'value': value, 'unit': unit} for what, value, unit in figures.derived(rows)]
    report = {'date': time.strftime('%Y-%m-%d %H:%M'), 'machine': machine, 'versions': versions,
              'options': {'rounds': o.rounds, 'seconds': o.seconds, 'only': o.only}, 'rows': rows, 'derived': derived}
    text = reports.markdown(report)
    if o.report:
        reports.write_whole(o.report, json.dumps(report, indent=1) + '\n')
        reports.write_whole(o.report[:-len('.json')] + '.md', text)
    return report, text


def write_plot(o, report):
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, 'report.json')
        reports.write_whole(source, json.dumps(report))
        plot = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'plot.py')
        drawn = subprocess.run([o.python, plot, source, os.path.abspath(o.plot)], capture_output=True, text=True)
        if drawn.returncode != 0:
            raise Refused(f'no plot was drawn: {(drawn.stderr.strip().splitlines() or ["no reason was given"])[-1]}')


def compare(o, all_programs, names, load):
    machine = {'processor': processor(), 'cores': sorted(os.sched_getaffinity(0)), 'load': load}
    versions = {program.key: program.version for program in all_programs}
    progress, rows = Progress(names), []
    try:
        for name in names:
            try:
                row = time_row(name, all_programs, o, progress)
            except Refused as error:  # the works themselves: the next row starts them anew
                row = {'name': name, 'times': {}, 'missing': {OURS: str(error)}}
            rows.append(row)
            progress.finish(row)
            write_report(o, rows, machine, versions)
    except KeyboardInterrupt:
        progress.line('broken off: the report has the rows so far')
    if not rows:
        return 1
    report, text = write_report(o, rows, machine, versions)
    print('\n' + text)
    if o.plot:
        write_plot(o, report)
    print('\n'.join(f'written: {path}' for path in (o.report, o.report and o.report[:-5] + '.md', o.plot) if path))
    return 0


def check(o, all_programs, names):
    """Each program's results beside those of the library, from the same parameters and inputs."""
    ours, failed, count = all_programs[0], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            if name.split('/')[0] not in ('train', 'predict', 'predict1', 'conv') or name.endswith('/1t'):
                continue
            file = os.path.join(folder, 'results.safetensors')
            ours.ask('dump', name, file, patience=o.patience)
            for program in all_programs[1:]:
                if name not in program.names:
                    continue
                count += 1
                try:
                    found = program.ask('check', name, file, patience=o.patience)['differences']
                    fine = all(found.get(key, 0) <= TOLERANCE[key] for key in TOLERANCE)
                    words = ', '.join(f'{key} {value:.1e}' for key, value in found.items() if key in TOLERANCE)
                    words += f' (in {found["where"]})' if not fine and 'where' in found else ''
                except Refused as error:
                    fine, words = False, str(error)
                failed += not fine
                print(f'{"same" if fine else "NOT THE SAME":14}{name:30}{program.version:28}{words}', flush=True)
    print(f'{count - failed} of {count} are the same: output and loss to {TOLERANCE["output"]:g}, gradients to '
          f'{TOLERANCE["gradient"]:g} in norm')
    return 1 if failed or not count else 0


def main():
    o = options()
    all_programs = []
    try:
        o = checked(o)
        cores(o.cores)
        load = os.getloadavg()  # before our own programs start
        all_programs = programs(o.works, o.python, o.peers)
        names = row_names.chosen(row_names.all_rows(all_programs[0].names, OVERHEAD), o.only)
        if not names:
            raise Refused(f'no row fits {o.only}; --list prints all')
        if o.list:
            print('\n'.join(names))
            return 0
        return check(o, all_programs, names) if o.check else compare(o, all_programs, names, load)
    except Refused as error:
        print(f'compare: {error}', file=sys.stderr)
        return 1
    finally:
        for program in all_programs:
            program.end()


if __name__ == '__main__':
    sys.exit(main())
