"""Search over featurizers, architectures, their options and training fields, with Optuna."""
