"""The demo: a Gradio page that tries the service, and the house that brings everything up.

It talks to the API over HTTP only, as any other client would.
"""
