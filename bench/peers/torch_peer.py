#!/usr/bin/env python3
"""What PyTorch makes of the products, attention and encoders that `bin/bench ops -p backend=gpu` times, on the same
device: a peer for people who measure. Nothing of Cyclane needs it to be built, tested or run.

    python3 bench/peers/torch_peer.py gemm 8192x8192x8192 16384x768x3072
    python3 bench/peers/torch_peer.py attention 8x1024 1x8192 --heads 12 --head-width 64
    python3 bench/peers/torch_peer.py encoder CONFIG.json --texts 64x512

Prints lines `name value`, times by the device's own clock: medians over --runs after --warm of them. CONFIG.json is
that of a ModernBERT or ModernALBERT, such as model/src/main/resources/io/cyclane/model/modernalbert/base.json; its
weights are random, of a fixed seed. Wants PyTorch 2.5 or later; without a GPU, --device cpu shows that it runs.
"""

import argparse
import json
import statistics
import time

import torch
import torch.nn.functional as F

DTYPES = {"bf16": torch.bfloat16, "f32": torch.float32}


def extents(text):
    return [int(part) for part in text.split("x")]


def seconds(work, arguments):
    """The median time of a call."""
    for _ in range(arguments.warm):
        work()
    times = []
    for _ in range(arguments.runs):
        if arguments.device == "cuda":
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            begin.record()
            work()
            end.record()
            end.synchronize()
            times.append(begin.elapsed_time(end) * 1e-3)
        else:
            begin = time.perf_counter()
            work()
            times.append(time.perf_counter() - begin)
    return statistics.median(times)


def normal(*shape, arguments, scale=1.0):
    return (torch.randn(*shape, device=arguments.device) * scale).to(DTYPES[arguments.dtype])


def gemm(arguments):
    for shape in arguments.shapes:
        rows, inner, outputs = extents(shape)
        x = normal(rows, inner, arguments=arguments)
        weight = normal(outputs, inner, arguments=arguments)
        bias = normal(outputs, arguments=arguments)
        taken = seconds(lambda: F.linear(x, weight, bias), arguments)
        report(f"linear/{shape}", taken, 2 * rows * inner * outputs, arguments)


def attention(arguments):
    for texts in arguments.shapes:
        count, tokens = extents(texts)
        q, k, v = (
            normal(count, arguments.heads, tokens, arguments.head_width, arguments=arguments) for _ in range(3)
        )
        taken = seconds(lambda: F.scaled_dot_product_attention(q, k, v), arguments)
        flops = 4 * count * tokens**2 * arguments.heads * arguments.head_width
        report(f"attention/texts={texts},heads={arguments.heads},headWidth={arguments.head_width}", taken, flops, arguments)


def report(name, taken, flops, arguments):
    name = f"torch/{name}/{arguments.dtype}/"
    print(name + "device-microseconds", f"{taken * 1e6:.1f}")
    print(name + "gflops", f"{flops / taken * 1e-9:.0f}", flush=True)


class Layer:
    """A pre-norm layer; with experts its feed-forward part is a mixture of low-rank updates of whole layers."""

    def __init__(self, config, width, hidden, experts, arguments):
        def weight(*shape):
            return normal(*shape, arguments=arguments, scale=0.02)

        self.heads = config["num_attention_heads"]
        self.norms = [normal(width, arguments=arguments) * 0 + 1 for _ in range(2)]
        self.qkv = weight(3 * width, width)
        self.out = weight(width, width)
        self.wi = weight(2 * hidden, width)
        self.wo = weight(width, hidden)
        self.eps = config.get("norm_eps", config.get("layer_norm_eps", 1e-5))
        self.experts = experts
        if experts:
            rank = config["lora_rank"]
            self.top_k = config["top_k"]
            self.scale = config["lora_alpha"] / rank
            self.router = weight(experts, width)
            self.a1 = weight(experts * rank, width)
            self.b1 = weight(2 * hidden, experts * rank)
            self.a2 = weight(experts * rank, hidden)
            self.b2 = weight(width, experts * rank)

    def __call__(self, x, turn, mask):
        width = x.shape[-1]
        normed = F.layer_norm(x, (width,), self.norms[0], eps=self.eps)
        q, k, v = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in F.linear(normed, self.qkv).chunk(3, -1)
        )
        seen = F.scaled_dot_product_attention(turn(q), turn(k), v, attn_mask=mask)
        x = x + F.linear(seen.transpose(1, 2).flatten(-2), self.out)
        normed = F.layer_norm(x, (width,), self.norms[1], eps=self.eps)
        return x + (self.mixture(normed) if self.experts else self.plain(normed))

    def plain(self, x):
        a, b = F.linear(x, self.wi).chunk(2, -1)
        return F.linear(F.gelu(a) * b, self.wo)

    def mixture(self, x):
        """The form that is equal and cheap: one product with each base weight, whatever the number of experts."""
        scores = F.linear(x, self.router).float().softmax(-1)
        gates, chosen = scores.topk(self.top_k)
        gates = (gates / gates.sum(-1, keepdim=True)).to(x.dtype)
        base = F.linear(x, self.wi)
        down = F.linear(x, self.a1).unflatten(-1, (self.experts, -1))
        mixed = 0
        updates = 0
        for choice in range(self.top_k):
            only = F.one_hot(chosen[..., choice], self.experts).to(x.dtype).unsqueeze(-1)
            wide = base + self.scale * F.linear((down * only).flatten(-2), self.b1)
            a, b = wide.chunk(2, -1)
            z = F.gelu(a) * b * gates[..., choice : choice + 1]
            mixed = mixed + z
            narrow = F.linear(z, self.a2).unflatten(-1, (self.experts, -1)) * only
            updates = updates + F.linear(narrow.flatten(-2), self.b2)
        return F.linear(mixed, self.wo) + self.scale * updates


