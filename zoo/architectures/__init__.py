"""Networks from image to score, one file each."""
