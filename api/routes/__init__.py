"""Routes by resource: parse, one call into `visavox.service`, return a schema."""
