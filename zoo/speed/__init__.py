"""Measuring speed: kernels beside peers, the pipeline, training, memory, indexing, the device."""
