#!/usr/bin/env python3
"""hivemind's codecs in numpy, for comparison.

usage: hivemind.py CODEC BYTES    (of floats)

Prints GB/s of floats encoded and decoded, each the median of several passes. Formulas are hivemind's: means, norms and roundings in the arrays' own
type, bucket means by bincount.
"""
import math
import statistics
import sys
import time

import numpy as np


def codebook_of(x, codes):
    sums = np.bincount(codes, weights=x, minlength=256)
    counts = np.bincount(codes, minlength=256)
    return (sums / np.maximum(counts, 1)).astype(np.float32)


def look_up(encoded):
    book, codes = encoded
    return book[codes]


def encode_float16(x):
    return np.clip(x, -65504, 65504).astype(np.float16)


def decode_float16(encoded):
    return encoded.astype(np.float32)


def encode_meanstd16(x):
    mean = x.mean()
    centred = x - mean
    deviation = max(np.linalg.norm(centred) / math.sqrt(x.size), np.float32(2.0**-23))
    return np.clip(centred / deviation, -65504, 65504).astype(np.float16), mean, deviation


def decode_meanstd16(encoded):
    halves, mean, deviation = encoded
    return halves.astype(np.float32) * deviation + mean


def encode_uniform8(x):
    centred = x - x.mean()
    sigma = np.linalg.norm(centred) / math.sqrt(x.size - 1)
    scale = np.float32(6 * sigma / 256)
    codes = np.clip(np.rint(centred / scale) + 128, 0, 255).astype(np.uint8)
    return codebook_of(x, codes), codes


def encode_quantile8(x):
    chunk = 100000
    if x.size > chunk:
        chunk += (x.size % 100000 - 1) // (x.size // 100000) + 1
    steps = np.linspace(0.0, 1.0, 257)
    parts = [np.quantile(x[i : i + chunk], steps) for i in range(0, x.size, chunk)]
    borders = np.quantile(np.concatenate(parts), steps)[1:-1].astype(np.float32)
    codes = np.searchsorted(borders, x, side="left").astype(np.uint8)
    return codebook_of(x, codes), codes


def dynamic_tree():
    data = [0.0, 1.0]
    for i in range(7):
        borders = np.linspace(0.1, 1.0, 2**i + 1)
        means = (borders[:-1] + borders[1:]) / 2 * 10.0 ** (i - 6)
        data += list(means) + list(-means)
    return np.array(sorted(data)).astype(np.float32)


LEVELS = dynamic_tree()
MIDDLES = (LEVELS[:-1] + LEVELS[1:]) / 2


def encode_blockwise8(x):
    blocks = x.reshape(-1, 4096)
    peaks = np.abs(blocks).max(axis=1, keepdims=True)
    return np.searchsorted(MIDDLES, blocks / peaks, side="left").astype(np.uint8), peaks


def decode_blockwise8(encoded):
    codes, peaks = encoded
    return LEVELS[codes] * peaks


CODECS = {
    "float16": (encode_float16, decode_float16),
    "meanstd16": (encode_meanstd16, decode_meanstd16),
    "uniform8": (encode_uniform8, look_up),
    "quantile8": (encode_quantile8, look_up),
    "blockwise8": (encode_blockwise8, decode_blockwise8),
}


def rate_of(run, argument):
    """By the median of several passes: half a second's worth and three, but none after five."""
    times = []
    while not times or sum(times) < (0.5 if len(times) >= 3 else 5):
        start = time.perf_counter()
        run(argument)
        times.append(time.perf_counter() - start)
    return size / statistics.median(times) / 1e9


encode, decode = CODECS[sys.argv[1]]
size = int(sys.argv[2])
values = np.random.default_rng(1).standard_normal(size // 4).astype(np.float32)
print(rate_of(encode, values), rate_of(decode, encode(values)))
