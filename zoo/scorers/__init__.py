"""How a ranking is judged, one file a family."""
