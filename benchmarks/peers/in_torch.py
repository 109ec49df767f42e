"""The works in PyTorch, eager or compiled, as somebody who wants speed writes them.

LSTMs are nn.LSTM (oneDNN), in the bare stack one of four layers. Images lie with channels innermost. The policies use what is
equal and cheaper: heads that average mix once, with the mean weights; with tied keys the query is projected, not the keys; with
tied values the mixture is. Adam is the fused one. Compiled, nn.LSTM stays as it is: torch.compile does not look into it by default,
and 200 steps unrolled are no program to compile.
"""
import torch
from torch import nn
from torch.nn import functional as F

import tasks
from tasks import HEADS, WIDTH


def pooled(h, size):
    """An image [batch, height, width, channels] averaged to `size` rows."""
    if h.shape[1] == size:
        return h
    return F.avg_pool2d(h.permute(0, 3, 1, 2), h.shape[1] // size).permute(0, 2, 3, 1)


class Linear(nn.Module):
    def __init__(self, before):
        super().__init__()
        self.projection = nn.ParameterList(torch.empty(WIDTH, WIDTH) for _ in range(before))
        self.score = nn.Parameter(torch.empty(HEADS, before + 1, WIDTH // HEADS))

    def forward(self, own, before):
        items = torch.stack([own, *(F.linear(h, w) for h, w in zip(before, self.projection))], -2)
        scores = torch.einsum('...nkc,knc->...kn', items.unflatten(-1, (HEADS, -1)), self.score)
        weights = scores.softmax(-1).mean(-2)
        return (weights.unsqueeze(-2) @ items).squeeze(-2)


class Attention(nn.Module):
    def __init__(self, before):
        super().__init__()
        if before > 1:
            self.query, self.key = nn.Parameter(torch.empty(WIDTH, WIDTH)), nn.Parameter(torch.empty(WIDTH, WIDTH))
        self.value = nn.Parameter(torch.empty(WIDTH, WIDTH))

    def forward(self, own, before):
        if len(before) == 1:
            return F.linear(before[0], self.value)
        items = torch.stack(before, -2)
        query = F.linear(own, self.query) @ (self.key * WIDTH ** -0.5)
        weights = (items @ query.unsqueeze(-1)).squeeze(-1).softmax(-1)
        return F.linear((weights.unsqueeze(-2) @ items).squeeze(-2), self.value)


class Network(nn.Module):
    def __init__(self, task, policy):
        super().__init__()
        self.policy, self.images, self.depth = policy, bool(task.strides), task.depth
        inputs = [task.shape[-1]] + [WIDTH * (j if policy == 'densenet' else 1) for j in range(1, task.depth)]
        if self.images:
            self.cores = nn.ModuleList(nn.Conv2d(n, WIDTH, 3, s, 1) for n, s in zip(inputs, task.strides))
            self.cores.to(memory_format=torch.channels_last)
        elif policy == 'bare':
            self.cores = nn.ModuleList([nn.LSTM(inputs[0], WIDTH, task.depth, batch_first=True)])
        else:
            self.cores = nn.ModuleList(nn.LSTM(n, WIDTH, batch_first=True) for n in inputs)
        make = {'linear': Linear, 'attention': Attention}.get(policy)
        self.integrations = nn.ModuleList(make(j) if make and j else nn.Identity() for j in range(task.depth))
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(task.depth if policy != 'bare' else 0))
        self.linear = nn.Linear(WIDTH, task.outputs)

    def table(self):
        """The parameters under the library's names; of an LSTM's two biases the first, and the other is zero."""
        def names():
            for j in range(self.depth):
                core = self.cores[j if self.images or self.policy != 'bare' else 0]
                if self.images:
                    yield f'stack.{j}.core.weight', core.weight
                    yield f'stack.{j}.core.bias', core.bias
                else:
                    k = j if self.policy == 'bare' else 0
                    yield f'stack.{j}.core.weight_ih', getattr(core, f'weight_ih_l{k}')
                    yield f'stack.{j}.core.weight_hh', getattr(core, f'weight_hh_l{k}')
                    yield f'stack.{j}.core.bias', getattr(core, f'bias_ih_l{k}')
                for name, parameter in self.integrations[j].named_parameters():
                    yield f'stack.{j}.integrate.{name}', parameter
                if self.norms:
                    yield f'stack.{j}.epilogue.weight', self.norms[j].weight
                    yield f'stack.{j}.epilogue.bias', self.norms[j].bias
            yield 'linear.weight', self.linear.weight
            yield 'linear.bias', self.linear.bias
        return dict(names())

    @torch.no_grad()
    def load(self, parameters):
        for name, parameter in self.named_parameters():
            if 'bias_hh' in name:
                parameter.zero_()
        for name, parameter in self.table().items():
            parameter.copy_(torch.from_numpy(parameters[name]))
        return self

    def core(self, j, x):
        if self.images:
            return self.cores[j](x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return self.cores[j](x)[0]

    def stack(self, x):
        if self.policy == 'bare' and not self.images:
            return self.cores[0](x)[0]
        h = []
        for j in range(self.depth):
            own = self.core(j, torch.cat(h[::-1], -1) if self.policy == 'densenet' and j > 1 else h[-1] if j else x)
            if self.policy == 'bare':
                h = [own.relu()]
                continue
            h = [] if self.policy == 'none' else h[-1:] if self.policy == 'residual' else h
            if self.images:  # windows of windows: the size of this layer is a multiple of those to come
                h = [pooled(p, own.shape[1]) for p in h]
            if j and self.policy == 'residual':
                own = own + h[-1]
            elif j and self.policy in ('linear', 'attention'):
                own = own + self.integrations[j](own, h)
            h.append(self.norms[j](own.relu()))
        return h[-1]

    def forward(self, x):
        h = self.stack(x)
        return self.linear(h.mean((1, 2)) if self.images else h[:, -1])


def loss_of(task):
    if task.loss == 'cross-entropy':
        return F.cross_entropy
    loss = F.mse_loss if task.loss == 'squared error' else F.binary_cross_entropy_with_logits
    return lambda output, target: loss(output.squeeze(-1), target)


class Training:
    def __init__(self, work, compiled, threads):
        torch.set_num_threads(threads)
        self.model = Network(work.task, work.policy).load(tasks.first_parameters(work.task, work.policy))
        x, y = map(torch.from_numpy, tasks.batch_of(work.task))
        loss_function = loss_of(work.task)
        self.loss = lambda x, y: loss_function(self.model(x), y)
        loss = torch.compile(self.loss) if compiled else self.loss
        optimiser = torch.optim.Adam(self.model.parameters(), fused=True)

        def step():
            optimiser.zero_grad()
            loss(x, y).backward()
            optimiser.step()
        self.calls = {threads: step}
        self.timed_loss = loss

    def check(self, tensors):
        self.model.load(tensors)
        x, y = torch.from_numpy(tensors['work.input']), torch.from_numpy(tensors['work.target'])
        self.model.zero_grad()
        loss = self.timed_loss(x, y.long() if self.model.linear.out_features > 1 else y)
        loss.backward()
        gradients = {name: p.grad.numpy() for name, p in self.model.table().items()}
        return tasks.compare_training(loss.item(), gradients, tensors)


class Prediction:
    """From an array of numpy to an array of numpy; one sample by as many threads as are faster."""
    def __init__(self, work, compiled, threads):
        torch.set_num_threads(threads)
        self.task, self.single = work.task, work.kind == 'predict1'
        self.model = Network(work.task, work.policy).load(tasks.first_parameters(work.task, work.policy)).eval()
        self.compiled = compiled
        self.function = self.make()
        inputs = tasks.batch_of(work.task)[0]
        x = inputs[:1].copy() if self.single else inputs

        def on(threads):
            def call():
                if torch.get_num_threads() != threads:
                    torch.set_num_threads(threads)
                return self.predict(x)
            return call
        self.calls = {n: on(n) for n in ((1, threads) if self.single and threads > 1 else (threads,))}

    def make(self):
        if not self.compiled:
            return self.model
        # Weights become constants, in the order the kernels like.
        import torch._inductor.config
        torch._inductor.config.freezing = True
        torch._dynamo.reset()
        return torch.compile(self.model)

    def predict(self, x):
        with torch.inference_mode() if not self.compiled else torch.no_grad():
            return self.function(torch.from_numpy(x)).numpy()

    def check(self, tensors):
        self.model.load(tensors)
        self.function = self.make()  # what was compiled may have the earlier weights in it
        x = tensors['work.input']
        if self.single:
            import numpy as np
            output = np.concatenate([self.predict(x[i:i + 1].copy()) for i in range(len(x))])
        else:
            output = self.predict(x)
        return {'output': tasks.distance(output, tensors['work.output'])}


class Convolution:
    def __init__(self, compiled, threads):
        torch.set_num_threads(threads)
        batch, height, width, channels = tasks.CONVOLUTION_SHAPE
        self.layer = nn.Conv2d(channels, WIDTH, 3, padding=1).to(memory_format=torch.channels_last)
        self.function = torch.compile(self.layer) if compiled else self.layer
        x = torch.rand(batch, height, width, channels).permute(0, 3, 1, 2)

        def call():
            with torch.no_grad():
                self.function(x)
        self.calls = {threads: call}

    @torch.no_grad()
    def check(self, tensors):
        self.layer.weight.copy_(torch.from_numpy(tensors['weight']))
        self.layer.bias.copy_(torch.from_numpy(tensors['bias']))
        output = self.function(torch.from_numpy(tensors['work.input']).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return {'output': tasks.distance(output.numpy(), tensors['work.output'])}


class Overhead:
    """A module of one weight: what a call costs that computes nothing."""
    def __init__(self, compiled):
        layer = nn.Linear(1, 1)
        function = torch.compile(layer) if compiled else layer
        x = tasks.batch_of(tasks.TASKS['forecast'])[0][:1, 0].copy()

        def call():
            with torch.inference_mode() if not compiled else torch.no_grad():
                return function(torch.from_numpy(x)).numpy()
        self.calls = {1: call}


class PyTorch:
    def __init__(self, threads, compiled):
        torch.set_flush_denormal(True)
        self.threads, self.compiled = threads, compiled
        self.name = f'PyTorch {torch.__version__.split("+")[0]}' + (', compiled' if compiled else '')

    def works(self):
        return [*tasks.network_names(), tasks.CONVOLUTION, tasks.OVERHEAD]

    def start(self, name):
        if self.compiled:
            import torch._inductor.config
            torch._inductor.config.freezing = False
            torch._dynamo.reset()  # other works compiled the same code for other shapes
        if name == tasks.OVERHEAD:
            return Overhead(self.compiled)
        if name == tasks.CONVOLUTION:
            return Convolution(self.compiled, self.threads)
        work = tasks.parse(name)
        return (Training if work.kind == 'train' else Prediction)(work, self.compiled, self.threads)
