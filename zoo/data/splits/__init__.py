"""Group-safe splits and leak checks."""
