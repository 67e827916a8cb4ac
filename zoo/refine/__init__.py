"""Poses moved to where a model likes them better, without clashes and never to a worse score."""
