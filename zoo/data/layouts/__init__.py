"""Recognition of folder and table layouts."""
