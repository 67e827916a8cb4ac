"""Models in Python: :func:`affinity_zoo.load_model`, pockets, and tables of scores."""
