"""Benchmarks: every figure a ratio against a floor or a named peer, measured in the same run."""
