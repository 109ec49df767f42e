"""The report as Markdown, and files that are there whole or not at all."""
import os
import tempfile

from figures import OURS
from session import PEERS

COLUMNS = {OURS: 'aila', **PEERS, 'libxsmm': 'libxsmm', 'eigen': 'Eigen'}
TITLES = {'train': 'Training steps: forward, backward, Adam', 'predict': 'Predictions of a batch',
          'predict1': 'Predictions of one sample', 'conv': 'Convolutions', 'step': 'Steps of a stream', 'product': 'Products beside libxsmm',
          'overhead': 'A call that computes nothing', 'latency': 'Latency of one prediction'}


def write_whole(path, text):
    folder = os.path.dirname(os.path.abspath(path))
    with tempfile.NamedTemporaryFile('w', dir=folder, prefix='.' + os.path.basename(path), delete=False) as file:
        file.write(text)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def duration(seconds):
    for unit, scale in (('s', 1), ('ms', 1e3), ('us', 1e6)):
        if seconds * scale >= 1:
            return f'{seconds * scale:.3g} {unit}'
    return f'{seconds * 1e9:.3g} ns'


def table(head, lines):
    return '\n'.join('| ' + ' | '.join(cells) + ' |' for cells in [head, ['---'] * len(head), *lines]) + '\n'


def cell(time, threads=False, overhead=None):
    if time is None:
        return ''
    text = f'{duration(time["median"])} ± {50 * time["spread"]:.0f} %'
    if threads:
        text += f', {time["threads"]} thread{"s" if time["threads"] > 1 else ""}'
    if overhead:
        text += f', call {100 * min(1, overhead["median"] / time["median"]):.0f} %'
    return text


def rows_table(kind, rows, overhead):
    used = [key for key in COLUMNS if any(key in row['times'] for row in rows)]
    lines = []
    for row in rows:
        times = row['times']
        one = kind == 'predict1'
        cells = [cell(times.get(key), one, overhead.get(key) if one else None) for key in used]
        share = f'{100 * row["share_of_peak"]:.0f} %' if 'share_of_peak' in row else ''
        ratio = f'{row["ratio"]:.2f} ({COLUMNS[row["best_peer"]]})' if 'ratio' in row else ''
        lines.append([row['name'], *cells, share, ratio])
    return table(['work', *(COLUMNS[key] for key in used), 'aila: of peak', 'best peer over aila'], lines)


def latency_table(rows):
    lines = []
    for row in rows:
        for key, t in row['times'].items():
            lines.append([row['name'] if key == OURS else '', COLUMNS[key], f'{t["calls"]:,}', str(t.get('threads') or 1),
                          *(duration(t[q]) for q in ('p50', 'p99', 'p999', 'max'))])
    return table(['work', 'by', 'calls', 'threads', 'p50', 'p99', 'p99.9', 'longest'], lines)


def products_table(rows):
    """Ratios by the rows of the left factor (down) and the size of the weights (across)."""
    ratio = {row['name'].split('/')[1]: row['ratio'] for row in rows if 'ratio' in row}
    sizes = sorted({tuple(map(int, name.split('x'))) for name in ratio})
    heights, weights = sorted({size[0] for size in sizes}), sorted({size[1:] for size in sizes})
    lines = []
    for k, n in weights:
        cells = [ratio.get(f'{m}x{k}x{n}') for m in heights]
        lines.append([f'{k} x {n}', *(f'{r:.2f}' if r else '' for r in cells)])
    return table(['weights', *('1 row' if m == 1 else f'{m} rows' for m in heights)], lines)


def markdown(report):
    machine, options = report['machine'], report['options']
    text = ['# aila beside other libraries\n',
            f'{machine["processor"]}, cores {", ".join(map(str, machine["cores"]))}, {report["date"]}. '
            f'{", ".join(report["versions"].values())}; two threads each, where a row does not say one (`/1t`), and of one '
            f'sample as many as were faster. {options["rounds"]} rounds of {options["seconds"]} s, all programs in turn: the '
            f'median of the rounds\' medians, and half the distance between the least and the greatest of them. Peak of fused '
            f'multiply-adds: {machine["peak"]["1"]:.0f} GFLOP/s on one thread, {machine["peak"]["2"]:.0f} on two, measured '
            f'between all rows.\n']
    if machine['load'][0] > 0.5 or machine['disturbed']:
        text.append(f'**Other programs were running**: the machine\'s load was {machine["load"][0]:.1f} before the first row'
                    f'{", and " + machine["disturbed"] if machine["disturbed"] else ""}. These times say little.\n')
    overhead = next((row['times'] for row in report['rows'] if row['name'].startswith('overhead/')), {})
    for kind, title in TITLES.items():
        rows = [row for row in report['rows'] if row['name'].split('/')[0] == kind and row['times']]
        if not rows:
            continue
        text.append(f'## {title}\n')
        if kind == 'predict1' and overhead:
            text.append('"call" is the share of a call that computes nothing, by the same library. JAX chooses its threads.\n')
        if kind == 'product' and any('ratio' in row for row in rows):
            text.append('The time of libxsmm over that of aila; above 1 aila is faster.\n')
            text.append(products_table(rows))
        else:
            text.append(latency_table(rows) if kind == 'latency' else rows_table(kind, rows, overhead))
    if report['derived']:
        text.append('## What follows\n')
        text.append(table(['of aila alone, where no other is named', 'value'],
                          [[d['what'], f'{d["value"]:.2f}' if d['unit'] == 'x' else f'{d["value"]:.0f} %']
                           for d in report['derived']]))
    missing = [(row['name'], COLUMNS.get(key, key), why)
               for row in report['rows'] for key, why in row.get('missing', {}).items()]
    if missing:
        text.append('## Not measured\n')
        text.append(table(['work', 'by', 'why'], [[name, who, why.replace('|', '/')] for name, who, why in missing]))
    return '\n'.join(text)
