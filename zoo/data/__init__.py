"""From files to batches of atoms: readers, index, store, splits, decoys, batches."""
