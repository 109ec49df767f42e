"""Draws a report of compare.py: python plot.py REPORT.json PLOT.svg (or .png, .pdf)."""
import json
import os
import sys

import matplotlib

matplotlib.use('Agg')
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from report import COLUMNS, TITLES

COLOURS = {'aila': '#1b6ca8', 'torch': '#ee9b00', 'compile': '#ca6702', 'jax': '#2a9d8f', 'onnx': '#8d6a9f', 'libxsmm': '#777777'}
KINDS, TASKS = ('train', 'predict', 'predict1'), ('forecast', 'sentiment', 'image')


def dots(axes, rows, title):
    """One line a policy, one dot a library, with the range from the 10th to the 90th percentile; logarithmic, in milliseconds."""
    libraries = [key for key in COLUMNS if any(key in row['times'] for row in rows)]
    for i, key in enumerate(libraries):
        for at, row in enumerate(rows):
            time = row['times'].get(key)
            if time:
                y = at + 0.5 * ((i + 0.5) / len(libraries) - 0.5)
                axes.plot([1e3 * time['p10'], 1e3 * time['p90']], [y, y], color=COLOURS[key], linewidth=1.5, alpha=0.6)
                axes.plot(1e3 * time['median'], y, 'o', color=COLOURS[key], markersize=6)
    axes.set_yticks(range(len(rows)), [row['name'].split('/')[2] for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xscale('log')
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f'{value:g}'))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis='x', alpha=0.3, which='both')
    axes.set_axisbelow(True)
    axes.set_title(title, fontsize=10)


def ratios(axes, rows):
    for m in sorted({int(row['name'].split('/')[1].split('x')[0]) for row in rows}):
        some = [row for row in rows if row['name'].startswith(f'product/{m}x')]
        axes.plot([row['flops'] for row in some], [row['ratio'] for row in some], '.', alpha=0.8,
                  label='1 row' if m == 1 else f'{m} rows')
    axes.axhline(1, color='black', linewidth=0.8)
    axes.set_xscale('log')
    axes.set_xlabel('operations')
    axes.set_title('Products: time of libxsmm over that of aila', fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend(ncols=6, fontsize=8)


def main():
    if len(sys.argv) != 3:
        sys.exit('usage: python plot.py REPORT.json PLOT.svg')
    report_file, plot_file = sys.argv[1:]
    with open(report_file) as file:
        report = json.load(file)
    panels = []
    for kind in KINDS:
        for task in TASKS:
            rows = [row for row in report['rows'] if row['times'] and row['name'].startswith(f'{kind}/{task}/')
                    and not row['name'].endswith('/1t')]
            if rows:
                panels.append((f'{TITLES[kind].split(":")[0]}, {task}, ms', rows))
    products = [row for row in report['rows'] if row['name'].startswith('product/') and 'ratio' in row]
    columns = min(3, max(1, len(panels)))
    lines = -(-len(panels) // columns) + (1 if products else 0)
    if not lines:
        sys.exit('the report has no row that is drawn')
    figure = plt.figure(figsize=(5 * columns, 3.2 * lines + 0.5), layout='constrained')
    grid = figure.add_gridspec(lines, columns)
    for i, (title, rows) in enumerate(panels):
        dots(figure.add_subplot(grid[i // columns, i % columns]), rows, title)
    if products:
        ratios(figure.add_subplot(grid[lines - 1, :]), products)
    used = [key for key in COLUMNS if any(key in row['times'] for _, rows in panels for row in rows)]
    handles = [plt.Line2D([], [], marker='o', linestyle='', color=COLOURS[key]) for key in used]
    names = [report['versions'].get(key, COLUMNS[key]) for key in used]
    if used:
        figure.legend(handles, names, loc='outside upper center', ncols=len(used))
    name, suffix = os.path.splitext(plot_file)
    part = f'{name}.part{suffix}'
    figure.savefig(part)
    os.replace(part, plot_file)


if __name__ == '__main__':
    main()
