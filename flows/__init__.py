"""Metaflow: what retrains, strung together from functions that live in `visavox`."""
