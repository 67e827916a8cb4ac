"""Generation of training poses: displaced, docked or sampled."""
