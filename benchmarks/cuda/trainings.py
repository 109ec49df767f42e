"""Whole trainings of examples' networks in PyTorch on one GPU, as somebody who wants speed writes them: data on the device, a step
(forward, loss, backward, clipping, update) as one captured graph, exact float32.

    python3 benchmarks/cuda/trainings.py forecast [epochs]
    python3 benchmarks/cuda/trainings.py sentiment DATA [epochs]

`forecast` is examples/forecast's attention stack on returns of gold, windows of 12 months; `sentiment` examples/sentiment's attention
stack with attention pooling, on DATA/aclImdb with the vectors of DATA/glove/imdb-skipgram.100d.txt. Beside them:

    forecast --policies attention --seeds 1 --epochs 60 --patience 60 --device cuda
    sentiment --policy attention --readout attention --epochs 8 --patience 8 --device cuda

Prints a line of JSON with seconds of the training, validation included, and the measure of the test part.
"""
import json
import math
import pathlib
import re
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

from peers import captured  # which sets float32 without TF32, too

WIDTH, DEPTH = 64, 4


class Attention(nn.Module):
    """Attention over depth: a query of the layer's own map, one projection of keys, values by a matrix for each earlier map."""
    def __init__(self, before):
        super().__init__()
        matrix = lambda: nn.Parameter(nn.init.xavier_uniform_(torch.empty(WIDTH, WIDTH)))  # noqa: E731
        if before > 1:
            self.query, self.key = matrix(), matrix()
        self.value = nn.ParameterList(matrix() for _ in range(before))

    def forward(self, own, before):
        values = torch.stack([F.linear(h, w) for h, w in zip(before, self.value)], -2)
        if len(before) == 1:
            return values.squeeze(-2)
        query = F.linear(own, self.query) @ (self.key * WIDTH ** -0.5)
        weights = (torch.stack(before, -2) @ query.unsqueeze(-1)).squeeze(-1).softmax(-1)
        return (weights.unsqueeze(-2) @ values).squeeze(-2)


class Network(nn.Module):
    def __init__(self, inputs, dropout=(0, 0), pools=False):
        super().__init__()
        self.cores = nn.ModuleList(nn.LSTM(inputs if j == 0 else WIDTH, WIDTH, batch_first=True) for j in range(DEPTH))
        self.integrations = nn.ModuleList(Attention(j) if j else nn.Identity() for j in range(DEPTH))
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(DEPTH))
        self.score = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.Tanh(), nn.Linear(WIDTH, 1, bias=False)) if pools else None
        self.before, self.behind = nn.Dropout(dropout[0]), nn.Dropout(dropout[1])
        self.linear = nn.Linear(WIDTH, 1)

    def forward(self, x, padded=None):
        x, h = self.before(x), []
        for j in range(DEPTH):
            own = self.cores[j](h[-1] if j else x)[0]
            h.append(self.norms[j](F.relu(own + self.integrations[j](own, h) if j else own)))
        if self.score is None:
            return self.linear(h[-1][:, -1]).squeeze(-1)
        weights = self.score(h[-1]).squeeze(-1).masked_fill(padded, -math.inf).softmax(-1)
        return self.linear(self.behind((weights.unsqueeze(1) @ h[-1]).squeeze(1))).squeeze(-1)


def train(model, loss_of, optimiser, inputs, targets, batch, epochs, validate, clip=None, rate_of=None):
    """Seconds of all epochs. A step is captured once; what changes, the batch and the rate, lies on the device."""
    count = targets.shape[0]
    chosen = torch.zeros(batch, dtype=torch.long, device='cuda')

    def step():
        optimiser.zero_grad(set_to_none=False)
        loss_of(model(*(x[chosen] for x in inputs)), targets[chosen]).backward()
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimiser.step()
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    replay = captured(step)
    model.load_state_dict(kept)
    for state in optimiser.state.values():
        for value in state.values():
            value.zero_()
    best, best_weights = math.inf, None
    torch.cuda.synchronize()
    begin = time.perf_counter()
    for epoch in range(epochs):
        order = torch.randperm(count, device='cuda')
        for first in range(0, count - batch + 1, batch):
            if rate_of:
                for group in optimiser.param_groups:
                    group['lr'].fill_(rate_of(epoch + first / count))
            chosen.copy_(order[first:first + batch])
            replay()
        model.eval()
        loss = validate(model)
        model.train()
        if loss < best:
            best, best_weights = loss, {name: value.clone() for name, value in model.state_dict().items()}
    torch.cuda.synchronize()
    seconds = time.perf_counter() - begin
    model.load_state_dict(best_weights)
    model.eval()
    return seconds


