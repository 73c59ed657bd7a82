"""Retraining in production: from a member's change to a proven model that serves.

Everything here works on a fridge's sealed captures, in memory, and leaves nothing of a member in
the clear. `flows` strings it together.
"""
