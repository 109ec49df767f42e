"""Plots how long the compiler takes, and how much memory, for networks of more layers and of more distinct shapes.

    build/peers/bin/python benchmarks/compile_time/compile_time.py --report compile.json --plot compile.svg

Each is compiled with all that training and predicting need. Seconds are the processor's: what else runs matters little. Needs
nothing but Python where no plot is asked for. compile_time.cmake measures the header and the placing of networks alone.
"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
POLICIES = {'none': 'None', 'residual': 'Residual', 'densenet': 'DenseNet', 'linear': 'Linear<Heads<4>>',
            'attention': 'Attention<TiedValues>'}


def fail(sentence):
    sys.exit(f'compile_time: {sentence}')


def numbers(text):
    values = text.split(',')
    if not all(v.isdigit() and 0 < int(v) <= 256 for v in values):
        raise argparse.ArgumentTypeError(f'expected numbers from 1 to 256 with commas between, not {text}')
    return [int(v) for v in values]


def options():
    parser = argparse.ArgumentParser(description='Seconds and memory of the compiler, by depth and by distinct shapes.')
    parser.add_argument('--compiler', default='g++')
    parser.add_argument('--flags', default='-O2', help='(-O2)')
    parser.add_argument('--depths', type=numbers, default=[4, 16, 64], help='layers of equal shape (4,16,64)')
    parser.add_argument('--policies', default='none,linear,attention', help=f'of {", ".join(POLICIES)} (none,linear,attention)')
    parser.add_argument('--shapes', type=numbers, default=[1, 2, 4, 8, 16], help='widths among 16 layers (1,2,4,8,16)')
    parser.add_argument('--limit', type=float, default=900, help='seconds after which a compiler is ended (900)')
    parser.add_argument('--report', help='a file for the figures, JSON')
    parser.add_argument('--plot', help='a picture: .svg, .png or .pdf; needs matplotlib')
    o = parser.parse_args()
    if shutil.which(o.compiler) is None:
        fail(f'there is no compiler {o.compiler}')
    o.policies = o.policies.split(',')
    for policy in o.policies:
        if policy not in POLICIES:
            fail(f'there is no policy {policy}; there are {", ".join(POLICIES)}')
    for path in (o.report, o.plot):
        if path and not os.path.isdir(os.path.dirname(os.path.abspath(path))):
            fail(f'there is no folder for {path}')
    if o.plot:
        if os.path.splitext(o.plot)[1] not in ('.svg', '.png', '.pdf'):
            fail(f'the name of the plot must end in .svg, .png or .pdf: {o.plot}')
        try:
            import matplotlib  # noqa: F401: to say so before minutes of compiling
        except ImportError:
            fail('a plot needs matplotlib; sh benchmarks/peers/setup.sh makes a Python that has it')
    return o


def compiled(o, *definitions):
    """Seconds of the processor and MB of the largest process of the compiler; None where it was ended at the limit."""
    command = [o.compiler, '-std=c++20', '-Iinclude', *o.flags.split(), *definitions, '-c', '-o', os.devnull,
               'benchmarks/compile_time/network.cpp']
    begin, ended = time.monotonic(), False
    with tempfile.TemporaryFile('w+') as errors:
        process = subprocess.Popen(command, cwd=ROOT, stderr=errors, start_new_session=True)
        while True:  # wait4 tells what this compiler and its children used
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if not ended and time.monotonic() - begin > o.limit:
                os.killpg(process.pid, signal.SIGKILL)
                ended = True
            time.sleep(0.01)
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        said = errors.read().splitlines()
    if ended:
        return None
    if process.returncode != 0:
        fail(f'{" ".join(command)} failed: {(said or ["it said nothing"])[0]}')
    return {'seconds': round(usage.ru_utime + usage.ru_stime, 2), 'megabytes': round(usage.ru_maxrss / 1024)}


def write_whole(path, write):
    name, suffix = os.path.splitext(path)
    part = f'{name}.part{suffix}'
    write(part)
    os.replace(part, path)


def plot(report, path):
    import matplotlib
    matplotlib.use('Agg')
    import matplotlib.pyplot as plt
    figure, panels = plt.subplots(2, 2, figsize=(10, 6), layout='constrained')
    for axes, (figure_name, unit) in zip(panels, (('seconds', 'seconds'), ('megabytes', 'MB'))):
        for left, series, label in ((axes[0], 'depth', 'layers of equal shape'),
                                    (axes[1], 'shapes', 'distinct shapes among 16 layers')):
            done = [row for row in report['rows'] if series in row and 'seconds' in row]
            for policy in dict.fromkeys(row['policy'] for row in done):
                rows = [row for row in done if row['policy'] == policy]
                left.plot([row[series] for row in rows], [row[figure_name] for row in rows], 'o-', label=policy)
            left.set_xlabel(label)
            left.set_ylabel(unit)
            left.set_ylim(0, 1.1 * max([1, *(max(line.get_ydata()) for line in left.lines)]))
            left.set_xticks(sorted({x for line in left.lines for x in line.get_xdata()}))
            left.grid(alpha=0.3)
            if left.lines:
                left.legend()
    figure.suptitle(f'{report["compiler"]} {report["flags"]}: a network with all that training and predicting need', fontsize=10)
    write_whole(path, figure.savefig)


def main():
    o = options()
    version = subprocess.run([o.compiler, '--version'], capture_output=True, text=True).stdout.splitlines()[0]
    report = {'compiler': version, 'flags': o.flags, 'header': compiled(o), 'rows': []}
    if report['header'] is None:
        fail(f'the header alone takes longer than the limit of {o.limit:g} s')
    print(f'{"the header alone":32}{report["header"]["seconds"]:8.1f} s{report["header"]["megabytes"]:8} MB', flush=True)

    def add(row, name, *definitions):
        row.update(compiled(o, *definitions) or {})
        report['rows'].append(row)
        print(f'{name:32}' + (f'{row["seconds"]:8.1f} s{row["megabytes"]:8} MB' if 'seconds' in row else
                              f'not done after {o.limit:g} s'), flush=True)

    for policy in o.policies:
        for depth in o.depths:
            add({'policy': policy, 'depth': depth}, f'{policy}, {depth} layers', f'-DPOLICY={POLICIES[policy]}',
                f'-DDEPTH={depth}')
    for shapes in o.shapes:
        add({'policy': 'none', 'shapes': shapes}, f'16 layers of {shapes} shapes', f'-DSHAPES={shapes}')

    def write_report(path):
        with open(path, 'w') as file:
            file.write(json.dumps(report, indent=1) + '\n')

    if o.report:
        write_whole(o.report, write_report)
    if o.plot:
        plot(report, o.plot)


if __name__ == '__main__':
    main()