@torch.no_grad()
def outputs(model, inputs, batch=512):
    return torch.cat([model(*(x[i:i + batch] for x in inputs)) for i in range(0, inputs[0].shape[0], batch)])


def forecast(epochs=60):
    text = pathlib.Path(__file__).parents[2] / 'examples/forecast/gold_monthly.csv'
    price = torch.tensor([float(line.split(',')[1]) for line in text.read_text().split()[1:]], dtype=torch.float64).log()
    ends = [int(0.7 * len(price)), int(0.7 * len(price)) + int(0.15 * len(price)), len(price)]
    mean, deviation = price[:ends[0]].mean(), price[:ends[0]].std(correction=0)
    change = price[:ends[0]].diff().std(correction=0)

    def part(first, last):
        windows = price[first:last].unfold(0, 13, 1)
        x = ((windows[:, :12] - windows[:, 11:12]) / change).float().unsqueeze(-1).cuda()
        return x, ((windows[:, 12] - windows[:, 11]) / change).float().cuda()
    (x, y), (vx, vy), (tx, ty) = part(0, ends[0]), part(ends[0], ends[1]), part(ends[1], ends[2])
    model = Network(1).cuda()
    optimiser = torch.optim.Adam(model.parameters(), lr=torch.tensor(1e-3, device='cuda'), fused=True, capturable=True)
    seconds = train(model, F.mse_loss, optimiser, (x,), y, 16, epochs,
                    lambda m: F.mse_loss(outputs(m, (vx,)), vy).item())
    error = ((outputs(model, (tx,)) - ty) * (change / deviation)).square().mean().item()
    return {'training': 'forecast', 'epochs': epochs, 'seconds': seconds, 'test mse_z': error}


def sentiment(data, epochs=8):
    data, words, length = pathlib.Path(data), re.compile(r"[a-z0-9']+|[.,;:!?()\"-]"), 200
    vector = {}
    with open(data / 'glove/imdb-skipgram.100d.txt', encoding='utf-8') as file:
        for line in file:
            word, _, numbers = line.partition(' ')
            if numbers.count(' ') == 99:
                vector[word] = len(vector) + 1, numbers
    table = torch.zeros(len(vector) + 1, 100)
    for row, numbers in vector.values():
        table[row] = torch.tensor([float(n) for n in numbers.split()])
    table = table.cuda()

    def part(name):
        tokens, labels = [], []
        for label, folder in enumerate(('neg', 'pos')):
            for path in sorted((data / 'aclImdb' / name / folder).iterdir()):
                text = words.findall(path.read_text(encoding='utf-8').lower().replace('<br />', ' '))[:length]
                tokens.append([vector[w][0] if w in vector else 0 for w in text] + [-1] * (length - len(text)))
                labels.append(float(label))
        tokens = torch.tensor(tokens, device='cuda')
        return table[tokens.clamp_min(0)] * (tokens >= 0).unsqueeze(-1), tokens < 0, torch.tensor(labels, device='cuda')
    x, padded, y = part('train')
    order = torch.randperm(len(y), generator=torch.Generator('cuda').manual_seed(1), device='cuda')
    v, t = order[:len(y) // 10], order[len(y) // 10:]
    validation, training = (x[v], padded[v]), (x[t], padded[t])
    model = Network(100, (0.2, 0.5), True).cuda()
    optimiser = torch.optim.AdamW(model.parameters(), lr=torch.tensor(1e-3, device='cuda'), weight_decay=1e-2, fused=True,
                                  capturable=True)
    loss = F.binary_cross_entropy_with_logits
    seconds = train(model, loss, optimiser, training, y[t], 64, epochs,
                    lambda m: loss(outputs(m, validation), y[v]).item(), 1.0,
                    lambda e: 0.5e-3 * (1 + math.cos(math.pi * e / epochs)))
    x, padded, labels = part('test')
    right = ((outputs(model, (x, padded)) > 0) == (labels > 0.5)).float().mean().item()
    return {'training': 'sentiment', 'epochs': epochs, 'seconds': seconds, 'test accuracy': right}


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ['forecast'] and len(arguments) <= 2:
        row = forecast(*map(int, arguments[1:]))
    elif arguments[:1] == ['sentiment'] and len(arguments) in (2, 3):
        row = sentiment(arguments[1], *map(int, arguments[2:]))
    else:
        sys.exit(__doc__)
    print(json.dumps(row))


if __name__ == '__main__':
    main()
