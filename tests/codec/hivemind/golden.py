#!/usr/bin/env python3
"""Writes golden.hpp: what hivemind's formulas, in numpy alone, make of a few inputs.

usage: golden.py > golden.hpp    (needs numpy; the tests need only what is stored)
"""
import numpy as np

MASK = (1 << 64) - 1


def normals(n, seed):
    """Sums of twelve 24-bit integers from splitmix64: no libm, one rounding."""
    state, result = seed, np.empty(n, np.float32)
    for i in range(n):
        total = -6 * (1 << 24)
        for _ in range(12):
            state = (state + 0x9E3779B97F4A7C15) & MASK
            x = state
            x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
            x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
            total += (x ^ (x >> 31)) >> 40
        result[i] = np.float32(total) * np.float32(2.0**-24)
    return result


def heavy(n, seed):
    x = normals(n, seed)
    return x * x * x


def codebook_of(x, codes):
    sums = np.bincount(codes, weights=x.astype(np.float64), minlength=256)
    counts = np.bincount(codes, minlength=256)
    return (sums / np.maximum(counts, 1)).astype(np.float32)


def uniform8(x):
    mean = np.float32(x.astype(np.float64).mean())
    centred = x - mean
    sigma = np.sqrt((centred.astype(np.float64) ** 2).sum() / (x.size - 1))
    scale = np.float32(6 * sigma / 256)
    inverse = np.float32(1) / scale
    codes = np.clip(128 + np.rint(centred * inverse), 0, 255).astype(np.int64)
    return codebook_of(x, codes), codes


def quantiles(x, chunk):
    steps = np.linspace(0.0, 1.0, 257)
    parts = [np.quantile(x[i : i + chunk].astype(np.float64), steps) for i in range(0, x.size, chunk)]
    return np.quantile(np.concatenate(parts), steps)


def quantile8(x):
    chunk = 100000
    if x.size > chunk:
        chunk += (x.size % 100000 - 1) // (x.size // 100000) + 1
    borders = quantiles(x, chunk)[1:-1].astype(np.float32)
    codes = np.searchsorted(borders, x, side="left")
    return codebook_of(x, codes), codes


def dynamic_tree():
    data = []
    for i in range(7):
        borders = np.linspace(0.1, 1.0, 2**i + 1)
        means = (borders[:-1] + borders[1:]) / 2 * 10.0 ** (i - 6)
        data += list(means) + list(-means)
    return np.array(sorted(data + [0.0, 1.0]), np.float64).astype(np.float32)


def blockwise8(x):
    table = dynamic_tree()
    middles = ((table[:-1].astype(np.float64) + table[1:]) / 2).astype(np.float32)
    codes, peaks = [], []
    for i in range(0, x.size, 4096):
        peak = np.abs(x[i : i + 4096]).max()
        peaks.append(peak)
        codes.append(np.searchsorted(middles, x[i : i + 4096] / peak, side="left"))
    return np.array(peaks, np.float32), np.concatenate(codes)


def meanstd16(x, width):
    rows = x.reshape(-1, width)
    means = rows.astype(np.float64).mean(axis=1).astype(np.float32)
    centred = (rows - means[:, None]).astype(np.float64)
    deviations = np.maximum(np.sqrt((centred**2).mean(axis=1)), 2.0**-23).astype(np.float32)
    halves = np.clip((rows - means[:, None]) / deviations[:, None], -65504, 65504).astype(np.float16)
    decoded = halves.astype(np.float32) * deviations[:, None] + means[:, None]
    return halves.reshape(-1), means, deviations, decoded.reshape(-1)


def emit(kind, name, values):
    print(f"inline constexpr {kind} {name}[] = {{")
    line = "   "
    for value in values:
        text = f" {value},"
        if len(line) + len(text) > 99:
            print(line)
            line = "   "
        line += text
    print(line)
    print("};\n")


def bits(values):
    return [hex(b) for b in np.asarray(values, np.float32).view(np.uint32)]


print("#pragma once\n\n#include <cstdint>\n")
print("// Written by golden.py, which says what each is.\n// clang-format off")
print("namespace golden {\n")
for name, x in [("normal", normals(1000, 1)), ("heavy", heavy(1000, 2))]:
    emit("std::uint32_t", f"{name}_input", bits(x[:4]))
    for codec in [uniform8, quantile8]:
        book, codes = codec(x)
        emit("std::uint32_t", f"{codec.__name__}_{name}_codebook", bits(book))
        emit("std::uint8_t", f"{codec.__name__}_{name}_codes", codes)
book, codes = quantile8(heavy(250001, 3))
emit("std::uint32_t", "quantile8_long_codebook", bits(book))
emit("std::uint32_t", "quantile8_long_counts", np.bincount(codes, minlength=256))
emit("std::uint32_t", "dynamic_tree", bits(dynamic_tree()))
peaks, codes = blockwise8(heavy(4200, 4))
emit("std::uint32_t", "blockwise8_peaks", bits(peaks))
emit("std::uint8_t", "blockwise8_codes", codes)
halves, means, deviations, decoded = meanstd16(heavy(600, 5) + np.float32(3), 200)
emit("std::uint16_t", "meanstd16_halves", [hex(b) for b in halves.view(np.uint16)])
emit("std::uint32_t", "meanstd16_means", bits(means))
emit("std::uint32_t", "meanstd16_deviations", bits(deviations))
emit("std::uint32_t", "meanstd16_decoded", bits(decoded))
edge = np.array([1e9, -1e9, 65504, 65519, 65520, 1e-8, 6e-5, -3e-8, 2.0**-25, 1 / 3], np.float32)
clamped = np.clip(edge, -65504, 65504).astype(np.float16)
emit("std::uint32_t", "float16_input", bits(edge))
emit("std::uint16_t", "float16_halves", [hex(b) for b in clamped.view(np.uint16)])
print("}  // namespace golden")
