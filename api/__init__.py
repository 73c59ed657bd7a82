"""The service over HTTP: thin over `visavox.service`."""