class Encoder:
    """Token ids [B, L] to the mean of their vectors, scaled to length 1."""

    def __init__(self, config, length, arguments):
        width = config["hidden_size"]
        hidden = config["intermediate_size"]
        embedded = config.get("embedding_size", width)
        self.table = normal(config["vocab_size"], embedded, arguments=arguments, scale=0.02)
        self.up = normal(width, embedded, arguments=arguments, scale=0.02) if embedded != width else None
        rounds = config.get("group_depth", 1)
        groups = config["num_hidden_layers"] // rounds
        routed = set(config.get("expert_groups", []))
        self.layers = []
        for group in range(1, groups + 1):
            experts = config["num_experts"] if group in routed else 0
            size = config.get("expert_intermediate_size", hidden) if experts else hidden
            self.layers += [Layer(config, width, size, experts, arguments)] * rounds
        half = width // config["num_attention_heads"] // 2
        angles = torch.outer(torch.arange(length), 10000.0 ** (-torch.arange(half) / half)).to(arguments.device)
        self.cosine = torch.cat([angles.cos()] * 2, -1).to(DTYPES[arguments.dtype])
        self.sine = torch.cat([angles.sin()] * 2, -1).to(DTYPES[arguments.dtype])
        every = config.get("global_attn_every_n_layers", 1)
        reach = config.get("local_attention", 0) // 2
        places = torch.arange(length, device=arguments.device)
        near = (places[:, None] - places[None, :]).abs() <= reach
        self.masks = [None if i % every == 0 else near for i in range(len(self.layers))]

    def turn(self, x):
        a, b = x.chunk(2, -1)
        return x * self.cosine + torch.cat([-b, a], -1) * self.sine

    def __call__(self, ids):
        x = F.embedding(ids, self.table)
        x = x if self.up is None else F.linear(x, self.up)
        for layer, mask in zip(self.layers, self.masks):
            x = layer(x, self.turn, mask)
        return F.normalize(x.float().mean(1), dim=-1)


def encoder(arguments):
    with open(arguments.config, encoding="utf-8") as file:
        config = json.load(file)
    count, length = extents(arguments.texts)
    model = Encoder(config, length, arguments)
    ids = torch.randint(0, config["vocab_size"], (count, length), device=arguments.device)
    forms = {"eager": model}
    if arguments.compile:
        forms["compiled"] = torch.compile(model.__call__)
    for form, forward in forms.items():
        taken = seconds(lambda: forward(ids), arguments)
        name = f"torch/encoder/{config['model_type']}/{arguments.texts}/{arguments.dtype}/{form}/"
        print(name + "tokens-per-second", f"{count * length / taken:.0f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--dtype", choices=DTYPES, default="bf16")
    parser.add_argument("--runs", type=int, default=31)
    parser.add_argument("--warm", type=int, default=10)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("gemm", help="rows x inputs x outputs")
    command.add_argument("shapes", nargs="+")
    command.set_defaults(run=gemm)
    command = commands.add_parser("attention", help="texts x tokens of each")
    command.add_argument("shapes", nargs="+")
    command.add_argument("--heads", type=int, default=12)
    command.add_argument("--head-width", type=int, default=64)
    command.set_defaults(run=attention)
    command = commands.add_parser("encoder", help="an encoder of random weights")
    command.add_argument("config")
    command.add_argument("--texts", default="64x512")
    command.add_argument("--no-compile", dest="compile", action="store_false")
    command.set_defaults(run=encoder)
    arguments = parser.parse_args()
    torch.manual_seed(1)
    with torch.inference_mode():
        arguments.run(arguments)


if __name__ == "__main__":
    main()
