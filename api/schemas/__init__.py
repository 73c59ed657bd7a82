"""What travels, by resource: what a request may say and what an answer shows."""
