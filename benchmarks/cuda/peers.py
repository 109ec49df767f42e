"""The works of this folder in PyTorch on the same GPU: eager, compiled and as a captured graph, in exact float32, with the batch
on the device already.

    python3 benchmarks/cuda/peers.py [seconds a work] [names, as a regular expression] [ways, eager,compiled,graph where nothing is said]

Prints a line of JSON for each: {"name", "seconds", "how"}, the medians of single runs, each waited for.
"""
import json
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / 'peers'))
import torch  # noqa: E402

import in_torch  # noqa: E402
import tasks  # noqa: E402

torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
torch.backends.cudnn.rnn.fp32_precision = 'ieee' if hasattr(torch.backends.cudnn, 'rnn') else None
torch.backends.cudnn.benchmark = True


def median(run, seconds):
    for _ in range(5):
        run()
    torch.cuda.synchronize()
    each, begin = [], time.perf_counter()
    while len(each) < 11 or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        run()
        torch.cuda.synchronize()
        each.append(time.perf_counter() - start)
    return sorted(each)[len(each) // 2]


def captured(run):
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            run()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return graph.replay


def ways_of(kind, task, policy):
    """Functions by how they are run; made one at a time, for a captured one keeps its memory."""
    x, y = (torch.from_numpy(a).cuda() for a in tasks.batch_of(task))
    loss_function = in_torch.loss_of(task)

    def make(way):
        model = in_torch.Network(task, policy).load(tasks.first_parameters(task, policy)).cuda()
        if kind.endswith('predict'):
            model.eval()
            function = torch.compile(model) if way == 'compiled' else model

            def run():
                with torch.no_grad():
                    return function(x)

            if kind == 'host-predict':  # from pinned memory of the program, and back
                there = x.cpu().pin_memory()
                on_device = captured(run) if way == 'graph' else run
                result = run()

                def from_host():
                    x.copy_(there, non_blocking=True)
                    made = on_device()
                    return (result if made is None else made).cpu()
                return from_host
        else:
            optimiser = torch.optim.Adam(model.parameters(), fused=True, capturable=way == 'graph')
            loss = lambda x, y: loss_function(model(x), y)  # noqa: E731
            loss = torch.compile(loss) if way == 'compiled' else loss

            def run():
                optimiser.zero_grad(set_to_none=way != 'graph')
                loss(x, y).backward()
                optimiser.step()
        return captured(run) if way == 'graph' else run
    return make


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 0.3
    part = sys.argv[2] if len(sys.argv) > 2 else ''
    ways = (sys.argv[3] if len(sys.argv) > 3 else 'eager,compiled,graph').split(',')
    for name in ('forecast', 'sentiment', 'image'):
        for batch in (tasks.TASKS[name].batch, 1024):
            task = tasks.TASKS[name]._replace(batch=batch)
            for policy in ('none', 'linear', 'attention'):
                for kind in ('train', 'predict', 'host-predict'):
                    work = f'{kind}/{name}/{policy}/{batch}'
                    if not re.search(part, work):
                        continue
                    make = ways_of(kind, task, policy)
                    for way in ways:
                        try:
                            torch._dynamo.reset()
                            row = {'name': work, 'how': way, 'seconds': median(make(way), seconds)}
                        except Exception as error:  # a peer's own failure is a row, too
                            row = {'name': work, 'how': way, 'error': ' '.join(str(error).split())[:200]}
                        print(json.dumps(row), flush=True)


if __name__ == '__main__':
    main()
