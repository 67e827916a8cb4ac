"""From atoms to a combined score."""
