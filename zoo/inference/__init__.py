"""From atoms to a combined score; used by everything that scores poses.

``choices`` holds the options, ``ready`` prepares a model, ``outputs`` runs a network over batches, ``pairs``
and ``rows`` score pairs in memory and rows of an index, ``combine`` averages over views and models.
"""
