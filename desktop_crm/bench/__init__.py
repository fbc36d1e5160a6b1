"""Benchmarks: ratios between what the product does and the least that it could cost."""
