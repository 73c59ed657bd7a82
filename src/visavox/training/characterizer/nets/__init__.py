"""The two nets that this house trains itself."""
