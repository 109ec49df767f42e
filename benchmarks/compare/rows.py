"""Which rows a comparison has, and what is asked of each program for them."""
import re

THREADS_ROWS = ('bare', 'linear', 'attention')      # timed on one thread too
LATENCY_TASKS, LATENCY_POLICIES = ('forecast', 'sentiment'), ('bare', 'none', 'linear', 'attention')


def all_rows(names, overhead):
    """Names of works in the order of the table; `latency/...` asks for a distribution over calls of `predict1/...`."""
    rows = []
    for name in names:
        kind, *rest = name.split('/')
        if rest[-1] == '1t' and (rest[1] not in THREADS_ROWS or rest[0] == 'forecast32'):
            continue
        if kind != 'train' and rest[1:] == ['residual']:
            continue
        if (kind, rest[0]) == ('predict1', 'forecast32'):
            continue
        rows.append(name)
    order = ['train', 'predict', 'predict1', 'conv', 'step', 'product']
    rows.sort(key=lambda name: order.index(name.split('/')[0]))
    rows += [f'latency/{t}/{p}' for t in LATENCY_TASKS for p in LATENCY_POLICIES if f'predict1/{t}/{p}' in names]
    return [overhead, *rows]


def chosen(rows, pattern):
    return [row for row in rows if re.search(pattern, row)]


def work_of(row):
    return row.replace('latency/', 'predict1/')


def seconds_of(row, seconds):
    """A small product is done a million times in a second."""
    return seconds / 10 if row.startswith(('product/', 'step/')) else seconds


def weight_of(row):
    """About how long a row takes, for the time left: most of it goes into compiling."""
    long = 'forecast32' in row or 'sentiment' in row
    return {'product': 1, 'step': 1, 'latency': 60, 'overhead': 10}.get(row.split('/')[0], 40 if long else 20)
