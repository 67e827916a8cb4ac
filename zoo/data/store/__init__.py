"""Memory-mapped arrays of atoms and index columns."""
