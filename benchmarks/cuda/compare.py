"""The library beside PyTorch on one GPU, in one go:

    python3 benchmarks/cuda/compare.py build/release/benchmarks/cuda/benchmark_cuda [names, as a regular expression] [ways, eager,compiled,graph]

Runs benchmark_cuda (medians of five repetitions), then peers.py, and prints a table: the library's microseconds, those of the best
of PyTorch's ways, and the ratio; and of every policy its time over that of policy none. Rows that PyTorch has no work for (backward
alone, the other policies) are the library's own.
"""
import json
import pathlib
import subprocess
import sys

PEERS = pathlib.Path(__file__).parent / 'peers.py'


def of_library(program, part):
    command = [program, '--benchmark_format=json', '--benchmark_repetitions=5', '--benchmark_report_aggregates_only=true',
               f'--benchmark_min_time=0.05{unit_of_seconds(program)}', f'--benchmark_filter={part or "."}']
    out = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    return {row['run_name'].removesuffix('/real_time'): row['real_time']
            for row in json.loads(out)['benchmarks'] if row.get('aggregate_name') == 'median'}


def unit_of_seconds(program):
    """Newer versions of Google Benchmark want one."""
    words = subprocess.run([program, '--help'], stdout=subprocess.PIPE, text=True).stdout
    return 's' if '<integer>x' in words else ''


def of_peers(part, ways):
    best = {}
    process = subprocess.Popen([sys.executable, str(PEERS), '0.15', part, ways], stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        row = json.loads(line)
        print(f'PyTorch, {row["how"]}: {row["name"]}: {row.get("error") or round(row["seconds"] * 1e6)}', file=sys.stderr)
        if 'seconds' in row:
            best[row['name']] = min(best.get(row['name'], (1e9, '')), (row['seconds'] * 1e6, row['how']))
    if process.wait() != 0:
        sys.exit('compare: peers.py failed')
    return best


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program, part = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ''
    ours = of_library(program, part)
    peers = of_peers(part, sys.argv[3] if len(sys.argv) > 3 else 'eager,compiled,graph')
    print('| work | us | PyTorch, us | ratio | over none |\n|---|---|---|---|---|')
    for name, each in ours.items():
        kind, task, policy, batch = name.split('/')
        peer, none = peers.get(name), ours.get(f'{kind}/{task}/none/{batch}')
        print(f'| {name} | {each:.1f} |', f'{peer[0]:.1f} ({peer[1]}) | {peer[0] / each:.2f} |' if peer else '| |',
              f'{each / none:.2f} |' if none else '|')


if __name__ == '__main__':
    main()
