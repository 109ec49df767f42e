"""From times to figures: medians, spreads, ratios, and the rows that are derived from others."""
import math
import statistics

OURS = 'aila'


def summary(rounds, calls, threads):
    """rounds: for each turn its times of one call, in seconds. The spread is that of the turns' medians."""
    medians = [statistics.median(turn) for turn in rounds]
    every = sorted(time for turn in rounds for time in turn)
    median = statistics.median(medians)
    at = lambda q: every[min(len(every) - 1, int(q * len(every)))]
    return {'median': median, 'spread': (max(medians) - min(medians)) / median, 'p10': at(0.1), 'p90': at(0.9),
            'least': every[0], 'rounds': medians, 'numbers': len(every), 'calls': calls, 'threads': threads}


def finish(row):
    """Adds the best peer, its ratio over ours, and the share of the peak."""
    ours = row['times'].get(OURS)
    peers = {key: value for key, value in row['times'].items() if key != OURS}
    key = 'p50' if row['name'].startswith('latency/') else 'median'
    if peers:
        row['best_peer'] = min(peers, key=lambda peer: peers[peer][key])
        if ours:
            row['ratio'] = peers[row['best_peer']][key] / ours[key]
    if ours and row.get('flops') and row.get('peak') and 'median' in ours:
        row['share_of_peak'] = row['flops'] * 1e-9 / ours['median'] / row['peak'][str(row['threads'])]


def derived(rows):
    """Pairs of (what, value, unit): unit 'x' or '%'."""
    by_name = {row['name']: row for row in rows}

    def median(name, who=OURS):
        return by_name.get(name, {}).get('times', {}).get(who, {}).get('median')

    def over(a, b, scale=1.0):
        return a / b * scale if a and b else None

    found = []
    for kind in ('train', 'predict', 'predict1'):
        for task in ('forecast', 'sentiment', 'image'):
            for policy in ('linear', 'attention'):
                for control in ('none', 'densenet'):
                    found.append((f'{kind}/{task}: {policy} over {control}',
                                  over(median(f'{kind}/{task}/{policy}'), median(f'{kind}/{task}/{control}')), 'x'))
    for task in ('forecast', 'sentiment', 'image'):
        for policy in ('bare', 'linear', 'attention'):
            name = f'train/{task}/{policy}'
            speedup = over(median(name + '/1t'), median(name))
            if speedup:
                peaks = [row['peak'] for row in (by_name[name], by_name[name + '/1t'])]
                peak = statistics.mean(p['2'] / p['1'] for p in peaks)
                found.append((f'{name}: two threads over one', speedup, 'x'))
                found.append((f'{name}: the same, as a share of that of the peaks', 100 * speedup / peak, '%'))
    share = by_name.get('train/sentiment/bare', {}).get('share_of_peak')
    found.append(('train/sentiment/bare: share of the peak of fused multiply-adds', share and 100 * share, '%'))
    for kind in ('train', 'predict'):
        found.append((f'{kind}/forecast/attention: a layer at depth 32 over one at depth 4',
                      over(median(f'{kind}/forecast32/attention'), median(f'{kind}/forecast/attention'), 4 / 32), 'x'))
    steps = {row['name']: row['ratio'] for row in rows if row['name'].startswith('step/') and 'ratio' in row}
    if steps:
        mean = math.exp(statistics.mean(map(math.log, steps.values())))
        found.append((f'steps of a stream: Eigen over aila, geometric mean of {len(steps)}', mean, 'x'))
        found.append((f'steps of a stream: the worst, {min(steps, key=steps.get)}', min(steps.values()), 'x'))
    found.append(('steps of a stream: 64 units over the product of the weights alone',
                  over(median('step/64'), median('step/64/product')), 'x'))
    products = {row['name']: row['ratio'] for row in rows if row['name'].startswith('product/') and 'ratio' in row}
    if products:
        mean = math.exp(statistics.mean(map(math.log, products.values())))
        found.append((f'products: libxsmm over aila, geometric mean of {len(products)}', mean, 'x'))
        for rows_of_a in sorted({int(name.split('/')[1].split('x')[0]) for name in products}):
            some = [r for name, r in products.items() if name.startswith(f'product/{rows_of_a}x')]
            name = f'products: the same of {rows_of_a} row{"s" if rows_of_a > 1 else ""}'
            found.append((name, math.exp(statistics.mean(map(math.log, some))), 'x'))
        worst = min(products, key=products.get)
        found.append((f'products: the worst, {worst}', products[worst], 'x'))
    return [(what, value, unit) for what, value, unit in found if value]
