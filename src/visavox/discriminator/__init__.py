"""Which member, or nobody: LLRs of embeddings against the members of one fridge."""

from visavox.discriminator.model import FAMILIES, Discriminator, Expert

__all__ = ["FAMILIES", "Discriminator", "Expert"]
