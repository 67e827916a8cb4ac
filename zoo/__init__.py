"""The zoo: architectures, scorers, data, training, prediction and the leaderboard."""
