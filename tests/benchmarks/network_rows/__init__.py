"""The rows of ``tests.benchmarks.network``, by what they measure."""
