"""Results, benchmarks, comparisons and the leaderboard."""
