"""Files, processes, terminal, devices and the Keras backend."""
