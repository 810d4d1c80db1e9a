"""Measure models: suite, extraction, grading in a sandbox, speed, statistics, report."""
