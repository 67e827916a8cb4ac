"""Speed measurements: kernels beside peers, pipeline, training, memory, indexing, device."""
