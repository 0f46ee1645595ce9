"""Clips in, verdicts out."""
