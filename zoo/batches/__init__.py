"""Batches of encoded atoms and images: pairs, encoding, epochs, the tf.data pipeline."""
